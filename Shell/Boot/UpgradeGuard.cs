using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Net.Http;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Api;
using Agent.Shell.Cli;
using Agent.Shell.Keeper;
using Agent.Shell.Linux;
using Agent.Shell.Loop;
using Agent.Shell.Observability;

namespace Agent.Shell.Boot;

/// <summary>
/// `agent guard`: the program before an upgrade, in a process of its own. When the next one answers and has its keeper,
/// the guard is done. When it ends or does not answer in time, the guard ends it and becomes the agent that was before;
/// under systemd it leaves the start to systemd, which would otherwise start a second one.
/// </summary>
internal static class UpgradeGuard
{
    public const string Verb = "guard";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    // One question; an agent that has just started may be compiling what answers it.
    private static readonly TimeSpan Question = TimeSpan.FromSeconds(5);

    private static bool IsUnderSystemd => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NOTIFY_SOCKET"));

    /// <summary>0, or the errno of what was refused.</summary>
    public static int Start(UpgradeTarget target, AgentPaths paths, IReadOnlyList<string> words)
    {
        var pid = Environment.ProcessId;
        string[] command =
        [
            .. AgentExecutable.Command, Verb, Number(pid), Number(Processes.StartTime(pid) ?? 0),
            Number((long)target.Patience.TotalMilliseconds), target.Command[^1], paths.StateDir, paths.Socket, .. words,
        ];
        return Spawner.Spawn(new(
            AgentExecutable.Self, command, Upgrade.Variables(), null, ("/dev/null", Descriptors.ReadOnly), ("", 0), ("", 0))).Errno;
    }

    /// <summary>The words are those that <see cref="Start"/> gave it.</summary>
    public static async Task<int> RunAsync(string[] given)
    {
        if (given is not [var pid, var startTime, var patience, var program, var stateDir, var socket, .. var words]) return 2;
        var agent = new Guarded(
            int.Parse(pid, CultureInfo.InvariantCulture), long.Parse(startTime, CultureInfo.InvariantCulture));
        var fault = await WatchAsync(
            agent, socket, TimeSpan.FromMilliseconds(long.Parse(patience, CultureInfo.InvariantCulture))).ConfigureAwait(false);
        if (fault is null) return 0;
        await agent.EndAsync().ConfigureAwait(false);
        var paths = new AgentPaths("", stateDir, "", socket);
        var why = $"{program}: {fault}";
        if (!IsUnderSystemd) return Upgrade.GoOn(paths, words, why);
        Upgrade.Note(paths, why);
        Log.Fail("the upgrade failed, systemd starts what the unit names", ("why", why));
        return 1;
    }

    /// <summary>Null as soon as it answers, otherwise what is wrong with it.</summary>
    private static async Task<string?> WatchAsync(Guarded agent, string socket, TimeSpan patience)
    {
        using var over = new CancellationTokenSource(patience);
        while (!over.IsCancellationRequested)
        {
            if (!agent.IsAlive) return "it ended before it answered";
            if (await AnswersAsync(socket).ConfigureAwait(false)) return null;
            await Task.Delay(Pause).ConfigureAwait(false);
        }

        return $"it did not answer within {patience.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s";
    }

    private static async Task<bool> AnswersAsync(string socket)
    {
        using var limit = new CancellationTokenSource(Question);
        using var client = new ApiClient(socket);
        try
        {
            return (await client.GetAsync("/v1/status", WireJson.Default.StatusInfo, limit.Token).ConfigureAwait(false))
                .KeeperConnected;
        }
        catch (Exception failure) when (failure is CommandFailure or HttpRequestException or IOException or JsonException
            or OperationCanceledException)
        {
            return false;
        }
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>The process that is told by pid and start time, whichever program runs in it.</summary>
    private sealed class Guarded(int pid, long startTime)
    {
        private readonly int _pidfd = Processes.Open(pid);

        public bool IsAlive => Processes.StartTime(pid) == startTime;

        public async Task EndAsync()
        {
            while (IsAlive)
            {
                Processes.Signal(_pidfd, Processes.Kill);
                await Task.Delay(Pause).ConfigureAwait(false);
            }
        }
    }
}
