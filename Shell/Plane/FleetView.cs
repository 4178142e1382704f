using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Agent.Core.Model;
using Agent.Core.Plane;
using Agent.Core.Rollout;
using Agent.Core.Time;
using Agent.Shell.Api;
using Agent.Shell.Uplink;

namespace Agent.Shell.Plane;

/// <summary>The plane's state in the words of operators.</summary>
internal static class FleetView
{
    /// <summary>A host that was not heard for this long is silent: two heartbeats and some patience.</summary>
    public static TimeSpan SilentAfter => TimeSpan.FromSeconds(150);

    // Where several hosts are named, some are enough to begin with.
    private const int NamedHosts = 5;

    public static IReadOnlyList<ChannelInfo> Channels(PlaneState state) =>
    [
        .. state.Channels.AsEnumerable().Select(pair => new ChannelInfo(
            pair.Key.Value, pair.Value.Newest.Value, pair.Value.Halted,
            [.. pair.Value.Quarantine.AsEnumerable().Select(entry => new QuarantineInfo(
                entry.Key.Value, entry.Value.Rollout.Value, entry.Value.Host.Value, entry.Value.At.ToString()))])),
    ];

    /// <summary>Newest first.</summary>
    public static IReadOnlyList<FleetRolloutInfo> Rollouts(PlaneState state) =>
    [
        .. state.Rollouts.Values.OrderByDescending(one => one.PublishedAt).ThenByDescending(one => one.Order.Version)
            .Select(one => Of(state, one)),
    ];

    public static FleetRolloutInfo Of(PlaneState state, FleetRollout rollout)
    {
        var order = rollout.Order;
        var newest = state.Channels.Find(order.Channel).Exists(channel => channel.Newest == order.Id);
        return new(
            order.Id.Value, order.Channel.Value, order.Version, NameOf(rollout.Phase), WaveOf(rollout.Phase),
            Summary(state, rollout), rollout.PublishedAt.ToString(), newest,
            [.. rollout.Waves.Select(wave => new WaveInfo(wave.Hosts, wave.Done, wave.Failed, wave.Reverted))]);
    }

    /// <summary>Every host that was heard or is listed by a newest manifest, in the order of their names.</summary>
    public static IReadOnlyList<HostName> Names(PlaneState state) =>
    [
        .. state.Hosts.Keys.Concat(Newest(state).SelectMany(rollout => rollout.Order.Hosts.Keys))
            .DistinctBy(name => name.Value).OrderBy(name => name.Value, StringComparer.Ordinal),
    ];

    public static FleetHostInfo Of(PlaneState state, HostName name, LastSeen seen, Instant now)
    {
        var host = state.Hosts.Find(name).TryGet(out var known) ? known : PlaneHost.Create(name);
        var report = host.Report.TryGet(out var told) ? told : null;
        var at = seen.Of(name) ?? report?.At;
        var rollouts = Newest(state).Where(one => one.Order.Hosts.ContainsKey(name)).Select(one => one.Order.Id)
            .Concat(host.Mirrors.Values.Where(mirror => !mirror.IsTerminal).Select(mirror => mirror.Profile.Order.Id))
            .DistinctBy(id => id.Value);
        return new(
            name.Value,
            host.IsRevoked ? "revoked" : at is not { } heard ? "never-seen" : now - heard > SilentAfter ? "silent" : "online",
            at?.ToString(), report?.Version,
            host.Certificate.TryGet(out var certificate) ? certificate.NotAfter.ToString() : null,
            report is null ? [] : [.. report.Running.Select(one => new RunningInfo(one.Channel.Value, one.Release.Value))],
            [.. rollouts.Select(id => Standing(state, name, id))]);
    }

    /// <summary>How far a host is with a rollout, or what it waits for.</summary>
    public static HostRolloutInfo Standing(PlaneState state, HostName host, RolloutId id)
    {
        var waiting = PlaneMachine.Explain(state, host, id);
        if (waiting is Waiting.Standing(var mirror))
        {
            var info = MappingRollout.Of(mirror);
            return new(id.Value, info.State, info.Decided, info.Summary, mirror.Profile.Seq);
        }

        return new(id.Value, "waiting", Decided: false, Why(waiting), 0);
    }

    private static string Why(Waiting waiting) => waiting switch
    {
        Waiting.Standing => "it has it",
        Waiting.NotListed => "the manifest does not list this host",
        Waiting.Revoked => "the host is shut out; let it in again with a new token",
        Waiting.Superseded(var by) => $"{by} is newer",
        Waiting.Quarantined(var entry) => $"{entry.Host} rolled back from this release at {entry.At}; publish another one",
        Waiting.RolloutFailed(var host) => $"it went wrong on {host}, nobody else gets it",
        Waiting.Halted => "the channel is halted; `agent fleet resume` lets it go on",
        Waiting.WaveNotOpen(var wave, var open, var first) =>
            string.Create(CultureInfo.InvariantCulture, $"wave {wave} waits for wave {open}: {string.Join(", ", first)}"),
        Waiting.DeclinedByHost(var declined) => $"the host refused it ({declined.Code}): {declined.Detail}",
        Waiting.NeverSeen => "offered; the host was never heard, enrol it with `agent enroll`",
        Waiting.Offered(var heartbeat) => $"offered, the host has not answered; it was heard at {heartbeat}",
    };

    private static IEnumerable<FleetRollout> Newest(PlaneState state)
    {
        foreach (var channel in state.Channels.Values)
        {
            if (state.Rollouts.Find(channel.Newest).TryGet(out var rollout)) yield return rollout;
        }
    }

    private static string NameOf(FleetPhase phase) => phase switch
    {
        FleetPhase.Active => "active",
        FleetPhase.Converged => "converged",
        FleetPhase.Failed => "failed",
        FleetPhase.Reverted => "reverted",
        FleetPhase.Superseded => "superseded",
    };

    private static int? WaveOf(FleetPhase phase) => phase switch
    {
        FleetPhase.Active(var wave) => wave,
        FleetPhase.Converged or FleetPhase.Failed or FleetPhase.Reverted or FleetPhase.Superseded => null,
    };

    private static string Summary(PlaneState state, FleetRollout rollout) => rollout.Phase switch
    {
        FleetPhase.Active when IsHalted(state, rollout) => "halted by an operator, nothing of it is offered",
        FleetPhase.Active(var wave) => string.Create(
            CultureInfo.InvariantCulture,
            $"wave {wave} of {rollout.Waves.Count - 1} is open, {rollout.Waves.Sum(one => one.Done)} of {rollout.Order.Hosts.Count} hosts are done{Missing(state, rollout, wave)}"),
        FleetPhase.Converged(var at) => $"every host runs it, since {at}",
        FleetPhase.Failed(var at, var host) => $"it went wrong on {host} at {at}, nobody else gets it",
        FleetPhase.Reverted(var at, var host) => $"{host} rolled back at {at}; its release is in quarantine, publish another",
        FleetPhase.Superseded(_, var by) => $"{by} took its place",
    };

    private static bool IsHalted(PlaneState state, FleetRollout rollout) =>
        state.Channels.Find(rollout.Order.Channel).Exists(channel => channel.Halted);

    private static string Missing(PlaneState state, FleetRollout rollout, int wave)
    {
        if (wave < rollout.Waves.Count && rollout.Waves[wave].IsDone) return "";
        var missing = rollout.Order.Hosts.AsEnumerable().Where(row => row.Value.Wave <= wave && !IsDone(state, row.Key, rollout.Order.Id))
            .Select(row => row.Key.Value).Take(NamedHosts + 1).ToList();
        return missing.Count == 0 ? "" : $", it waits for {string.Join(", ", missing.Take(NamedHosts))}{(missing.Count > NamedHosts ? " …" : "")}";
    }

    private static bool IsDone(PlaneState state, HostName host, RolloutId id) =>
        state.Hosts.Find(host).Bind(one => one.Mirrors.Find(id))
            .Exists(mirror => mirror is RolloutState.Converged or RolloutState.Deferred or RolloutState.Superseded);
}
