using Agent.Core.Model;
using Agent.Core.Time;
using Effect = Agent.Core.Rollout.RolloutEffect;
using Event = Agent.Core.Rollout.RolloutEvent;
using State = Agent.Core.Rollout.RolloutState;

namespace Agent.Core.Rollout;

/// <summary>How a soaking rollout is judged by its probes, and the small tools of all steps.</summary>
public static partial class RolloutMachine
{
    private static State.Soaking Record(State.Soaking state, Event.ProbeReported reported, Instant now)
    {
        for (var i = 0; i < state.Probes.Count; i++)
        {
            var record = state.Probes[i];
            if (record.Spec.Name != reported.Probe) continue;
            var next = record.With(reported.Outcome, now);
            return ReferenceEquals(next, record)
                ? state
                : state with { Probes = Replace(state.Probes, i, next) };
        }

        return state;
    }

    /// <summary>
    /// While the agent was away nobody looked, and what was seen before that is no proof of what is: the probes report
    /// and the target is seen running anew, with time for both. A failure that was under way goes on.
    /// </summary>
    private static Transition<State, Effect> LookAgain(State.Soaking state, Instant now)
    {
        var verdictBy = now + state.Profile.Order.Policy.VerdictWithin;
        var next = state with
        {
            Seen = false,
            VerdictBy = verdictBy > state.VerdictBy ? verdictBy : state.VerdictBy,
            Probes = state.Probes.Map(record => record with { Passes = 0, Failures = 0 }).Strict(),
        };
        return next == state ? Stay(state) : Go(next);
    }

    /// <summary>Failed for long enough, soaked with everything passing, out of time, or none of these yet.</summary>
    private static Transition<State, Effect> Judge(State.Soaking state, Instant now)
    {
        var order = state.Profile.Order;
        foreach (var record in state.Probes)
        {
            if (!record.SustainedAt(order.Policy.FailureThreshold).TryGet(out var at) || at > now) continue;
            var lasted = record.FailingSince.TryGet(out var since) ? now - since : TimeSpan.Zero;
            return Fail(
                state, state.Switch, now, new FailureCause.ProbesFailed(Named(state, probe => probe.Failing), lasted),
                begun: true);
        }

        var soaked = now >= state.SoakUntil;
        var unproven = Named(state, probe => !probe.Passing);
        if (soaked && state.Seen && unproven.IsEmpty) return Go(new State.Converged(state.Profile, state.Switch, now));
        if (now >= state.VerdictBy)
        {
            return Fail(state, state.Switch, now, new FailureCause.NoVerdict(unproven), begun: true);
        }

        return Go(soaked == state.Soaked ? state : state with { Soaked = soaked });
    }

    private static Option<Instant> SoakDeadline(State.Soaking state)
    {
        var next = state.Soaked ? state.VerdictBy : state.SoakUntil;
        foreach (var record in state.Probes)
        {
            if (record.SustainedAt(state.Profile.Order.Policy.FailureThreshold).TryGet(out var at) && at < next) next = at;
        }

        return next;
    }

    /// <summary>The enforced probes of which this holds.</summary>
    private static Seq<ProbeName> Named(State.Soaking state, Func<ProbeRecord, bool> holds)
    {
        var names = Seq<ProbeName>();
        foreach (var record in state.Probes)
        {
            if (record.Spec.Gates && holds(record)) names = names.Add(record.Spec.Name);
        }

        return names;
    }

    private static Seq<ProbeRecord> Replace(Seq<ProbeRecord> records, int at, ProbeRecord next)
    {
        var all = records.ToArray();
        all[at] = next;
        return all.ToSeq();
    }

    private static Option<int> ActivationOf(Event @event) => @event switch
    {
        Event.ActivationStarted(var activation, _, _) => activation,
        Event.ActivationCompleted(var activation, _) => activation,
        Event.ActivationDeferred(var activation, _, _) => activation,
        Event.ActivationFailed(var activation, _, _) => activation,
        Event.ProbeReported(var activation, _, _, _) => activation,
        Event.RunningObserved(var activation, _) => activation,
        Event.RollbackCompleted(var activation, _) => activation,
        Event.RollbackFailed(var activation, _, _) => activation,
        Event.Activate or Event.SuccessorArrived or Event.HaltRequested or Event.RollbackRequested
            or Event.RetryRequested or Event.Recovered or Event.DeadlineReached => None,
    };

    /// <summary>The rollout changed: it remembers the seq, and the mirror is told before anything is done.</summary>
    private static Transition<State, Effect> Report(
        Transition<State, Effect> step, long seq, Event @event, bool moved)
    {
        var profile = step.State.Profile with { Seq = seq };
        return new(
            step.State with { Profile = profile },
            new Effect.Report(profile.Order.Id, seq, @event, moved).Cons<Effect>(step.Effects));
    }

    private static Transition<State, Effect> Go(State next, params ReadOnlySpan<Effect> effects) =>
        new(next, effects.ToArray().ToSeq());

    private static Transition<State, Effect> Stay(State state) => new(state, Seq<Effect>());

    private static Transition<State, Effect> Refuse(State state, ErrorCode code, string reason) =>
        new(state, Seq1<Effect>(new Effect.Reject(code, reason)));

    private static Transition<State, Effect> Reject(State state, Event @event) =>
        Refuse(state, ErrorCode.NotLegal, $"{@event.GetType().Name} is not legal in {state.GetType().Name}");
}
