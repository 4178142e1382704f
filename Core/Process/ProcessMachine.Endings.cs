using Agent.Core.Model;
using Agent.Core.Time;
using Effect = Agent.Core.Process.ProcessEffect;
using Event = Agent.Core.Process.ProcessEvent;
using State = Agent.Core.Process.ProcessState;

namespace Agent.Core.Process;

/// <summary>How incarnations begin, are stopped and end, and what follows.</summary>
public static partial class ProcessMachine
{
    private static Transition<State, Effect> Spawn(ProcessProfile profile) => Go(
        new State.Starting(profile, Pending: None),
        new Effect.Spawn(profile.Id, profile.Generation, profile.Spec));

    private static Transition<State, Effect> SpawnNext(ProcessProfile profile) => Spawn(Next(profile));

    /// <summary>The same process, an incarnation later.</summary>
    private static ProcessProfile Next(ProcessProfile profile) => profile with
    {
        Generation = profile.Generation + 1,
        Tally = profile.Tally with { Restarts = profile.Tally.Restarts + 1 },
    };

    /// <summary>Somebody asked: what was held against it is forgotten.</summary>
    private static ProcessProfile Afresh(ProcessProfile profile) =>
        profile with { Tally = profile.Tally with { Streak = 0, Exits = Seq<Instant>() } };

    private static Transition<State, Effect> Confirm(
        State.Starting state, Instant now, ProcessIdentity identity, bool adopted)
    {
        var profile = state.Profile;
        var running = new State.Running(
            profile, identity, Since: now, TouchedAt: now, adopted,
            profile.Spec.Ready.TryGet(out var ready) ? now + ready.Within : Option<Instant>.None);
        var before = adopted
            ? Seq1<Effect>(new Effect.Adopt(profile.Id, profile.Generation, profile.Spec))
            : Seq<Effect>();
        if (!state.Pending.TryGet(out var plan)) return new(running, before);
        var stop = BeginStop(running, now, plan);
        return new(stop.State, before.Join(stop.Effects));
    }

    private static Transition<State, Effect> BeginStop(State.Running state, Instant now, StopPlan plan) => Go(
        new State.Stopping(state.Profile, state.Identity, plan, now + plan.Grace),
        new Effect.SendSignal(state.Profile.Id, state.Profile.Generation, state.Profile.Spec.StopSignal));

    private static StopPlan UserStop(State state, Option<TimeSpan> grace) =>
        new(ExitReason.Stopped, AfterStop.Stay, grace.IfNone(state.Profile.Spec.Grace));

    private static StopPlan Plan(State state, AfterStop then) =>
        new(ExitReason.Stopped, then, state.Profile.Spec.Grace);

    private static StopPlan Shutdown(State state) =>
        new(ExitReason.Shutdown, AfterStop.Stay, state.Profile.Spec.Grace);

    /// <summary>What is stopped already ends as it was to; what was to come after it does not.</summary>
    private static StopPlan Shutdown(StopPlan plan) => plan.Then is AfterStop.StartAgain or AfterStop.Obey
        ? plan with { Reason = ExitReason.Shutdown, Then = AfterStop.Stay }
        : plan;

    /// <summary>Its user's wish outlives the reason that it was being stopped for.</summary>
    private static StopPlan Stopped(StopPlan plan) => plan with
    {
        Then = Keep(plan.Then),
        Reason = plan.Reason is ExitReason.Shutdown or ExitReason.Unready ? ExitReason.Stopped : plan.Reason,
    };

    /// <summary>Two stops agree on the shorter grace, whichever came first.</summary>
    private static StopPlan StopStarting(State.Starting state, Option<TimeSpan> grace)
    {
        var asked = UserStop(state, grace);
        return state.Pending.TryGet(out var plan)
            ? asked with { Then = Keep(plan.Then), Grace = plan.Grace < asked.Grace ? plan.Grace : asked.Grace }
            : asked;
    }

    /// <summary>A start that comes during a stop follows it: for a service, while it is declared.</summary>
    private static Option<StopPlan> Again(State state, StopPlan plan) =>
        state.Profile.Spec.Kind == ProcessKind.Service && plan.Then != AfterStop.Remove
            ? plan with { Then = AfterStop.StartAgain }
            : Option<StopPlan>.None;

    /// <summary>A stop never brings back what was to be removed.</summary>
    private static AfterStop Keep(AfterStop then) => then == AfterStop.Remove ? AfterStop.Remove : AfterStop.Stay;

    /// <summary>A declaration brings back what was to be removed, and leaves alone what its user stopped.</summary>
    private static AfterStop Redeclare(AfterStop then) => then == AfterStop.Stay ? AfterStop.Stay : AfterStop.StartAgain;

    /// <summary>
    /// The generation under way has the old spec: with another one it is replaced as soon as it runs.
    /// </summary>
    private static Option<StopPlan> RedeclareStarting(State.Starting state, ProcessSpec spec)
    {
        if (state.Pending.TryGet(out var plan)) return plan with { Then = Redeclare(plan.Then) };
        return spec.SameAs(state.Profile.Spec) ? None : Plan(state, AfterStop.StartAgain);
    }

    /// <summary>An incarnation ended; <paramref name="plan"/> is there when somebody had asked for it.</summary>
    private static Transition<State, Effect> End(
        ProcessProfile profile, Instant now, ExitStatus status, TimeSpan cpu, long peak, Option<StopPlan> plan, Instant since)
    {
        Effect forget = new Effect.Forget(profile.Id, profile.Generation);
        var isObeying = plan.TryGet(out var stop) && stop.Then == AfterStop.Obey;
        if (plan.IsSome && !isObeying)
        {
            var stopped = new ProcessExit(status, stop.Reason, cpu, peak);
            return stop.Then switch
            {
                AfterStop.StartAgain => Prepend(forget, SpawnNext(Afresh(profile))),
                AfterStop.Remove => Prepend(forget, Reap(profile, ReapReason.Withdrawn)),
                _ => Go(Settle(profile, stopped, now), forget, new Effect.CloseOutput(profile.Id)),
            };
        }

        var exit = new ProcessExit(status, isObeying ? stop.Reason : Why(status), cpu, peak);
        var tallied = profile with { Tally = profile.Tally.WithExit(now, now - since) };
        if (isObeying ? profile.Spec.Restart == RestartPolicy.Never : !Restarts(profile.Spec.Restart, status))
        {
            return Go(Settle(tallied, exit, now), forget, new Effect.CloseOutput(profile.Id));
        }

        var wait = tallied.Tally.Wait;
        return wait == TimeSpan.Zero
            ? Prepend(forget, SpawnNext(tallied))
            : Go(new State.Backoff(tallied, exit, now + wait), forget);
    }

    private static Transition<State, Effect> EndUnrun(ProcessProfile profile, Instant now, ExitReason reason)
    {
        var status = new ExitStatus.NeverRan("stopped", "it was stopped before it ran");
        return Go(
            Settle(profile, new ProcessExit(status, reason, TimeSpan.Zero, 0), now), new Effect.CloseOutput(profile.Id));
    }

    /// <summary>
    /// A service stays known for as long as it is declared; everything else is kept for its retention.
    /// </summary>
    private static State.Exited Settle(ProcessProfile profile, ProcessExit exit, Instant now) => new(
        profile, exit, now, profile.Spec.Kind == ProcessKind.Service ? None : Some(now + profile.Spec.ExitRetention));

    private static Transition<State, Effect> Reap(ProcessProfile profile, ReapReason reason) =>
        Go(new State.Reaped(profile, reason), new Effect.Reap(profile.Id, reason));

    private static bool Restarts(RestartPolicy policy, ExitStatus status) => policy switch
    {
        RestartPolicy.Always => true,
        RestartPolicy.OnFailure => !status.IsSuccess,
        _ => false,
    };

    private static ExitReason Why(ExitStatus status) => status switch
    {
        ExitStatus.Exited => ExitReason.Exited,
        ExitStatus.Signaled => ExitReason.Killed,
        ExitStatus.OutOfMemory => ExitReason.OutOfMemory,
        ExitStatus.Lost => ExitReason.Lost,
        ExitStatus.NeverRan => ExitReason.SpawnFailed,
    };

    private static Option<Instant> LifetimeEnd(State.Running state) =>
        state.Profile.Spec.MaxLifetime.TryGet(out var life) ? state.Since + life : Option<Instant>.None;

    private static Option<Instant> IdleEnd(State.Running state) =>
        state.Profile.Spec.IdleTimeout.TryGet(out var idle) ? state.TouchedAt + idle : Option<Instant>.None;

    private static bool IsPast(Option<Instant> at, Instant now) => at.TryGet(out var instant) && instant <= now;

    private static Effect.KillTree Kill(State state) => new(state.Profile.Id, state.Profile.Generation);

    private static Effect.Forget Forget(State state) => new(state.Profile.Id, state.Profile.Generation);

    private static Option<int> GenerationOf(Event @event) => @event switch
    {
        Event.SpawnCompleted(var generation, _) => generation,
        Event.SpawnFailed(var generation, _, _) => generation,
        Event.ExitObserved(var generation, _, _, _, _) => generation,
        Event.BecameReady(var generation) => generation,
        Event.DependenciesMet or Event.StopRequested or Event.ShutdownRequested or Event.StartRequested or Event.RestartRequested
            or Event.SignalRequested or Event.Touched or Event.ReleaseRequested or Event.Redeclared
            or Event.Withdrawn or Event.Recovered or Event.DeadlineReached => None,
    };

    private static Transition<State, Effect> Go(State next, params ReadOnlySpan<Effect> effects) =>
        new(next, effects.ToArray().ToSeq());

    private static Transition<State, Effect> Prepend(Effect first, Transition<State, Effect> then) =>
        then with { Effects = first.Cons(then.Effects) };

    private static Transition<State, Effect> Stay(State state) => new(state, Seq<Effect>());

    private static Transition<State, Effect> Refuse(State state, ErrorCode code, string reason) =>
        new(state, Seq1<Effect>(new Effect.Reject(code, reason)));

    private static Transition<State, Effect> Stale(State state, Event @event) =>
        Refuse(state, ErrorCode.Stale, $"{@event.GetType().Name} belongs to a generation that is over");

    private static Transition<State, Effect> Reject(State state, Event @event) =>
        Refuse(state, ErrorCode.NotLegal, $"{@event.GetType().Name} is not legal in {state.GetType().Name}");
}
