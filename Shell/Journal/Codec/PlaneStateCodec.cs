using System.Collections.Generic;
using Agent.Core.Model;
using Agent.Core.Plane;
using LanguageExt;

namespace Agent.Shell.Journal.Codec;

/// <summary>The written form of the plane's state. Its first field tells it from a host's.</summary>
internal static class PlaneStateCodec
{
    public static JsonOut Write(JsonOut to, PlaneState state)
    {
        to.Begin().BeginList("hosts"u8);
        foreach (var host in state.Hosts.Values) PlaneHostCodec.Write(to, host);
        to.EndList().BeginList("rollouts"u8);
        foreach (var rollout in state.Rollouts.Values) Write(to, rollout);
        to.EndList().BeginList("channels"u8);
        foreach (var (name, channel) in state.Channels.AsEnumerable()) Write(to, name, channel);
        to.EndList().BeginList("tokens"u8);
        foreach (var (id, token) in state.Tokens.AsEnumerable())
        {
            to.Begin().Text("token"u8, id.Value).Text("host"u8, token.Host.Value).At("expires"u8, token.Expires)
                .Text("spentBy"u8, token.SpentBy).End();
        }

        return to.EndList().At("due"u8, state.Due).End();
    }

    public static PlaneState Read(ref JsonIn from)
    {
        var state = PlaneState.Initial;
        from.Begin();
        from.BeginList("hosts"u8);
        while (!from.AtListEnd)
        {
            var host = PlaneHostCodec.Read(ref from);
            state = state with { Hosts = state.Hosts.AddOrUpdate(host.Name, host) };
        }

        from.EndList();
        from.BeginList("rollouts"u8);
        while (!from.AtListEnd)
        {
            var rollout = ReadRollout(ref from);
            state = state with { Rollouts = state.Rollouts.AddOrUpdate(rollout.Order.Id, rollout) };
        }

        from.EndList();
        from.BeginList("channels"u8);
        while (!from.AtListEnd)
        {
            var (name, channel) = ReadChannel(ref from);
            state = state with { Channels = state.Channels.AddOrUpdate(name, channel) };
        }

        from.EndList();
        from.BeginList("tokens"u8);
        while (!from.AtListEnd)
        {
            from.Begin();
            state = state with
            {
                Tokens = state.Tokens.AddOrUpdate(PlaneCodec.Token(ref from), new EnrolmentToken(
                    PlaneCodec.Host(ref from), from.At("expires"u8), from.TextOrNone("spentBy"u8))),
            };
            from.End();
        }

        from.EndList();
        state = state with { Due = from.AtOrNone("due"u8) };
        from.End();
        return state;
    }

    public static JsonOut Write(JsonOut to, FleetPhase phase) => phase switch
    {
        FleetPhase.Active p => to.Begin("active"u8).Number("wave"u8, p.Wave).End(),
        FleetPhase.Converged p => to.Begin("converged"u8).At("at"u8, p.At).End(),
        FleetPhase.Failed p => to.Begin("failed"u8).At("at"u8, p.At).Text("host"u8, p.Host.Value).End(),
        FleetPhase.Reverted p => to.Begin("reverted"u8).At("at"u8, p.At).Text("host"u8, p.Host.Value).End(),
        FleetPhase.Superseded p => to.Begin("superseded"u8).At("at"u8, p.At).Text("by"u8, p.By.Value).End(),
    };

    private static FleetPhase ReadPhase(ref JsonIn from)
    {
        var type = from.BeginTyped();
        FleetPhase phase = type switch
        {
            "active" => new FleetPhase.Active(from.Int("wave"u8)),
            "converged" => new FleetPhase.Converged(from.At("at"u8)),
            "failed" => new FleetPhase.Failed(from.At("at"u8), PlaneCodec.Host(ref from)),
            "reverted" => new FleetPhase.Reverted(from.At("at"u8), PlaneCodec.Host(ref from)),
            "superseded" => new FleetPhase.Superseded(from.At("at"u8), RolloutOrderCodec.Id(ref from, "by"u8)),
            _ => throw new UnknownRecordException($"fleet state \"{type}\"", from.Consumed),
        };
        from.End();
        return phase;
    }

    private static void Write(JsonOut to, FleetRollout rollout)
    {
        FleetOrderCodec.Write(to.Begin().Name("order"u8), rollout.Order)
            .At("publishedAt"u8, rollout.PublishedAt).Name("phase"u8);
        Write(to, rollout.Phase).BeginList("waves"u8);
        foreach (var wave in rollout.Waves)
        {
            to.Begin().Number("hosts"u8, wave.Hosts).Number("done"u8, wave.Done).Number("failed"u8, wave.Failed)
                .Number("reverted"u8, wave.Reverted).Number("deferred"u8, wave.Deferred).End();
        }

        to.EndList().End();
    }

    private static FleetRollout ReadRollout(ref JsonIn from)
    {
        from.Begin();
        var (order, publishedAt) = (FleetOrderCodec.Named(ref from), from.At("publishedAt"u8));
        from.Name("phase"u8);
        var phase = ReadPhase(ref from);
        var waves = new List<WaveTally>();
        from.BeginList("waves"u8);
        while (!from.AtListEnd)
        {
            from.Begin();
            waves.Add(new(
                from.Int("hosts"u8), from.Int("done"u8), from.Int("failed"u8), from.Int("reverted"u8),
                from.Int("deferred"u8)));
            from.End();
        }

        from.EndList();
        from.End();
        return new(order, publishedAt, phase, waves.ToArray().ToSeq());
    }

    private static void Write(JsonOut to, ChannelName name, PlaneChannel channel)
    {
        to.Begin().Text("channel"u8, name.Value).Number("floor"u8, channel.Floor)
            .Text("newest"u8, channel.Newest.Value).Flag("halted"u8, channel.Halted).BeginList("quarantine"u8);
        foreach (var (release, entry) in channel.Quarantine.AsEnumerable())
        {
            to.Begin().Text("release"u8, release.Value).At("at"u8, entry.At).Text("rollout"u8, entry.Rollout.Value)
                .Text("host"u8, entry.Host.Value).End();
        }

        to.EndList().End();
    }

    private static (ChannelName Name, PlaneChannel Channel) ReadChannel(ref JsonIn from)
    {
        from.Begin();
        var (name, floor) = (PlaneCodec.Channel(ref from), from.Number("floor"u8));
        var (newest, halted) = (RolloutOrderCodec.Id(ref from, "newest"u8), from.Flag("halted"u8));
        var quarantine = Map<OrdReleaseId, ReleaseId, Quarantine>.Empty;
        from.BeginList("quarantine"u8);
        while (!from.AtListEnd)
        {
            from.Begin();
            quarantine = quarantine.AddOrUpdate(
                RolloutOrderCodec.Release(ref from, from.Text("release"u8)),
                new Quarantine(from.At("at"u8), RolloutOrderCodec.Id(ref from, "rollout"u8), PlaneCodec.Host(ref from)));
            from.End();
        }

        from.EndList();
        from.End();
        return (name, new(floor, newest, halted, quarantine));
    }
}
