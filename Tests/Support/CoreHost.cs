using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Core.Runtime;
using Agent.Core.Time;
using Agent.Shell.Effects;
using Agent.Shell.Loop;
using LanguageExt;

namespace Agent.Tests.Support;

/// <summary>
/// The real loop with nothing durable behind it: a recorder that only counts, and effects that the test chooses.
/// </summary>
internal sealed class CoreHost : IHost, IRecorder<HostState, HostEvent, HostEffect>, IEffects<HostEffect>, IDisposable
{
    private readonly HostLoop _loop;
    private readonly Action<CoreHost, HostEffect> _run;

    /// <param name="from">Where it goes on from, as after a restart; from nothing unless given.</param>
    public CoreHost(Action<CoreHost, HostEffect> run, HostState? from = null)
    {
        _run = run;
        var recovered = from is null ? new Published<HostState>(0, default, HostState.Initial) : new(1, default, from);
        _loop = new HostLoop(recovered, new Clock(default), this, this);
        _loop.Advanced += published => Advanced?.Invoke(published);
        _loop.Start();
    }

    public event Action<Published<HostState>>? Advanced;

    /// <summary>Every event stepped so far, in order. Read it when the loop is quiet, or take a copy.</summary>
    public List<HostEvent> Events { get; } = [];

    public Published<HostState> Current => _loop.Current;

    public Instant Now => _loop.Now;

    public RuntimeState Runtime => Current.State.Runtime;

    public ValueTask PostAsync(HostEvent @event, CancellationToken stop) => _loop.PostAsync(@event, stop);

    public Task<Decision<HostState, HostEffect>> AskAsync(HostEvent @event, CancellationToken stop) => _loop.AskAsync(@event, stop);

    public Task<Published<HostState>> WhenAsync(Func<Published<HostState>, bool> condition, CancellationToken stop) =>
        _loop.WhenAsync(condition, stop);

    public Task<Decision<HostState, HostEffect>> AskAsync(RuntimeEvent @event) =>
        AskAsync(new HostEvent.Runtime(@event), CancellationToken.None);

    public Task ConfigureAsync(TimeSpan startTimeout) => AskAsync(
        new HostEvent.Configured(new(Keep.OnDemand, startTimeout), Seq<ServiceDeclaration>.Empty),
        CancellationToken.None);

    /// <summary>The runtime's state once it is such a one; fails with what it is when it takes too long.</summary>
    public async Task<T> RuntimeAsync<T>(TimeSpan within)
        where T : RuntimeState
    {
        using var limit = new CancellationTokenSource(within);
        try
        {
            return (T)(await WhenAsync(published => published.State.Runtime is T, limit.Token)).State.Runtime;
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"not {typeof(T).Name} within {within} but {Runtime}");
        }
    }

    public async Task<Published<HostState>> WhenAsync(Func<HostState, bool> condition, TimeSpan within)
    {
        using var limit = new CancellationTokenSource(within);
        return await WhenAsync(published => condition(published.State), limit.Token);
    }

    public bool IsFull => false;

    public void Append(long seq, Instant at, HostEvent @event, Seq<HostEffect> effects, HostState after)
    {
        lock (Events) Events.Add(@event);
    }

    public void Commit(Published<HostState> after)
    {
    }

    public void Run(HostEffect effect) => _run(this, effect);

    public void Dispose() => _loop.Dispose();
}
