using System.Collections.Generic;
using Agent.Core.Model;
using Agent.Core.Rollout;
using LanguageExt;

namespace Agent.Shell.Journal.Codec;

/// <summary>The written form of what a manifest asks of this host, and of the probes in it.</summary>
internal static class RolloutOrderCodec
{
    public static JsonOut Write(JsonOut to, RolloutOrder order)
    {
        to.Begin().Text("id"u8, order.Id.Value).Number("version"u8, order.Version)
            .Text("activator"u8, Names.Of(order.Activator)).Text("target"u8, order.Target.Value);
        return Judgement(to, order.Policy, order.Probes).End();
    }

    /// <summary>The two fields that say how a rollout is judged, for one host and for a fleet alike.</summary>
    public static JsonOut Judgement(JsonOut to, RolloutPolicy policy, Seq<ProbeSpec> probes)
    {
        to.Name("policy"u8).Begin().Span("soakMs"u8, policy.Soak)
            .Span("failureThresholdMs"u8, policy.FailureThreshold).Text("onFailure"u8, Names.Of(policy.OnFailure))
            .Text("onInconclusive"u8, Names.Of(policy.OnInconclusive)).Span("verdictWithinMs"u8, policy.VerdictWithin)
            .Span("switchTimeoutMs"u8, policy.SwitchTimeout).Flag("unattended"u8, policy.Unattended).End()
            .BeginList("probes"u8);
        foreach (var probe in probes) Write(to, probe);
        return to.EndList();
    }

    public static RolloutOrder NamedOrder(ref JsonIn from)
    {
        from.Name("order"u8);
        return Read(ref from);
    }

    public static RolloutOrder Read(ref JsonIn from)
    {
        from.Begin();
        var id = Id(ref from);
        var version = from.Number("version"u8);
        var activator = Names.Activator(from.Text("activator"u8));
        var target = Release(ref from, from.Text("target"u8));
        var (policy, probes) = Judgement(ref from);
        from.End();
        return new(id, version, activator, target, policy, probes);
    }

    public static (RolloutPolicy Policy, Seq<ProbeSpec> Probes) Judgement(ref JsonIn from)
    {
        var policy = Policy(ref from);
        var probes = new List<ProbeSpec>();
        from.BeginList("probes"u8);
        while (!from.AtListEnd) probes.Add(Probe(ref from));
        from.EndList();
        return (policy, probes.ToArray().ToSeq());
    }

    public static RolloutId Id(ref JsonIn from) => Id(ref from, "id"u8);

    public static RolloutId Id(ref JsonIn from, System.ReadOnlySpan<byte> name)
    {
        var text = from.Text(name);
        return RolloutId.Parse(text).TryGet(out var id)
            ? id
            : throw new UnknownRecordException($"\"{text}\" is no rollout id", from.Consumed);
    }

    public static ReleaseId Release(ref JsonIn from, string text) => ReleaseId.Parse(text).TryGet(out var release)
        ? release
        : throw new UnknownRecordException($"\"{text}\" is no release", from.Consumed);

    public static Option<ReleaseId> ReleaseOrNone(ref JsonIn from, System.ReadOnlySpan<byte> name) =>
        from.TextOrNone(name).TryGet(out var text) ? Release(ref from, text) : Option<ReleaseId>.None;

    public static ProbeName Name(ref JsonIn from, string text) => ProbeName.Parse(text).TryGet(out var name)
        ? name
        : throw new UnknownRecordException($"\"{text}\" is no probe's name", from.Consumed);

    public static JsonOut Write(JsonOut to, ProbeSpec probe) => Write(
        to.Begin().Text("name"u8, probe.Name.Value).Text("mode"u8, Names.Of(probe.Mode))
            .Span("intervalMs"u8, probe.Interval).Span("timeoutMs"u8, probe.Timeout)
            .Span("initialDelayMs"u8, probe.InitialDelay).Number("successThreshold"u8, probe.SuccessThreshold)
            .Number("failureThreshold"u8, probe.FailureThreshold).Name("check"u8),
        probe.Check).End();

    public static ProbeSpec Probe(ref JsonIn from)
    {
        from.Begin();
        var probe = new ProbeSpec(
            Name(ref from, from.Text("name"u8)), Names.Mode(from.Text("mode"u8)), from.Span("intervalMs"u8),
            from.Span("timeoutMs"u8), from.Span("initialDelayMs"u8), from.Int("successThreshold"u8),
            from.Int("failureThreshold"u8), NamedCheck(ref from));
        from.End();
        return probe;
    }

    private static JsonOut Write(JsonOut to, ProbeCheck check) => check switch
    {
        ProbeCheck.Http c => to.Begin("http"u8).Text("address"u8, c.Address).Number("status"u8, c.Status)
            .Text("contains"u8, c.Contains).End(),
        ProbeCheck.Tcp c => to.Begin("tcp"u8).Text("host"u8, c.Host).Number("port"u8, c.Port).End(),
        ProbeCheck.Exec c => to.Begin("exec"u8).Texts("command"u8, c.Command).End(),
        ProbeCheck.Process c => to.Begin("process"u8).Text("service"u8, c.Service).End(),
        ProbeCheck.Runtime => to.Begin("runtime"u8).End(),
        ProbeCheck.Container c => to.Begin("container"u8).Text("name"u8, c.Name).End(),
        ProbeCheck.Evidence c => Controls(
            to.Begin("evidence"u8).Text("path"u8, c.Path).Text("framework"u8, c.Framework), c.Controls)
            .Span("maxAgeMs"u8, c.MaxAge).End(),
    };

    private static ProbeCheck NamedCheck(ref JsonIn from)
    {
        from.Name("check"u8);
        var type = from.BeginTyped();
        ProbeCheck check = type switch
        {
            "http" => new ProbeCheck.Http(from.Text("address"u8), from.Int("status"u8), from.TextOrNone("contains"u8)),
            "tcp" => new ProbeCheck.Tcp(from.Text("host"u8), from.Int("port"u8)),
            "exec" => new ProbeCheck.Exec(from.Texts("command"u8)),
            "process" => new ProbeCheck.Process(from.Text("service"u8)),
            "runtime" => new ProbeCheck.Runtime(),
            "container" => new ProbeCheck.Container(from.Text("name"u8)),
            "evidence" => new ProbeCheck.Evidence(
                from.Text("path"u8), from.TextOrNone("framework"u8), Controls(ref from), from.Span("maxAgeMs"u8)),
            _ => throw new UnknownRecordException($"probe check \"{type}\"", from.Consumed),
        };
        from.End();
        return check;
    }

    private static JsonOut Controls(JsonOut to, Seq<EvidenceControl> controls)
    {
        to.BeginList("controls"u8);
        foreach (var control in controls)
        {
            to.Begin().Text("id"u8, control.Id).Text("mode"u8, Names.Of(control.Mode))
                .Text("reason"u8, control.Reason).End();
        }

        return to.EndList();
    }

    private static Seq<EvidenceControl> Controls(ref JsonIn from)
    {
        var controls = new List<EvidenceControl>();
        from.BeginList("controls"u8);
        while (!from.AtListEnd)
        {
            from.Begin();
            controls.Add(new(from.Text("id"u8), Names.Mode(from.Text("mode"u8)), from.TextOrNone("reason"u8)));
            from.End();
        }

        from.EndList();
        return controls.ToArray().ToSeq();
    }

    private static RolloutPolicy Policy(ref JsonIn from)
    {
        from.Name("policy"u8);
        from.Begin();
        var policy = new RolloutPolicy(
            from.Span("soakMs"u8), from.Span("failureThresholdMs"u8), Names.Failure(from.Text("onFailure"u8)),
            Names.Failure(from.Text("onInconclusive"u8)), from.Span("verdictWithinMs"u8),
            from.Span("switchTimeoutMs"u8), from.Flag("unattended"u8));
        from.End();
        return policy;
    }
}
