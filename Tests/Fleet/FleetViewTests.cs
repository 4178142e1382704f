using System;
using Agent.Core.Model;
using Agent.Core.Plane;
using Agent.Core.Rollout;
using Agent.Core.Time;
using Agent.Shell.Plane;
using Agent.Tests.Uplink;
using LanguageExt;
using Xunit;
using static LanguageExt.Prelude;

namespace Agent.Tests.Fleet;

/// <summary>What operators are told of a host.</summary>
public sealed class FleetViewTests
{
    /// FL-4, FL-5: a host that was not heard for a while is silent, and is online again with its next word. Meanwhile it
    /// keeps what it has: nothing of it goes elsewhere. Upstream: stale lease found, Ready then NotReady, evicts after grace
    /// (controllers).
    [Fact]
    public void A_host_that_falls_silent_is_told_and_keeps_what_it_has()
    {
        var (web, db, now) = (Named("web-1"), Named("db-1"), new Instant(1_000_000));
        var (order, seen) = (EnrolledHost.Order(1), new LastSeen(() => now));
        var state = PlaneState.Initial;
        Tell(new PlaneEvent.Published(new FleetOrder(
            order.Id, order.Version, order.Activator, order.Policy, order.Probes, Seq(Option<TimeSpan>.None, Option<TimeSpan>.None),
            Map<OrdHostName, HostName, HostRow>().Add(web, new(order.Target, 0)).Add(db, new(order.Target, 1)))));
        Assert.Equal("never-seen", StateOf());

        seen.Note(web);
        Tell(new PlaneEvent.Told(web, Seq1<Telling>(new Telling.Stands(RolloutMachine.Create(order, now)))));
        Assert.Equal("online", StateOf());
        var rollouts = View().Rollouts;

        now += FleetView.SilentAfter;
        Assert.Equal("online", StateOf());
        now += TimeSpan.FromMilliseconds(1);
        Assert.Equal("silent", StateOf());
        now += TimeSpan.FromDays(1);
        Tell(new PlaneEvent.DeadlineReached());
        Assert.Equal("silent", StateOf());
        Assert.Equal(rollouts, View().Rollouts);
        Assert.True(PlaneMachine.OfferFor(state, db).IsNone);

        seen.Note(web);
        Assert.Equal("online", StateOf());

        void Tell(PlaneEvent @event) => state = PlaneMachine.Step(state, new(now, @event)).State;

        Shell.Uplink.FleetHostInfo View() => FleetView.Of(state, web, seen, now);

        string StateOf() => View().State;
    }

    private static HostName Named(string text) => HostName.Parse(text).IfNone(() => throw new ArgumentException(text));
}
