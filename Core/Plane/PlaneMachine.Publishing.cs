using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Core.Time;
using Effect = Agent.Core.Plane.PlaneEffect;
using State = Agent.Core.Plane.PlaneState;

namespace Agent.Core.Plane;

/// <summary>How a rollout begins, goes on from wave to wave, and ends.</summary>
public static partial class PlaneMachine
{
    private static Transition<State, Effect> Publish(State state, FleetOrder order, Instant now)
    {
        if (state.Rollouts.ContainsKey(order.Id)) return Refuse(state, ErrorCode.Known, $"{order.Id} is known already");
        if (order.Fault.TryGet(out var fault)) return Refuse(state, ErrorCode.InvalidInput, fault);
        var known = state.Channels.Find(order.Channel);
        if (known.TryGet(out var channel))
        {
            if (order.Version <= channel.Floor) return RefuseVersion(state, order, channel.Floor);
        }
        else if (state.Channels.Count >= State.MaxChannels)
        {
            return Refuse(state, ErrorCode.RegistryFull, $"this plane has {State.MaxChannels} channels, it takes no more");
        }

        var step = Stay(state);
        if (known.IsSome) step = Lift(Supersede(step, channel.Newest, order.Id, now), channel, order);
        var quarantine = step.State.Channels.Find(order.Channel).Map(held => held.Quarantine)
            .IfNone(Map<OrdReleaseId, ReleaseId, Quarantine>());
        var halted = known.TryGet(out var before) && before.Halted;
        var rollout = new FleetRollout(order, now, new FleetPhase.Active(0), Empty(order));
        var opened = With(
            With(step.State, order.Channel, new PlaneChannel(order.Version, order.Id, halted, quarantine)), rollout);
        return Trim(Begin(step with { State = opened }, order, now), order.Channel);
    }

    /// <summary>
    /// The first wave opens. Hosts may be ahead of the plane: one that starts anew, or one whose operator had the manifest
    /// first; what is known of them counts from the first moment on.
    /// </summary>
    private static Transition<State, Effect> Begin(Transition<State, Effect> step, FleetOrder order, Instant now)
    {
        foreach (var name in order.Hosts.Keys)
        {
            if (!step.State.Hosts.Find(name).TryGet(out var host)) continue;
            if (!host.Mirrors.Find(order.Id).TryGet(out var mirror)) continue;
            var counted = With(step.State, host with { Mirrors = host.Mirrors.Remove(order.Id) });
            if (order.For(name).TryGet(out var own) && own.Asks(mirror.Profile.Order))
            {
                step = Put(step with { State = counted }, name, mirror, now);
            }
            else
            {
                step = step with { State = counted };
            }
        }

        step = step.And(new Effect.WaveOpened(order.Id, 0));
        return Settle(step, order.Id, FirstTroubled(step.State, order), now).Offer(order.Id, 0, 0);
    }

    private static Transition<State, Effect> Supersede(
        Transition<State, Effect> step, RolloutId id, RolloutId by, Instant now)
    {
        if (!step.State.Rollouts.Find(id).TryGet(out var rollout)) return step;
        if (rollout.Phase is not (FleetPhase.Active or FleetPhase.Failed)) return step;
        return Move(step, rollout, new FleetPhase.Superseded(now, by));
    }

    /// <summary>A release stays in quarantine while the newest manifest still wants it somewhere.</summary>
    private static Transition<State, Effect> Lift(Transition<State, Effect> step, PlaneChannel channel, FleetOrder order)
    {
        var kept = channel.Quarantine;
        foreach (var release in channel.Quarantine.Keys)
        {
            if (order.Targets(release)) continue;
            kept = kept.Remove(release);
            step = step.And(new Effect.QuarantineLifted(order.Channel, release));
        }

        return step with { State = With(step.State, order.Channel, channel with { Quarantine = kept }) };
    }

    /// <summary>
    /// A mirror of this rollout has changed: the rollout as a whole follows its tallies. One that is not the newest of its
    /// channel is decided.
    /// </summary>
    private static Transition<State, Effect> Settle(
        Transition<State, Effect> step, RolloutId id, HostName host, Instant now)
    {
        if (!step.State.Channels.Find(id.Channel).TryGet(out var channel) || channel.Newest != id) return step;
        if (!step.State.Rollouts.Find(id).TryGet(out var rollout)) return step;
        var (failed, reverted) = (0, 0);
        foreach (var wave in rollout.Waves) (failed, reverted) = (failed + wave.Failed, reverted + wave.Reverted);
        var next = rollout.Phase switch
        {
            FleetPhase.Active or FleetPhase.Reverted when failed > 0 => new FleetPhase.Failed(now, host),
            FleetPhase.Active when reverted > 0 => new FleetPhase.Reverted(now, host),
            FleetPhase.Failed(_, var first) when failed == 0 && reverted > 0 => new FleetPhase.Reverted(now, first),
            FleetPhase.Active active => Onward(rollout, active, now),
            FleetPhase.Failed or FleetPhase.Reverted or FleetPhase.Converged or FleetPhase.Superseded => rollout.Phase,
        };
        return ReferenceEquals(next, rollout.Phase) ? step : Move(step, rollout, next);
    }

    /// <summary>The next wave that waits for somebody, or the end. Waves without hosts are passed over.</summary>
    private static FleetPhase Onward(FleetRollout rollout, FleetPhase.Active active, Instant now)
    {
        var (wave, last) = (active.Wave, rollout.Waves.Count - 1);
        while (wave < last && rollout.Waves[wave].IsDone) wave++;
        if (wave == last && rollout.Waves.ForAll(tally => tally.IsDone && tally.Deferred == 0))
        {
            return new FleetPhase.Converged(now);
        }

        return wave == active.Wave ? active : new FleetPhase.Active(wave);
    }

    private static Transition<State, Effect> Move(Transition<State, Effect> step, FleetRollout rollout, FleetPhase next)
    {
        var id = rollout.Order.Id;
        var moved = step with { State = With(step.State, rollout with { Phase = next }) };
        return next is FleetPhase.Active(var wave) && rollout.Phase is FleetPhase.Active(var open)
            ? moved.And(new Effect.WaveOpened(id, wave)).Offer(id, open + 1, wave)
            : moved.And(new Effect.Moved(id, next));
    }

    /// <summary>The oldest of the channel go, together with their mirrors, when they are too many.</summary>
    private static Transition<State, Effect> Trim(Transition<State, Effect> step, ChannelName channel)
    {
        var oldest = Option<FleetRollout>.None;
        var count = 0;
        foreach (var rollout in step.State.Rollouts.Values)
        {
            if (rollout.Order.Channel != channel) continue;
            count++;
            if (!oldest.TryGet(out var best) || rollout.Order.Version < best.Order.Version) oldest = Some(rollout);
        }

        if (count <= State.RolloutsKept || !oldest.TryGet(out var surplus)) return step;
        var (id, state) = (surplus.Order.Id, step.State);
        foreach (var name in surplus.Order.Hosts.Keys)
        {
            if (!state.Hosts.Find(name).TryGet(out var host)) continue;
            if (!host.Mirrors.ContainsKey(id) && !host.Declined.ContainsKey(id)) continue;
            state = With(state, host with { Mirrors = host.Mirrors.Remove(id), Declined = host.Declined.Remove(id) });
        }

        return step with { State = state with { Rollouts = state.Rollouts.Remove(id) } };
    }

    private static Seq<WaveTally> Empty(FleetOrder order)
    {
        var hosts = new int[order.LastWave + 1];
        foreach (var row in order.Hosts.Values) hosts[row.Wave]++;
        var tallies = new WaveTally[hosts.Length];
        for (var wave = 0; wave < hosts.Length; wave++) tallies[wave] = new WaveTally(hosts[wave], 0, 0, 0, 0);
        return tallies.ToSeq();
    }

    /// <summary>The host that a rollout which began in trouble is in trouble for; any host, if there is none.</summary>
    private static HostName FirstTroubled(State state, FleetOrder order)
    {
        var found = Option<HostName>.None;
        foreach (var name in order.Hosts.Keys)
        {
            if (found.IsNone) found = name;
            if (!MirrorOf(state, name, order.Id).TryGet(out var mirror)) continue;
            if (mirror is RolloutState.Failed or RolloutState.Reverted) return name;
        }

        return found.TryGet(out var first) ? first : throw new InvalidOperationException("a published manifest lists a host");
    }

    private static Transition<State, Effect> RefuseVersion(State state, FleetOrder order, long floor) => order.Version < floor
        ? Refuse(state, ErrorCode.VersionRollback, $"version {order.Version} of {order.Channel} is older than {floor}")
        : Refuse(state, ErrorCode.VersionReused, $"another manifest of {order.Channel} had version {floor} already");
}
