using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Specs.Tools;
using LanguageExt;
using Xunit;
using Effect = Agent.Core.Rollout.RolloutEffect;
using Event = Agent.Core.Rollout.RolloutEvent;
using State = Agent.Core.Rollout.RolloutState;

namespace Agent.Specs.Rollout;

/// <summary>What holds for the host's way to a release and back, whatever happens.</summary>
public sealed class SwitchLaws
{
    private static readonly RolloutSoup Soup = new();

    /// RO-3, RO-10: switches, forward or back, are counted from one; only a new agent names an old number again.
    [Fact]
    public void Switches_are_counted_without_gaps() => Soup.Always(trace =>
    {
        var fired = 0;
        foreach (var (_, input, effects, after) in trace)
        {
            foreach (var effect in effects)
            {
                if (!NumberOf(effect).TryGet(out var number)) continue;
                Assert.Equal(input.Event is Event.Recovered ? fired : fired + 1, number);
                fired = number;
            }

            if (RolloutMachine.SwitchOf(after).TryGet(out var newest)) Assert.Equal(fired, newest.Activation);
        }
    });

    /// RO-1, RO-6: a state that says a switch is under way was led to by the order for it, and no other was.
    [Fact]
    public void A_switch_is_under_way_if_and_only_if_it_was_ordered() => Soup.EachStep(moment =>
    {
        if (moment.Input.Event is Event.Recovered) return;
        var ordered = moment.Effects.Exists(effect => NumberOf(effect).IsSome);
        var another = RolloutMachine.SwitchOf(moment.After).Map(after => after.Activation)
            != RolloutMachine.SwitchOf(moment.Before).Map(before => before.Activation);
        Assert.Equal(ordered, moment.After.IsSwitching && another);
    });

    /// RO-4: the way back is what ran before the switch, as the host told it; it is never the target, and nothing but
    /// the beginning of a switch tells it anew.
    [Fact]
    public void The_way_back_is_what_ran_before() => Soup.EachStep(moment =>
    {
        var (_, input, _, after) = moment;
        if (!RolloutMachine.SwitchOf(after).TryGet(out var now)) return;
        Assert.NotEqual(RolloutSoup.Target, now.Previous.IfNone(Ids.Release(0)));
        var was = RolloutMachine.SwitchOf(moment.Before).Bind(before => before.Previous);
        if (now.Previous == was) return;
        var started = Assert.IsType<Event.ActivationStarted>(input.Event);
        Assert.Equal(started.Running, now.Previous);
    });

    /// RO-4: a way back that is known is not forgotten, whatever is tried again.
    [Fact]
    public void A_known_way_back_stays_known() => Soup.EachStep(moment =>
    {
        var known = RolloutMachine.SwitchOf(moment.Before).Exists(before => before.Previous.IsSome);
        if (known && RolloutMachine.SwitchOf(moment.After).TryGet(out var after)) Assert.True(after.Previous.IsSome);
    });

    /// RO-4 (activation_completed…, host_state to soaking): it soaks only where the host runs the target.
    [Fact]
    public void Nothing_soaks_but_the_target() => Soup.EachStep(moment =>
    {
        if (moment.Before is not (State.Activating or State.Deferred)) return;
        if (moment.Input.Event is not Event.ActivationCompleted(_, var running) || moment.Effects.Exists(Soup.IsReject)) return;
        if (running.Exists(release => release == RolloutSoup.Target))
        {
            var judged = moment.After is State.Soaking or State.Converged or State.Failed { Cause: FailureCause.NoVerdict };
            Assert.True(judged, moment.After.GetType().Name);
        }
        else
        {
            Assert.Equal(new FailureCause.WrongRelease(running), Assert.IsType<State.Failed>(moment.After).Cause);
        }
    });

    /// RO-4, RO-5 (converged_implies_current_eq_target, converged_with_wrong_current_closure): what ran after the
    /// newest switch, as the host told it, is the target.
    [Fact]
    public void What_converged_runs_its_target() => Soup.Always(trace =>
    {
        var running = Option<ReleaseId>.None;
        foreach (var (_, input, effects, after) in trace)
        {
            if (effects.Exists(Soup.IsReject)) continue;
            if (effects.Exists(effect => NumberOf(effect).IsSome)) running = Option<ReleaseId>.None;
            if (input.Event is Event.ActivationCompleted(_, var told)) running = told;
            if (input.Event is Event.RunningObserved(_, var seen) && after is State.Soaking) Assert.Equal(running, seen);
            if (after is State.Converged) Assert.Equal(RolloutSoup.Target, running.IfNone(Ids.Release(0)));
        }
    });

    /// RO-6 (activation_failure_rollback_and_halt_fires_rollback_immediately, sustained_failure_rollback_path): a
    /// failure that the manifest answers with a rollback orders it in the very step, where there is a way back.
    [Fact]
    public void A_rollback_is_ordered_in_the_step_that_failed() => Soup.EachStep(moment =>
    {
        var (before, _, effects, after) = moment;
        if (after is not State.Failed failed || before is State.Failed) return;
        var back = effects.Find(effect => effect is Effect.FireRollback);
        var wanted = Then(failed.Profile.Order.Policy, failed.Cause) == OnFailure.RollbackAndHalt;
        Assert.Equal(wanted && failed.Switch.Previous.IsSome, back.IsSome);
        if (back.IsNone) Assert.IsType<Recovery.Held>(failed.Recovery);
        else Assert.Equal(new Effect.FireRollback(failed.Profile.Order, failed.Switch.Activation, Previous(failed.Switch)), back);
    });

    /// RO-6, RO-7 (halt_only_does_not_fire_rollback): where the manifest says halt, only an operator goes back.
    [Fact]
    public void Under_halt_nothing_goes_back_unasked() => Soup.Always(trace =>
    {
        if (trace.Count == 0) return;
        var policy = trace[0].Before.Profile.Order.Policy;
        var asked = policy.OnFailure == OnFailure.RollbackAndHalt || policy.OnInconclusive == OnFailure.RollbackAndHalt;
        foreach (var (_, input, effects, _) in trace)
        {
            asked |= input.Event is Event.RollbackRequested && !effects.Exists(Soup.IsReject);
            if (!asked) Assert.DoesNotContain(effects, effect => effect is Effect.FireRollback);
        }
    });

    /// RO-8 (rollback_complete_…, to prior closure, then Reverted): only a rollback after which the host runs the
    /// release before reads as reverted.
    [Fact]
    public void Reverted_is_verified() => Soup.EachStep(moment =>
    {
        if (moment.After is not State.Reverted reverted || moment.Before is State.Reverted) return;
        var completed = Assert.IsType<Event.RollbackCompleted>(moment.Input.Event);
        Assert.Equal(reverted.To, completed.Running.IfNone(RolloutSoup.Target));
        Assert.Equal(reverted.To, Previous(reverted.Switch));
        Assert.True(Assert.IsType<State.Failed>(moment.Before).IsSwitching);
    });

    /// RO-8: a failed rollback stays visible and is tried again after 5, 10, 20 s and so on to ten minutes, counted
    /// here a second time in the plainest way.
    [Fact]
    public void A_failed_rollback_is_tried_again_with_back_off() => Soup.Always(trace =>
    {
        var tries = 0;
        foreach (var (before, input, effects, after) in trace)
        {
            if (effects.Exists(Soup.IsReject)) continue;
            if (before is not State.Failed || input.Event is Event.HaltRequested) tries = 0;
            if (input.Event is not Event.Recovered && effects.Exists(effect => effect is Effect.FireRollback)) tries++;
            if (after is not State.Failed { Recovery: Recovery.RollbackDue due } || ReferenceEquals(before, after)) continue;
            var wait = Math.Min(600, 5 * Math.Pow(2, tries - 1));
            Assert.Equal(input.At + TimeSpan.FromSeconds(wait), due.RetryAt);
            Assert.Equal(tries, due.Attempt);
            Assert.Equal(due.RetryAt, Soup.Deadline(after).IfNone(input.At));
        }
    });

    private static OnFailure Then(RolloutPolicy policy, FailureCause cause) => cause switch
    {
        FailureCause.NoVerdict => policy.OnInconclusive,
        FailureCause.Stopped(var then) => then,
        FailureCause.Drifted => OnFailure.Halt,
        FailureCause.SwitchFailed or FailureCause.WrongRelease or FailureCause.ProbesFailed => policy.OnFailure,
    };

    private static ReleaseId Previous(Switch @switch) =>
        @switch.Previous.IfNone(() => throw new InvalidOperationException("there is no way back"));

    private static Option<int> NumberOf(Effect effect) => effect switch
    {
        Effect.FireSwitch(_, var activation, _) => activation,
        Effect.FireRollback(_, var activation, _) => activation,
        Effect.CheckRunning or Effect.Report or Effect.Reject => Option<int>.None,
    };
}
