using System;
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
/// <param name="start">See <see cref="CallsUnderWay"/>.</param>
internal sealed class ContainerInterpreter(IHost host, DeclaredContainers declared, Task start) : IAsyncDisposable
{
    private readonly CallsUnderWay _calls = new(host, start);

    /// <summary>Begins the call and returns at once.</summary>
    public void Run(Effect effect)
    {
        Func<CancellationToken, Task<ContainersEvent?>>? call = effect switch
        {
            Effect.List(var pass) => stop => ListAsync(pass, stop),
            Effect.Pull e => stop => OneAsync(e.Uid, PullAsync(e, stop), why => new Event.PullFailed(e.Call, why), stop),
            Effect.Create e => stop => OneAsync(e.Uid, CreateAsync(e, stop), why => new Event.CreateFailed(e.Call, why), stop),
            Effect.Start e => stop => OneAsync(e.Uid, StartAsync(e, stop), why => new Event.StartFailed(e.Call, why), stop),
            Effect.Stop e => stop => OneAsync(e.Uid, StopAsync(e, stop), why => new Event.StopFailed(e.Call, why), stop),
            Effect.Remove e => stop => OneAsync(e.Uid, RemoveAsync(e, stop), why => new Event.RemoveFailed(e.Call, why), stop),
            Effect.Reject => null,
        };
        if (call is null) return;
        _calls.Begin(async stop =>
            await call(stop).ConfigureAwait(false) is { } outcome ? new HostEvent.ContainersReported(outcome) : null);
    }

    /// <summary>Begins nothing more, and waits a little for what is under way. Containers go on.</summary>
    public ValueTask DisposeAsync() => _calls.DisposeAsync();

    private async Task<ContainersEvent?> ListAsync(int pass, CancellationToken stop)
    {
        if (host.Current.State.Containers.Pass > pass) return null;
        var (found, why) = await TryAsync(declared.Backend.ListAsync, stop).ConfigureAwait(false);
        if (why is not null) return new ContainersEvent.ListFailed(pass, why);
        var rows = found!.ToArray().ToSeq();
        return host.Current.State.Containers.Agrees(rows)
            ? new ContainersEvent.ListConfirmed(pass)
            : new ContainersEvent.Listed(pass, rows);
    }

    private static async Task<ContainersEvent?> OneAsync(
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

        var login = RegistryAuth.Find(declared.RegistryAuth, image);
        await backend.PullAsync(image, login, new Progress<ImageProgress>(), stop).ConfigureAwait(false);
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
            return (null, BoundedText.Reason(failure.Message));
        }
    }
}
