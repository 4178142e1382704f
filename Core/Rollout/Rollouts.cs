using Agent.Core.Model;
using Agent.Core.Time;

namespace Agent.Core.Rollout;

/// <summary>
/// All rollouts this host knows of, and the highest version seen of each channel. It admits them, gives one after
/// the other its turn, and lets a newer one of a channel take the place of an older; what happens to one is the
/// machine's matter.
/// </summary>
public sealed record Rollouts(
    Map<OrdRolloutId, RolloutId, RolloutState> All, Map<OrdChannelName, ChannelName, long> Floors)
{
    /// <summary>A host follows few; the bound keeps every answer, batch and snapshot small.</summary>
    public const int MaxChannels = 32;

    /// <summary>Decided ones that are kept to be shown; the journal knows of all.</summary>
    public const int DecidedKept = 32;

    public static Rollouts Empty { get; } = new(
        Map<OrdRolloutId, RolloutId, RolloutState>(), Map<OrdChannelName, ChannelName, long>());

    public Option<RolloutState> Find(RolloutId id) => All.Find(id);

    /// <summary>The highest version seen of a channel; none before its first. It never falls.</summary>
    public Option<long> Floor(ChannelName channel) => Floors.Find(channel);

    /// <summary>A verified manifest concerns this host. Refused if it was seen, is older, or can never be judged.</summary>
    public RolloutsStep Accept(RolloutOrder order, Instant now)
    {
        if (All.ContainsKey(order.Id)) return Refuse(ErrorCode.Known, $"{order.Id} is known already");
        if (order.Fault.TryGet(out var fault)) return Refuse(ErrorCode.InvalidInput, fault);
        var known = Floor(order.Channel);
        if (known.TryGet(out var floor) && order.Version <= floor) return RefuseVersion(order, floor);
        if (known.IsNone && Floors.Count >= MaxChannels)
        {
            return Refuse(ErrorCode.RegistryFull, $"this host has followed {MaxChannels} channels, it takes no more");
        }

        var admitted = new Rollouts(
            All.AddOrUpdate(order.Id, RolloutMachine.Create(order, now)),
            Floors.AddOrUpdate(order.Channel, order.Version));
        return Settle(new(admitted, Seq<RolloutEffect>()), now);
    }

    /// <summary>
    /// Something happened to one rollout. It gets the next seq. What somebody asks for waits while another one is being
    /// switched; a rollback that a failure leads to is decided at once, and its effect takes its turn.
    /// </summary>
    public RolloutsStep Report(RolloutId id, Timed<RolloutEvent> input)
    {
        if (!All.Find(id).TryGet(out var state)) return Refuse(ErrorCode.NoSuchRollout, $"no rollout {id}");
        var told = Tell(new(this, Seq<RolloutEffect>()), state, input);
        var asked = input.Event is RolloutEvent.RetryRequested or RolloutEvent.RollbackRequested;
        if (asked && !ReferenceEquals(told.Rollouts, this) && Switching.TryGet(out var other))
        {
            return Refuse(ErrorCode.Busy, $"{other.Profile.Order.Id} is being switched, ask again when that is over");
        }

        return Settle(told, input.At);
    }

    /// <summary>
    /// The agent has just started on this boot: each rollout issues again what it owes. The switch that was under way
    /// first: a way back that was decided meanwhile waited for its end, and goes on waiting.
    /// </summary>
    public RolloutsStep Recover(BootId boot, Instant now)
    {
        var step = new RolloutsStep(this, Seq<RolloutEffect>());
        foreach (var first in (bool[])[true, false])
        {
            foreach (var state in All.Values)
            {
                if (state is RolloutState.Activating != first) continue;
                step = Tell(step, state, new(now, new RolloutEvent.Recovered(boot)));
            }
        }

        return Settle(step, now);
    }

    /// <summary>The instant has come: every rollout whose deadline it is gets its event.</summary>
    public RolloutsStep Wake(Instant now)
    {
        var step = new RolloutsStep(this, Seq<RolloutEffect>());
        foreach (var state in All.Values)
        {
            if (!RolloutMachine.Deadline(state).TryGet(out var deadline) || deadline > now) continue;
            step = Tell(step, state, new(now, new RolloutEvent.DeadlineReached()));
        }

        return Settle(step, now);
    }

    /// <summary>
    /// The releases that must stay on the host: what each open rollout goes to and could go back to, and the newest
    /// <paramref name="keep"/> of each channel.
    /// </summary>
    public Seq<ReleaseId> Needed(int keep)
    {
        var needed = Seq<ReleaseId>();
        foreach (var state in All.Values)
        {
            var order = state.Profile.Order;
            if (state.IsTerminal && NewerThan(order) >= keep) continue;
            needed = needed.Add(order.Target);
            if (state.IsTerminal) continue;
            if (RolloutMachine.SwitchOf(state).Bind(one => one.Previous).TryGet(out var previous)) needed = needed.Add(previous);
        }

        return needed;
    }

    public Option<Instant> Deadline
    {
        get
        {
            var earliest = Option<Instant>.None;
            foreach (var state in All.Values) earliest = Instant.Earlier(earliest, RolloutMachine.Deadline(state));
            return earliest;
        }
    }

    /// <summary>
    /// A rollout that is being switched, if any. Beside it others may be on their way back, whose probes failed
    /// meanwhile: the shell carries out one switch after the other, in the order of the effects.
    /// </summary>
    public Option<RolloutState> Switching => All.Values.Find(state => state.IsSwitching);

    /// <summary>
    /// What follows by itself: newer ones take the place of older ones that may be left, whoever is next gets its turn,
    /// and of the decided ones the newest are kept.
    /// </summary>
    private static RolloutsStep Settle(RolloutsStep step, Instant now)
    {
        foreach (var state in step.Rollouts.All.Values)
        {
            if (state.IsTerminal || state.IsSwitching) continue;
            if (!step.Rollouts.Successor(state).TryGet(out var newer)) continue;
            step = Tell(step, state, new(now, new RolloutEvent.SuccessorArrived(newer)));
        }

        if (step.Rollouts.Switching.IsNone && step.Rollouts.Next.TryGet(out var next))
        {
            step = Tell(step, next, new(now, new RolloutEvent.Activate()));
        }

        return step with { Rollouts = step.Rollouts.Trim() };
    }

    /// <summary>The newest rollout of the same channel, if this one is not it.</summary>
    private Option<RolloutId> Successor(RolloutState state)
    {
        var newest = state;
        foreach (var other in All.Values)
        {
            if (other.Profile.Order.Channel != state.Profile.Order.Channel) continue;
            if (other.Profile.Order.Version > newest.Profile.Order.Version) newest = other;
        }

        return ReferenceEquals(newest, state) ? Option<RolloutId>.None : newest.Profile.Order.Id;
    }

    private int NewerThan(RolloutOrder order)
    {
        var newer = 0;
        foreach (var other in All.Values)
        {
            var one = other.Profile.Order;
            if (one.Channel == order.Channel && one.Version > order.Version) newer++;
        }

        return newer;
    }

    /// <summary>Who waits for its turn and came first.</summary>
    private Option<RolloutState> Next
    {
        get
        {
            var first = Option<RolloutState>.None;
            foreach (var state in All.Values)
            {
                if (state is not RolloutState.Pending) continue;
                if (!first.TryGet(out var best) || Age(state).CompareTo(Age(best)) < 0) first = state;
            }

            return first;
        }
    }

    private Rollouts Trim()
    {
        var surplus = -DecidedKept;
        foreach (var state in All.Values) surplus += state.IsTerminal ? 1 : 0;
        if (surplus <= 0) return this;
        var kept = All;
        for (; surplus > 0; surplus--) kept = kept.Remove(OldestDecided(kept).Profile.Order.Id);
        return this with { All = kept };
    }

    private static RolloutState OldestDecided(Map<OrdRolloutId, RolloutId, RolloutState> rollouts)
    {
        var oldest = Option<RolloutState>.None;
        foreach (var state in rollouts.Values)
        {
            if (!state.IsTerminal) continue;
            if (!oldest.TryGet(out var best) || Age(state).CompareTo(Age(best)) < 0) oldest = Some(state);
        }

        return oldest.TryGet(out var found) ? found : throw new InvalidOperationException("no rollout is decided");
    }

    private static (Instant ReceivedAt, long Version) Age(RolloutState state) =>
        (state.Profile.ReceivedAt, state.Profile.Order.Version);

    private static RolloutsStep Tell(RolloutsStep before, RolloutState state, Timed<RolloutEvent> input)
    {
        var step = RolloutMachine.Step(state, state.Profile.Seq + 1, input);
        var next = ReferenceEquals(step.State, state)
            ? before.Rollouts
            : before.Rollouts with { All = before.Rollouts.All.AddOrUpdate(state.Profile.Order.Id, step.State) };
        return new(next, before.Effects.Join(step.Effects));
    }

    private RolloutsStep RefuseVersion(RolloutOrder order, long floor) => order.Version < floor
        ? Refuse(ErrorCode.VersionRollback, $"version {order.Version} of {order.Channel} is older than {floor}, which was seen")
        : Refuse(ErrorCode.VersionReused, $"another manifest of {order.Channel} had version {floor} already");

    private RolloutsStep Refuse(ErrorCode code, string reason) =>
        new(this, Seq1<RolloutEffect>(new RolloutEffect.Reject(code, reason)));
}

/// <summary>The rollouts and the effects that led to them.</summary>
public readonly record struct RolloutsStep(Rollouts Rollouts, Seq<RolloutEffect> Effects);
