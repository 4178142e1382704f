using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Core.Time;
using LanguageExt;
using State = Agent.Core.Process.ProcessState;

namespace Agent.Shell.Journal.Codec;

/// <summary>The written form of the process machine's states, for snapshots and digests.</summary>
internal static class ProcessStateCodec
{
    public static JsonOut Write(JsonOut to, State state) => state switch
    {
        State.Waiting s => Profile(to.Begin("waiting"u8), s.Profile).End(),
        State.Starting s => Plan(Profile(to.Begin("starting"u8), s.Profile), s.Pending).End(),
        State.Running s => ProcessCodec.Write(Profile(to.Begin("running"u8), s.Profile).Name("identity"u8), s.Identity)
            .At("since"u8, s.Since).At("touchedAt"u8, s.TouchedAt).Flag("adopted"u8, s.Adopted).Awaited(s.ReadyBy).End(),
        State.Stopping s => Plan(
            ProcessCodec.Write(Profile(to.Begin("stopping"u8), s.Profile).Name("identity"u8), s.Identity), s.Plan)
            .At("killAt"u8, s.KillAt).End(),
        State.Backoff s => ExitCodec.Write(Profile(to.Begin("backoff"u8), s.Profile).Name("last"u8), s.Last)
            .At("until"u8, s.Until).End(),
        State.Exited s => ExitCodec.Write(Profile(to.Begin("exited"u8), s.Profile).Name("exit"u8), s.Exit)
            .At("at"u8, s.At).At("reapAt"u8, s.ReapAt).End(),
        State.Reaped s => Profile(to.Begin("reaped"u8), s.Profile).Text("reason"u8, Names.Of(s.Reason)).End(),
    };

    public static State Read(ref JsonIn from)
    {
        var type = from.BeginTyped();
        var profile = Profile(ref from);
        State state = type switch
        {
            "waiting" => new State.Waiting(profile),
            "starting" => new State.Starting(profile, Plan(ref from)),
            "running" => new State.Running(
                profile, ProcessCodec.NamedIdentity(ref from), from.At("since"u8), from.At("touchedAt"u8),
                from.Flag("adopted"u8),
                from.AtName("readyBy"u8) ? from.At("readyBy"u8) : Option<Instant>.None),
            "stopping" => new State.Stopping(
                profile, ProcessCodec.NamedIdentity(ref from), RequiredPlan(ref from), from.At("killAt"u8)),
            "backoff" => new State.Backoff(profile, NamedExit(ref from, "last"u8), from.At("until"u8)),
            "exited" => new State.Exited(
                profile, NamedExit(ref from, "exit"u8), from.At("at"u8), from.AtOrNone("reapAt"u8)),
            "reaped" => new State.Reaped(profile, Names.Reap(from.Text("reason"u8))),
            _ => throw new UnknownRecordException($"process state \"{type}\"", from.Consumed),
        };
        from.End();
        return state;
    }

    /// <summary>Written only while it is awaited: journals from before there was readiness keep their digests.</summary>
    private static JsonOut Awaited(this JsonOut to, Option<Instant> readyBy) => readyBy.IsSome ? to.At("readyBy"u8, readyBy) : to;

    private static JsonOut Profile(JsonOut to, ProcessProfile profile) =>
        SpecCodec.Write(to.Text("id"u8, profile.Id.Value).Name("spec"u8), profile.Spec)
            .At("createdAt"u8, profile.CreatedAt).Number("generation"u8, profile.Generation)
            .Tally(profile.Tally);

    private static ProcessProfile Profile(ref JsonIn from)
    {
        var id = ProcessCodec.Id(ref from);
        var spec = SpecCodec.Named(ref from);
        var createdAt = from.At("createdAt"u8);
        return new(id, spec, createdAt, from.Int("generation"u8), from.Tally());
    }

    private static JsonOut Plan(JsonOut to, Option<StopPlan> plan) => plan.TryGet(out var stop)
        ? to.Name("plan"u8).Begin().Text("reason"u8, Names.Of(stop.Reason)).Text("then"u8, Names.Of(stop.Then))
            .Span("graceMs"u8, stop.Grace).End()
        : to.Null("plan"u8);

    private static Option<StopPlan> Plan(ref JsonIn from)
    {
        from.Name("plan"u8);
        if (from.TakeNull()) return Option<StopPlan>.None;
        from.Begin();
        var plan = new StopPlan(
            Names.Reason(from.Text("reason"u8)), Names.After(from.Text("then"u8)), from.Span("graceMs"u8));
        from.End();
        return plan;
    }

    private static StopPlan RequiredPlan(ref JsonIn from) => Plan(ref from).TryGet(out var plan)
        ? plan
        : throw new UnknownRecordException("a stopping process has a plan", from.Consumed);

    private static ProcessExit NamedExit(ref JsonIn from, System.ReadOnlySpan<byte> name)
    {
        from.Name(name);
        return ExitCodec.ReadExit(ref from);
    }
}
