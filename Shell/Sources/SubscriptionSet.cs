using System;
using System.Collections.Generic;
using System.Linq;
using System.Reactive.Concurrency;
using System.Reactive.Disposables;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Runtime;
using Agent.Shell.Docker;
using Agent.Shell.Loop;
using Agent.Shell.Observability;
using Agent.Shell.Uplink;

namespace Agent.Shell.Sources;

/// <summary>
/// The recurring watches that run. Each published state names the set it needs; what it names and does not run is
/// begun, what runs and it does not name is ended. Here alone does Rx live, and it ends at the inbox.
/// </summary>
internal sealed class SubscriptionSet(
    IHost host, RolloutWatch rollouts, ReadinessWatch services, UplinkWatch uplink, ContainerWatch containers,
    IScheduler scheduler) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<Subscription, IDisposable> _running = [];
    private bool _disposed;

    /// <summary>Cheap where nothing changes; call it after each published state.</summary>
    public void Update(HostState state)
    {
        lock (_gate)
        {
            if (_disposed) return;
            var wanted = HostMachine.Subscriptions(state);
            foreach (var key in _running.Keys.Where(key => !wanted.Exists(key.Equals)).ToArray())
            {
                _running.Remove(key, out var ended);
                ended!.Dispose();
            }

            foreach (var key in wanted)
            {
                if (!_running.ContainsKey(key)) _running.Add(key, Begin(key, state));
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            foreach (var subscription in _running.Values) subscription.Dispose();
            _running.Clear();
        }
    }

    private IDisposable Begin(Subscription subscription, HostState state) => subscription switch
    {
        Subscription.RuntimeProbe(_, var every) =>
            Watches.Repeat(every, every, scheduler, stop => ProbeAsync(EndpointOf(state.Runtime), stop)),
        Subscription.RolloutProbe probe when RolloutWatch.SpecOf(state, probe) is { } spec =>
            Watches.Repeat(spec.InitialDelay, spec.Interval, scheduler, stop => rollouts.ProbeAsync(probe, stop)),
        Subscription.RolloutProbe => Disposable.Empty,
        Subscription.RunningRelease running =>
            Watches.Repeat(TimeSpan.Zero, RolloutWatch.RunningEvery, scheduler, stop => rollouts.LookAsync(running, stop)),
        Subscription.ServiceReadiness ready =>
            Watches.Repeat(TimeSpan.Zero, ready.Every, scheduler, stop => services.LookAsync(ready, stop)),
        Subscription.ContainerChanges =>
            Watches.Repeat(TimeSpan.Zero, ContainerWatch.Again, scheduler, containers.FollowAsync),
        Subscription.PlaneDispatch => Watches.Repeat(TimeSpan.Zero, TimeSpan.Zero, scheduler, uplink.DispatchAsync),
        Subscription.PlaneHeartbeat(var every) => Watches.Repeat(TimeSpan.Zero, every, scheduler, uplink.HeartbeatAsync),
        Subscription.PlaneManifests(var every) => Watches.Repeat(TimeSpan.Zero, every, scheduler, uplink.ManifestsAsync),
        Subscription.PlaneCertificate => Watches.Repeat(TimeSpan.Zero, UplinkWatch.CertificateEvery, scheduler, uplink.RenewAsync),
    };

    private async Task ProbeAsync(string socket, CancellationToken stop)
    {
        var answer = await EnginePing.PingAsync(socket, stop);
        stop.ThrowIfCancellationRequested();
        RuntimeEvent outcome = answer switch
        {
            PingAnswer.Answered => new RuntimeEvent.ProbePassed(),
            PingAnswer.NotYet(var detail, _) => new RuntimeEvent.ProbeFailed(detail),
            PingAnswer.Refused(var detail) => new RuntimeEvent.ProbeFailed(detail),
        };

        // Waited for: the next probe is judged by what this one led to.
        if (IsNews(outcome)) await host.AskAsync(new HostEvent.Runtime(outcome), stop);
    }

    /// <summary>The core itself is asked whether it would care, so that an idle host writes no journal.</summary>
    private bool IsNews(RuntimeEvent outcome)
    {
        var state = host.Current.State;
        var step = RuntimeMachine.Step(state.Policy, state.Runtime, new(host.Now, outcome));
        return !ReferenceEquals(step.State, state.Runtime);
    }

    private static string EndpointOf(RuntimeState state) => EngineLayout.SocketOf(state switch
    {
        RuntimeState.Ready ready => ready.Endpoint,
        RuntimeState.Degraded degraded => degraded.Endpoint,
        RuntimeState.NotStarted or RuntimeState.Starting or RuntimeState.Failed => "",
    });
}
