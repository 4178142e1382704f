using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Core.Runtime;
using Agent.Core.Time;
using Agent.Shell.Docker;
using Agent.Shell.Loop;
using LanguageExt;

namespace Agent.Shell.Effects;

/// <summary>
/// One attempt to bring containerd and dockerd up. What already serves is left alone, a daemon of ours that lives is
/// waited for, and only what is really absent is spawned. It ends with one StartCompleted or StartFailed, or in
/// silence when the attempt is over for the machine: by its deadline, by a daemon's end, by a stop.
/// </summary>
internal sealed class RuntimeStart(
    IHost host, ISpawnSecrets secrets, EngineLayout layout, RuntimeEffect.StartRuntime asked)
{
    /// <summary>containerd takes a tenth of a second; what took this long has hung.</summary>
    public static readonly TimeSpan ContainerdLimit = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(100);

    private readonly ServiceTable _table = new();
    private readonly List<string> _notes = [];
    private bool _mustFindContainerd;

    public async Task RunAsync(CancellationToken stop)
    {
        using var attempt = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var over = host.WhenAsync(IsOver, attempt.Token);
        var outcome = AttemptAsync(attempt.Token);
        await Task.WhenAny(over, outcome);
        await attempt.CancelAsync();
        await ((Task)over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (await outcome is { } answer && !IsOver(host.Current))
        {
            await host.PostAsync(new HostEvent.Runtime(answer), stop);
        }
    }

    /// <summary>The answering event; null when the attempt was over first.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "whatever goes wrong, Starting must end, and with its cause")]
    private async Task<RuntimeEvent?> AttemptAsync(CancellationToken stop)
    {
        try
        {
            return await BringUpAsync(stop) is { } cause
                ? new RuntimeEvent.StartFailed(asked.Attempt, cause, _table.Rows)
                : new RuntimeEvent.StartCompleted(
                    asked.Attempt, layout.Endpoint, string.Join("; ", _notes), _table.Rows);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return null;
        }
        catch (Exception error)
        {
            return new RuntimeEvent.StartFailed(
                asked.Attempt, $"{error.GetType().Name}: {error.Message}", _table.Rows);
        }
    }

    /// <summary>Null once the engine answers, else why it never will in this attempt.</summary>
    private async Task<string?> BringUpAsync(CancellationToken stop)
    {
        if (await IsUpAsync(stop)) return null;
        if (layout.DescribeBadPath() is { } badPath) return badPath;
        var containerd = new Daemon(
            RuntimeMachine.Containerd, layout.ContainerdSocket, EnginePing.ConnectAsync, SpawnContainerdAsync,
            Instant.Earlier(asked.Until, host.Now + ContainerdLimit));
        var dockerd = new Daemon(
            RuntimeMachine.Dockerd, layout.Settings.Socket, LookAtEngineAsync, SpawnDockerdAsync, asked.Until);
        return await EnsureAsync(containerd, stop) ?? await EnsureAsync(dockerd, stop);
    }

    /// <summary>
    /// An engine that answers is all there is to want, except that ours is of no use without its containerd. A
    /// stranger's may have a containerd that we know nothing of.
    /// </summary>
    private async Task<bool> IsUpAsync(CancellationToken stop)
    {
        var ours = Daemons.Living(host.Current.State, RuntimeMachine.Dockerd);
        if (ours is ProcessState.Stopping) return false;
        if (await EnginePing.PingAsync(layout.Settings.Socket, stop) is not PingAnswer.Answered engine) return false;
        var below = await EnginePing.ConnectAsync(layout.ContainerdSocket, stop);
        if (below is not PingAnswer.Answered && ours is not null) return false;
        _table.Set(below is PingAnswer.Answered containerd
            ? Serving(RuntimeMachine.Containerd, containerd)
            : new(RuntimeMachine.Containerd, ServiceHealth.Ready, "the engine has its own", default, Owned: false));
        _table.Set(Serving(RuntimeMachine.Dockerd, engine));
        _notes.Add(ours is null ? $"adopted the engine that answers on {layout.Settings.Socket}" : "the engine is up");
        return true;
    }

    private async Task<string?> EnsureAsync(Daemon daemon, CancellationToken stop)
    {
        await LetPredecessorEndAsync(daemon, stop);
        var first = await daemon.LookAsync(daemon.Socket, stop);
        stop.ThrowIfCancellationRequested();
        if (first is PingAnswer.Answered there)
        {
            _notes.Add($"{daemon.Name} was up");
            await ShowAsync(Serving(daemon.Name, there), stop);
            return null;
        }

        // Whoever listens is let come up, ours or not: dockerd would take a stranger's socket away from under it.
        var living = Daemons.Living(host.Current.State, daemon.Name);
        if (living is not null || first is PingAnswer.NotYet { Listening: true })
        {
            _notes.Add($"{daemon.Name} was starting");
        }
        else
        {
            if (await daemon.SpawnAsync(stop) is { } cause) return cause;
            _notes.Add($"started {daemon.Name}");
        }

        await ShowAsync(Pending(daemon.Name, Detail(first)), stop);
        return await AwaitAnswerAsync(daemon, stop);
    }

    /// <summary>Two daemons on one data directory destroy it: a new one waits for the end of the old.</summary>
    private async Task LetPredecessorEndAsync(Daemon daemon, CancellationToken stop)
    {
        if (Daemons.Living(host.Current.State, daemon.Name) is not ProcessState.Stopping) return;
        await ShowAsync(Pending(daemon.Name, "its predecessor is still stopping"), stop);
        await Daemons.WhenGoneAsync(host, daemon.Name, stop);
    }

    private async Task<string?> SpawnContainerdAsync(CancellationToken stop)
    {
        var missing = layout.Binaries.DescribeMissing(
            EngineBinaries.Containerd, EngineBinaries.Dockerd, EngineBinaries.Shim, EngineBinaries.Runc);
        if (missing is not null) return missing;
        layout.Prepare();
        var binary = layout.Binaries.Find(EngineBinaries.Containerd)!;
        _mustFindContainerd = true;
        return await SpawnAsync(RuntimeMachine.Containerd, layout.ContainerdCommand(binary), stop);
    }

    /// <summary>An engine that outlived its containerd answers before it has found the new one.</summary>
    private async Task<PingAnswer> LookAtEngineAsync(string socket, CancellationToken stop)
    {
        var answer = await EnginePing.PingAsync(socket, stop);
        return answer is PingAnswer.Answered && _mustFindContainerd
            && await EnginePing.HasLostContainerdAsync(socket, stop)
            ? new PingAnswer.NotYet("it answers and does not reach containerd yet", Listening: true)
            : answer;
    }

    private async Task<string?> SpawnDockerdAsync(CancellationToken stop)
    {
        // Shim and runc are for containerd to find, and one is up by then.
        if (layout.Binaries.DescribeMissing(EngineBinaries.Dockerd) is { } missing) return missing;
        layout.Prepare();
        if (layout.ClearPidFile() is { } rival) return rival;
        var hasProxy = layout.Binaries.Find(EngineBinaries.Proxy) is not null;
        if (!hasProxy) _notes.Add($"no {EngineBinaries.Proxy}: published ports are reached through NAT alone");
        var binary = layout.Binaries.Find(EngineBinaries.Dockerd)!;

        // It connects to containerd before it serves.
        _mustFindContainerd = false;
        return await SpawnAsync(RuntimeMachine.Dockerd, layout.DockerdCommand(binary, hasProxy), stop);
    }

    private async Task<string?> SpawnAsync(string name, IReadOnlyList<string> command, CancellationToken stop)
    {
        var id = Ids.New();
        stop.ThrowIfCancellationRequested();
        secrets.Put(id, Daemons.Environment(layout.Binaries), ReadOnlyMemory<byte>.Empty);

        // Once asked it is waited for, even if the attempt ends meanwhile: the stop that follows must find the daemon.
        var spawn = new HostEvent.SpawnRequested(id, Daemons.Spec(name, command));
        var decision = await host.AskAsync(spawn, CancellationToken.None);
        return decision.Refusal is { } refusal ? $"{name} was refused: {refusal.Reason}" : null;
    }

    private async Task<string?> AwaitAnswerAsync(Daemon daemon, CancellationToken stop)
    {
        for (var pause = FirstPause; ; pause = pause < LongestPause ? pause * 2 : LongestPause)
        {
            var answer = await daemon.LookAsync(daemon.Socket, stop);
            stop.ThrowIfCancellationRequested();
            if (answer is PingAnswer.Answered there)
            {
                await ShowAsync(Serving(daemon.Name, there), stop);
                return null;
            }

            var detail = Detail(answer);
            if (IsGone(daemon.Name, answer)) return $"{daemon.Name} was stopped before it served: {detail}";
            await ShowAsync(Pending(daemon.Name, detail), stop);

            // At the attempt's own deadline the machine decides; until it does there is nothing to add.
            if (host.Now >= daemon.By && daemon.By < asked.Until)
            {
                return $"{daemon.Name} does not serve after {ContainerdLimit.TotalSeconds:0} s: {detail}";
            }

            await Task.Delay(pause, stop);
        }
    }

    private async Task ShowAsync(ServiceStatus row, CancellationToken stop)
    {
        if (!_table.Set(row)) return;
        await host.PostAsync(new HostEvent.Runtime(new RuntimeEvent.StartProgressed(asked.Attempt, _table.Rows)), stop);
    }

    private ServiceStatus Serving(string name, PingAnswer.Answered answer)
    {
        var living = Daemons.Living(host.Current.State, name);
        return new(
            name, ServiceHealth.Ready, answer.Version ?? "accepts connections",
            Optional(Daemons.PidOf(living) ?? answer.Pid), Owned: living is not null);
    }

    private ServiceStatus Pending(string name, string detail)
    {
        var living = Daemons.Living(host.Current.State, name);
        return new(
            name, ServiceHealth.NotReady, detail, Optional(Daemons.PidOf(living)), Owned: living is not null);
    }

    /// <summary>Ours is told to stop or has ended; a stranger listens for as long as it lives.</summary>
    private bool IsGone(string name, PingAnswer answer)
    {
        var living = Daemons.Living(host.Current.State, name);
        return living is ProcessState.Stopping
            || (living is null && answer is not PingAnswer.NotYet { Listening: true });
    }

    private static Option<int> Optional(int? pid) => pid is { } known ? Option<int>.Some(known) : Option<int>.None;

    private static string Detail(PingAnswer answer) => answer switch
    {
        PingAnswer.NotYet(var detail, _) => detail,
        PingAnswer.Refused(var detail) => detail,
        PingAnswer.Answered => "answers",
    };

    private bool IsOver(Published<HostState> published) =>
        published.State.Runtime is not RuntimeState.Starting starting || starting.History.Attempt != asked.Attempt;

    /// <summary>How to look at a daemon, how to spawn it, and by when it must serve.</summary>
    private sealed record Daemon(
        string Name,
        string Socket,
        Func<string, CancellationToken, Task<PingAnswer>> LookAsync,
        Func<CancellationToken, Task<string?>> SpawnAsync,
        Instant By);
}
