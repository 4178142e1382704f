using System;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Core.Rollout;
using Agent.Core.Runtime;
using Agent.Core.Time;
using Agent.Tests.Support;
using LanguageExt;
using Xunit;

namespace Agent.Tests.Runtime;

/// <summary>What the loop does with a state that another run of the agent left.</summary>
public sealed class LoopStartTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// CO-4, CO-5, RO-5: a soak that was over while no agent ran is not judged by what its predecessor saw: its deadline
    /// is posted after the start, which asks for another look, and that look ends it.
    [Fact]
    public async Task No_deadline_is_posted_before_the_start()
    {
        var (soaking, id, target) = Overdue();
        using var host = new CoreHost((_, _) => { }, soaking);
        await host.AskAsync(
            new HostEvent.Configured(RuntimePolicy.Default, Seq<ServiceDeclaration>.Empty), CancellationToken.None);
        lock (host.Events) Assert.IsType<HostEvent.Configured>(Assert.Single(host.Events));

        await host.AskAsync(new HostEvent.Started(new BootId("boot"), Seq<ObservedProcess>.Empty), CancellationToken.None);
        await host.WhenAsync(state => state.Rollouts.Find(id).Exists(one => one is RolloutState.Soaking { Soaked: true }), Patience);
        lock (host.Events) Assert.Equal(["Configured", "Started", "DeadlineReached"], host.Events.Select(one => one.GetType().Name));

        await host.AskAsync(
            new HostEvent.RolloutReported(id, new RolloutEvent.RunningObserved(1, target)), CancellationToken.None);
        await host.WhenAsync(state => state.Rollouts.Find(id).Exists(one => one is RolloutState.Converged), Patience);
    }

    /// <summary>A rollout with a soak of a minute and no probe, which soaks since 1970.</summary>
    private static (HostState State, RolloutId Id, ReleaseId Target) Overdue()
    {
        var order = new Samples(1).Any<RolloutOrder>();
        order = order with
        {
            Activator = ActivatorKind.Release,
            Target = ReleaseId.Parse(ReleaseId.ArchivePrefix + new string('a', 64)).IfNone(() => throw new InvalidOperationException()),
            Probes = Seq<ProbeSpec>.Empty,
            Policy = order.Policy with { Soak = TimeSpan.FromMinutes(1), VerdictWithin = TimeSpan.FromMinutes(10) },
        };
        var state = HostState.Initial;
        foreach (var @event in (HostEvent[])
        [
            new HostEvent.RolloutOrdered(Principal.Root, order),
            new HostEvent.RolloutReported(order.Id, new RolloutEvent.ActivationCompleted(1, order.Target)),
        ])
        {
            state = HostMachine.Step(state, new(new Instant(0), @event)).State;
        }

        return (state, order.Id, order.Target);
    }
}
