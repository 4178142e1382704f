using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Shell.Activators;
using Agent.Shell.Loop;
using Agent.Shell.Probes;
using LanguageExt;

namespace Agent.Shell.Sources;

/// <summary>One turn of each watch of a soaking rollout. What the core would not care for is not posted.</summary>
internal sealed class RolloutWatch(
    IHost host, IProbeRunner runner, IReadOnlyDictionary<ActivatorKind, IActivator> activators)
{
    /// <summary>A host that somebody switches by hand is noticed within that.</summary>
    public static TimeSpan RunningEvery => TimeSpan.FromSeconds(5);

    public static ProbeSpec? SpecOf(HostState state, Subscription.RolloutProbe key)
    {
        if (!state.Rollouts.Find(key.Id).TryGet(out var rollout)) return null;
        foreach (var probe in RolloutMachine.Probes(rollout))
        {
            if (probe.Name == key.Probe) return probe;
        }

        return null;
    }

    public async Task ProbeAsync(Subscription.RolloutProbe key, CancellationToken stop)
    {
        if (SpecOf(host.Current.State, key) is not { } probe) return;
        if (await runner.RunAsync(key.Id, probe, stop) is not { } result) return;
        await PostAsync(key.Id, new RolloutEvent.ProbeReported(key.Activation, key.Probe, result.Outcome, result.Controls), stop);
    }

    public async Task LookAsync(Subscription.RunningRelease key, CancellationToken stop)
    {
        if (!host.Current.State.Rollouts.Find(key.Id).TryGet(out var rollout)) return;
        if (!activators.TryGetValue(rollout.Profile.Order.Activator, out var activator)) return;
        var running = await activator.RunningAsync(rollout.Profile.Order.Channel, stop);
        var seen = running is null ? Option<ReleaseId>.None : Option<ReleaseId>.Some(running);
        await PostAsync(key.Id, new RolloutEvent.RunningObserved(key.Activation, seen), stop);
    }

    private async Task PostAsync(RolloutId id, RolloutEvent @event, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        if (!host.Current.State.Rollouts.Find(id).TryGet(out var state)) return;
        var step = RolloutMachine.Step(state, state.Profile.Seq + 1, new(host.Now, @event));

        // Waited for: what is seen next is judged by what this led to.
        if (!ReferenceEquals(step.State, state)) await host.AskAsync(new HostEvent.RolloutReported(id, @event), stop);
    }
}
