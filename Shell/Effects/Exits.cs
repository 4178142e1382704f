using Agent.Core.Model;
using Agent.Shell.Keeper;

namespace Agent.Shell.Effects;

/// <summary>The keeper's account of an exit, in Core's words.</summary>
internal static class Exits
{
    public static ExitStatus StatusOf(KeptExit exit) =>
        exit.Code is { } code ? new ExitStatus.Exited(code)
        : exit.Signal is { } signal ? new ExitStatus.Signaled(signal)
        : new ExitStatus.Lost();
}
