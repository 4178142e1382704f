using Agent.Core.Model;
using Agent.Core.Time;
using Effect = Agent.Core.Runtime.RuntimeEffect;
using Event = Agent.Core.Runtime.RuntimeEvent;
using State = Agent.Core.Runtime.RuntimeState;

namespace Agent.Core.Runtime;

/// <summary>How attempts begin and end: numbering, back-off and the circuit.</summary>
public static partial class RuntimeMachine
{
    /// <summary>The engine goes first: it must not be left talking to a containerd that is gone.</summary>
    private static Seq<string> All => Seq(Dockerd, Containerd);

    /// <summary>A caller or the policy wants it: the circuit closes and the back-off begins anew.</summary>
    private static Transition<State, Effect> BeginAsked(
        RuntimePolicy policy, State state, Instant now, Seq<Effect> before = default) =>
        Begin(policy, state.History with { Restarts = Seq<Instant>() }, now, before);

    /// <summary>Nobody asked for this start but the policy: it counts towards the circuit.</summary>
    private static Transition<State, Effect> BeginUnasked(
        RuntimePolicy policy, State state, Instant now, Seq<Effect> before = default) =>
        Begin(policy, state.History with { Restarts = Counting(state.History, now).Add(now) }, now, before);

    private static Transition<State, Effect> Begin(
        RuntimePolicy policy, RuntimeHistory history, Instant now, Seq<Effect> before)
    {
        var attempt = history.Attempt + 1;
        var until = now + policy.StartTimeout;
        return new(
            new State.Starting(now, until, Seq<ServiceStatus>(), history with { Attempt = attempt }),
            before.Add(new Effect.StartRuntime(attempt, until)));
    }

    /// <summary>A failed attempt leaves no half-dead daemon behind for the next one to stumble over.</summary>
    private static Transition<State, Effect> Fail(
        RuntimePolicy policy, State.Starting state, Instant now, string cause, Option<DaemonExit> exit)
    {
        var (failure, history, retryAt) = End(policy, state, now, cause, exit);
        return Go(new State.Failed(failure, retryAt, state.Services, history), new Effect.StopDaemons(All));
    }

    private static Transition<State, Effect> Degrade(
        RuntimePolicy policy, State.Ready state, Instant now, string cause, Option<DaemonExit> exit)
    {
        var (failure, history, retryAt) = End(policy, state, now, cause, exit);
        return Go(new State.Degraded(state.Endpoint, failure, retryAt, state.Services, history));
    }

    private static (RuntimeFailure Failure, RuntimeHistory History, Option<Instant> RetryAt) End(
        RuntimePolicy policy, State state, Instant now, string cause, Option<DaemonExit> exit)
    {
        var open = policy.Keep == Keep.Always
            && Counting(state.History, now).Count >= RuntimePolicy.CircuitRestarts;
        var text = open
            ? $"{cause}; the circuit is open after {RuntimePolicy.CircuitRestarts} restarts in "
                + $"{RuntimePolicy.CircuitWindow.TotalMinutes:0} min, ask for a start to try at once"
            : cause;
        var failure = new RuntimeFailure(state.History.Attempt, now, text, exit, open);
        var history = state.History with { LastFailure = failure };
        return (failure, history, RetryAt(policy, history, now));
    }

    /// <summary>
    /// A daemon that lives and does not answer is stopped before its successor starts. One that has ended needs no
    /// stop, and stopping its healthy companion would only add to the outage.
    /// </summary>
    private static Seq<Effect> Replace(State.Degraded state) => state.Cause.Exit.IsSome
        ? Seq<Effect>()
        : Seq1<Effect>(new Effect.StopDaemons(Seq1(Dockerd)));

    /// <summary>An open circuit adds to the back-off; that it closes soon is no reason to rest for less.</summary>
    private static Option<Instant> RetryAt(RuntimePolicy policy, RuntimeHistory history, Instant now)
    {
        if (policy.Keep == Keep.OnDemand) return None;
        var restarts = Counting(history, now);
        var wait = RuntimePolicy.FirstRetry * (1 << restarts.Count);
        var rested = now + (wait < RuntimePolicy.LongestRetry ? wait : RuntimePolicy.LongestRetry);
        if (restarts.Count < RuntimePolicy.CircuitRestarts) return rested;
        return Instant.Later(rested, restarts[restarts.Count - RuntimePolicy.CircuitRestarts] + RuntimePolicy.CircuitWindow);
    }

    /// <summary>
    /// A retry that stands is kept, or reading the configuration often enough would put it off for ever.
    /// </summary>
    private static Option<Instant> Standing(RuntimePolicy policy, State state, Option<Instant> retryAt, Instant now) =>
        policy.Keep == Keep.Always && retryAt.IsSome ? retryAt : RetryAt(policy, state.History, now);

    private static Seq<Instant> Counting(RuntimeHistory history, Instant now) =>
        history.Restarts.Filter(at => now - at < RuntimePolicy.CircuitWindow).Strict();

    private static string DescribeExit(DaemonExit exit, string when) =>
        $"{exit.Daemon} ended {when} with {exit.Status.Describe()}";

    private static string DescribeTimeout(State.Starting state)
    {
        var waiting = state.Services.Filter(service => service.Health != ServiceHealth.Ready);
        var detail = string.Join("; ", waiting.Map(service => $"{service.Name}: {service.Detail}"));
        var limit = $"no runtime within {(state.Until - state.Since).TotalSeconds:0.###} s";
        return detail.Length == 0 ? limit : $"{limit} ({detail})";
    }

    private static Transition<State, Effect> Go(State next, params ReadOnlySpan<Effect> effects) =>
        new(next, effects.ToArray().ToSeq());

    private static Transition<State, Effect> Stay(State state) => new(state, Seq<Effect>());

    private static Transition<State, Effect> Stale(State state, Event @event) =>
        new(state, Seq1<Effect>(new Effect.Reject(
            ErrorCode.Stale, $"{@event.GetType().Name} belongs to an attempt that is over")));

    private static Transition<State, Effect> Reject(State state, Event @event) =>
        new(state, Seq1<Effect>(new Effect.Reject(
            ErrorCode.NotLegal, $"{@event.GetType().Name} is not legal in {state.GetType().Name}")));
}
