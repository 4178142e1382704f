using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Shell.Keeper;
using Agent.Shell.Linux;
using Agent.Shell.Loop;
using Agent.Shell.Observability;
using Agent.Shell.Output;
using LanguageExt;

namespace Agent.Shell.Effects;

/// <summary>
/// The agent's standing connection to its keeper. When the keeper dies another is started; whatever was being asked
/// is asked again, which the keeper's keys make safe; and what it lists that the state does not know yet is told.
/// </summary>
internal sealed class KeeperLink(KeeperPaths paths, OutputHub output, CancellationToken stop)
{
    // A keeper that dies at once would otherwise be started in a tight loop.
    private static readonly TimeSpan RestartPause = TimeSpan.FromMilliseconds(100);

    // A keeper that goes on as another program answers well within a second; many times that on a busy host.
    private static readonly TimeSpan UpgradePatience = TimeSpan.FromSeconds(10);

    private TaskCompletionSource<KeeperClient> _client = Pending();
    private volatile bool _isEnding;
    private volatile bool _isUpgrading;
    private volatile KeeperAbout? _about;

    // What had said so before this agent was there to hear it.
    private IReadOnlyList<KeptRow> _ready = [];

    public bool IsConnected => _client.Task.IsCompletedSuccessfully;

    /// <summary>Which program the keeper was when it was last asked; null while that is not known.</summary>
    public KeeperAbout? About => _about;

    /// <summary>
    /// Connects for the first time and answers what the keeper has. What effects want of it waits until
    /// <paramref name="begin"/> has told Core.
    /// </summary>
    public async Task ConnectAsync(Func<Seq<ObservedProcess>, Task> begin)
    {
        var (client, rows) = await FirstAnswerAsync().ConfigureAwait(false);
        await begin(rows.Select(Observed).OfType<ObservedProcess>().ToArray().ToSeq()).ConfigureAwait(false);
        _client.SetResult(client);
        _ready = [.. rows.Where(row => row is { Ready: true, Exit: null })];
    }

    /// <summary>Of whichever keeper lives to give it: one that is killed before it has is followed by another.</summary>
    private async Task<(KeeperClient Client, IReadOnlyList<KeptRow> Rows)> FirstAnswerAsync()
    {
        while (true)
        {
            var client = await KeeperClient.ConnectAsync(paths, stop).ConfigureAwait(false);
            try
            {
                return (client, await client.ListAsync(stop).ConfigureAwait(false));
            }
            catch (KeeperGone failure)
            {
                Log.Warn("the keeper died before it answered, asking another", ("error", failure.Message));
                await client.DisposeAsync().ConfigureAwait(false);
                await Task.Delay(RestartPause, stop).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Tells every exit as it comes, and keeps a keeper there, until it is stopped.</summary>
    public async Task RunAsync(IHost host)
    {
        while (!stop.IsCancellationRequested)
        {
            var client = await _client.Task.WaitAsync(stop).ConfigureAwait(false);
            foreach (var row in _ready) _ = TellReadyAsync(host, row);
            await foreach (var row in client.News.ReadAllAsync(stop).ConfigureAwait(false))
            {
                _ = row.Exit is null ? TellReadyAsync(host, row) : TellAsync(host, row);
            }

            if (_isEnding) return;
            if (!_isUpgrading) Log.Warn("the keeper is gone; its children live on, another keeper adopts them");
            _client = Pending();
            await client.DisposeAsync().ConfigureAwait(false);
            await ReconnectAsync(host).ConfigureAwait(false);
        }
    }

    public async Task<SpawnAnswer> SpawnAsync(
        SpawnKey key, ProcessSpec spec, IReadOnlyDictionary<string, string> environment)
    {
        var order = new SpawnOrder(
            [.. spec.Command],
            [.. environment.Select(variable => $"{variable.Key}={variable.Value}")],
            spec.WorkingDirectory.TryGet(out var cwd) ? cwd : null,
            spec.User.TryGet(out var user) ? user : null,
            Stdin: spec.Stdin != StdinMode.None,
            Tree: spec.Kind != ProcessKind.Daemon)
        {
            Notify = spec.Ready.TryGet(out var ready) && ready.Check is ReadyCheck.Notify,
            Limits = Exits.LimitOf(spec.Limits),
        };
        var reply = await AskAsync(client => client.SpawnAsync(key.ToString(), order, stop)).ConfigureAwait(false);
        return reply switch
        {
            { Error: { } error } => new SpawnAnswer.Refused(error, reply.Detail ?? ""),
            { Row: { Exit: not null } row } => new SpawnAnswer.AlreadyEnded(row),
            { Row: { } row } => new SpawnAnswer.Spawned(new(row.Pid, row.StartTime, new BootId(row.Boot))),
            _ => new SpawnAnswer.Refused("internal", "the keeper gave no answer to a spawn"),
        };
    }

    public Task SignalAsync(SpawnKey key, Signal signal) =>
        AskAsync(client => client.SignalAsync(key.ToString(), (int)signal, stop));

    public Task KillTreeAsync(SpawnKey key) => AskAsync(client => client.AskAsync("killTree", key.ToString(), stop));

    public Task ForgetAsync(SpawnKey key) => AskAsync(client => client.AskAsync("forget", key.ToString(), stop));

    public Task CloseInputAsync(SpawnKey key) => AskAsync(client => client.AskAsync("closeInput", key.ToString(), stop));

    /// <summary>
    /// Has the keeper go on as this agent's own program, where it is another. One that refuses stays as it is and keeps
    /// its children; the next start of an agent asks again.
    /// </summary>
    public async Task UpgradeAsync()
    {
        _about = await AskAboutAsync().ConfigureAwait(false);
        if (_about == AgentExecutable.About) return;
        await UpgradeAsync(AgentExecutable.Command).ConfigureAwait(false);
    }

    public async Task UpgradeAsync(IReadOnlyList<string> command)
    {
        try
        {
            var client = await _client.Task.WaitAsync(stop).ConfigureAwait(false);
            _isUpgrading = true;
            var refusal = await client.UpgradeAsync(
                new(command, AgentExecutable.Environment, null, null, Stdin: false, Tree: false), stop).ConfigureAwait(false);
            _isUpgrading = false;
            Log.Warn("the keeper stays the program it is", ("program", _about?.Program), ("why", refusal.Detail));
        }
        catch (KeeperGone)
        {
            // It is another program now, or another keeper.
            _about = await AskAboutAsync().ConfigureAwait(false);
            Log.Info("the keeper was upgraded", ("version", _about?.Version), ("program", _about?.Program));
        }
    }

    /// <summary>Tells the keeper that nothing is left for it to keep. It ends if that is so.</summary>
    public async Task EndAsync()
    {
        _isEnding = true;
        await AskAsync(client => client.AskAsync("end", "", stop)).ConfigureAwait(false);
    }

    private async Task<KeeperAbout?> AskAboutAsync() =>
        (await AskAsync(client => client.AskAsync("about", "", stop)).ConfigureAwait(false)).About;

    private async Task<KeeperReply> AskAsync(Func<KeeperClient, Task<KeeperReply>> ask)
    {
        while (true)
        {
            try
            {
                var client = await _client.Task.WaitAsync(stop).ConfigureAwait(false);
                return await ask(client).ConfigureAwait(false);
            }
            catch (KeeperGone)
            {
                // Asked again of the next keeper, as soon as it is there.
                await Task.Delay(RestartPause, stop).ConfigureAwait(false);
            }
        }
    }

    private async Task ReconnectAsync(IHost host)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                Processes.ReapAll();
                var client = await KeeperClient.ConnectAsync(paths, stop).ConfigureAwait(false);

                // Before the list: what begins to run from here on was started by the new keeper, after it answered.
                var known = host.Current.State.Processes;
                var rows = await RowsAsync(client).ConfigureAwait(false);
                _isUpgrading = false;
                _ready = [.. rows.Where(row => row is { Ready: true, Exit: null })];
                _client.SetResult(client);
                await CatchUpAsync(host, known, rows).ConfigureAwait(false);
                return;
            }
            catch (KeeperGone failure)
            {
                Log.Fail("no keeper can be reached, trying again", ("error", failure.Message));
                await Task.Delay(RestartPause, stop).ConfigureAwait(false);
            }
        }
    }

    /// <summary>What the keeper has. One that came out of an upgrade and does not answer makes way for another.</summary>
    private async Task<IReadOnlyList<KeptRow>> RowsAsync(KeeperClient client)
    {
        try
        {
            var patience = _isUpgrading ? UpgradePatience : Timeout.InfiniteTimeSpan;
            return await client.ListAsync(stop).WaitAsync(patience, stop).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            client.Kill();
            await client.DisposeAsync().ConfigureAwait(false);
            throw new KeeperGone($"the upgraded keeper did not answer within {UpgradePatience.TotalSeconds} s and was ended");
        }
    }

    /// <summary>Exits that nobody told, and processes that the state had running and no keeper knows.</summary>
    private async Task CatchUpAsync(IHost host, Registry known, IReadOnlyList<KeptRow> rows)
    {
        foreach (var row in rows.Where(row => row.Exit is not null)) await TellAsync(host, row).ConfigureAwait(false);
        foreach (var state in known.All.Values)
        {
            if (state is not (ProcessState.Running or ProcessState.Stopping)) continue;
            var key = new SpawnKey(state.Profile.Id, state.Profile.Generation);
            if (rows.Any(row => row.Key == key.ToString())) continue;
            await TellAsync(host, new(key.ToString(), 0, 0, "") { Exit = new(null, null, 0, 0, Durable: false) })
                .ConfigureAwait(false);
        }
    }

    /// <summary>Once the state knows that it runs; what is told twice changes nothing.</summary>
    private async Task TellReadyAsync(IHost host, KeptRow row)
    {
        if (SpawnKey.Parse(row.Key) is not { } key) return;
        await host.WhenAsync(now => !IsBegun(now.State, key), stop).ConfigureAwait(false);
        if (!host.Current.State.Processes.Find(key.Id).TryGet(out var state)) return;
        if (state is not ProcessState.Running { IsReady: false } || state.Profile.Generation != key.Generation) return;
        var @event = new ProcessEvent.BecameReady(key.Generation);
        await host.PostAsync(new HostEvent.ProcessReported(key.Id, @event), stop).ConfigureAwait(false);
    }

    private static bool IsBegun(HostState state, SpawnKey key) =>
        state.Processes.Find(key.Id).TryGet(out var process)
        && process is ProcessState.Starting && process.Profile.Generation == key.Generation;

    private async Task TellAsync(IHost host, KeptRow row)
    {
        if (SpawnKey.Parse(row.Key) is not { } key) return;
        if (row.Exit is { Durable: false }) Log.Warn("an exit could not be written down", ("spawn", row.Key));
        var kind = ProcessKind.Task;
        if (host.Current.State.Processes.Find(key.Id).TryGet(out var state))
        {
            kind = state.Profile.Spec.Kind;

            // A daemon that dies at once may be dead before its spawn was answered; its last words count all the same.
            if (kind == ProcessKind.Daemon) await output.AttachAsync(key, state.Profile.Spec, prelude: []).ConfigureAwait(false);
        }

        var exit = await output.ExitOfAsync(key, kind, row, stop).ConfigureAwait(false);
        await host.PostAsync(new HostEvent.ProcessReported(key.Id, exit), stop).ConfigureAwait(false);
    }

    private static ObservedProcess? Observed(KeptRow row) => SpawnKey.Parse(row.Key) is not { } key ? null
        : row.Exit is { } exit ? new(
            key.Id,
            key.Generation,
            new Observation.Ended(
                Exits.StatusOf(exit), TimeSpan.FromMilliseconds(exit.CpuMs), exit.PeakMemoryBytes, Seq<string>.Empty))
        : new(key.Id, key.Generation, new Observation.Alive(new(row.Pid, row.StartTime, new BootId(row.Boot))));

    private static TaskCompletionSource<KeeperClient> Pending() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>The keeper's answer to a spawn.</summary>
internal abstract record SpawnAnswer
{
    private SpawnAnswer()
    {
    }

    public sealed record Spawned(ProcessIdentity Identity) : SpawnAnswer;

    /// <summary>It was spawned before and has ended meanwhile.</summary>
    public sealed record AlreadyEnded(KeptRow Row) : SpawnAnswer;

    public sealed record Refused(string Code, string Detail) : SpawnAnswer;
}
