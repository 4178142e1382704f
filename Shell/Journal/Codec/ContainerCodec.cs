using Agent.Core.Container;
using Agent.Core.Model;
using LanguageExt;
using Effect = Agent.Core.Container.ContainerEffect;
using Event = Agent.Core.Container.ContainerEvent;

namespace Agent.Shell.Journal.Codec;

/// <summary>The written form of what happens to containers and of what their engine is asked for.</summary>
internal static class ContainerCodec
{
    public static JsonOut Write(JsonOut to, Event @event) => @event switch
    {
        Event.Declared e => Write(to.Begin("declared"u8).Name("spec"u8), e.Spec).Flag("install"u8, e.Install).End(),
        Event.Withdrawn e => to.Begin("withdrawn"u8).Flag("remove"u8, e.Remove).End(),
        Event.Observed e => to.Begin("observed"u8).Number("pass"u8, e.Pass).Optional("found"u8, e.Found, Write).End(),
        Event.StartRequested => to.Begin("startRequested"u8).End(),
        Event.StopRequested => to.Begin("stopRequested"u8).End(),
        Event.RemoveRequested => to.Begin("removeRequested"u8).End(),
        Event.PullCompleted e => to.Begin("pullCompleted"u8).Number("call"u8, e.Call).End(),
        Event.PullFailed e => Failed(to.Begin("pullFailed"u8), e.Call, e.Reason),
        Event.CreateCompleted e => to.Begin("createCompleted"u8).Number("call"u8, e.Call).Text("engineId"u8, e.EngineId).End(),
        Event.CreateFailed e => Failed(to.Begin("createFailed"u8), e.Call, e.Reason),
        Event.StartCompleted e => to.Begin("startCompleted"u8).Number("call"u8, e.Call).End(),
        Event.StartFailed e => Failed(to.Begin("startFailed"u8), e.Call, e.Reason),
        Event.StopCompleted e => to.Begin("stopCompleted"u8).Number("call"u8, e.Call).End(),
        Event.StopFailed e => Failed(to.Begin("stopFailed"u8), e.Call, e.Reason),
        Event.RemoveCompleted e => to.Begin("removeCompleted"u8).Number("call"u8, e.Call).End(),
        Event.RemoveFailed e => Failed(to.Begin("removeFailed"u8), e.Call, e.Reason),
        Event.Recovered => to.Begin("recovered"u8).End(),
        Event.DeadlineReached => to.Begin("deadlineReached"u8).End(),
    };

    public static Event ReadEvent(ref JsonIn from)
    {
        var type = from.BeginTyped();
        Event @event = type switch
        {
            "declared" => new Event.Declared(NamedSpec(ref from), from.Flag("install"u8)),
            "withdrawn" => new Event.Withdrawn(from.AtName("remove"u8) && from.Flag("remove"u8)),
            "observed" => new Event.Observed(from.Int("pass"u8), from.Optional("found"u8, ReadObserved)),
            "startRequested" => new Event.StartRequested(),
            "stopRequested" => new Event.StopRequested(),
            "removeRequested" => new Event.RemoveRequested(),
            "pullCompleted" => new Event.PullCompleted(Call(ref from)),
            "pullFailed" => new Event.PullFailed(Call(ref from), from.Text("reason"u8)),
            "createCompleted" => new Event.CreateCompleted(Call(ref from), from.Text("engineId"u8)),
            "createFailed" => new Event.CreateFailed(Call(ref from), from.Text("reason"u8)),
            "startCompleted" => new Event.StartCompleted(Call(ref from)),
            "startFailed" => new Event.StartFailed(Call(ref from), from.Text("reason"u8)),
            "stopCompleted" => new Event.StopCompleted(Call(ref from)),
            "stopFailed" => new Event.StopFailed(Call(ref from), from.Text("reason"u8)),
            "removeCompleted" => new Event.RemoveCompleted(Call(ref from)),
            "removeFailed" => new Event.RemoveFailed(Call(ref from), from.Text("reason"u8)),
            "recovered" => new Event.Recovered(),
            "deadlineReached" => new Event.DeadlineReached(),
            _ => throw new UnknownRecordException($"container event \"{type}\"", from.Consumed),
        };
        from.End();
        return @event;
    }

    public static JsonOut Write(JsonOut to, Effect effect) => effect switch
    {
        Effect.List e => to.Begin("listContainers"u8).Number("pass"u8, e.Pass).End(),
        Effect.Pull e => Asked(to.Begin("pullImage"u8), e.Uid, e.Call).Text("digest"u8, e.Digest)
            .Text("policy"u8, Names.Of(e.Policy)).End(),
        Effect.Create e => Asked(to.Begin("createContainer"u8), e.Uid, e.Call).Text("digest"u8, e.Digest).End(),
        Effect.Start e => Asked(to.Begin("startContainer"u8), e.Uid, e.Call).Text("engineId"u8, e.EngineId).End(),
        Effect.Stop e => Asked(to.Begin("stopContainer"u8), e.Uid, e.Call).Text("engineId"u8, e.EngineId)
            .Span("graceMs"u8, e.Grace).End(),
        Effect.Remove e => Asked(to.Begin("removeContainer"u8), e.Uid, e.Call).Text("engineId"u8, e.EngineId).End(),
        Effect.Reject e => to.Begin("containerReject"u8).Text("code"u8, Names.Of(e.Code)).Text("reason"u8, e.Reason).End(),
    };

    public static JsonOut Write(JsonOut to, ContainerSpec spec) => to.Begin()
        .Text("uid"u8, spec.Uid.Value).Text("image"u8, spec.Image).Text("pull"u8, Names.Of(spec.Pull))
        .Text("restart"u8, Names.Of(spec.Restart)).Items("dependsOn"u8, spec.DependsOn, Write)
        .Flag("hasHealthcheck"u8, spec.HasHealthcheck).Span("stopGraceMs"u8, spec.StopGrace)
        .Text("digest"u8, spec.Digest).End();

    private static JsonOut Write(JsonOut to, ContainerDependency dependency) =>
        to.Begin().Text("uid"u8, dependency.On.Value).Text("condition"u8, Names.Of(dependency.Condition)).End();

    public static ContainerSpec NamedSpec(ref JsonIn from)
    {
        from.Name("spec"u8);
        return ReadSpec(ref from);
    }

    public static ContainerSpec ReadSpec(ref JsonIn from)
    {
        from.Begin();
        var uid = Uid(ref from);
        var image = from.Text("image"u8);
        var pull = Names.Pull(from.Text("pull"u8));
        var restart = Names.Restart(from.Text("restart"u8));
        var dependencies = from.Items("dependsOn"u8, ReadDependency);
        var spec = new ContainerSpec(
            uid, image, pull, restart, dependencies, from.Flag("hasHealthcheck"u8),
            from.Span("stopGraceMs"u8), from.Text("digest"u8));
        from.End();
        return spec;
    }

    private static ContainerDependency ReadDependency(ref JsonIn from)
    {
        from.Begin();
        var dependency = new ContainerDependency(Uid(ref from), Names.Condition(from.Text("condition"u8)));
        from.End();
        return dependency;
    }

    public static JsonOut Write(JsonOut to, ObservedContainer container) => Status(
            to.Begin().Text("uid"u8, container.Uid.Value).Text("engineId"u8, container.EngineId)
                .Text("digest"u8, container.Digest).Name("status"u8),
            container.Status)
        .Text("health"u8, Names.Of(container.Health)).End();

    public static ObservedContainer ReadObserved(ref JsonIn from)
    {
        from.Begin();
        var observed = new ObservedContainer(
            Uid(ref from), from.Text("engineId"u8), from.Text("digest"u8), NamedStatus(ref from),
            Names.ContainerHealth(from.Text("health"u8)));
        from.End();
        return observed;
    }

    public static ContainerUid Uid(ref JsonIn from) => ReadUid(from.Text("uid"u8), from.Consumed);

    public static ContainerUid ReadUid(string text, long at) => ContainerUid.Parse(text).TryGet(out var uid)
        ? uid
        : throw new UnknownRecordException($"\"{text}\" is no container's uid", at);

    private static int Call(ref JsonIn from) => from.Int("call"u8);

    private static JsonOut Asked(JsonOut to, ContainerUid uid, int call) =>
        to.Text("uid"u8, uid.Value).Number("call"u8, call);

    private static JsonOut Failed(JsonOut to, int call, string reason) =>
        to.Number("call"u8, call).Text("reason"u8, reason).End();

    private static JsonOut Status(JsonOut to, ContainerStatus status) => status switch
    {
        ContainerStatus.Created => to.Begin("created"u8).End(),
        ContainerStatus.Running s => to.Begin("running"u8).Flag("pidAlive"u8, s.PidAlive).End(),
        ContainerStatus.Paused => to.Begin("paused"u8).End(),
        ContainerStatus.Restarting => to.Begin("restarting"u8).End(),
        ContainerStatus.Exited s => to.Begin("exited"u8).Number("code"u8, s.Code).Flag("outOfMemory"u8, s.OutOfMemory).End(),
        ContainerStatus.Dead => to.Begin("dead"u8).End(),
        ContainerStatus.Removing => to.Begin("removing"u8).End(),
        ContainerStatus.Unknown s => to.Begin("unknown"u8).Text("text"u8, s.Text).End(),
    };

    private static ContainerStatus NamedStatus(ref JsonIn from)
    {
        from.Name("status"u8);
        var type = from.BeginTyped();
        ContainerStatus status = type switch
        {
            "created" => new ContainerStatus.Created(),
            "running" => new ContainerStatus.Running(from.Flag("pidAlive"u8)),
            "paused" => new ContainerStatus.Paused(),
            "restarting" => new ContainerStatus.Restarting(),
            "exited" => new ContainerStatus.Exited(from.Int("code"u8), from.Flag("outOfMemory"u8)),
            "dead" => new ContainerStatus.Dead(),
            "removing" => new ContainerStatus.Removing(),
            "unknown" => new ContainerStatus.Unknown(from.Text("text"u8)),
            _ => throw new UnknownRecordException($"container status \"{type}\"", from.Consumed),
        };
        from.End();
        return status;
    }
}
