using System.Collections.Generic;
using Agent.Core.Model;
using Agent.Core.Plane;
using Agent.Core.Rollout;
using LanguageExt;

namespace Agent.Shell.Journal.Codec;

/// <summary>The written form of what the plane knows of one host.</summary>
internal static class PlaneHostCodec
{
    public static JsonOut Write(JsonOut to, PlaneHost host)
    {
        to.Begin().Text("host"u8, host.Name.Value).Name("certificate"u8);
        to = host.Certificate.TryGet(out var certificate) ? Write(to, certificate) : to.NullValue();
        to.At("revokedAt"u8, host.RevokedAt).Name("report"u8);
        to = host.Report.TryGet(out var report) ? Write(to, report) : to.NullValue();
        to.BeginList("mirrors"u8);
        foreach (var mirror in host.Mirrors.Values) RolloutStateCodec.Write(to, mirror);
        to.EndList().BeginList("declined"u8);
        foreach (var (id, declined) in host.Declined.AsEnumerable())
        {
            to.Begin().Text("id"u8, id.Value).At("at"u8, declined.At).Text("code"u8, declined.Code)
                .Text("detail"u8, declined.Detail).End();
        }

        return to.EndList().End();
    }

    public static PlaneHost Read(ref JsonIn from)
    {
        from.Begin();
        var name = PlaneCodec.Host(ref from);
        from.Name("certificate"u8);
        var certificate = from.TakeNull() ? Option<Certificate>.None : ReadCertificate(ref from);
        var revokedAt = from.AtOrNone("revokedAt"u8);
        from.Name("report"u8);
        var report = from.TakeNull() ? Option<HostReport>.None : ReadReport(ref from);
        var mirrors = Map<OrdRolloutId, RolloutId, RolloutState>.Empty;
        from.BeginList("mirrors"u8);
        while (!from.AtListEnd)
        {
            var mirror = RolloutStateCodec.Read(ref from);
            mirrors = mirrors.AddOrUpdate(mirror.Profile.Order.Id, mirror);
        }

        from.EndList();
        var declined = Map<OrdRolloutId, RolloutId, Declined>.Empty;
        from.BeginList("declined"u8);
        while (!from.AtListEnd)
        {
            from.Begin();
            declined = declined.AddOrUpdate(RolloutOrderCodec.Id(ref from), new Declined(
                from.At("at"u8), from.Text("code"u8), from.Text("detail"u8)));
            from.End();
        }

        from.EndList();
        from.End();
        return new(name, certificate, revokedAt, report, mirrors, declined);
    }

    public static JsonOut Write(JsonOut to, Certificate certificate) => to.Begin().Text("serial"u8, certificate.Serial)
        .At("notBefore"u8, certificate.NotBefore).At("notAfter"u8, certificate.NotAfter).End();

    public static Certificate NamedCertificate(ref JsonIn from)
    {
        from.Name("certificate"u8);
        return ReadCertificate(ref from);
    }

    public static JsonOut Write(JsonOut to, HostReport report)
    {
        to.Begin().At("at"u8, report.At).Text("boot"u8, report.Boot.Value).Text("version"u8, report.Version)
            .BeginList("running"u8);
        foreach (var (channel, release) in report.Running)
        {
            to.Begin().Text("channel"u8, channel.Value).Text("release"u8, release.Value).End();
        }

        to.EndList().BeginList("rollouts"u8);
        foreach (var (id, seq) in report.Rollouts) to.Begin().Text("id"u8, id.Value).Number("seq"u8, seq).End();
        return to.EndList().End();
    }

    public static HostReport NamedReport(ref JsonIn from)
    {
        from.Name("report"u8);
        return ReadReport(ref from);
    }

    private static Certificate ReadCertificate(ref JsonIn from)
    {
        from.Begin();
        var certificate = new Certificate(from.Text("serial"u8), from.At("notBefore"u8), from.At("notAfter"u8));
        from.End();
        return certificate;
    }

    private static HostReport ReadReport(ref JsonIn from)
    {
        from.Begin();
        var (at, boot, version) = (from.At("at"u8), new BootId(from.Text("boot"u8)), from.Text("version"u8));
        var running = new List<RunningRelease>();
        from.BeginList("running"u8);
        while (!from.AtListEnd)
        {
            from.Begin();
            running.Add(new(
                PlaneCodec.Channel(ref from), RolloutOrderCodec.Release(ref from, from.Text("release"u8))));
            from.End();
        }

        from.EndList();
        var marks = new List<RolloutMark>();
        from.BeginList("rollouts"u8);
        while (!from.AtListEnd)
        {
            from.Begin();
            marks.Add(new(RolloutOrderCodec.Id(ref from), from.Number("seq"u8)));
            from.End();
        }

        from.EndList();
        from.End();
        return new(at, boot, version, running.ToArray().ToSeq(), marks.ToArray().ToSeq());
    }
}
