using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Core.Time;
using Agent.Specs.Tools;
using LanguageExt;
using Xunit;
using static LanguageExt.Prelude;
using Effect = Agent.Core.Rollout.RolloutEffect;
using Event = Agent.Core.Rollout.RolloutEvent;
using State = Agent.Core.Rollout.RolloutState;

namespace Agent.Specs.Rollout;

/// <summary>What holds for all rollouts of a host together.</summary>
public sealed class RegistryLaws
{
    private static readonly RolloutsSoup Soup = new();

    /// CO-2, CO-9: the same errands lead to the same trace, and none throws.
    [Fact]
    public void It_is_total_and_deterministic() => Soup.IsTotalAndDeterministic();

    /// CO-4, CO-9: deadlines lie ahead of now, or their event makes progress.
    [Fact]
    public void Deadlines_make_progress() => Soup.DeadlinesMakeProgress();

    /// CO-2: what is refused to whoever asked leaves the very same rollouts.
    [Fact]
    public void A_refusal_changes_nothing() => Soup.EachStep(moment =>
    {
        if (moment.Input.Event is Errand.Accept or Errand.Report && moment.Effects.Exists(Soup.IsReject))
        {
            Assert.Same(moment.Before, moment.After);
        }
    });

    /// RO-3: no switch forward is ordered beside another one, and none back that somebody asks for. A failure alone
    /// orders its way back in the same step (RO-6), and that is carried out when the other switch is over.
    [Fact]
    public void No_switch_is_ordered_beside_another_but_the_way_back_from_a_failure() => Soup.EachStep(moment =>
    {
        if (moment.Input.Event is Errand.Recover) return;
        foreach (var effect in moment.Effects)
        {
            var beside = Switching(moment.After).Where(other => !Orders(effect, other));
            if (effect is Effect.FireSwitch) Assert.Empty(beside);
            if (effect is not Effect.FireRollback || !beside.Any()) continue;
            Assert.False(moment.Input.Event is Errand.Report(_, Event.RollbackRequested or Event.RetryRequested));
        }

        Assert.InRange(moment.After.All.Values.Count(state => state is State.Activating), 0, 1);
    });

    /// RO-3: an operator is told who is in the way, and may ask again when that is over.
    [Fact]
    public void What_an_operator_asks_for_waits_for_a_switch_of_another()
    {
        var rollouts = Run(
            new Errand.Accept(Specimens.Order(1)),
            new Errand.Report(Ids.Rollout(1), new Event.ActivationFailed(1, "no-space", "the disk is full")),
            new Errand.Accept(Specimens.Order(1, "edge")));
        var retry = new Errand.Report(Ids.Rollout(1), new Event.RetryRequested());
        var refused = RolloutsSoup.Step(rollouts, new(new Instant(1), retry));
        Assert.Same(rollouts, refused.State);
        var told = Assert.IsType<Effect.Reject>(Assert.Single(refused.Effects));
        Assert.Equal((ErrorCode.Busy, "edge@00000001 is being switched, ask again when that is over"), (told.Code, told.Reason));

        var over = RolloutsSoup.Step(rollouts, new(new Instant(2), new Errand.Report(
            Ids.Rollout(1, "edge"), new Event.ActivationCompleted(1, Ids.Release(1))))).State;
        Assert.IsType<State.Activating>(Get(RolloutsSoup.Step(over, new(new Instant(3), retry)).State, Ids.Rollout(1)));
    }

    /// RO-3: nobody waits for a turn that could be given.
    [Fact]
    public void Nobody_waits_while_nothing_switches() => Soup.EachStep(moment =>
    {
        if (Switching(moment.After).Length > 0) return;
        Assert.DoesNotContain(moment.After.All.Values, state => state is State.Pending);
    });

    /// RO-3: whoever came first has its turn first.
    [Fact]
    public void Turns_are_given_in_order() => Soup.EachStep(moment =>
    {
        foreach (var effect in moment.Effects)
        {
            if (effect is not Effect.Report(var id, _, Event.Activate, _)) continue;
            var turn = Get(moment.After, id);
            foreach (var other in moment.After.All.Values)
            {
                if (other is State.Pending) Assert.True(other.Profile.ReceivedAt >= turn.Profile.ReceivedAt, "out of turn");
            }
        }
    });

    /// RO-3 (open successor while predecessor Active, successor_opened, re_derivation … supersession): of each channel
    /// only the newest goes on, and an older one only until its switch is over.
    [Fact]
    public void A_newer_one_takes_the_place_of_an_older() => Soup.EachStep(moment =>
    {
        foreach (var state in moment.After.All.Values)
        {
            if (state.IsTerminal || state.IsSwitching) continue;
            Assert.DoesNotContain(moment.After.All.Values, other => IsNewer(other, state));
        }
    });

    /// RO-3: only a newer one of its own channel takes a rollout's place.
    [Fact]
    public void Other_channels_are_untouched() => Soup.EachStep(moment =>
    {
        foreach (var state in moment.After.All.Values)
        {
            if (state is State.Superseded(_, _, var by)) Assert.Equal(state.Profile.Order.Channel, by.Channel);
            var before = moment.Before.Find(state.Profile.Order.Id);
            if (!before.TryGet(out var old) || ReferenceEquals(old, state)) continue;
            var told = moment.Effects.OfType<Effect.Report>().Where(report => report.Id == state.Profile.Order.Id).ToArray();
            Assert.NotEmpty(told);
            if (Concerns(moment.Input.Event, state)) continue;
            Assert.All(told, report => Assert.IsType<Event.Activate>(report.Event));
        }
    });

    /// RO-10 (last_event_seq_advances_on_success): the reports of each rollout are numbered one by one.
    [Fact]
    public void Reports_of_a_rollout_are_numbered_without_gaps() => Soup.Always(trace =>
    {
        var last = new Dictionary<RolloutId, long>();
        foreach (var moment in trace)
        {
            foreach (var report in moment.Effects.OfType<Effect.Report>())
            {
                Assert.Equal(last.GetValueOrDefault(report.Id) + 1, report.Seq);
                last[report.Id] = report.Seq;
            }
        }
    });

    /// RO-3, RO-10 (never re-open Terminal, re_successor_opened_is_idempotent): a version that was seen is refused by
    /// name, and so is a rollout that can never be judged; what is none of these is admitted.
    [Fact]
    public void What_was_seen_is_refused_by_name() => Soup.EachStep(moment =>
    {
        if (moment.Input.Event is not Errand.Accept(var order)) return;
        var floor = moment.Before.Floor(order.Channel);
        Option<ErrorCode> refusal = moment.Before.Find(order.Id).IsSome ? ErrorCode.Known
            : order.Fault.IsSome ? ErrorCode.InvalidInput
            : floor.Exists(seen => order.Version < seen) ? ErrorCode.VersionRollback
            : floor.Exists(seen => order.Version == seen) ? ErrorCode.VersionReused
            : None;
        var told = moment.Effects.OfType<Effect.Reject>().Select(reject => reject.Code).ToArray();
        Assert.Equal(refusal.ToArray(), told);
        if (refusal.IsNone) Assert.Equal(order.Version, moment.After.Floor(order.Channel).IfNone(0));
    });

    /// RO-3: what was the highest version stays seen, whatever becomes of the rollouts.
    [Fact]
    public void Floors_never_fall() => Soup.EachStep(moment =>
    {
        foreach (var (channel, floor) in moment.Before.Floors.AsEnumerable())
        {
            Assert.True(moment.After.Floor(channel).Exists(after => after >= floor), "a floor fell");
        }
    });

    /// RO-5 (an empty probe map passes … only unattended): what nothing would gate is taken only where the manifest
    /// says that this is meant.
    [Fact]
    public void What_nothing_gates_must_say_that_it_is_unattended() => Soup.EachStep(moment =>
    {
        foreach (var state in moment.After.All.Values)
        {
            var order = state.Profile.Order;
            var gated = order.Policy.Soak > TimeSpan.Zero || order.Probes.Exists(probe => probe.Mode == ProbeMode.Enforce);
            Assert.True(gated || order.Policy.Unattended, "nothing gates it");
        }
    });

    /// CO-5, CO-9: an agent that starts on the same boot finds all rollouts where they were.
    [Fact]
    public void A_new_agent_moves_nothing() => Soup.EachStep(moment =>
    {
        var found = RolloutsSoup.Step(moment.After, new(moment.Input.At, new Errand.Recover(new("boot0"))));
        foreach (var state in found.State.All.Values)
        {
            var before = moment.After.All[state.Profile.Order.Id];
            if (before is State.Soaking) Assert.IsType<State.Soaking>(state);
            else Assert.Same(before, state);
        }

        Assert.All(found.Effects.OfType<Effect.Report>(), report => Assert.False(report.Moved));
        Assert.DoesNotContain(found.Effects, effect => effect is Effect.Reject);
    });

    /// RO-3, CO-5: a switch that an agent's death cut off is taken up before the ways back that waited for it.
    [Fact]
    public void A_new_agent_takes_up_the_switch_under_way_first() => Soup.EachStep(moment =>
    {
        var owed = RolloutsSoup.Step(moment.After, new(moment.Input.At, new Errand.Recover(new("boot0")))).Effects;
        var back = owed.SkipWhile(effect => effect is not Effect.FireRollback);
        foreach (var fired in back.OfType<Effect.FireSwitch>())
        {
            // One that waited for its turn, and not one that was under way.
            Assert.IsType<State.Pending>(moment.After.All[fired.Order.Id]);
        }
    });

    /// RO-3, CO-5: the channel's name, by which rollouts are kept, decides nothing.
    [Fact]
    public void A_way_back_of_an_earlier_name_waits_for_the_switch()
    {
        var (edge, stable) = (Specimens.Order(1, "edge"), Specimens.Order(5, "stable"));
        Errand[] errands =
        [
            new Errand.Accept(edge),
            new Errand.Report(edge.Id, new Event.ActivationStarted(1, Ids.Release(0), "release")),
            new Errand.Report(edge.Id, new Event.ActivationCompleted(1, edge.Target)),
            new Errand.Accept(stable),
            new Errand.Report(edge.Id, new Event.ProbeReported(
                1, Ids.Probe("http"), new ProbeOutcome.Failed("refused"), Seq<ControlResult>())),
            new Errand.Wake(),
        ];
        var rollouts = Rollouts.Empty;
        foreach (var (n, errand) in errands.Index())
        {
            rollouts = RolloutsSoup.Step(rollouts, new(new Instant(n * 200_000), errand)).State;
        }

        var owed = rollouts.Recover(new("boot0"), new Instant(2_000_000)).Effects;
        Assert.Equal([typeof(Effect.FireSwitch), typeof(Effect.FireRollback)], owed.Map(effect => effect.GetType()).ToArray());
    }

    /// RO-4, RO-11: whatever other channels do, what a rollout goes to or may go back to stays on the host, and so does
    /// the newest of each channel.
    [Fact]
    public void What_an_open_rollout_needs_is_needed() => Soup.EachStep(moment =>
    {
        var needed = moment.After.Needed(keep: 1).ToArray();
        foreach (var state in moment.After.All.Values)
        {
            var newest = moment.After.All.Values.Filter(one => one.Profile.Order.Channel == state.Profile.Order.Channel)
                .Max(one => one.Profile.Order.Version);
            if (!state.IsTerminal || state.Profile.Order.Version == newest) Assert.Contains(state.Profile.Order.Target, needed);
            if (state.IsTerminal || !RolloutMachine.SwitchOf(state).TryGet(out var last)) continue;
            if (last.Previous.TryGet(out var previous)) Assert.Contains(previous, needed);
        }
    });

    /// RO-3: of the decided ones as many are kept as the bound says, and the newest.
    [Fact]
    public void Decided_ones_are_kept_up_to_the_bound()
    {
        var rollouts = Rollouts.Empty;
        for (var version = 1; version <= 3 * Rollouts.DecidedKept; version++)
        {
            rollouts = rollouts.Accept(Specimens.Order(version), new Instant(version)).Rollouts;
            var completed = new Event.ActivationCompleted(1, Ids.Release(version));
            rollouts = rollouts.Report(Ids.Rollout(version), new(new Instant(version), completed)).Rollouts;
            var decided = rollouts.All.Values.Filter(state => state.IsTerminal).Map(state => state.Profile.Order.Version).ToArray();
            var first = Math.Max(1, version - Rollouts.DecidedKept);
            Assert.Equal(Enumerable.Range(first, version - first).Select(kept => (long)kept), decided.Order());
        }
    }

    /// RO-3: a host follows as many channels as the bound says; those it follows go on.
    [Fact]
    public void Channels_are_bounded()
    {
        var rollouts = Rollouts.Empty;
        for (var i = 0; i < Rollouts.MaxChannels; i++) rollouts = rollouts.Accept(Specimens.Order(1, "c" + i), new Instant(0)).Rollouts;
        var refused = rollouts.Accept(Specimens.Order(1, "other"), new Instant(1));
        Assert.Same(rollouts, refused.Rollouts);
        Assert.Equal(ErrorCode.RegistryFull, Assert.IsType<Effect.Reject>(Assert.Single(refused.Effects)).Code);
        Assert.NotSame(rollouts, rollouts.Accept(Specimens.Order(2, "c0"), new Instant(1)).Rollouts);
    }

    private static RolloutId[] Switching(Rollouts rollouts) =>
        [.. rollouts.All.Values.Where(state => state.IsSwitching).Select(state => state.Profile.Order.Id)];

    private static bool Orders(Effect effect, RolloutId id) => effect switch
    {
        Effect.FireSwitch(var order, _, _) => order.Id == id,
        Effect.FireRollback(var order, _, _) => order.Id == id,
        Effect.CheckRunning or Effect.Report or Effect.Reject => false,
    };

    private static Rollouts Run(params Errand[] errands) => errands.Aggregate(
        Rollouts.Empty, (rollouts, errand) => RolloutsSoup.Step(rollouts, new(new Instant(0), errand)).State);

    private static State Get(Rollouts rollouts, RolloutId id) =>
        rollouts.Find(id).IfNone(() => throw new InvalidOperationException($"{id} is gone"));

    private static bool IsNewer(State other, State state) =>
        other.Profile.Order.Channel == state.Profile.Order.Channel
        && other.Profile.Order.Version > state.Profile.Order.Version;

    /// <summary>Whether this errand may do more to a rollout than give it its turn.</summary>
    private static bool Concerns(Errand errand, State state) => errand switch
    {
        Errand.Accept(var order) => order.Channel == state.Profile.Order.Channel,
        Errand.Report(var id, _) => id.Channel == state.Profile.Order.Channel,
        Errand.Recover => state is State.Soaking,
        Errand.Wake => true,
    };
}
