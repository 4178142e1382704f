using Agent.Core.Model;
using Agent.Core.Time;
using Effect = Agent.Core.Plane.PlaneEffect;
using State = Agent.Core.Plane.PlaneState;

namespace Agent.Core.Plane;

/// <summary>Who may have what, and why not.</summary>
public static partial class PlaneMachine
{
    /// <summary>More of them are not read by anybody.</summary>
    private const int WaitedForShown = 5;

    /// <summary>What this host may have now: of its channels' newest rollouts the first published.</summary>
    public static Option<RolloutId> OfferFor(State state, HostName host)
    {
        var oldest = Option<FleetRollout>.None;
        foreach (var channel in state.Channels.Values)
        {
            if (!state.Rollouts.Find(channel.Newest).TryGet(out var rollout)) continue;
            if (oldest.TryGet(out var best) && best.PublishedAt <= rollout.PublishedAt) continue;
            if (MayHave(state, channel, rollout, host)) oldest = Some(rollout);
        }

        return oldest.Map(found => found.Order.Id);
    }

    /// <summary>
    /// Why the host has not got the rollout; the first reason of all, from those that are for good to those that pass.
    /// </summary>
    public static Waiting Explain(State state, HostName name, RolloutId id)
    {
        var host = state.Hosts.Find(name).IfNone(() => PlaneHost.Create(name));
        if (host.Mirrors.Find(id).TryGet(out var mirror)) return new Waiting.Standing(mirror);
        if (!state.Rollouts.Find(id).TryGet(out var rollout) || !rollout.Order.Hosts.Find(name).TryGet(out var row)
            || !state.Channels.Find(id.Channel).TryGet(out var channel))
        {
            return new Waiting.NotListed();
        }

        if (host.IsRevoked) return new Waiting.Revoked();
        if (channel.Newest != id) return new Waiting.Superseded(channel.Newest);
        if (channel.Quarantine.Find(row.Target).TryGet(out var entry)) return new Waiting.Quarantined(entry);
        return rollout.Phase switch
        {
            FleetPhase.Failed(_, var failed) => new Waiting.RolloutFailed(failed),
            FleetPhase.Reverted(_, var failed) => new Waiting.RolloutFailed(failed),
            FleetPhase.Superseded(_, var by) => new Waiting.Superseded(by),
            FleetPhase.Active or FleetPhase.Converged when channel.Halted => new Waiting.Halted(),
            FleetPhase.Active(var open) when open < row.Wave =>
                new Waiting.WaveNotOpen(row.Wave, open, WaitedFor(state, rollout.Order, open)),
            FleetPhase.Active or FleetPhase.Converged =>
                host.Declined.Find(id).TryGet(out var declined) ? new Waiting.DeclinedByHost(declined)
                : host.Report.TryGet(out var report) ? new Waiting.Offered(report.At)
                : new Waiting.NeverSeen(),
        };
    }

    private static bool MayHave(State state, RolloutId id, HostName host) =>
        state.Channels.Find(id.Channel).TryGet(out var channel) && channel.Newest == id
        && state.Rollouts.Find(id).TryGet(out var rollout) && MayHave(state, channel, rollout, host);

    /// <summary>The rollout is the newest of the channel.</summary>
    private static bool MayHave(State state, PlaneChannel channel, FleetRollout rollout, HostName name) =>
        rollout.Phase is FleetPhase.Active(var open) && !channel.Halted
        && rollout.Order.Hosts.Find(name).TryGet(out var row) && row.Wave <= open
        && !channel.Quarantine.ContainsKey(row.Target)
        && (!state.Hosts.Find(name).TryGet(out var host) || IsFree(host, rollout.Order.Id));

    private static bool IsFree(PlaneHost host, RolloutId id) =>
        !host.IsRevoked && !host.Mirrors.ContainsKey(id) && !host.Declined.ContainsKey(id);

    /// <summary>Offers to those hosts of these waves that may have the rollout now. A pass over all its hosts.</summary>
    private static Transition<State, Effect> Offer(
        this Transition<State, Effect> step, RolloutId id, int from, int to)
    {
        if (!step.State.Rollouts.Find(id).TryGet(out var rollout)) return step;
        if (!step.State.Channels.Find(id.Channel).TryGet(out var channel) || channel.Newest != id) return step;
        var hosts = new System.Collections.Generic.List<HostName>();
        foreach (var (host, row) in rollout.Order.Hosts.AsEnumerable())
        {
            if (row.Wave >= from && row.Wave <= to && MayHave(step.State, channel, rollout, host)) hosts.Add(host);
        }

        return hosts.Count == 0 ? step : step.And(new Effect.Offer(id, hosts.ToArray().ToSeq()));
    }

    private static Transition<State, Effect> Halt(State state, ChannelName name)
    {
        if (!state.Channels.Find(name).TryGet(out var channel)) return RefuseChannel(state, name);
        return channel.Halted ? Stay(state) : Go(With(state, name, channel with { Halted = true }));
    }

    private static Transition<State, Effect> Resume(State state, ChannelName name)
    {
        if (!state.Channels.Find(name).TryGet(out var channel)) return RefuseChannel(state, name);
        return channel.Halted
            ? Go(With(state, name, channel with { Halted = false })).Offer(channel.Newest, 0, FleetOrder.MaxWaves)
            : Stay(state);
    }

    private static Seq<HostName> WaitedFor(State state, FleetOrder order, int wave)
    {
        var hosts = Seq<HostName>();
        foreach (var (name, row) in order.Hosts.AsEnumerable())
        {
            if (row.Wave != wave || (MirrorOf(state, name, order.Id).TryGet(out var mirror) && IsDone(mirror))) continue;
            hosts = hosts.Add(name);
            if (hosts.Count == WaitedForShown) break;
        }

        return hosts;
    }

    private static Transition<State, Effect> RefuseChannel(State state, ChannelName name) =>
        Refuse(state, ErrorCode.NoSuchChannel, $"no manifest of {name} was published here");
}
