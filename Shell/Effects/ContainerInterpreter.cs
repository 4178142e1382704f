using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Container;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Shell.Containers;
using Agent.Shell.Loop;
using Agent.Shell.Observability;
using LanguageExt;
using Effect = Agent.Core.Container.ContainerEffect;
using Event = Agent.Core.Container.ContainerEvent;

namespace Agent.Shell.Effects;

/// <summary>
/// Asks the engine what the core decided. Each call runs by itself, so one that hangs holds up its own container only, and
/// ends in exactly one event: the backend bounds each in time, and whatever goes wrong is its failure.
/// </summary>
internal sealed class ContainerInterpreter(IHost host, DeclaredContainers declared) : IAsyncDisposable
{
    /// <summary>Calls under way when the agent ends have this long; what then is not answered the next list tells.</summary>
    private static readonly TimeSpan LastCalls = TimeSpan.FromSeconds(2);

    // An engine's complaint in full is in its own log; a journal record is no place for it.
    private const int LongestReason = 2048;

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _closing = new();
    private readonly System.Collections.Generic.HashSet<Task> _underWay = [];
    private bool _closed;

    /// <summary>Begins the call and returns at once.</summary>
    public void Run(Effect effect)
    {
        Func<CancellationToken, Task<ContainersEvent>>? call = effect switch
        {
            Effect.List(var pass) => stop => ListAsync(pass, stop),
            Effect.Pull e => stop => OneAsync(e.Uid, PullAsync(e, stop), why => new Event.PullFailed(e.Call, why), stop),
            Effect.Create e => stop => OneAsync(e.Uid, CreateAsync(e, stop), why => new Event.CreateFailed(e.Call, why), stop),
            Effect.Start e => stop => OneAsync(e.Uid, StartAsync(e, stop), why => new Event.StartFailed(e.Call, why), stop),
            Effect.Stop e => stop => OneAsync(e.Uid, StopAsync(e, stop), why => new Event.StopFailed(e.Call, why), stop),
            Effect.Remove e => stop => OneAsync(e.Uid, RemoveAsync(e, stop), why => new Event.RemoveFailed(e.Call, why), stop),
            Effect.Reject => null,
        };
        if (call is not null) Begin(call);
    }

    /// <summary>Begins nothing more, and waits a little for what is under way. Containers go on.</summary>
    public async ValueTask DisposeAsync()
    {
        Task[] rest;
        lock (_gate)
        {
            if (_closed) return;
            _closed = true;
            rest = [.. _underWay];
        }

        await Task.WhenAll(rest).WaitAsync(LastCalls).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _closing.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(rest).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _closing.Dispose();
    }

    private void Begin(Func<CancellationToken, Task<ContainersEvent>> call)
    {
        lock (_gate)
        {
            if (_closed) return;
            var task = Task.Run(() => ToldAsync(call));
            _underWay.Add(task);
            _ = task.ContinueWith(
                done =>
                {
                    lock (_gate) _underWay.Remove(done);
                },
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
        }
    }

    private async Task ToldAsync(Func<CancellationToken, Task<ContainersEvent>> call)
    {
        try
        {
            var outcome = await call(_closing.Token).ConfigureAwait(false);
            await host.PostAsync(new HostEvent.ContainersReported(outcome), _closing.Token).ConfigureAwait(false);
        }
        catch (Exception end) when (end is OperationCanceledException or System.Threading.Channels.ChannelClosedException)
        {
            // The agent ends; the next one judges by the list.
        }
    }

    private async Task<ContainersEvent> ListAsync(int pass, CancellationToken stop)
    {
        var (found, why) = await TryAsync(declared.Backend.ListAsync, stop).ConfigureAwait(false);
        if (why is not null) return new ContainersEvent.ListFailed(pass, why);
        var rows = found!.ToArray().ToSeq();
        return host.Current.State.Containers.Agrees(rows)
            ? new ContainersEvent.ListConfirmed(pass)
            : new ContainersEvent.Listed(pass, rows);
    }

    private static async Task<ContainersEvent> OneAsync(
        ContainerUid uid, Task<Event> call, Func<string, Event> failed, CancellationToken stop)
    {
        var (outcome, why) = await TryAsync(_ => call, stop).ConfigureAwait(false);
        if (why is not null) Log.Warn("a container's call failed", ("container", uid), ("why", why));
        return new ContainersEvent.One(uid, outcome ?? failed(why!));
    }

    private async Task<Event> PullAsync(Effect.Pull e, CancellationToken stop)
    {
        var image = declared.Find(e.Uid, e.Digest).Image;
        var backend = declared.Backend;
        if (e.Policy != PullPolicy.Always && await backend.ImageExistsAsync(image, stop).ConfigureAwait(false))
        {
            return new Event.PullCompleted(e.Call);
        }

        if (e.Policy == PullPolicy.Never)
        {
            throw new ContainerException(ContainerFault.NotFound, $"the engine has no image {image}, and it is never to be pulled");
        }

        await backend.PullAsync(image, new Progress<ImageProgress>(), stop).ConfigureAwait(false);
        return new Event.PullCompleted(e.Call);
    }

    private async Task<Event> CreateAsync(Effect.Create e, CancellationToken stop)
    {
        var definition = declared.Find(e.Uid, e.Digest);
        var id = await declared.Backend.CreateAsync(definition, e.Digest, stop).ConfigureAwait(false);
        return new Event.CreateCompleted(e.Call, id);
    }

    private async Task<Event> StartAsync(Effect.Start e, CancellationToken stop)
    {
        await declared.Backend.StartAsync(e.Uid, stop).ConfigureAwait(false);
        return new Event.StartCompleted(e.Call);
    }

    private async Task<Event> StopAsync(Effect.Stop e, CancellationToken stop)
    {
        await declared.Backend.StopAsync(e.Uid, e.Grace, stop).ConfigureAwait(false);
        return new Event.StopCompleted(e.Call);
    }

    private async Task<Event> RemoveAsync(Effect.Remove e, CancellationToken stop)
    {
        await declared.Backend.RemoveAsync(e.Uid, stop).ConfigureAwait(false);
        return new Event.RemoveCompleted(e.Call);
    }

    /// <summary>What came of it, or why nothing did. Only the agent's own end is neither.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "whatever it was, it is the call's failure and told as such")]
    private static async Task<(T? Result, string? Why)> TryAsync<T>(Func<CancellationToken, Task<T>> call, CancellationToken stop)
        where T : class
    {
        try
        {
            return (await call(stop).ConfigureAwait(false), null);
        }
        catch (Exception failure) when (!stop.IsCancellationRequested)
        {
            if (failure is not ContainerException) Log.Fail("a call to the container engine broke", ("error", failure));
            return (null, failure.Message.Length <= LongestReason ? failure.Message : failure.Message[..LongestReason] + " …");
        }
    }
}
