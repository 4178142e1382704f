using Agent.Core.Model;
using Agent.Core.Time;
using Effect = Agent.Core.Runtime.RuntimeEffect;
using Event = Agent.Core.Runtime.RuntimeEvent;
using State = Agent.Core.Runtime.RuntimeState;

namespace Agent.Core.Runtime;

/// <summary>
/// The life of the container runtime. Total and deterministic: every event has a step in every state. The policy is
/// a parameter because it belongs to the operator and not to any one state.
/// </summary>
public static partial class RuntimeMachine
{
    public const string Containerd = "containerd";
    public const string Dockerd = "dockerd";

    public static State Initial { get; } = new State.NotStarted(Held: false, RuntimeHistory.Empty);

    public static Transition<State, Effect> Step(RuntimePolicy policy, State state, Timed<Event> input) => state switch
    {
        State.NotStarted notStarted => WhenNotStarted(policy, notStarted, input.At, input.Event),
        State.Starting starting => WhenStarting(policy, starting, input.At, input.Event),
        State.Ready ready => WhenReady(policy, ready, input.At, input.Event),
        State.Degraded degraded => WhenDegraded(policy, degraded, input.At, input.Event),
        State.Failed failed => WhenFailed(policy, failed, input.At, input.Event),
    };

    /// <summary>When the shell must wake this machine, if at all.</summary>
    public static Option<Instant> Deadline(State state) => state switch
    {
        State.Starting starting => starting.Until,
        State.Degraded degraded => degraded.RetryAt,
        State.Failed failed => failed.RetryAt,
        State.NotStarted or State.Ready => None,
    };

    /// <summary>How often the engine must be probed in this state; none where nothing is expected to answer.</summary>
    public static Option<TimeSpan> Probe(State state) => state switch
    {
        State.Ready or State.Degraded => RuntimePolicy.ProbeInterval,
        State.NotStarted or State.Starting or State.Failed => None,
    };

    private static Transition<State, Effect> WhenNotStarted(
        RuntimePolicy policy, State.NotStarted state, Instant now, Event @event) => @event switch
    {
        Event.EnsureRequested => BeginAsked(policy, state, now),
        Event.PolicyChanged => state.Held || policy.Keep == Keep.OnDemand ? Stay(state) : BeginAsked(policy, state, now),
        Event.StopRequested => Go(state with { Held = true }, new Effect.StopDaemons(All)),

        // A stop that the last run of the agent could not finish is finished here.
        Event.Started when state.Held => Go(state, new Effect.StopDaemons(All)),
        Event.Started => policy.Keep == Keep.OnDemand ? Stay(state) : BeginAsked(policy, state, now),
        Event.DaemonExited => Stay(state),

        Event.StartProgressed or Event.StartCompleted or Event.StartFailed => Stale(state, @event),
        Event.ProbePassed or Event.ProbeFailed or Event.DeadlineReached => Reject(state, @event),
    };

    private static Transition<State, Effect> WhenStarting(
        RuntimePolicy policy, State.Starting state, Instant now, Event @event) => @event switch
    {
        Event.EnsureRequested or Event.PolicyChanged => Stay(state),
        Event.Started => Go(state, new Effect.StartRuntime(state.History.Attempt, state.Until)),
        Event.StopRequested => Go(new State.NotStarted(Held: true, state.History), new Effect.StopDaemons(All)),

        Event.StartProgressed(var attempt, var services) when attempt == state.History.Attempt =>
            Go(state with { Services = services }),
        Event.StartCompleted(var attempt, var endpoint, var message, var services) when attempt == state.History.Attempt =>
            Go(new State.Ready(endpoint, message, now, Misses: 0, services, state.History)),
        Event.StartFailed(var attempt, var cause, var services) when attempt == state.History.Attempt =>
            Fail(policy, state with { Services = services }, now, cause, None),
        Event.StartProgressed or Event.StartCompleted or Event.StartFailed => Stale(state, @event),

        Event.DaemonExited(var exit) => Fail(policy, state, now, DescribeExit(exit, "during the start"), exit),
        Event.DeadlineReached when now < state.Until => Stay(state),
        Event.DeadlineReached => Fail(policy, state, now, DescribeTimeout(state), None),

        Event.ProbePassed or Event.ProbeFailed => Reject(state, @event),
    };

    private static Transition<State, Effect> WhenReady(
        RuntimePolicy policy, State.Ready state, Instant now, Event @event) => @event switch
    {
        Event.EnsureRequested or Event.PolicyChanged or Event.Started => Stay(state),
        Event.StopRequested => Go(new State.NotStarted(Held: true, state.History), new Effect.StopDaemons(All)),

        Event.ProbePassed => state.Misses == 0 ? Stay(state) : Go(state with { Misses = 0 }),
        Event.ProbeFailed(var detail) when state.Misses + 1 >= RuntimePolicy.MissesUntilDegraded => Degrade(
            policy, state, now, $"{RuntimePolicy.MissesUntilDegraded} probes in a row missed: {detail}", None),
        Event.ProbeFailed => Go(state with { Misses = state.Misses + 1 }),
        Event.DaemonExited(var exit) => Degrade(policy, state, now, DescribeExit(exit, "while ready"), exit),

        Event.StartProgressed or Event.StartCompleted or Event.StartFailed => Stale(state, @event),
        Event.DeadlineReached => Reject(state, @event),
    };

    private static Transition<State, Effect> WhenDegraded(
        RuntimePolicy policy, State.Degraded state, Instant now, Event @event) => @event switch
    {
        Event.EnsureRequested => BeginAsked(policy, state, now, Replace(state)),
        Event.StopRequested => Go(new State.NotStarted(Held: true, state.History), new Effect.StopDaemons(All)),
        Event.PolicyChanged or Event.Started => Go(state with { RetryAt = Standing(policy, state, state.RetryAt, now) }),

        Event.ProbePassed => Go(
            new State.Ready(state.Endpoint, "answers again", now, Misses: 0, state.Services, state.History)),
        Event.ProbeFailed or Event.DaemonExited => Stay(state),
        Event.DeadlineReached when state.RetryAt.TryGet(out var at) && at <= now =>
            BeginUnasked(policy, state, now, Replace(state)),
        Event.DeadlineReached => Stay(state),

        Event.StartProgressed or Event.StartCompleted or Event.StartFailed => Stale(state, @event),
    };

    private static Transition<State, Effect> WhenFailed(
        RuntimePolicy policy, State.Failed state, Instant now, Event @event) => @event switch
    {
        Event.EnsureRequested => BeginAsked(policy, state, now),
        Event.StopRequested => Go(new State.NotStarted(Held: true, state.History), new Effect.StopDaemons(All)),
        Event.PolicyChanged => Go(state with { RetryAt = Standing(policy, state, state.RetryAt, now) }),
        Event.Started => Go(
            state with { RetryAt = Standing(policy, state, state.RetryAt, now) }, new Effect.StopDaemons(All)),

        Event.DaemonExited => Stay(state),
        Event.DeadlineReached when state.RetryAt.TryGet(out var at) && at <= now => BeginUnasked(policy, state, now),
        Event.DeadlineReached => Stay(state),

        Event.StartProgressed or Event.StartCompleted or Event.StartFailed => Stale(state, @event),
        Event.ProbePassed or Event.ProbeFailed => Reject(state, @event),
    };
}
