using Agent.Core.Model;
using Agent.Core.Process;
using LanguageExt;
using Effect = Agent.Core.Process.ProcessEffect;
using Event = Agent.Core.Process.ProcessEvent;

namespace Agent.Shell.Journal.Codec;

/// <summary>The written form of the process machine's events and effects.</summary>
internal static class ProcessCodec
{
    public static JsonOut Write(JsonOut to, Event @event) => @event switch
    {
        Event.SpawnCompleted e => Write(
            to.Begin("spawnCompleted"u8).Number("generation"u8, e.Generation).Name("identity"u8), e.Identity).End(),
        Event.SpawnFailed e => to.Begin("spawnFailed"u8).Number("generation"u8, e.Generation).Text("code"u8, e.Code)
            .Text("detail"u8, e.Detail).End(),
        Event.ExitObserved e => ExitCodec.Write(
            to.Begin("exitObserved"u8).Number("generation"u8, e.Generation).Name("status"u8), e.Status)
            .Span("cpuMs"u8, e.Cpu).Number("peakMemoryBytes"u8, e.PeakMemoryBytes).Texts("logTail"u8, e.LogTail).End(),
        Event.DependenciesMet => to.Begin("dependenciesMet"u8).End(),
        Event.BecameReady e => to.Begin("becameReady"u8).Number("generation"u8, e.Generation).End(),
        Event.StopRequested e => to.Begin("stopRequested"u8).Span("graceMs"u8, e.Grace).End(),
        Event.ShutdownRequested => to.Begin("shutdownRequested"u8).End(),
        Event.StartRequested => to.Begin("startRequested"u8).End(),
        Event.RestartRequested => to.Begin("restartRequested"u8).End(),
        Event.SignalRequested e => to.Begin("signalRequested"u8).Number("signal"u8, (int)e.Signal).End(),
        Event.Touched => to.Begin("touched"u8).End(),
        Event.ReleaseRequested => to.Begin("releaseRequested"u8).End(),
        Event.Redeclared e => SpecCodec.Write(to.Begin("redeclared"u8).Name("spec"u8), e.Spec).End(),
        Event.Withdrawn => to.Begin("withdrawn"u8).End(),
        Event.Recovered e => Write(to.Begin("recovered"u8).Name("observation"u8), e.Observation).End(),
        Event.DeadlineReached => to.Begin("deadlineReached"u8).End(),
    };

    public static Event ReadEvent(ref JsonIn from)
    {
        var type = from.BeginTyped();
        Event @event = type switch
        {
            "spawnCompleted" => new Event.SpawnCompleted(from.Int("generation"u8), NamedIdentity(ref from)),
            "spawnFailed" => new Event.SpawnFailed(
                from.Int("generation"u8), from.Text("code"u8), from.Text("detail"u8)),
            "exitObserved" => new Event.ExitObserved(
                from.Int("generation"u8), ExitCodec.NamedStatus(ref from), from.Span("cpuMs"u8),
                from.Number("peakMemoryBytes"u8), from.Texts("logTail"u8)),
            "dependenciesMet" => new Event.DependenciesMet(),
            "stopRequested" => new Event.StopRequested(from.SpanOrNone("graceMs"u8)),
            "becameReady" => new Event.BecameReady(from.Int("generation"u8)),
            "shutdownRequested" => new Event.ShutdownRequested(),
            "startRequested" => new Event.StartRequested(),
            "restartRequested" => new Event.RestartRequested(),
            "signalRequested" => new Event.SignalRequested((Signal)from.Int("signal"u8)),
            "touched" => new Event.Touched(),
            "releaseRequested" => new Event.ReleaseRequested(),
            "redeclared" => new Event.Redeclared(SpecCodec.Named(ref from)),
            "withdrawn" => new Event.Withdrawn(),
            "recovered" => new Event.Recovered(NamedObservation(ref from)),
            "deadlineReached" => new Event.DeadlineReached(),
            _ => throw new UnknownRecordException($"process event \"{type}\"", from.Consumed),
        };
        from.End();
        return @event;
    }

    public static JsonOut Write(JsonOut to, Effect effect) => effect switch
    {
        Effect.Spawn e => SpecCodec.Write(Named(to.Begin("spawn"u8), e.Id, e.Generation).Name("spec"u8), e.Spec).End(),
        Effect.Adopt e => SpecCodec.Write(Named(to.Begin("adopt"u8), e.Id, e.Generation).Name("spec"u8), e.Spec).End(),
        Effect.SendSignal e => Named(to.Begin("sendSignal"u8), e.Id, e.Generation)
            .Number("signal"u8, (int)e.Signal).End(),
        Effect.KillTree e => Named(to.Begin("killTree"u8), e.Id, e.Generation).End(),
        Effect.Forget e => Named(to.Begin("forget"u8), e.Id, e.Generation).End(),
        Effect.CloseOutput e => to.Begin("closeOutput"u8).Text("id"u8, e.Id.Value).End(),
        Effect.Reap e => to.Begin("reap"u8).Text("id"u8, e.Id.Value).Text("reason"u8, Names.Of(e.Reason)).End(),
        Effect.Reject e => to.Begin("processReject"u8).Text("code"u8, Names.Of(e.Code)).Text("reason"u8, e.Reason).End(),
    };

    public static JsonOut Write(JsonOut to, Observation observation) => observation switch
    {
        Observation.Alive(var identity) => Write(to.Begin("alive"u8).Name("identity"u8), identity).End(),
        Observation.Ended e => ExitCodec.Write(to.Begin("ended"u8).Name("status"u8), e.Status)
            .Span("cpuMs"u8, e.Cpu).Number("peakMemoryBytes"u8, e.PeakMemoryBytes).Texts("logTail"u8, e.LogTail).End(),
        Observation.Absent => to.Begin("absent"u8).End(),
    };

    public static Observation NamedObservation(ref JsonIn from)
    {
        from.Name("observation"u8);
        var type = from.BeginTyped();
        Observation observation = type switch
        {
            "alive" => new Observation.Alive(NamedIdentity(ref from)),
            "ended" => new Observation.Ended(
                ExitCodec.NamedStatus(ref from), from.Span("cpuMs"u8), from.Number("peakMemoryBytes"u8),
                from.Texts("logTail"u8)),
            "absent" => new Observation.Absent(),
            _ => throw new UnknownRecordException($"observation \"{type}\"", from.Consumed),
        };
        from.End();
        return observation;
    }

    public static JsonOut Write(JsonOut to, ProcessIdentity identity) => to.Begin().Number("pid"u8, identity.Pid)
        .Number("startTime"u8, identity.StartTime).Text("boot"u8, identity.Boot.Value).End();

    public static ProcessIdentity NamedIdentity(ref JsonIn from)
    {
        from.Name("identity"u8);
        from.Begin();
        var identity = new ProcessIdentity(
            from.Int("pid"u8), from.Number("startTime"u8), new BootId(from.Text("boot"u8)));
        from.End();
        return identity;
    }

    public static ProcessId Id(ref JsonIn from)
    {
        var text = from.Text("id"u8);
        return ProcessId.Parse(text).TryGet(out var id)
            ? id
            : throw new UnknownRecordException($"\"{text}\" is no process id", from.Consumed);
    }

    private static JsonOut Named(JsonOut to, ProcessId id, int generation) =>
        to.Text("id"u8, id.Value).Number("generation"u8, generation);
}
