using System;
using System.IO;
using Agent.Shell.Linux;
using Agent.Shell.Observability;

namespace Agent.Shell.Keeper;

/// <summary>
/// `agent keep`: the parent of everything supervised. It outlives the agent, knows no configuration and no network,
/// and does the few things that only a parent can.
/// </summary>
internal static class KeeperProgram
{
    private const int Hangup = 1;
    private const int Interrupt = 2;
    private const int Terminate = 15;

    /// <param name="paths">The directories to keep.</param>
    /// <param name="note">The descriptor of a handover; null where no keeper ran in this process before.</param>
    public static int Run(KeeperPaths paths, int? note)
    {
        const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        Directory.CreateDirectory(paths.RuntimeDir, Private);
        Directory.CreateDirectory(paths.Fifos, Private);
        Directory.CreateDirectory(Path.GetDirectoryName(paths.Children)!, Private);
        var handover = note is { } left ? Handover.Take(left) : null;
        var gate = handover?.Gate ?? Files.Open(paths.Lock, create: true);
        if (handover is null && !Files.TryLock(gate, paths.Lock))
        {
            Log.Info("another keeper serves this directory", ("directory", paths.RuntimeDir));
            return 0;
        }

        // Whoever stops the agent does not mean its children; the keeper ends when it is told to and nothing lives.
        foreach (var signal in (int[])[Hangup, Interrupt, Terminate]) Processes.Ignore(signal);
        Processes.BecomeSubreaper();
        try
        {
            using var server = new KeeperServer(paths, gate, handover);
            server.Run();
            return 0;
        }
#pragma warning disable CA1031 // The last line of a keeper that cannot go on; its children live, and the next one adopts them.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            Log.Fail("the keeper stops", ("error", failure));
            return 1;
        }
    }
}
