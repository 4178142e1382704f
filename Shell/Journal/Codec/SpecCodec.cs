using Agent.Core.Model;
using Agent.Core.Process;
using LanguageExt;

namespace Agent.Shell.Journal.Codec;

/// <summary>
/// The written form of what was asked to run. What came to it later is written only where it is set, so that older
/// journals keep their digests.
/// </summary>
internal static class SpecCodec
{
    public static JsonOut Write(JsonOut to, ProcessSpec spec)
    {
        to.Begin()
            .Text("kind"u8, Names.Of(spec.Kind)).Number("owner"u8, spec.Owner.Uid).Text("label"u8, spec.Label)
            .Texts("command"u8, spec.Command).Text("cwd"u8, spec.WorkingDirectory).Text("user"u8, spec.User)
            .Text("environmentDigest"u8, spec.EnvironmentDigest).Text("stdin"u8, Names.Of(spec.Stdin))
            .Text("overflow"u8, Names.Of(spec.Overflow)).Number("ringBytes"u8, spec.RingBytes)
            .Span("maxLifetimeMs"u8, spec.MaxLifetime).Span("idleTimeoutMs"u8, spec.IdleTimeout)
            .Span("exitRetentionMs"u8, spec.ExitRetention).Number("stopSignal"u8, (int)spec.StopSignal)
            .Span("graceMs"u8, spec.Grace).Text("restart"u8, Names.Of(spec.Restart)).Texts("after"u8, spec.After);
        if (!spec.AfterStarted.IsEmpty) to.Texts("afterStarted"u8, spec.AfterStarted);
        if (spec.Ready.TryGet(out var ready)) Write(to.Name("ready"u8), ready);
        if (!spec.Limits.IsNone) Write(to.Name("limits"u8), spec.Limits);
        return to.End();
    }

    public static ProcessSpec Named(ref JsonIn from)
    {
        from.Name("spec"u8);
        from.Begin();
        var spec = new ProcessSpec(
            Names.Kind(from.Text("kind"u8)), new Principal(checked((uint)from.Number("owner"u8))), from.Text("label"u8),
            from.Texts("command"u8), from.TextOrNone("cwd"u8), from.TextOrNone("user"u8),
            from.Text("environmentDigest"u8), Names.Stdin(from.Text("stdin"u8)),
            Names.Overflow(from.Text("overflow"u8)), from.Int("ringBytes"u8), from.SpanOrNone("maxLifetimeMs"u8),
            from.SpanOrNone("idleTimeoutMs"u8), from.Span("exitRetentionMs"u8), (Signal)from.Int("stopSignal"u8),
            from.Span("graceMs"u8), Names.Policy(from.Text("restart"u8)), from.Texts("after"u8))
        {
            AfterStarted = from.AtName("afterStarted"u8) ? from.Texts("afterStarted"u8) : Seq<string>.Empty,
            Ready = from.TakeName("ready"u8) ? ReadReadiness(ref from) : Option<Readiness>.None,
            Limits = from.TakeName("limits"u8) ? ReadLimits(ref from) : ProcessLimits.None,
        };
        from.End();
        return spec;
    }

    private static JsonOut Write(JsonOut to, Readiness ready)
    {
        to.Begin().Span("everyMs"u8, ready.Every).Span("withinMs"u8, ready.Within).Name("check"u8);
        _ = ready.Check switch
        {
            ReadyCheck.Notify => to.Begin("notify"u8),
            ReadyCheck.Http(var address, var status) => to.Begin("http"u8).Text("address"u8, address).Number("status"u8, status),
            ReadyCheck.Tcp(var host, var port) => to.Begin("tcp"u8).Text("host"u8, host).Number("port"u8, port),
            ReadyCheck.Exec(var command) => to.Begin("exec"u8).Texts("command"u8, command),
        };
        return to.End().End();
    }

    private static Readiness ReadReadiness(ref JsonIn from)
    {
        from.Begin();
        var (every, within) = (from.Span("everyMs"u8), from.Span("withinMs"u8));
        from.Name("check"u8);
        var type = from.BeginTyped();
        ReadyCheck check = type switch
        {
            "notify" => new ReadyCheck.Notify(),
            "http" => new ReadyCheck.Http(from.Text("address"u8), from.Int("status"u8)),
            "tcp" => new ReadyCheck.Tcp(from.Text("host"u8), from.Int("port"u8)),
            "exec" => new ReadyCheck.Exec(from.Texts("command"u8)),
            _ => throw new UnknownRecordException($"readiness \"{type}\"", from.Consumed),
        };
        from.End();
        from.End();
        return new(check, every, within);
    }

    private static JsonOut Write(JsonOut to, ProcessLimits limits)
    {
        to.Begin();
        if (limits.MemoryBytes.TryGet(out var bytes)) to.Number("memoryBytes"u8, bytes);
        if (limits.CpuThousandths.TryGet(out var cpu)) to.Number("cpuThousandths"u8, cpu);
        if (limits.Pids.TryGet(out var pids)) to.Number("pids"u8, pids);
        if (limits.OpenFiles.TryGet(out var files)) to.Number("openFiles"u8, files);
        return to.End();
    }

    private static ProcessLimits ReadLimits(ref JsonIn from)
    {
        from.Begin();
        var limits = new ProcessLimits(
            from.AtName("memoryBytes"u8) ? from.Number("memoryBytes"u8) : Option<long>.None,
            from.AtName("cpuThousandths"u8) ? from.Int("cpuThousandths"u8) : Option<int>.None,
            from.AtName("pids"u8) ? from.Int("pids"u8) : Option<int>.None,
            from.AtName("openFiles"u8) ? from.Int("openFiles"u8) : Option<int>.None);
        from.End();
        return limits;
    }
}
