using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Shell.Api;
using Agent.Shell.Cli;
using Agent.Shell.Effects;
using Agent.Shell.Keeper;
using Agent.Shell.Linux;
using Agent.Shell.Loop;
using Agent.Shell.Observability;

namespace Agent.Shell.Boot;

/// <summary>
/// The agent goes on as another program in the same process. That program first shows that it can read what is here;
/// then a guard is started, which brings this one back if the other does not answer in time.
/// </summary>
internal sealed class Upgrade(RunOptions options, ICommands commands, Func<KeeperAbout?> keeper) : IUpgrade
{
    // To load a program and fold a full journal on a busy host takes a few seconds.
    private static readonly TimeSpan CheckLimit = TimeSpan.FromMinutes(1);

    private readonly AgentPaths _paths = options.Paths;
    private readonly TaskCompletionSource<UpgradeTarget> _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private UpgradeTarget? _prepared;
    private int _isUnderWay;

    /// <summary>Ends when a program was asked for and has shown that it can run here.</summary>
    public Task<UpgradeTarget> Asked => _asked.Task;

    public string Program => AgentExecutable.About.Program;

    public string? KeeperProgram => keeper()?.Program;

    public string? Failure => File.Exists(_paths.UpgradeFailure) ? File.ReadAllText(_paths.UpgradeFailure).Trim() : null;

    public async Task<(UpgradeAnswer? Answer, UpgradeRefusal? Refusal)> PrepareAsync(
        string? program, TimeSpan patience, CancellationToken stop)
    {
        if (Interlocked.Exchange(ref _isUnderWay, 1) == 1) return (null, new(IsBusy: true, "an upgrade is under way"));
        var refusal = "it was not asked to the end";
        try
        {
            IReadOnlyList<string> command = program is null ? AgentExecutable.Command : [program];
            (var version, refusal) = await CheckAsync(command, stop).ConfigureAwait(false);
            if (refusal is not null) return (null, new(IsBusy: false, refusal));
            File.Delete(_paths.UpgradeFailure);
            _prepared = new(command, patience);
            return (new(new(ProductVersion.Text, Program), new(version!, command[^1])), null);
        }
        finally
        {
            if (refusal is not null) _isUnderWay = 0;
        }
    }

    public void Begin() => _asked.SetResult(_prepared!);

    /// <summary>
    /// The last thing that an agent does, with nothing of it running but the lock on its directory. Returns only if neither
    /// the other program nor this one could be executed.
    /// </summary>
    public static int Execute(UpgradeTarget target, AgentPaths paths)
    {
        var words = Environment.GetCommandLineArgs()[1..];
        var guard = UpgradeGuard.Start(target, paths, words);
        if (guard != 0)
        {
            return GoOn(paths, words, $"{target.Command[^1]}: its guard could not be started: {Errno.Text(guard)}");
        }

        Log.Info("goes on as another program", ("program", target.Command[^1]));
        var errno = Execution.Replace(target.Command[0], [.. target.Command, .. words], Variables());
        return GoOn(paths, words, $"{target.Command[^1]}: {Errno.Text(errno)}");
    }

    /// <summary>Goes on as this very program and says why it had to.</summary>
    public static int GoOn(AgentPaths paths, IReadOnlyList<string> words, string why)
    {
        Note(paths, why);
        Log.Fail("the upgrade failed, the program before it goes on", ("why", why));
        var errno = Execution.Replace(AgentExecutable.Self, [.. AgentExecutable.Command, .. words], Variables());
        Log.Fail("and cannot", ("why", Errno.Text(errno)));
        return 1;
    }

    /// <summary>What the status tells from here on, and what whoever starts the agent again finds at its path.</summary>
    public static void Note(AgentPaths paths, string why)
    {
        try
        {
            File.WriteAllText(paths.UpgradeFailure, why + "\n");
            AgentExecutable.PutBack();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // The agent comes back all the same.
            Log.Fail("the failed upgrade could not be tidied up", ("error", failure.Message));
        }
    }

    public static IReadOnlyList<string> Variables() =>
        [.. Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(one => $"{one.Key}={one.Value}")];

    private async Task<(string? Version, string? Refusal)> CheckAsync(IReadOnlyList<string> command, CancellationToken stop)
    {
        var end = await commands.RunAsync(
            new CommandRequest(
                $"upgrade {Guid.NewGuid()}",
                "upgrade-check",
                [
                    .. command, LocalVerbs.Run, "--check", "-o", "json", "--state-dir", _paths.StateDir,
                    "--runtime-dir", _paths.RuntimeDir, "--socket", _paths.Socket,
                    .. options.ConfigIsDefault ? [] : (string[])["--config", _paths.Config],
                ],
                "/",
                AgentExecutable.Environment.Select(one => one.Split('=', 2)).ToDictionary(one => one[0], one => one[1]),
                CheckLimit,
                Retention: TimeSpan.FromMinutes(10)),
            stop).ConfigureAwait(false);
        if (end.Status is not ExitStatus.Exited(0)) return (null, $"{command[^1]} cannot run here: {end.Describe()}");
        try
        {
            return (JsonSerializer.Deserialize(end.Tail, CliJson.Default.RunCheckAnswer)?.Version ?? "", null);
        }
        catch (JsonException)
        {
            return (null, $"{command[^1]} is no agent: it answered {end.Tail}");
        }
    }
}

/// <summary>The program to go on as, and how long it may take to answer.</summary>
internal sealed record UpgradeTarget(IReadOnlyList<string> Command, TimeSpan Patience);
