using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Core.Time;
using Effect = Agent.Core.Plane.PlaneEffect;
using State = Agent.Core.Plane.PlaneState;

namespace Agent.Core.Plane;

/// <summary>How hosts are mirrored: by their own events, through the machine that they themselves step.</summary>
public static partial class PlaneMachine
{
    private static Transition<State, Effect> Hear(State state, HostName name, HostReport report)
    {
        if (!Meet(state, name).TryGet(out var host)) return RefuseFull(state);
        if (host.IsRevoked) return RefuseRevoked(state, name);
        var missing = Seq<Verdict>();
        foreach (var mark in report.Rollouts)
        {
            var mirror = host.Mirrors.Find(mark.Id);
            var behind = mirror.TryGet(out var known) ? known.Profile.Seq < mark.Seq : IsWanted(state, host, mark.Id);
            if (behind) missing = missing.Add(ReplayAfter(mark.Id, mirror));
        }

        return Go(With(state, host with { Report = report }), new Effect.Answer(name, missing));
    }

    private static Transition<State, Effect> Take(State state, HostName name, Seq<Telling> tellings, Instant now)
    {
        if (!Meet(state, name).TryGet(out var host)) return RefuseFull(state);
        if (host.IsRevoked) return RefuseRevoked(state, name);
        var step = state.Hosts.ContainsKey(name) ? Stay(state) : Go(With(state, host));
        var verdicts = new Verdict[tellings.Count];
        var changed = Seq<RolloutId>();
        for (var i = 0; i < verdicts.Length; i++)
        {
            (step, verdicts[i]) = Take(step, name, tellings[i], now);
            if (verdicts[i] is not Verdict.Accepted || !Subject(tellings[i]).TryGet(out var id)) continue;
            if (!changed.Exists(one => one == id)) changed = changed.Add(id);
        }

        // What came together is judged together: a wave that one telling opens and the next one shuts was never open.
        foreach (var id in changed) step = Settle(step, id, name, now);
        return step.And(new Effect.Answer(name, verdicts.ToSeq()));
    }

    private static (Transition<State, Effect> Step, Verdict Verdict) Take(
        Transition<State, Effect> step, HostName name, Telling telling, Instant now) => telling switch
    {
        Telling.Happened happened => Follow(step, name, happened, now),
        Telling.Stands(var whole) => Copy(step, name, whole, now),
        Telling.Refused refused => Decline(step, name, refused, now),
    };

    private static Option<RolloutId> Subject(Telling telling) => telling switch
    {
        Telling.Happened(var id, _, _, _) => id,
        Telling.Stands(var whole) => whole.Profile.Order.Id,
        Telling.Refused => None,
    };

    /// <summary>
    /// One event, with the host's own instant. What the mirror's step wants done is dropped on purpose: switching and
    /// reporting are the host's business, and it has done them.
    /// </summary>
    private static (Transition<State, Effect> Step, Verdict Verdict) Follow(
        Transition<State, Effect> step, HostName name, Telling.Happened happened, Instant now)
    {
        var known = MirrorOf(step.State, name, happened.Id);
        if (!known.TryGet(out var mirror) || happened.Seq > mirror.Profile.Seq + 1)
        {
            return (step, ReplayAfter(happened.Id, known));
        }

        if (happened.Seq <= mirror.Profile.Seq) return (step, new Verdict.Seen());
        var next = RolloutMachine.Step(mirror, happened.Seq, new(happened.At, happened.Event));
        if (!ReferenceEquals(next.State, mirror))
        {
            return (Put(step, name, next.State, now), new Verdict.Accepted());
        }

        foreach (var effect in next.Effects)
        {
            if (effect is RolloutEffect.Reject(var code, var reason)) return (step, new Verdict.Refused(code, reason));
        }

        return (step, new Verdict.Refused(
            ErrorCode.NotLegal, $"{happened.Event.GetType().Name} changes nothing in {mirror.GetType().Name}"));
    }

    /// <summary>
    /// A rollout as a whole. The manifest's own order is kept, so that all mirrors share its probes. Of one that this plane
    /// has not published all is the host's word, and it has to be one that a host could follow.
    /// </summary>
    private static (Transition<State, Effect> Step, Verdict Verdict) Copy(
        Transition<State, Effect> step, HostName name, RolloutState whole, Instant now)
    {
        var (order, id) = (whole.Profile.Order, whole.Profile.Order.Id);
        if (step.State.Rollouts.Find(id).TryGet(out var rollout))
        {
            if (!rollout.Order.For(name).TryGet(out var own) || !own.Asks(order))
            {
                return (step, new Verdict.Refused(ErrorCode.InvalidInput, $"{id} does not ask that of {name}"));
            }

            (order, whole) = (own, whole with { Profile = whole.Profile with { Order = own } });
        }

        if (order.Fault.TryGet(out var fault)) return (step, new Verdict.Refused(ErrorCode.InvalidInput, fault));
        if (whole is RolloutState.Soaking soaking)
        {
            if (!soaking.Probes.Record(order.Probes))
            {
                return (step, new Verdict.Refused(ErrorCode.InvalidInput, $"{id} has other probes than it soaks with"));
            }

            var records = soaking.Probes.ToArray();
            for (var i = 0; i < records.Length; i++) records[i] = records[i] with { Spec = order.Probes[i] };
            whole = soaking with { Probes = records.ToSeq() };
        }

        if (MirrorOf(step.State, name, id).TryGet(out var mirror))
        {
            return whole.Profile.Seq <= mirror.Profile.Seq
                ? (step, new Verdict.Seen())
                : (Put(step, name, whole, now), new Verdict.Accepted());
        }

        if (!MakeRoom(step, name).TryGet(out var roomy))
        {
            return (step, new Verdict.Refused(
                ErrorCode.RegistryFull, $"{PlaneHost.MaxMirrors} rollouts of {name} are known and none of them is decided"));
        }

        return (Put(roomy, name, whole, now), new Verdict.Accepted());
    }

    private static (Transition<State, Effect> Step, Verdict Verdict) Decline(
        Transition<State, Effect> step, HostName name, Telling.Refused refused, Instant now)
    {
        if (!step.State.Rollouts.Find(refused.Id).TryGet(out var rollout) || !rollout.Order.Hosts.ContainsKey(name))
        {
            return (step, new Verdict.Refused(ErrorCode.NoSuchRollout, $"{refused.Id} was never offered to {name}"));
        }

        if (!step.State.Hosts.Find(name).TryGet(out var host) || !IsFree(host, refused.Id))
        {
            return (step, new Verdict.Seen());
        }

        var declined = new Declined(now, refused.Code, refused.Detail);
        var next = With(step.State, host with { Declined = host.Declined.AddOrUpdate(refused.Id, declined) });
        return (step with { State = WithDue(next, now + DeclinedFor) }, new Verdict.Accepted());
    }

    /// <summary>The mirror takes its place and is counted. What follows for its rollout is <see cref="Settle"/>'s.</summary>
    private static Transition<State, Effect> Put(
        Transition<State, Effect> step, HostName name, RolloutState mirror, Instant now)
    {
        if (!step.State.Hosts.Find(name).TryGet(out var host)) return step;
        var id = mirror.Profile.Order.Id;
        var before = host.Mirrors.Find(id);
        var state = Count(step.State, name, id, before, mirror);
        step = step with
        {
            State = With(state, host with
            {
                Mirrors = host.Mirrors.AddOrUpdate(id, mirror), Declined = host.Declined.Remove(id),
            }),
        };
        var isNews = !before.TryGet(out var old) || old.GetType() != mirror.GetType();
        return isNews && mirror is RolloutState.Reverted ? Shut(step, name, mirror.Profile.Order, now) : step;
    }

    private static State Count(
        State state, HostName name, RolloutId id, Option<RolloutState> before, Option<RolloutState> after)
    {
        if (!state.Rollouts.Find(id).TryGet(out var rollout)) return state;
        if (!rollout.Order.Hosts.Find(name).TryGet(out var row)) return state;
        var tally = rollout.Waves[row.Wave];
        var counted = tally;
        if (before.TryGet(out var gone)) counted = counted.With(gone, -1);
        if (after.TryGet(out var come)) counted = counted.With(come, 1);
        if (counted == tally) return state;
        var waves = rollout.Waves.ToArray();
        waves[row.Wave] = counted;
        return With(state, rollout with { Waves = waves.ToSeq() });
    }

    /// <summary>
    /// A host has rolled back from this release. A manifest of another release that was published since has answered that
    /// already; a rollout that an operator brought to the host himself warns of its release all the same. A host that the
    /// channel's newest manifest does not list has no say in it.
    /// </summary>
    private static Transition<State, Effect> Shut(
        Transition<State, Effect> step, HostName host, RolloutOrder order, Instant now)
    {
        if (!step.State.Channels.Find(order.Channel).TryGet(out var channel)) return step;
        if (channel.Quarantine.ContainsKey(order.Target)) return step;
        if (!step.State.Rollouts.Find(channel.Newest).TryGet(out var newest) || !newest.Order.Hosts.ContainsKey(host)) return step;
        var wanted = newest.Order.Targets(order.Target);
        if (!wanted && (order.Version <= channel.Floor || channel.Quarantine.Count >= PlaneChannel.MaxForeignQuarantines))
        {
            return step;
        }

        var entry = new Quarantine(now, order.Id, host);
        var shut = channel with { Quarantine = channel.Quarantine.AddOrUpdate(order.Target, entry) };
        return (step with { State = With(step.State, order.Channel, shut) })
            .And(new Effect.Quarantined(order.Channel, order.Target, host));
    }

    /// <summary>
    /// Whether a rollout that has no mirror is to be told of. Those that were let go for others are not: they would come
    /// back with every heartbeat and push out what is newer.
    /// </summary>
    private static bool IsWanted(State state, PlaneHost host, RolloutId id)
    {
        if (!state.Channels.Find(id.Channel).TryGet(out var channel)) return host.Mirrors.Count < PlaneHost.MaxMirrors;
        if (channel.Newest == id) return true;
        if (host.Mirrors.Count >= PlaneHost.MaxMirrors) return false;
        if (state.Rollouts.ContainsKey(id)) return true;
        var kept = 0;
        foreach (var known in state.Rollouts.Keys) kept += known.Channel == id.Channel ? 1 : 0;
        return kept < State.RolloutsKept;
    }

    /// <summary>The oldest decided mirror goes when a host has too many, but none of a channel's newest rollout.</summary>
    private static Option<Transition<State, Effect>> MakeRoom(Transition<State, Effect> step, HostName name)
    {
        if (!step.State.Hosts.Find(name).TryGet(out var host)) return Some(step);
        if (host.Mirrors.Count < PlaneHost.MaxMirrors) return Some(step);
        var oldest = Option<RolloutState>.None;
        foreach (var mirror in host.Mirrors.Values)
        {
            var (profile, id) = (mirror.Profile, mirror.Profile.Order.Id);
            if (!mirror.IsTerminal) continue;
            if (step.State.Channels.Find(id.Channel).TryGet(out var channel) && channel.Newest == id) continue;
            if (!oldest.TryGet(out var best) || profile.ReceivedAt < best.Profile.ReceivedAt) oldest = Some(mirror);
        }

        if (!oldest.TryGet(out var surplus)) return None;
        var oldestId = surplus.Profile.Order.Id;
        var state = Count(step.State, name, oldestId, surplus, None);
        return Some(step with { State = With(state, host with { Mirrors = host.Mirrors.Remove(oldestId) }) });
    }

    private static Option<RolloutState> MirrorOf(State state, HostName name, RolloutId id) =>
        state.Hosts.Find(name).TryGet(out var host) ? host.Mirrors.Find(id) : Option<RolloutState>.None;

    private static Verdict.Replay ReplayAfter(RolloutId id, Option<RolloutState> mirror) =>
        new(id, mirror.TryGet(out var known) ? known.Profile.Seq + 1 : 0);

    private static bool IsDone(RolloutState mirror) =>
        mirror is RolloutState.Converged or RolloutState.Superseded or RolloutState.Deferred;
}
