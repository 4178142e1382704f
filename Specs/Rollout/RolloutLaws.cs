using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Core.Time;
using Agent.Specs.Tools;
using LanguageExt;
using Xunit;
using Effect = Agent.Core.Rollout.RolloutEffect;
using Event = Agent.Core.Rollout.RolloutEvent;
using State = Agent.Core.Rollout.RolloutState;

namespace Agent.Specs.Rollout;

/// <summary>What holds for a rollout whatever happens, in whatever order.</summary>
public sealed class RolloutLaws
{
    private static readonly RolloutSoup Soup = new();

    /// CO-2, CO-9 (step_is_deterministic): the same events lead to the same trace, and none throws.
    [Fact]
    public void It_is_total_and_deterministic() => Soup.IsTotalAndDeterministic();

    /// CO-2, CO-9: a refused event leaves the state as it was.
    [Fact]
    public void A_refusal_changes_nothing() => Soup.ARefusalChangesNothing();

    /// CO-4, CO-9: deadlines lie ahead of now, or their event makes progress.
    [Fact]
    public void Deadlines_make_progress() => Soup.DeadlinesMakeProgress();

    /// CO-8, RO-1: a law over traces that never get anywhere would say nothing.
    [Fact]
    public void Random_traces_reach_every_state()
    {
        var reached = new System.Collections.Generic.HashSet<string>();
        Soup.EachStep(moment =>
        {
            reached.Add(moment.After.GetType().Name);
            if (moment.After is not State.Failed failed) return;
            reached.Add(failed.Cause.GetType().Name);
            reached.Add(failed.Recovery is Recovery.Held(var because) ? $"{because}" : failed.Recovery.GetType().Name);
        });
        var all = Samples.Cases(typeof(State)).Concat(Samples.Cases(typeof(FailureCause))).Concat(Samples.Cases(typeof(Recovery)))
            .Select(type => type.Name).Concat(Enum.GetNames<HeldBecause>()).Except([nameof(Recovery.Held)]);
        Assert.Empty(all.Except(reached));
    }

    /// CO-2: whatever a state is, it can be put into a message.
    [Fact]
    public void Every_state_prints_itself() => Soup.EachStep(moment =>
    {
        if (!ReferenceEquals(moment.Before, moment.After)) Assert.NotEmpty(moment.After.ToString());
    });

    /// RO-10 (seq_regression_rejected, seq_regression_rejected_on_any_state): what has an equal or a lower seq was seen.
    [Fact]
    public void A_seq_that_was_seen_is_refused_in_every_state() => Soup.EachStep(moment =>
    {
        var seen = moment.After.Profile.Seq;
        foreach (var seq in (long[])[seen, seen - 1, 0])
        {
            var again = RolloutMachine.Step(moment.After, seq, moment.Input);
            Assert.Same(moment.After, again.State);
            Assert.Equal(ErrorCode.Seen, Assert.IsType<Effect.Reject>(Assert.Single(again.Effects)).Code);
        }
    });

    /// RO-10 (last_event_seq_advances_on_success): every change takes its seq and is told once, before anything is
    /// done about it; what changes nothing takes none and is not told.
    [Fact]
    public void Every_change_takes_its_seq_and_is_told_once_and_first() => Soup.EachStep(moment =>
    {
        var (before, input, effects, after) = moment;
        var told = effects.Filter(effect => effect is Effect.Report).ToArray();
        if (ReferenceEquals(before, after))
        {
            Assert.Empty(told);
            return;
        }

        Assert.True(after.Profile.Seq > before.Profile.Seq, "a change without its seq");
        Assert.Equal([new Effect.Report(
            after.Profile.Order.Id, after.Profile.Seq, input.Event, Moved: before.GetType() != after.GetType())], told);
        Assert.Same(told[0], effects[0]);
    });

    /// RO-1: nothing that happens to a rollout makes another one of it.
    [Fact]
    public void The_order_stays() => Soup.EachStep(moment =>
    {
        Assert.Same(moment.Before.Profile.Order, moment.After.Profile.Order);
        Assert.Equal(moment.Before.Profile.ReceivedAt, moment.After.Profile.ReceivedAt);
    });

    /// CO-9, RO-1 (terminal_states_reject_all_events): what is decided stays decided.
    [Fact]
    public void The_decided_stay_decided() => Soup.EachStep(moment =>
    {
        if (moment.Before.IsTerminal) Assert.Same(moment.Before, moment.After);
    });

    /// RO-3: an answer about another switch than the newest changes nothing. Upstream: CAS conflict (store).
    [Fact]
    public void A_stale_answer_changes_nothing() => Soup.EachStep(moment =>
    {
        var (before, input, effects, after) = moment;
        if (!ActivationOf(input.Event).TryGet(out var about)) return;
        if (RolloutMachine.SwitchOf(before).TryGet(out var newest) && newest.Activation == about) return;
        Assert.Same(before, after);
        Assert.True(effects.Exists(Soup.IsReject));
    });

    /// CO-9: a fact that comes twice acts once, and so does what an operator wants.
    [Fact]
    public void The_same_fact_twice_acts_once() => Soup.EachStep(moment =>
    {
        // A probe counts its answers, and the agent's start asks again for what is owed each time.
        if (moment.Input.Event is Event.ProbeReported or Event.Recovered) return;
        var again = RolloutMachine.Step(moment.After, moment.After.Profile.Seq + 1, moment.Input);
        Assert.Same(moment.After, again.State);
        Assert.DoesNotContain(again.Effects, effect => !Soup.IsReject(effect));
    });

    /// RO-3: a rollout that is superseded was not in the middle of a switch.
    [Fact]
    public void Nothing_takes_the_place_of_a_switch_under_way() => Soup.EachStep(moment =>
    {
        if (moment.After is State.Superseded && moment.Before is not State.Superseded) Assert.False(moment.Before.IsSwitching);
        if (moment.Input.Event is not Event.SuccessorArrived || moment.Before.IsTerminal) return;
        Assert.Equal(!moment.Before.IsSwitching, moment.After is State.Superseded);
    });

    /// CO-5, CO-9 (pending_emits_nothing, non_pending_states_emit_probe_cache_reset): an agent that starts issues again
    /// exactly what an end of its predecessor may have swallowed. The probes need nothing: which of them run is a
    /// function of the state. It changes nothing but what it has to look at anew.
    [Fact]
    public void A_new_agent_issues_what_is_owed_and_nothing_else() => Soup.EachStep(moment =>
    {
        if (ReferenceEquals(moment.Before, moment.After)) return;
        foreach (var boot in (BootId[])[new("boot0"), new("boot1")])
        {
            var state = moment.After;
            var step = RolloutMachine.Step(state, state.Profile.Seq + 1, new(moment.Input.At, new Event.Recovered(boot)));
            if (state is State.Soaking) Assert.IsType<State.Soaking>(step.State);
            else Assert.Same(state, step.State);
            Assert.Equal(
                Owed(state, boot).ToArray(), step.Effects.Filter(effect => effect is not Effect.Report).ToArray());
        }
    });

    /// CO-5, RO-5, RO-6: nobody looked while there was no agent. One that starts forgets what was counted of the
    /// probes, not since when they fail; nothing was seen running; and there is time to look again.
    [Fact]
    public void What_soaks_is_looked_at_anew_by_a_new_agent() => Soup.EachStep(moment =>
    {
        if (moment.After is not State.Soaking before) return;
        var later = moment.Input.At + TimeSpan.FromDays(moment.Input.At.UnixMilliseconds % 2);
        var after = Assert.IsType<State.Soaking>(Restart(before, later));
        Assert.False(after.Seen);
        Assert.True(after.VerdictBy >= later + before.Profile.Order.Policy.VerdictWithin, "no time to look");
        Assert.True(after.VerdictBy >= before.VerdictBy, "less time than there was");
        Assert.Equal(
            before.Probes.Map(record => record with { Passes = 0, Failures = 0 }).ToArray(), after.Probes.ToArray());
        Assert.Equal(before with { Profile = after.Profile, Seen = false, VerdictBy = after.VerdictBy, Probes = after.Probes }, after);
        Assert.Equal(after, Restart(after, later));
    });

    /// RO-5: however long it was away, and whatever deadline passed meanwhile, an agent that starts judges nothing
    /// before the target was seen running, nor by a probe that has not reported.
    [Fact]
    public void A_new_agent_judges_nothing_by_what_it_has_not_seen() => Soup.EachStep(moment =>
    {
        if (moment.After is not State.Soaking before) return;
        var late = before.VerdictBy + TimeSpan.FromDays(1);
        var state = Restart(before, late);
        var woken = RolloutMachine.Step(state, state.Profile.Seq + 1, new(late, new Event.DeadlineReached())).State;
        var gating = before.Profile.Order.Probes.Filter(probe => probe.Gates);
        foreach (var probe in gating)
        {
            for (var i = 0; i < probe.SuccessThreshold; i++) woken = Report(woken, late, probe.Name, new ProbeOutcome.Passed("200"));
        }

        Assert.IsType<State.Soaking>(woken);
        var seen = new Event.RunningObserved(before.Switch.Activation, before.Profile.Order.Target);
        Assert.IsType<State.Converged>(RolloutMachine.Step(woken, woken.Profile.Seq + 1, new(late, seen)).State);
    });

    /// CO-5, CO-9: wherever an agent is followed by another on the same boot, and that one has looked again, the end is
    /// the same, and all between. Beyond the soak a start also leaves more time for a verdict, which is another end.
    [Fact]
    public void A_crash_anywhere_leads_to_the_same_end() => Soup.Always(trace =>
    {
        if (trace.Count == 0) return;
        var (state, at) = (trace[0].Before, trace[0].Input.At);
        foreach (var (_, input, effects, after) in trace)
        {
            if (!Soup.Deadline(state).Exists(due => due <= at)) state = Looked(state, Restart(state, at), at);
            at = input.At;
            var step = RolloutMachine.Step(state, state.Profile.Seq + 1, input);
            Assert.Equal(effects.Map(Uncounted).ToArray(), step.Effects.Map(Uncounted).ToArray());
            Assert.Equal(Uncounted(after), Uncounted(step.State));
            state = step.State;
        }
    });

    private static State Restart(State state, Instant at) =>
        RolloutMachine.Step(state, state.Profile.Seq + 1, new(at, new Event.Recovered(new("boot0")))).State;

    private static State Report(State state, Instant at, ProbeName probe, ProbeOutcome outcome) => RolloutMachine.Step(
        state,
        state.Profile.Seq + 1,
        new(at, new Event.ProbeReported(
            RolloutMachine.SwitchOf(state).IfNone(Switch.None).Activation, probe, outcome, Seq<ControlResult>.Empty))).State;

    /// <summary>The new agent finds what the one before it had found: it runs, and each probe says what it said.</summary>
    private static State Looked(State before, State restarted, Instant at)
    {
        if (before is not State.Soaking found) return restarted;
        if (at > found.SoakUntil) return before;
        var state = restarted;
        foreach (var record in found.Probes)
        {
            var last = record.Last.IfNone(new ProbeOutcome.Inconclusive(""));
            var failure = last is ProbeOutcome.Failed ? last : new ProbeOutcome.Failed("");
            for (var i = 0; i < record.Passes; i++) state = Report(state, at, record.Spec.Name, last);
            for (var i = 0; i < record.Failures; i++) state = Report(state, at, record.Spec.Name, failure);
            if (last is ProbeOutcome.Inconclusive && record.Failures > 0) state = Report(state, at, record.Spec.Name, last);
        }

        if (!found.Seen) return state;
        var seen = new Event.RunningObserved(found.Switch.Activation, found.Profile.Order.Target);
        return RolloutMachine.Step(state, state.Profile.Seq + 1, new(at, seen)).State;
    }

    private static State Uncounted(State state) => state with { Profile = state.Profile with { Seq = 0 } };

    private static Effect Uncounted(Effect effect) => effect is Effect.Report report ? report with { Seq = 0 } : effect;

    private static Seq<Effect> Owed(State state, BootId boot) => state switch
    {
        State.Activating(var profile, var @switch, _) =>
            Prelude.Seq1<Effect>(new Effect.FireSwitch(profile.Order, @switch.Activation, @switch.Previous)),
        State.Deferred(var profile, var @switch, _, var staged) when staged != boot =>
            Prelude.Seq1<Effect>(new Effect.CheckRunning(profile.Order, @switch.Activation)),
        State.Failed { Recovery: Recovery.RollingBack } failed => Prelude.Seq1<Effect>(new Effect.FireRollback(
            failed.Profile.Order, failed.Switch.Activation, failed.Switch.Previous.IfNone(RolloutSoup.Target))),
        State.Pending or State.Deferred or State.Soaking or State.Converged or State.Failed or State.Reverted
            or State.Superseded => Seq<Effect>.Empty,
    };

    /// <summary>By its name, so that an event added later is not forgotten here.</summary>
    private static Option<int> ActivationOf(Event @event) =>
        @event.GetType().GetProperty("Activation")?.GetValue(@event) is int activation ? activation : Option<int>.None;
}
