using System.Globalization;
using System.Threading.Tasks;
using Agent.Shell.Boot;
using Agent.Shell.Cli;
using Agent.Shell.Keeper;

namespace Agent.Shell;

internal static class Program
{
    /// <summary>
    /// The keeper is told apart before anything else is loaded: it lives for as long as the host does and should be
    /// no larger than what it does.
    /// </summary>
    public static Task<int> Main(string[] arguments) =>
        arguments is ["keep", "--state-dir", var stateDir, "--runtime-dir", var runtimeDir, .. var more]
            ? Task.FromResult(KeeperProgram.Run(
                new KeeperPaths(stateDir, runtimeDir),
                more is [Handover.Option, var note] ? int.Parse(note, CultureInfo.InvariantCulture) : null))
            : arguments is [UpgradeGuard.Verb, .. var given] ? UpgradeGuard.RunAsync(given)
            : CommandTree.RunAsync(arguments);
}
