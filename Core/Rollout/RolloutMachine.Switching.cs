using Agent.Core.Model;
using Agent.Core.Time;
using Effect = Agent.Core.Rollout.RolloutEffect;
using Event = Agent.Core.Rollout.RolloutEvent;
using State = Agent.Core.Rollout.RolloutState;

namespace Agent.Core.Rollout;

/// <summary>How the host is switched forward and back, and what a failure leads to.</summary>
public static partial class RolloutMachine
{
    /// <summary>Between two tries of a rollback: at first soon, later so that a broken host is not worn out.</summary>
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LongestRetry = TimeSpan.FromMinutes(10);

    private static Transition<State, Effect> Fire(State state, Switch before)
    {
        var activating = new State.Activating(state.Profile, before.Next(), Begun: false);
        return Go(activating, SwitchEffect(activating));
    }

    private static Effect.FireSwitch SwitchEffect(State.Activating state) =>
        new Effect.FireSwitch(state.Profile.Order, state.Switch.Activation, state.Switch.Previous);

    /// <summary>
    /// What runs now is the way back, unless it is the target: then the switch was done before, by this rollout's
    /// earlier try or by an agent that died after it, and the way back stays what it was.
    /// </summary>
    private static Transition<State, Effect> Begin(State.Activating state, Option<ReleaseId> running)
    {
        var known = running.IsNone || Is(running, state.Profile.Order.Target);
        if (state.Begun && (known || Same(running, state.Switch.Previous))) return Stay(state);
        return Go(state with
        {
            Begun = true,
            Switch = known ? state.Switch : state.Switch with { Previous = running },
        });
    }

    private static Transition<State, Effect> Complete(
        State state, Switch @switch, Instant now, Option<ReleaseId> running)
    {
        var order = state.Profile.Order;
        if (!Is(running, order.Target))
        {
            return Fail(state, @switch, now, new FailureCause.WrongRelease(running), begun: true);
        }

        var soakUntil = now + order.Policy.Soak;
        var soaking = new State.Soaking(
            state.Profile, @switch, now, soakUntil, soakUntil + order.Policy.VerdictWithin, Soaked: false,
            Seen: true, order.Probes.Map(ProbeRecord.Unreported).Strict());
        return Judge(soaking, now);
    }

    /// <summary>The switch or what it led to is not good: go back or stand still, as the manifest says.</summary>
    private static Transition<State, Effect> Fail(
        State state, Switch @switch, Instant now, FailureCause cause, bool begun) =>
        PolicyFor(state.Profile.Order.Policy, cause) == OnFailure.RollbackAndHalt
            ? GoBack(state, @switch, now, cause, attempt: 1, begun)
            : Hold(state, @switch, now, cause, begun ? HeldBecause.Policy : HeldBecause.NothingSwitched);

    private static OnFailure PolicyFor(RolloutPolicy policy, FailureCause cause) => cause switch
    {
        FailureCause.SwitchFailed or FailureCause.WrongRelease or FailureCause.ProbesFailed => policy.OnFailure,
        FailureCause.NoVerdict => policy.OnInconclusive,
        FailureCause.Stopped(var then) => then,
        FailureCause.Drifted => OnFailure.Halt,
    };

    private static Transition<State, Effect> GoBack(
        State state, Switch @switch, Instant at, FailureCause cause, int attempt, bool begun)
    {
        var order = state.Profile.Order;
        if (!WayBack(order, @switch).TryGet(out var previous))
        {
            return Hold(state, @switch, at, cause, begun ? HeldBecause.NoWayBack : HeldBecause.NothingSwitched);
        }

        var failed = new State.Failed(state.Profile, @switch.Next(), at, cause, new Recovery.RollingBack(attempt));
        return Go(failed, new Effect.FireRollback(order, failed.Switch.Activation, previous));
    }

    private static Transition<State, Effect> Hold(
        State state, Switch @switch, Instant at, FailureCause cause, HeldBecause because) =>
        Go(new State.Failed(state.Profile, @switch, at, cause, new Recovery.Held(because)));

    private static Transition<State, Effect> FinishRollback(State.Failed state, Instant now, Option<ReleaseId> running)
    {
        if (!state.IsSwitching) return Reject(state, new Event.RollbackCompleted(state.Switch.Activation, running));
        return WayBack(state.Profile.Order, state.Switch).TryGet(out var previous) && Is(running, previous)
            ? Go(new State.Reverted(state.Profile, state.Switch, now, state.Cause, previous))
            : RetryLater(state, now, "wrong-release", $"{Describe(running)} runs after the way back");
    }

    private static Transition<State, Effect> RetryLater(State.Failed state, Instant now, string code, string detail) =>
        state.Recovery is Recovery.RollingBack(var attempt)
            ? Go(state with { Recovery = new Recovery.RollbackDue(now + RetryWait(attempt), attempt, code, detail) })
            : Reject(state, new Event.RollbackFailed(state.Switch.Activation, code, detail));

    private static Transition<State, Effect> Wake(State.Failed state, Instant now) => state.Recovery switch
    {
        Recovery.RollbackDue(var at, var attempt, _, _) when at <= now =>
            GoBack(state, state.Switch, state.At, state.Cause, attempt + 1, begun: true),
        Recovery.RollbackDue => Stay(state),
        Recovery.Held or Recovery.RollingBack => Reject(state, new Event.DeadlineReached()),
    };

    /// <summary>What a rollback that an agent's end cut off still owes.</summary>
    private static ReadOnlySpan<Effect> Owed(State.Failed state) =>
        state.Recovery is Recovery.RollingBack && WayBack(state.Profile.Order, state.Switch).TryGet(out var previous)
            ? new Effect[] { new Effect.FireRollback(state.Profile.Order, state.Switch.Activation, previous) }
            : default;

    private static int AttemptOf(State.Failed state) =>
        state.Recovery is Recovery.RollbackDue(_, var attempt, _, _) ? attempt : 0;

    /// <summary>5 s, 10 s, 20 s and so on to ten minutes.</summary>
    private static TimeSpan RetryWait(int attempt)
    {
        var wait = attempt > 8 ? LongestRetry : FirstRetry * (1 << (attempt - 1));
        return wait < LongestRetry ? wait : LongestRetry;
    }

    private static Option<ReleaseId> WayBack(RolloutOrder order, Switch @switch) =>
        @switch.Previous.Filter(previous => previous != order.Target);

    private static bool Is(Option<ReleaseId> running, ReleaseId expected) =>
        running.TryGet(out var release) && release == expected;

    private static bool Same(Option<ReleaseId> left, Option<ReleaseId> right) =>
        left.TryGet(out var release) ? Is(right, release) : right.IsNone;

    private static string Describe(Option<ReleaseId> running) =>
        running.TryGet(out var release) ? release.Value : "nothing";
}
