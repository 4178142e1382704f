using Agent.Core.Model;
using Agent.Core.Time;
using Effect = Agent.Core.Rollout.RolloutEffect;
using Event = Agent.Core.Rollout.RolloutEvent;
using State = Agent.Core.Rollout.RolloutState;

namespace Agent.Core.Rollout;

/// <summary>
/// One rollout on one host. Total and deterministic: every event has a step in every state. An event that changes the
/// rollout takes its seq and is reported; a mirror that is stepped with the reports therefore equals the host.
/// </summary>
public static partial class RolloutMachine
{
    /// <summary>The first state of a rollout that was just accepted.</summary>
    public static State Create(RolloutOrder order, Instant now) =>
        new State.Pending(new RolloutProfile(order, now, Seq: 0));

    /// <summary>
    /// The next step. A seq that was seen is refused in every state, and so is an answer about another switch than the
    /// newest.
    /// </summary>
    public static Transition<State, Effect> Step(State state, long seq, Timed<Event> input)
    {
        if (seq <= state.Profile.Seq) return Refuse(state, ErrorCode.Seen, $"seq {seq} was seen, {state.Profile.Seq} was the last");
        if (ActivationOf(input.Event).TryGet(out var activation) && SwitchOf(state).TryGet(out var newest)
            && activation != newest.Activation)
        {
            return Refuse(state, ErrorCode.Stale, $"{input.Event.GetType().Name} is about switch {activation}, {newest.Activation} is the newest");
        }

        var step = Decide(state, input.At, input.Event);
        return ReferenceEquals(step.State, state)
            ? step
            : Report(step, seq, input.Event, moved: step.State.GetType() != state.GetType());
    }

    /// <summary>When the shell must wake this machine, if at all.</summary>
    public static Option<Instant> Deadline(State state) => state switch
    {
        State.Soaking soaking => SoakDeadline(soaking),
        State.Failed { Recovery: Recovery.RollbackDue due } => due.RetryAt,
        State.Failed => None,
        State.Pending or State.Activating or State.Deferred or State.Converged or State.Reverted or State.Superseded =>
            None,
    };

    /// <summary>The probes that must run in this state, and the switch whose result they judge.</summary>
    public static Seq<ProbeSpec> Probes(State state) => state switch
    {
        State.Soaking soaking => soaking.Probes.Map(record => record.Spec)
            .Filter(spec => spec.Mode != ProbeMode.Disabled).Strict(),
        State.Pending or State.Activating or State.Deferred or State.Converged or State.Failed or State.Reverted
            or State.Superseded => Seq<ProbeSpec>(),
    };

    /// <summary>The newest switch; none where there was none.</summary>
    public static Option<Switch> SwitchOf(State state) => state switch
    {
        State.Activating activating => activating.Switch,
        State.Deferred deferred => deferred.Switch,
        State.Soaking soaking => soaking.Switch,
        State.Converged converged => converged.Switch,
        State.Failed failed => failed.Switch,
        State.Reverted reverted => reverted.Switch,
        State.Pending or State.Superseded => None,
    };

    private static Transition<State, Effect> Decide(State state, Instant now, Event @event) => state switch
    {
        State.Pending pending => WhenPending(pending, now, @event),
        State.Activating activating => WhenActivating(activating, now, @event),
        State.Deferred deferred => WhenDeferred(deferred, now, @event),
        State.Soaking soaking => WhenSoaking(soaking, now, @event),
        State.Failed failed => WhenFailed(failed, now, @event),
        State.Converged or State.Reverted or State.Superseded => WhenDecided(state, @event),
    };

    private static Transition<State, Effect> WhenPending(State.Pending state, Instant now, Event @event) => @event switch
    {
        Event.Activate => Fire(state, Switch.None),
        Event.SuccessorArrived(var by) => Go(new State.Superseded(state.Profile, now, by)),
        Event.HaltRequested => Hold(state, Switch.None, now, new FailureCause.Stopped(OnFailure.Halt), HeldBecause.Operator),
        Event.Recovered => Stay(state),

        Event.RollbackRequested => Refuse(state, ErrorCode.InvalidInput, "nothing was switched yet, halt it instead"),
        Event.RetryRequested => Refuse(state, ErrorCode.InvalidInput, "it waits for its turn by itself"),
        Event.ActivationStarted or Event.ActivationCompleted or Event.ActivationDeferred or Event.ActivationFailed
            or Event.ProbeReported or Event.RunningObserved or Event.RollbackCompleted or Event.RollbackFailed
            or Event.DeadlineReached => Reject(state, @event),
    };

    private static Transition<State, Effect> WhenActivating(
        State.Activating state, Instant now, Event @event) => @event switch
    {
        Event.ActivationStarted(_, var running, _) => Begin(state, running),
        Event.ActivationCompleted(_, var running) => Complete(state, state.Switch, now, running),
        Event.ActivationDeferred(_, var component, var boot) =>
            Go(new State.Deferred(state.Profile, state.Switch, component, boot)),
        Event.ActivationFailed(_, var code, var detail) =>
            Fail(state, state.Switch, now, new FailureCause.SwitchFailed(code, detail), state.Begun),
        Event.Recovered => Go(state, SwitchEffect(state)),

        // A switch cannot be taken back half way: whoever comes now waits for its end.
        Event.SuccessorArrived or Event.HaltRequested or Event.RollbackRequested or Event.RetryRequested =>
            Refuse(state, ErrorCode.Busy, "the host is being switched, ask again when that is over"),
        Event.Activate or Event.ProbeReported or Event.RunningObserved or Event.RollbackCompleted or Event.RollbackFailed
            or Event.DeadlineReached => Reject(state, @event),
    };

    private static Transition<State, Effect> WhenDeferred(State.Deferred state, Instant now, Event @event) => @event switch
    {
        Event.ActivationCompleted(_, var running) => Complete(state, state.Switch, now, running),
        Event.ActivationFailed(_, var code, var detail) =>
            Fail(state, state.Switch, now, new FailureCause.SwitchFailed(code, detail), begun: true),
        Event.Recovered(var boot) when boot == state.Boot => Stay(state),
        Event.Recovered => Go(state, new Effect.CheckRunning(state.Profile.Order, state.Switch.Activation)),
        Event.SuccessorArrived(var by) => Go(new State.Superseded(state.Profile, now, by)),
        Event.HaltRequested =>
            Hold(state, state.Switch, now, new FailureCause.Stopped(OnFailure.Halt), HeldBecause.Operator),
        Event.RollbackRequested => GoBack(
            state, state.Switch, now, new FailureCause.Stopped(OnFailure.RollbackAndHalt), attempt: 1, begun: true),

        Event.RetryRequested => Refuse(state, ErrorCode.InvalidInput, "it waits for the reboot and goes on by itself"),
        Event.Activate or Event.ActivationStarted or Event.ActivationDeferred or Event.ProbeReported
            or Event.RunningObserved or Event.RollbackCompleted or Event.RollbackFailed or Event.DeadlineReached =>
            Reject(state, @event),
    };

    private static Transition<State, Effect> WhenSoaking(State.Soaking state, Instant now, Event @event) => @event switch
    {
        Event.ProbeReported reported => Judge(Record(state, reported, now), now),
        Event.DeadlineReached => Judge(state, now),
        Event.RunningObserved(_, var running) when Is(running, state.Profile.Order.Target) =>
            state.Seen ? Stay(state) : Judge(state with { Seen = true }, now),
        Event.RunningObserved(_, var running) =>
            Hold(state, state.Switch, now, new FailureCause.Drifted(running), HeldBecause.Drift),
        Event.Recovered => LookAgain(state, now),
        Event.SuccessorArrived(var by) => Go(new State.Superseded(state.Profile, now, by)),
        Event.HaltRequested =>
            Hold(state, state.Switch, now, new FailureCause.Stopped(OnFailure.Halt), HeldBecause.Operator),
        Event.RollbackRequested => GoBack(
            state, state.Switch, now, new FailureCause.Stopped(OnFailure.RollbackAndHalt), attempt: 1, begun: true),

        Event.RetryRequested => Refuse(state, ErrorCode.InvalidInput, "it is soaking, nothing has failed"),
        Event.Activate or Event.ActivationStarted or Event.ActivationCompleted or Event.ActivationDeferred
            or Event.ActivationFailed or Event.RollbackCompleted or Event.RollbackFailed => Reject(state, @event),
    };

    private static Transition<State, Effect> WhenFailed(State.Failed state, Instant now, Event @event) => @event switch
    {
        Event.RollbackCompleted(_, var running) => FinishRollback(state, now, running),
        Event.RollbackFailed(_, var code, var detail) => RetryLater(state, now, code, detail),
        Event.Recovered => Go(state, Owed(state)),
        Event.DeadlineReached => Wake(state, now),

        Event.SuccessorArrived or Event.HaltRequested or Event.RollbackRequested or Event.RetryRequested
            when state.IsSwitching =>
            Refuse(state, ErrorCode.Busy, "the host is being switched back, ask again when that is over"),
        Event.SuccessorArrived(var by) => Go(new State.Superseded(state.Profile, now, by)),
        Event.HaltRequested => state.Recovery is Recovery.Held
            ? Stay(state)
            : Go(state with { Recovery = new Recovery.Held(HeldBecause.RollbackHalted) }),
        Event.RollbackRequested => WayBack(state.Profile.Order, state.Switch).IsSome
            ? GoBack(state, state.Switch, state.At, state.Cause, AttemptOf(state) + 1, begun: true)
            : Refuse(state, ErrorCode.InvalidInput, "no other release ran before this one, apply a newer manifest"),
        Event.RetryRequested => state.Recovery is Recovery.RollbackDue or Recovery.Held(HeldBecause.RollbackHalted)
            ? GoBack(state, state.Switch, state.At, state.Cause, AttemptOf(state) + 1, begun: true)
            : Fire(state, state.Switch),

        Event.Activate or Event.ActivationStarted or Event.ActivationCompleted or Event.ActivationDeferred
            or Event.ActivationFailed or Event.ProbeReported or Event.RunningObserved => Reject(state, @event),
    };

    private static Transition<State, Effect> WhenDecided(State state, Event @event) => @event switch
    {
        Event.Recovered => Stay(state),
        Event.Activate or Event.ActivationStarted or Event.ActivationCompleted or Event.ActivationDeferred
            or Event.ActivationFailed or Event.ProbeReported or Event.RunningObserved or Event.RollbackCompleted
            or Event.RollbackFailed or Event.SuccessorArrived or Event.HaltRequested or Event.RollbackRequested
            or Event.RetryRequested or Event.DeadlineReached => Refuse(
                state, ErrorCode.NotLegal, $"{@event.GetType().Name} comes too late, it is {state.GetType().Name}"),
    };
}
