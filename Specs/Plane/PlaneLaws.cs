using Agent.Core.Model;
using Agent.Core.Plane;
using Agent.Core.Rollout;
using Agent.Core.Time;
using Agent.Specs.Tools;
using LanguageExt;
using Xunit;
using Moment = Agent.Specs.Tools.Moment<
    Agent.Core.Plane.PlaneState, Agent.Core.Plane.PlaneEvent, Agent.Core.Plane.PlaneEffect>;

namespace Agent.Specs.Plane;

/// <summary>What holds for a plane and its fleet, whatever becomes of the messages between them.</summary>
public sealed class PlaneLaws
{
    private const int Longest = 60;

    /// <summary>The same ones in each run, so that they show the same.</summary>
    private const int Worlds = 2000;

    /// CO-2, CO-9: no step throws, the same deeds lead to the same plane, and what is refused leaves the very same one.
    [Fact]
    public void It_is_total_and_deterministic_and_a_refusal_changes_nothing() => Over(operators: true, world =>
    {
        foreach (var moment in world.Moments)
        {
            var again = PlaneMachine.Step(moment.Before, moment.Input);
            Assert.Equal(TracePrinter.Print(moment.Effects), TracePrinter.Print(again.Effects));
            if (!moment.Effects.Exists(effect => effect is PlaneEffect.Reject)) continue;
            Assert.Same(moment.Before, moment.After);
            Assert.Equal(1, moment.Effects.Count);
        }
    });

    /// CO-4, CO-9: a deadline that has come is dealt with by one event.
    [Fact]
    public void Deadlines_make_progress() => Each(moment =>
    {
        if (!PlaneMachine.Deadline(moment.After).TryGet(out var due)) return;
        var now = due < moment.Input.At ? moment.Input.At : due;
        var woken = PlaneMachine.Step(moment.After, new(now, new PlaneEvent.DeadlineReached())).State;
        Assert.False(PlaneMachine.Deadline(woken).TryGet(out var next) && next <= now);
    });

    /// RO-10, CO-7: whatever was lost, doubled or overtaken, in the end each mirror stands where its host does.
    [Fact]
    public void Every_mirror_equals_its_host_in_the_end() => Over(operators: true, world =>
    {
        world.Reconcile(whole: world.Moments.Count % 2 == 0);
        foreach (var host in world.Hosts)
        {
            if (!world.State.Hosts.Find(host.Name).TryGet(out var mirrored) || mirrored.IsRevoked) continue;
            foreach (var state in host.Rollouts.All.Values)
            {
                var mirror = mirrored.Mirrors.Find(state.Profile.Order.Id);
                Assert.True(mirror.IsSome, $"{host.Name} has no mirror of {state.Profile.Order.Id}");
                Assert.Equal(TracePrinter.Print(state), TracePrinter.Print(mirror));
                Assert.Equal(state.Profile.Seq, mirror.Map(known => known.Profile.Seq).IfNone(-1));
            }
        }
    });

    /// PF-7: the tallies that are kept up change by change are those that a count of all mirrors would find.
    [Fact]
    public void Tallies_equal_a_recount() => Each(moment =>
    {
        foreach (var rollout in moment.After.Rollouts.Values)
        {
            for (var wave = 0; wave < rollout.Waves.Count; wave++)
            {
                var rows = rollout.Order.Hosts.AsEnumerable().Where(row => row.Value.Wave == wave).ToArray();
                var recount = new WaveTally(rows.Length, 0, 0, 0, 0);
                foreach (var (name, _) in rows)
                {
                    if (MirrorOf(moment.After, name, rollout.Order.Id).TryGet(out var mirror)) recount = recount.With(mirror, 1);
                }

                Assert.Equal(recount, rollout.Waves[wave]);
            }
        }
    });

    /// FL-1, FL-2, FL-3: by effect or by asking, nobody is offered what is not his turn, halted, failed or in
    /// quarantine. Upstream: skips not-ready/cordoned, respects allocated (scheduler): here whoever is shut out or
    /// halted, and whoever has it.
    [Fact]
    public void Nothing_is_offered_that_may_not_be_had() => Over(operators: true, world =>
    {
        foreach (var moment in world.Moments)
        {
            foreach (var offer in moment.Effects.OfType<PlaneEffect.Offer>())
            {
                foreach (var host in offer.Hosts) MayHave(moment.After, host, offer.Id);
            }

            foreach (var host in world.Hosts)
            {
                if (PlaneMachine.OfferFor(moment.After, host.Name).TryGet(out var id)) MayHave(moment.After, host.Name, id);
            }
        }
    });

    /// FL-5: a host has its offer, or there is a reason; the two never disagree. Upstream: none fits (scheduler).
    [Fact]
    public void What_is_not_offered_has_a_reason() => Over(operators: true, world =>
    {
        var state = world.State;
        foreach (var host in world.Hosts)
        {
            var open = state.Channels.Values.Select(channel => channel.Newest)
                .Count(id => PlaneMachine.Explain(state, host.Name, id) is Waiting.Offered or Waiting.NeverSeen
                    && state.Rollouts.Find(id).Exists(rollout => rollout.Phase is FleetPhase.Active));
            Assert.Equal(open > 0, PlaneMachine.OfferFor(state, host.Name).IsSome);
        }
    });

    /// FL-1 (WaveAdvanced, successor_opened): waves never go back, and what is decided stays so.
    [Fact]
    public void A_rollout_never_goes_back() => Each(moment =>
    {
        foreach (var before in moment.Before.Rollouts.Values)
        {
            if (!moment.After.Rollouts.Find(before.Order.Id).TryGet(out var after)) continue;
            if (before.Phase is FleetPhase.Active(var open))
            {
                Assert.True(after.Phase is not FleetPhase.Active(var now) || now >= open, $"from {open} to {after.Phase}");
                continue;
            }

            Assert.False(after.Phase is FleetPhase.Active, $"{before.Phase} became {after.Phase}");
            if (before.Phase is FleetPhase.Converged or FleetPhase.Superseded) Assert.Same(before.Phase, after.Phase);
        }
    });

    /// FL-3, CO-5: a start forgets nothing; a quarantine ends by a publication alone.
    [Fact]
    public void A_quarantine_survives_everything_but_another_release() => Each(moment =>
    {
        foreach (var (name, before) in moment.Before.Channels.AsEnumerable())
        {
            if (!moment.After.Channels.Find(name).TryGet(out var after)) continue;
            foreach (var release in before.Quarantine.Keys)
            {
                if (after.Quarantine.ContainsKey(release)) continue;
                var published = Assert.IsType<PlaneEvent.Published>(moment.Input.Event);
                Assert.False(published.Order.Targets(release));
            }
        }
    });

    /// RO-10, WI-4: a message that comes again changes nothing.
    [Fact]
    public void What_was_told_twice_counts_once() => Each(moment =>
    {
        if (moment.Input.Event is not PlaneEvent.Told) return;
        Assert.Same(moment.After, PlaneMachine.Step(moment.After, moment.Input).State);
    });

    /// WI-1: whoever was shut out is not listened to.
    [Fact]
    public void A_revoked_host_changes_nothing() => Each(moment =>
    {
        var host = (moment.Input.Event as PlaneEvent.Told)?.Host ?? (moment.Input.Event as PlaneEvent.Heartbeat)?.Host;
        if (host is null || !moment.Before.Hosts.Find(host).Exists(known => known.IsRevoked)) return;
        Assert.Same(moment.Before, moment.After);
        Assert.IsType<PlaneEffect.Reject>(Assert.Single(moment.Effects));
    });

    /// FL-4: from manifests and heartbeats alone a plane comes to the same mirrors, and stands where it stood with the
    /// newest manifest of each channel. Of older ones it knows that there are newer.
    [Fact]
    public void A_plane_rebuilds_itself() => Over(operators: false, world =>
    {
        world.Reconcile(whole: false);
        var before = world.State;
        world.Forget();
        world.Reconcile(whole: world.Moments.Count % 2 == 0);
        foreach (var host in before.Hosts.Values)
        {
            Assert.Equal(
                TracePrinter.Print(host.Mirrors.Values.ToArray()),
                TracePrinter.Print(world.State.Hosts.Find(host.Name).Map(known => known.Mirrors.Values.ToArray())));
        }

        foreach (var (name, channel) in before.Channels.AsEnumerable())
        {
            var rebuilt = world.State.Rollouts.Find(channel.Newest).Map(rollout => Kind(rollout.Phase));
            Assert.Equal(before.Rollouts.Find(channel.Newest).Map(rollout => Kind(rollout.Phase)), rebuilt);
        }
    });

    /// CO-8: a law over worlds in which nothing happens would say nothing.
    [Fact]
    public void The_worlds_show_every_end_and_every_verdict()
    {
        var seen = new System.Collections.Generic.HashSet<Type>();
        for (var seed = 0; seed < Worlds; seed++)
        {
            var samples = new Samples(seed);
            var world = FleetWorld.Run(
                [.. Enumerable.Range(0, Longest).Select(_ => FleetWorld.Sample(samples))], operators: true);
            foreach (var rollout in world.State.Rollouts.Values) seen.Add(rollout.Phase.GetType());
            foreach (var effect in world.Moments.SelectMany(moment => moment.Effects))
            {
                seen.Add(effect.GetType());
                if (effect is not PlaneEffect.Answer(_, var verdicts)) continue;
                foreach (var verdict in verdicts) seen.Add(verdict.GetType());
            }
        }

        Assert.Empty(Samples.Cases(typeof(FleetPhase)).Concat(Samples.Cases(typeof(Verdict)))
            .Concat(Samples.Cases(typeof(PlaneEffect)))
            .Except([typeof(PlaneEffect.Certify), typeof(PlaneEffect.Revoke), typeof(Verdict.Refused), .. seen]));
    }

    private static string Kind(FleetPhase phase) =>
        phase is FleetPhase.Active(var wave) ? $"wave {wave}" : phase.GetType().Name;

    private static void MayHave(PlaneState state, HostName name, RolloutId id)
    {
        var rollout = state.Rollouts.Find(id).IfNone(() => throw new InvalidOperationException("unknown"));
        var channel = state.Channels.Find(id.Channel).IfNone(() => throw new InvalidOperationException("unknown"));
        var row = rollout.Order.Hosts.Find(name).IfNone(() => throw new InvalidOperationException("not listed"));
        Assert.Equal(id, channel.Newest);
        Assert.False(channel.Halted);
        Assert.False(channel.Quarantine.ContainsKey(row.Target));
        Assert.True(rollout.Phase is FleetPhase.Active(var open) && row.Wave <= open);
        Assert.DoesNotContain(rollout.Waves, wave => wave.Failed > 0);
        Assert.False(state.Hosts.Find(name).Exists(host => host.IsRevoked || host.Mirrors.ContainsKey(id)));
    }

    private static Option<RolloutState> MirrorOf(PlaneState state, HostName name, RolloutId id) =>
        state.Hosts.Find(name).Map(host => host.Mirrors.Find(id)).IfNone(Option<RolloutState>.None);

    private static void Each(Action<Moment> holds) => Over(operators: true, world =>
    {
        foreach (var moment in world.Moments) holds(moment);
    });

    private static void Over(bool operators, Action<FleetWorld> holds) => Law.Over(
        Longest, FleetWorld.Sample, script => FleetWorld.Print(FleetWorld.Run(script.Items, operators).Moments),
        script => holds(FleetWorld.Run(script.Items, operators)));
}
