using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Core.Time;
using Effect = Agent.Core.Container.ContainerEffect;
using Event = Agent.Core.Container.ContainerEvent;
using State = Agent.Core.Container.ContainerState;

namespace Agent.Core.Container;

/// <summary>
/// The life of one container: what is believed of it, and the one call that is under way. It never decides to act by
/// itself; <see cref="Containers"/> begins what <see cref="ContainerPlan"/> finds is next.
/// </summary>
public static partial class ContainerMachine
{
    public static State Create(ContainerUid uid) => new State.Idle(ContainerProfile.New(uid));

    /// <param name="pass">The pass that began last: a list of it may be older than what this event tells.</param>
    public static Transition<State, Effect> Step(State state, Timed<Event> input, int pass) => input.Event switch
    {
        Event.Declared(var spec, var install) => state.Profile.Wish == ContainerWish.Dropped
            ? BringBack(state, spec, install)
            : Stay(state, Declare(state.Profile, spec, install)),
        Event.Withdrawn(var remove) => Stay(state, Withdraw(state.Profile, remove)),
        Event.Observed(var of, var found) when state is State.Idle && of >= state.Profile.FromPass =>
            Stay(state, Observe(state.Profile, found, input.At)),
        Event.Observed => new(state, Seq<Effect>()),
        Event.StartRequested => Start(state),
        Event.StopRequested => Stay(state, Stop(state.Profile)),
        Event.RemoveRequested => Stay(state, Remove(state.Profile)),
        Event.Recovered => Stay(new State.Idle(state.Profile), state.Profile with { Seen = new Sighting.Unseen() }),
        Event.DeadlineReached => IsDue(state.Profile, input.At)
            ? Stay(state, state.Profile with { RetryAt = None })
            : new(state, Seq<Effect>()),
        Event.PullCompleted(var call) => state is State.Pulling pulling && Is(call, state)
            ? Answer(state.Profile with { Pulled = pulling.Digest }, pass)
            : Stale(state, input.Event),
        Event.CreateCompleted(var call, var id) => state is State.Creating creating && Is(call, state)
            ? Answer(Created(creating, id), pass)
            : Stale(state, input.Event),
        Event.StartCompleted(var call) => state is State.Starting && Is(call, state)
            ? Answer(Started(state.Profile, input.At), pass)
            : Stale(state, input.Event),
        Event.StopCompleted(var call) => state is State.Stopping && Is(call, state)
            ? Answer(Stopped(state.Profile), pass)
            : Stale(state, input.Event),
        Event.RemoveCompleted(var call) => state is State.Removing && Is(call, state)
            ? Answer(Gone(state.Profile), pass)
            : Stale(state, input.Event),
        Event.PullFailed(var call, var reason) => state is State.Pulling && Is(call, state)
            ? Fail(state.Profile, ContainerCall.Pull, reason, input.At, pass)
            : Stale(state, input.Event),
        Event.CreateFailed(var call, var reason) => state is State.Creating && Is(call, state)
            ? Fail(state.Profile with { Pulled = None }, ContainerCall.Create, reason, input.At, pass)
            : Stale(state, input.Event),
        Event.StartFailed(var call, var reason) => state is State.Starting && Is(call, state)
            ? Fail(state.Profile, ContainerCall.Start, reason, input.At, pass)
            : Stale(state, input.Event),
        Event.StopFailed(var call, var reason) => state is State.Stopping && Is(call, state)
            ? Fail(state.Profile, ContainerCall.Stop, reason, input.At, pass)
            : Stale(state, input.Event),
        Event.RemoveFailed(var call, var reason) => state is State.Removing && Is(call, state)
            ? Fail(state.Profile, ContainerCall.Remove, reason, input.At, pass)
            : Stale(state, input.Event),
    };

    /// <summary>The call that the decision names. Only an idle container begins one.</summary>
    public static Transition<State, Effect> Begin(State.Idle state, ContainerDecision.Acts act, Instant now)
    {
        var before = state.Profile;
        var isRecreated = act is { Action: ContainerAction.Recreate, Call: ContainerCall.Create };
        var history = isRecreated ? before.History.WithRecreation(now) : before.History;
        var profile = before with
        {
            Calls = before.Calls + 1,
            RetryAt = None,
            History = history with { LastDeed = new ContainerDeed(act.Action, now) },
        };
        var (uid, call) = (profile.Uid, profile.Calls);
        var id = profile.Present.Map(container => container.EngineId).IfNone("");
        var spec = profile.Spec.IfNone(Undeclared(uid));
        return act.Call switch
        {
            ContainerCall.Pull => Go(
                new State.Pulling(profile, now, spec.Digest), new Effect.Pull(uid, call, spec.Digest, PullOf(spec, act.Action))),
            ContainerCall.Create => Go(
                new State.Creating(profile, now, spec.Digest), new Effect.Create(uid, call, spec.Digest)),
            ContainerCall.Start => Go(new State.Starting(profile, now), new Effect.Start(uid, call, id)),
            ContainerCall.Stop => Go(new State.Stopping(profile, now), new Effect.Stop(uid, call, id, spec.StopGrace)),
            ContainerCall.Remove => Go(new State.Removing(profile, now), new Effect.Remove(uid, call, id)),
        };
    }

    /// <summary>
    /// A repair brings back what was there: it waits for no registry, and puts no newer program in the old one's place.
    /// </summary>
    private static PullPolicy PullOf(ContainerSpec spec, ContainerAction action) =>
        action == ContainerAction.Recreate && spec.Pull == PullPolicy.Always ? PullPolicy.Missing : spec.Pull;

    /// <summary>A container whose definition is not known any more is still stopped with patience.</summary>
    private static ContainerSpec Undeclared(ContainerUid uid) => new(
        uid, "", PullPolicy.Never, ContainerRestart.Never, Seq<ContainerDependency>(), HasHealthcheck: false,
        ContainerSpec.DefaultStopGrace, "");

    private static bool Is(int call, State state) => call == state.Profile.Calls;

    private static bool IsDue(ContainerProfile profile, Instant now) => profile.RetryAt.TryGet(out var at) && at <= now;

    private static Transition<State, Effect> Go(State next, Effect effect) => new(next, Seq1(effect));

    private static Transition<State, Effect> Stay(State state, ContainerProfile profile) =>
        new(ReferenceEquals(profile, state.Profile) ? state : state with { Profile = profile }, Seq<Effect>());

    private static Transition<State, Effect> Answer(ContainerProfile profile, int pass) =>
        new(new State.Idle(profile with { FromPass = pass + 1 }), Seq<Effect>());

    /// <summary>Nobody knows what a failed call did: the next list tells.</summary>
    private static Transition<State, Effect> Fail(
        ContainerProfile profile, ContainerCall call, string reason, Instant now, int pass)
    {
        var history = profile.History with
        {
            Failures = profile.History.Failures + 1,
            LastFailure = new ContainerFailure(call, now, reason),
        };
        return Answer(
            profile with { Seen = new Sighting.Unseen(), History = history, RetryAt = now + history.RetryWait }, pass);
    }

    private static Transition<State, Effect> Stale(State state, Event @event) => Refuse(
        state, ErrorCode.Stale, $"{@event.GetType().Name} belongs to a call that is over");

    private static Transition<State, Effect> Refuse(State state, ErrorCode code, string reason) =>
        new(state, Seq1<Effect>(new Effect.Reject(code, reason)));
}
