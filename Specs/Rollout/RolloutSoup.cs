using Agent.Core;
using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Core.Time;
using Agent.Specs.Tools;
using LanguageExt;
using static LanguageExt.Prelude;
using Effect = Agent.Core.Rollout.RolloutEffect;
using Event = Agent.Core.Rollout.RolloutEvent;
using State = Agent.Core.Rollout.RolloutState;

namespace Agent.Specs.Rollout;

/// <summary>
/// Random events against one rollout. The seed chooses the manifest: policies, soak, and which probes gate. An aimed
/// event is one that goes on with the rollout where the sampled one has no meaning, or few traces would ever soak.
/// </summary>
internal sealed class RolloutSoup : Soup<State, Event, Effect>
{
    protected override Event DeadlineReached { get; } = new Event.DeadlineReached();

    public static ReleaseId Target { get; } = Ids.Release(1);

    public override Option<Instant> Deadline(State state) => RolloutMachine.Deadline(state);

    public override bool IsReject(Effect effect) => effect is Effect.Reject;

    public static RolloutOrder OrderOf(int seed)
    {
        var order = Specimens.Order(1);
        var failures = (seed / 64 % 2) + 1;
        return order with
        {
            Policy = order.Policy with
            {
                OnFailure = (OnFailure)(seed % 2),
                OnInconclusive = (OnFailure)(seed / 2 % 2),
                Soak = TimeSpan.FromSeconds(seed / 4 % 4 * 30),
                FailureThreshold = TimeSpan.FromSeconds(seed / 16 % 4 * 60),
                Unattended = true,
            },
            Probes = Seq(
                Specimens.Probe("http", (ProbeMode)(seed / 128 % 3)) with
                {
                    FailureThreshold = failures, SuccessThreshold = (seed / 1024 % 2) + 1,
                },
                Specimens.Probe("disk", (ProbeMode)(seed / 384 % 3))),
        };
    }

    protected override State Initial(int seed) => RolloutMachine.Create(OrderOf(seed), new Instant(0));

    /// <summary>A host counts without gaps; a mirror may see some, which an odd seed plays.</summary>
    protected override Transition<State, Effect> Step(int seed, State state, Timed<Event> input) =>
        RolloutMachine.Step(state, state.Profile.Seq + 1 + (seed / 2048 % 2), input);

    /// <summary>A successor ends every rollout, so it is the rarest.</summary>
    protected override Event Sample(Samples samples)
    {
        samples.Pin(random => new BootId("boot" + random.Next(2)));
        var @event = samples.Any<Event>();
        return @event is Event.SuccessorArrived && samples.Below(4) != 0 ? samples.Any<Event>() : @event;
    }

    protected override Event Aim(State state, Event @event) => GoOn(state, @event);

    /// <summary>The event if it is a wish, else one that goes on with this rollout.</summary>
    public static Event GoOn(State state, Event @event) => state switch
    {
        State.Pending => IsWish(@event) ? @event : new Event.Activate(),
        State.Activating activating => IsWish(@event) ? @event : Forward(TargetOf(state), activating.Switch.Activation, @event),
        State.Deferred deferred => IsWish(@event) ? @event : Forward(TargetOf(state), deferred.Switch.Activation, @event),
        State.Soaking soaking => IsWish(@event) ? @event : Look(TargetOf(state), soaking.Switch.Activation, @event),
        State.Failed failed => IsWish(@event) ? @event : Back(failed.Switch, @event),
        State.Converged or State.Reverted or State.Superseded => @event,
    };

    private static ReleaseId TargetOf(State state) => state.Profile.Order.Target;

    private static bool IsWish(Event @event) => @event is Event.SuccessorArrived or Event.HaltRequested
        or Event.RollbackRequested or Event.RetryRequested or Event.Recovered or Event.DeadlineReached;

    private static Event Forward(ReleaseId target, int activation, Event @event) => @event switch
    {
        Event.ActivationStarted started => started with { Activation = activation },
        Event.ActivationDeferred deferred => deferred with { Activation = activation },
        Event.ActivationFailed failed => failed with { Activation = activation },
        Event.ActivationCompleted(_, var running) => new Event.ActivationCompleted(activation, Mostly(target, running)),
        Event.RunningObserved(_, var running) => new Event.ActivationStarted(activation, running, "release"),
        Event.RollbackCompleted(_, var running) => new Event.ActivationStarted(activation, running, "release"),
        Event.Activate or Event.ProbeReported or Event.RollbackFailed or Event.SuccessorArrived or Event.HaltRequested
            or Event.RollbackRequested or Event.RetryRequested or Event.Recovered or Event.DeadlineReached =>
            new Event.ActivationCompleted(activation, target),
    };

    private static Event Look(ReleaseId target, int activation, Event @event) => @event switch
    {
        Event.ProbeReported reported => reported with { Activation = activation },
        Event.RunningObserved(_, var running) => new Event.RunningObserved(activation, Mostly(target, running)),
        Event.ActivationStarted or Event.ActivationCompleted or Event.Activate => Probe(activation, "http", Passed),
        Event.ActivationFailed or Event.RollbackFailed => Probe(activation, "http", new ProbeOutcome.Failed("refused")),
        Event.RollbackCompleted => Probe(activation, "disk", Passed),
        Event.ActivationDeferred => Probe(activation, "http", new ProbeOutcome.Inconclusive("no such command")),
        Event.SuccessorArrived or Event.HaltRequested or Event.RollbackRequested or Event.RetryRequested
            or Event.Recovered or Event.DeadlineReached => @event,
    };

    private static Event Back(Switch @switch, Event @event) => @event switch
    {
        Event.RollbackFailed failed => failed with { Activation = @switch.Activation },
        Event.RollbackCompleted(_, var running) => new Event.RollbackCompleted(@switch.Activation, running),
        Event.ActivationCompleted or Event.ActivationStarted or Event.ActivationFailed or Event.RunningObserved =>
            new Event.RollbackCompleted(@switch.Activation, @switch.Previous),
        Event.Activate or Event.ActivationDeferred or Event.ProbeReported or Event.SuccessorArrived
            or Event.HaltRequested or Event.RollbackRequested or Event.RetryRequested or Event.Recovered
            or Event.DeadlineReached => @event,
    };

    private static ProbeOutcome Passed => new ProbeOutcome.Passed("200");

    private static Event.ProbeReported Probe(int activation, string name, ProbeOutcome outcome) =>
        new(activation, Ids.Probe(name), outcome, Seq<ControlResult>());

    private static Option<ReleaseId> Mostly(ReleaseId usual, Option<ReleaseId> sampled) =>
        sampled.TryGet(out var release) && release == Ids.Release(0) ? sampled : usual;
}
