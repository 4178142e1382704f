using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Outbox;
using Agent.Core.Rollout;
using Agent.Core.Time;
using Agent.Specs.Tools;
using LanguageExt;
using Xunit;
using static LanguageExt.Prelude;

namespace Agent.Specs.Outbox;

/// <summary>
/// The way from a host's rollouts to a plane's mirrors, with loss, doubles, late and reordered posts, refusals and
/// crashes of either side.
/// </summary>
public sealed class MirrorLaws
{
    private const int Longest = 40;

    /// RO-10, WI-4, CO-7: whatever happened on the way, once the plane answers the queue drains, every item was taken
    /// once or is a named dead letter, and each mirror stands where its host does.
    [Fact]
    public void Once_the_plane_answers_it_knows_what_the_host_knows() => Law.Over(
        Longest, PlaneWorld.Sample, Print, script =>
        {
            var world = Run(script).Settle();
            world.EverythingIsAccountedFor();
            world.MirrorsAgree();
        });

    /// CO-5, CO-9, WI-4: an agent that is killed anywhere reaches the same end.
    [Fact]
    public void A_crash_anywhere_leads_to_the_same_end() => Law.Over(
        Longest, PlaneWorld.Sample, Print, script =>
        {
            var at = script.Seed % (script.Items.Count + 1);
            var crash = new Turn(0, new Rollout.Errand.Recover(Specimens.Boot), Fate.Pending);
            var world = new PlaneWorld(script.Seed, poisoned: true)
                .Run([.. script.Items.Take(at), crash, crash, .. script.Items.Skip(at)]).Settle();
            world.EverythingIsAccountedFor();
            world.MirrorsAgree();
        });

    /// WI-4, RO-10: an outage in which a flapping probe overflows the queue costs observations alone, and the plane
    /// ends where the host is.
    [Fact]
    public void An_outage_longer_than_the_queue_ends_well()
    {
        var order = Specimens.Order(1) with
        {
            Probes = Seq1(Specimens.Probe("http", ProbeMode.Observe)),
            Policy = Specimens.Order(1).Policy with { Soak = TimeSpan.FromDays(7) },
        };
        var id = order.Id;
        var world = Feed(
            new HostEvent.Outbox(new OutboxEvent.Attached()),
            new HostEvent.RolloutOrdered(Principal.Root, order),
            new HostEvent.RolloutReported(id, new RolloutEvent.ActivationStarted(1, Ids.Release(0), "release")),
            new HostEvent.RolloutReported(id, new RolloutEvent.ActivationCompleted(1, Ids.Release(1))),
            new HostEvent.Outbox(new OutboxEvent.DeliveryFailed(1, FailureKind.Unavailable, None, "away", 0)));
        for (var i = 0; i < 11_000; i++)
        {
            ProbeOutcome outcome = i % 2 == 0 ? new ProbeOutcome.Passed("") : new ProbeOutcome.Failed("");
            world = Next(world, new HostEvent.RolloutReported(
                id, new RolloutEvent.ProbeReported(1, Ids.Probe("http"), outcome, Seq<ControlResult>())));
        }

        Assert.Equal(OutboxQueue.Capacity, world.Outbox.Queue.Items.Count);
        Assert.Equal(1003, world.Outbox.Queue.Shed);
        Assert.True(world.Outbox.Queue.Admits, "observations keep nobody out");

        var plane = new ModelPlane((_, _) => false);
        plane.Dispatch(order, new Instant(0));
        var post = Only(HostMachine.Step(world, new(new(1), new HostEvent.Outbox(new OutboxEvent.FlushRequested()))), out world);
        while (post.TryGet(out var sent))
        {
            var answer = new HostEvent.Outbox(plane.Take(sent, world.Rollouts.Find));
            post = Only(HostMachine.Step(world, new(new(2), answer)), out world);
        }

        Assert.IsType<OutboxState.Idle>(world.Outbox);
        Assert.Equal(TracePrinter.Print(world.Rollouts.Find(id)), TracePrinter.Print(Some(plane.Mirrors[id])));
    }

    /// WI-4, WI-6: a host whose outbox has no room for it takes no order and tries nothing again; what is under way
    /// ends, halts and goes back as ever, and no transition of it is lost.
    [Fact]
    public void A_full_outbox_keeps_new_rollouts_out()
    {
        var busy = Feed(
            new HostEvent.Outbox(new OutboxEvent.Attached()),
            new HostEvent.RolloutOrdered(Principal.Root, Specimens.Order(1)),
            new HostEvent.RolloutReported(Ids.Rollout(1), new RolloutEvent.ActivationStarted(1, Ids.Release(0), "release")));
        var full = busy with
        {
            Outbox = OutboxSoup.Away(OutboxSoup.Full(_ => false, room: OutboxQueue.Reserve - 1)),
        };
        Refused(full, new HostEvent.RolloutOrdered(Principal.Root, Specimens.Order(2)));
        Refused(full, new HostEvent.RolloutRequested(Ids.Rollout(1), Principal.Root, new RolloutEvent.RetryRequested()));
        var soaking = Next(full, new HostEvent.RolloutReported(
            Ids.Rollout(1), new RolloutEvent.ActivationCompleted(1, Ids.Release(1))));
        var back = Next(soaking, new HostEvent.RolloutRequested(
            Ids.Rollout(1), Principal.Root, new RolloutEvent.RollbackRequested()));
        Assert.IsType<RolloutState.Failed>(back.Rollouts.Find(Ids.Rollout(1)).IfNone(() => null!));
        Assert.Equal(full.Outbox.Queue.Items.Count + 2, back.Outbox.Queue.Items.Transitions);

        static void Refused(HostState state, HostEvent @event)
        {
            var step = HostMachine.Step(state, new(new(0), @event));
            Assert.Same(state, step.State);
            var refusal = Assert.IsType<HostEffect.Rollout>(step.Effects.Head).Effect;
            Assert.Equal(ErrorCode.OutboxFull, Assert.IsType<RolloutEffect.Reject>(refusal).Code);
        }
    }

    /// WI-4, WI-6: with no plane configured the outbox does not exist: no item, no effect, the very same state.
    [Fact]
    public void Without_a_plane_nothing_is_queued() => Law.Over(
        Longest, PlaneWorld.Sample, Print, script =>
        {
            var state = HostState.Initial;
            foreach (var turn in script.Items)
            {
                if (turn.Errand is not Rollout.Errand.Accept(var order)) continue;
                var step = HostMachine.Step(state, new(new(0), new HostEvent.RolloutOrdered(Principal.Root, order)));
                Assert.Same(state.Outbox, step.State.Outbox);
                Assert.DoesNotContain(step.Effects, effect => effect is HostEffect.Outbox);
                state = step.State;
            }
        });

    private static PlaneWorld Run(Script<Turn> script) =>
        new PlaneWorld(script.Seed, poisoned: script.Seed % 2 == 0).Run(script.Items);

    private static string Print(Script<Turn> script)
    {
        var world = Run(script);
        try
        {
            world.Settle();
        }
        catch (Xunit.Sdk.XunitException broken)
        {
            world.Trace.Add($"-- {broken.Message}");
        }

        return string.Join('\n', world.Trace.TakeLast(60));
    }

    private static HostState Feed(params HostEvent[] events) => events.Aggregate(HostState.Initial, Next);

    private static HostState Next(HostState state, HostEvent @event) =>
        HostMachine.Step(state, new(new(0), @event)).State;

    private static Option<OutboxEffect.Post> Only(
        Core.Transition<HostState, HostEffect> step, out HostState after)
    {
        after = step.State;
        foreach (var effect in step.Effects)
        {
            if (effect is HostEffect.Outbox(OutboxEffect.Post post)) return post;
        }

        return None;
    }
}
