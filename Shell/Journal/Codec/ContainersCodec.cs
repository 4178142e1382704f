using Agent.Core.Container;
using Agent.Core.Model;
using LanguageExt;
using Event = Agent.Core.Container.ContainersEvent;

namespace Agent.Shell.Journal.Codec;

/// <summary>The written form of what happens to the set of containers.</summary>
internal static class ContainersCodec
{
    public static JsonOut Write(JsonOut to, Event @event) => @event switch
    {
        Event.Declared e => to.Begin("declared"u8).Items("specs"u8, e.Specs, ContainerCodec.Write)
            .Flag("install"u8, e.Install).Flag("usesRuntime"u8, e.UsesRuntime).Flag("removeDropped"u8, e.RemoveDropped).End(),
        Event.One e => ContainerCodec.Write(to.Begin("one"u8).Text("uid"u8, e.Uid.Value).Name("event"u8), e.Event).End(),
        Event.UpRequested e => Uids(to.Begin("upRequested"u8), e.Uids).Flag("removeOrphans"u8, e.RemoveOrphans).End(),
        Event.DownRequested e => Uids(to.Begin("downRequested"u8), e.Uids).End(),
        Event.ReconcileRequested => to.Begin("reconcileRequested"u8).End(),
        Event.EngineChanged => to.Begin("engineChanged"u8).End(),
        Event.EngineReady => to.Begin("engineReady"u8).End(),
        Event.Listed e =>
            to.Begin("listed"u8).Number("pass"u8, e.Pass).Items("found"u8, e.Found, ContainerCodec.Write).End(),
        Event.ListConfirmed e => to.Begin("listConfirmed"u8).Number("pass"u8, e.Pass).End(),
        Event.ListFailed e => to.Begin("listFailed"u8).Number("pass"u8, e.Pass).Text("reason"u8, e.Reason).End(),
        Event.Recovered => to.Begin("recovered"u8).End(),
        Event.DeadlineReached => to.Begin("deadlineReached"u8).End(),
    };

    public static Event NamedEvent(ref JsonIn from)
    {
        from.Name("event"u8);
        var type = from.BeginTyped();
        Event @event = type switch
        {
            "declared" => new Event.Declared(
                from.Items("specs"u8, ContainerCodec.ReadSpec), from.Flag("install"u8),
                from.Flag("usesRuntime"u8), from.AtName("removeDropped"u8) && from.Flag("removeDropped"u8)),
            "one" => new Event.One(ContainerCodec.Uid(ref from), NamedOne(ref from)),
            "upRequested" => new Event.UpRequested(Uids(ref from), from.Flag("removeOrphans"u8)),
            "downRequested" => new Event.DownRequested(Uids(ref from)),
            "reconcileRequested" => new Event.ReconcileRequested(),
            "engineChanged" => new Event.EngineChanged(),
            "engineReady" => new Event.EngineReady(),
            "listed" => new Event.Listed(
                from.Int("pass"u8), from.Items("found"u8, ContainerCodec.ReadObserved)),
            "listConfirmed" => new Event.ListConfirmed(from.Int("pass"u8)),
            "listFailed" => new Event.ListFailed(from.Int("pass"u8), from.Text("reason"u8)),
            "recovered" => new Event.Recovered(),
            "deadlineReached" => new Event.DeadlineReached(),
            _ => throw new UnknownRecordException($"containers event \"{type}\"", from.Consumed),
        };
        from.End();
        return @event;
    }

    private static ContainerEvent NamedOne(ref JsonIn from)
    {
        from.Name("event"u8);
        return ContainerCodec.ReadEvent(ref from);
    }

    private static JsonOut Uids(JsonOut to, Seq<ContainerUid> uids) =>
        to.Texts("uids"u8, uids.Map(uid => uid.Value).Strict());

    private static Seq<ContainerUid> Uids(ref JsonIn from)
    {
        var texts = from.Texts("uids"u8);
        var uids = new ContainerUid[texts.Count];
        for (var i = 0; i < uids.Length; i++) uids[i] = ContainerCodec.ReadUid(texts[i], from.Consumed);
        return uids.ToSeq();
    }
}
