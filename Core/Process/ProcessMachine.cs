using Agent.Core.Model;
using Agent.Core.Time;
using Effect = Agent.Core.Process.ProcessEffect;
using Event = Agent.Core.Process.ProcessEvent;
using State = Agent.Core.Process.ProcessState;

namespace Agent.Core.Process;

/// <summary>
/// The life of one process, through all its incarnations. Total and deterministic: every event has a step in every
/// state. Facts about a generation that is over are refused before any state sees them.
/// </summary>
public static partial class ProcessMachine
{
    /// <summary>
    /// A kill that had no visible effect is repeated: a process in an uninterruptible call dies when it returns.
    /// </summary>
    private static readonly TimeSpan KillAgainAfter = TimeSpan.FromSeconds(5);

    /// <summary>The first step of a process that was just accepted.</summary>
    public static Transition<State, Effect> Create(ProcessId id, ProcessSpec spec, Instant now, bool wait)
    {
        var profile = new ProcessProfile(id, spec, now, Generation: 1, RestartTally.None);
        return wait ? Go(new State.Waiting(profile)) : Spawn(profile);
    }

    public static Transition<State, Effect> Step(State state, Timed<Event> input) =>
        GenerationOf(input.Event).TryGet(out var generation) && generation != state.Profile.Generation
            ? Stale(state, input.Event)
            : state switch
            {
                State.Waiting waiting => WhenWaiting(waiting, input.At, input.Event),
                State.Starting starting => WhenStarting(starting, input.At, input.Event),
                State.Running running => WhenRunning(running, input.At, input.Event),
                State.Stopping stopping => WhenStopping(stopping, input.At, input.Event),
                State.Backoff backoff => WhenBackoff(backoff, input.At, input.Event),
                State.Exited exited => WhenExited(exited, input.At, input.Event),
                State.Reaped => Reject(state, input.Event),
            };

    /// <summary>When the shell must wake this machine, if at all.</summary>
    public static Option<Instant> Deadline(State state) => state switch
    {
        State.Running running => Instant.Earlier(
            running.ReadyBy, Instant.Earlier(LifetimeEnd(running), IdleEnd(running))),
        State.Stopping stopping => stopping.KillAt,
        State.Backoff backoff => backoff.Until,
        State.Exited exited => exited.ReapAt,
        State.Waiting or State.Starting or State.Reaped => None,
    };

    private static Transition<State, Effect> WhenWaiting(State.Waiting state, Instant now, Event @event) => @event switch
    {
        Event.DependenciesMet or Event.StartRequested or Event.RestartRequested => Spawn(state.Profile),
        Event.StopRequested => EndUnrun(state.Profile, now, ExitReason.Stopped),
        Event.ShutdownRequested => EndUnrun(state.Profile, now, ExitReason.Shutdown),
        Event.Withdrawn => Reap(state.Profile, ReapReason.Withdrawn),
        Event.Redeclared(var spec) => Go(state with { Profile = state.Profile with { Spec = spec } }),
        Event.Recovered or Event.Touched => Stay(state),

        Event.ReleaseRequested => Refuse(state, ErrorCode.StillRunning, "it is waiting to start, stop it first"),
        Event.SignalRequested => Refuse(state, ErrorCode.InvalidInput, "it is not running"),
        Event.SpawnCompleted or Event.SpawnFailed or Event.ExitObserved or Event.BecameReady or Event.DeadlineReached =>
            Reject(state, @event),
    };

    private static Transition<State, Effect> WhenStarting(State.Starting state, Instant now, Event @event) => @event switch
    {
        Event.SpawnCompleted(_, var identity) => Confirm(state, now, identity, adopted: false),

        // What failed may be no more than the taking up of its output, and then something runs.
        Event.SpawnFailed(_, var code, var detail) => Prepend(
            Kill(state),
            End(state.Profile, now, new ExitStatus.NeverRan(code, detail), TimeSpan.Zero, 0, state.Pending, now)),

        // The exit can overtake the spawn's own answer.
        Event.ExitObserved(_, var status, var cpu, var peak, _) =>
            End(state.Profile, now, status, cpu, peak, state.Pending, now),

        Event.Recovered(Observation.Alive(var identity)) => Confirm(state, now, identity, adopted: true),
        Event.Recovered(Observation.Ended(var status, var cpu, var peak, _)) =>
            End(state.Profile, now, status, cpu, peak, state.Pending, now),
        Event.Recovered => Go(state, new Effect.Spawn(state.Profile.Id, state.Profile.Generation, state.Profile.Spec)),

        Event.StopRequested(var grace) => Go(state with { Pending = StopStarting(state, grace) }),
        Event.ShutdownRequested => Go(state with
        {
            Pending = state.Pending.TryGet(out var plan) ? Shutdown(plan) : Shutdown(state),
        }),
        Event.Withdrawn => Go(state with { Pending = Plan(state, AfterStop.Remove) }),

        // The spec may have changed since the spawn, so a start takes a stop back by starting again after it.
        Event.StartRequested or Event.RestartRequested when state.Pending.TryGet(out var plan) =>
            Again(state, plan).TryGet(out var again)
                ? Go(state with { Pending = again })
                : Refuse(state, ErrorCode.Stopping, "it is being stopped"),
        Event.StartRequested or Event.RestartRequested => Stay(state),
        Event.Redeclared(var spec) => Go(new State.Starting(
            state.Profile with { Spec = spec }, RedeclareStarting(state, spec))),
        Event.Touched => Stay(state),

        Event.SignalRequested => Refuse(state, ErrorCode.Busy, "it is being started, ask again"),
        Event.ReleaseRequested => Refuse(state, ErrorCode.StillRunning, "it is being started, stop it first"),
        Event.DependenciesMet or Event.BecameReady or Event.DeadlineReached => Reject(state, @event),
    };

    private static Transition<State, Effect> WhenRunning(State.Running state, Instant now, Event @event) => @event switch
    {
        Event.ExitObserved(_, var status, var cpu, var peak, _) =>
            End(state.Profile, now, status, cpu, peak, None, state.Since),

        Event.Recovered(Observation.Alive(var identity)) when identity == state.Identity => Go(
            state with { TouchedAt = now, Adopted = true },
            new Effect.Adopt(state.Profile.Id, state.Profile.Generation, state.Profile.Spec)),
        Event.Recovered(Observation.Ended(var status, var cpu, var peak, _)) =>
            End(state.Profile, now, status, cpu, peak, None, state.Since),
        Event.Recovered => End(state.Profile, now, new ExitStatus.Lost(), TimeSpan.Zero, 0, None, state.Since),

        Event.BecameReady => state.IsReady ? Stay(state) : Go(state with { ReadyBy = None }),
        Event.StopRequested(var grace) => BeginStop(state, now, UserStop(state, grace)),
        Event.ShutdownRequested => BeginStop(state, now, Shutdown(state)),
        Event.RestartRequested => BeginStop(state, now, Plan(state, AfterStop.StartAgain)),
        Event.Withdrawn => BeginStop(state, now, Plan(state, AfterStop.Remove)),
        Event.Redeclared(var spec) when spec.SameAs(state.Profile.Spec) => Stay(state),
        Event.Redeclared(var spec) => BeginStop(
            state with { Profile = state.Profile with { Spec = spec } }, now, Plan(state, AfterStop.StartAgain)),
        Event.StartRequested => Stay(state),
        Event.Touched => Go(state with { TouchedAt = now }),
        Event.SignalRequested(var signal) => Go(
            state with { TouchedAt = now },
            new Effect.SendSignal(state.Profile.Id, state.Profile.Generation, signal)),

        Event.DeadlineReached when IsPast(LifetimeEnd(state), now) => BeginStop(
            state, now, new StopPlan(ExitReason.Lifetime, AfterStop.Stay, state.Profile.Spec.Grace)),
        Event.DeadlineReached when IsPast(IdleEnd(state), now) => BeginStop(
            state, now, new StopPlan(ExitReason.Idle, AfterStop.Stay, state.Profile.Spec.Grace)),
        Event.DeadlineReached when IsPast(state.ReadyBy, now) => BeginStop(
            state, now, new StopPlan(ExitReason.Unready, AfterStop.Obey, state.Profile.Spec.Grace)),
        Event.DeadlineReached => Stay(state),

        Event.ReleaseRequested => Refuse(state, ErrorCode.StillRunning, "it is running, stop it first"),
        Event.SpawnCompleted or Event.SpawnFailed or Event.DependenciesMet => Reject(state, @event),
    };

    private static Transition<State, Effect> WhenStopping(State.Stopping state, Instant now, Event @event) => @event switch
    {
        Event.ExitObserved(_, var status, var cpu, var peak, _) =>
            End(state.Profile, now, status, cpu, peak, state.Plan, now),

        Event.Recovered(Observation.Alive(var identity)) when identity == state.Identity => Go(
            state,
            new Effect.Adopt(state.Profile.Id, state.Profile.Generation, state.Profile.Spec),
            new Effect.SendSignal(state.Profile.Id, state.Profile.Generation, state.Profile.Spec.StopSignal)),
        Event.Recovered(Observation.Ended(var status, var cpu, var peak, _)) =>
            End(state.Profile, now, status, cpu, peak, state.Plan, now),
        Event.Recovered => End(state.Profile, now, new ExitStatus.Lost(), TimeSpan.Zero, 0, state.Plan, now),

        // Two stops agree on the earlier kill, and a stop takes back the start that was to follow.
        Event.StopRequested(var grace) => Go(state with
        {
            Plan = Stopped(state.Plan),
            KillAt = Instant.Earlier(state.KillAt, now + UserStop(state, grace).Grace),
        }),
        Event.ShutdownRequested => Go(state with { Plan = Shutdown(state.Plan) }),
        Event.StartRequested or Event.RestartRequested => Again(state, state.Plan).TryGet(out var again)
            ? Go(state with { Plan = again })
            : Refuse(state, ErrorCode.Stopping, "it is being stopped"),
        Event.Withdrawn => Go(state with { Plan = state.Plan with { Then = AfterStop.Remove } }),
        Event.Redeclared(var spec) => Go(state with
        {
            Profile = state.Profile with { Spec = spec },
            Plan = state.Plan with { Then = Redeclare(state.Plan.Then) },
        }),
        Event.SignalRequested(var signal) => Go(
            state, new Effect.SendSignal(state.Profile.Id, state.Profile.Generation, signal)),
        Event.DeadlineReached when state.KillAt > now => Stay(state),
        Event.DeadlineReached => Go(state with { KillAt = now + KillAgainAfter }, Kill(state)),
        Event.Touched or Event.BecameReady => Stay(state),

        Event.ReleaseRequested => Refuse(state, ErrorCode.StillRunning, "it is being stopped, wait for its end"),
        Event.SpawnCompleted or Event.SpawnFailed or Event.DependenciesMet => Reject(state, @event),
    };

    private static Transition<State, Effect> WhenBackoff(State.Backoff state, Instant now, Event @event) => @event switch
    {
        Event.DeadlineReached when state.Until > now => Stay(state),
        Event.DeadlineReached => SpawnNext(state.Profile),
        Event.StartRequested or Event.RestartRequested => SpawnNext(Afresh(state.Profile)),
        Event.Redeclared(var spec) when spec.SameAs(state.Profile.Spec) => Stay(state),
        Event.Redeclared(var spec) => SpawnNext(Afresh(state.Profile with { Spec = spec })),

        // What stands is how it really ended; that nobody wants it back is the reason it stays down.
        Event.StopRequested => Go(
            Settle(state.Profile, state.Last with { Reason = ExitReason.Stopped }, now),
            new Effect.CloseOutput(state.Profile.Id)),
        Event.ShutdownRequested => Go(
            Settle(state.Profile, state.Last with { Reason = ExitReason.Shutdown }, now),
            new Effect.CloseOutput(state.Profile.Id)),
        Event.Withdrawn => Reap(state.Profile, ReapReason.Withdrawn),
        Event.Recovered(Observation.Alive) => Go(state, Kill(state), Forget(state)),
        Event.Recovered(Observation.Ended) => Go(state, Forget(state)),
        Event.Recovered or Event.Touched => Stay(state),

        Event.SignalRequested => Refuse(state, ErrorCode.InvalidInput, "it is not running"),
        Event.ReleaseRequested => Refuse(state, ErrorCode.StillRunning, "it is about to be restarted, stop it first"),
        Event.SpawnCompleted or Event.SpawnFailed or Event.ExitObserved or Event.DependenciesMet or Event.BecameReady =>
            Reject(state, @event),
    };

    private static Transition<State, Effect> WhenExited(State.Exited state, Instant now, Event @event) => @event switch
    {
        Event.StartRequested or Event.RestartRequested when state.Profile.Spec.Kind == ProcessKind.Service =>
            SpawnNext(Afresh(state.Profile)),
        Event.StartRequested or Event.RestartRequested =>
            Refuse(state, ErrorCode.InvalidInput, "only a service can be started again, spawn a new task"),

        // In its turn, behind those it comes after.
        Event.Redeclared(var spec) when state.Exit.Reason == ExitReason.Shutdown => Go(
            new State.Waiting(Next(Afresh(state.Profile with { Spec = spec })))),
        Event.Redeclared(var spec) when spec.SameAs(state.Profile.Spec) => Stay(state),

        // The user's stop beats a new declaration; an end of its own does not.
        Event.Redeclared(var spec) when state.Exit.Reason == ExitReason.Stopped =>
            Go(state with { Profile = state.Profile with { Spec = spec } }),
        Event.Redeclared(var spec) => SpawnNext(Afresh(state.Profile with { Spec = spec })),
        Event.Withdrawn => Reap(state.Profile, ReapReason.Withdrawn),
        Event.ReleaseRequested when state.Profile.Spec.Kind == ProcessKind.Service =>
            Refuse(state, ErrorCode.InvalidInput, "the configuration declares it, remove it there"),
        Event.ReleaseRequested => Reap(state.Profile, ReapReason.Released),
        Event.DeadlineReached when IsPast(state.ReapAt, now) => Reap(state.Profile, ReapReason.RetentionOver),
        Event.DeadlineReached => Stay(state),

        // Forgetting it reads its last words, so only then its output is at its end.
        Event.Recovered(Observation.Alive) => Go(
            state, Kill(state), Forget(state), new Effect.CloseOutput(state.Profile.Id)),
        Event.Recovered(Observation.Ended) => Go(state, Forget(state), new Effect.CloseOutput(state.Profile.Id)),
        Event.Recovered => Go(state, new Effect.CloseOutput(state.Profile.Id)),

        // A service that ended by itself and is stopped stays down, whatever is declared later.
        Event.StopRequested when state.Profile.Spec.Kind == ProcessKind.Service
            && state.Exit.Reason != ExitReason.Stopped =>
            Go(state with { Exit = state.Exit with { Reason = ExitReason.Stopped } }),
        Event.StopRequested or Event.ShutdownRequested or Event.Touched => Stay(state),

        Event.SignalRequested => Refuse(state, ErrorCode.InvalidInput, "it has ended"),
        Event.SpawnCompleted or Event.SpawnFailed or Event.ExitObserved or Event.DependenciesMet or Event.BecameReady =>
            Reject(state, @event),
    };
}
