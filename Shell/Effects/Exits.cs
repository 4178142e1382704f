using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Shell.Keeper;
using LanguageExt;

namespace Agent.Shell.Effects;

/// <summary>Core's words and the keeper's, for how a process ends and what it is held to.</summary>
internal static class Exits
{
    public static ExitStatus StatusOf(KeptExit exit) =>
        exit.OutOfMemory ? new ExitStatus.OutOfMemory()
        : exit.Code is { } code ? new ExitStatus.Exited(code)
        : exit.Signal is { } signal ? new ExitStatus.Signaled(signal)
        : new ExitStatus.Lost();

    public static SpawnLimit? LimitOf(ProcessLimits limits) => limits.IsNone ? null : new(
        OrNull(limits.MemoryBytes), OrNull(limits.CpuThousandths), OrNull(limits.Pids), OrNull(limits.OpenFiles));

    private static T? OrNull<T>(Option<T> option)
        where T : struct => option.TryGet(out var value) ? value : null;
}
