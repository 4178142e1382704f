using System;
using System.Collections.Generic;
using Agent.Core.Model;
using Agent.Core.Plane;
using LanguageExt;

namespace Agent.Shell.Journal.Codec;

/// <summary>The written form of what a manifest asks of a fleet.</summary>
internal static class FleetOrderCodec
{
    public static JsonOut Write(JsonOut to, FleetOrder order)
    {
        to.Begin().Text("id"u8, order.Id.Value).Number("version"u8, order.Version)
            .Text("activator"u8, Names.Of(order.Activator));
        RolloutOrderCodec.Judgement(to, order.Policy, order.Probes).BeginList("waves"u8);
        foreach (var soak in order.WaveSoaks) to.Begin().Span("soakMs"u8, soak).End();
        to.EndList().BeginList("hosts"u8);
        foreach (var (host, row) in order.Hosts.AsEnumerable())
        {
            to.Begin().Text("host"u8, host.Value).Text("target"u8, row.Target.Value).Number("wave"u8, row.Wave).End();
        }

        return to.EndList().End();
    }

    public static FleetOrder Named(ref JsonIn from)
    {
        from.Name("order"u8);
        from.Begin();
        var (id, version) = (RolloutOrderCodec.Id(ref from), from.Number("version"u8));
        var activator = Names.Activator(from.Text("activator"u8));
        var (policy, probes) = RolloutOrderCodec.Judgement(ref from);
        var soaks = new List<Option<TimeSpan>>();
        from.BeginList("waves"u8);
        while (!from.AtListEnd)
        {
            from.Begin();
            soaks.Add(from.SpanOrNone("soakMs"u8));
            from.End();
        }

        from.EndList();
        var hosts = Map<OrdHostName, HostName, HostRow>.Empty;
        from.BeginList("hosts"u8);
        while (!from.AtListEnd)
        {
            from.Begin();
            hosts = hosts.AddOrUpdate(PlaneCodec.Host(ref from), new HostRow(
                RolloutOrderCodec.Release(ref from, from.Text("target"u8)), from.Int("wave"u8)));
            from.End();
        }

        from.EndList();
        from.End();
        return new(id, version, activator, policy, probes, soaks.ToArray().ToSeq(), hosts);
    }
}
