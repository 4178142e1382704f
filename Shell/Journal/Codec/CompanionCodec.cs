using Agent.Core.Companion;
using Agent.Core.Model;
using LanguageExt;
using Effect = Agent.Core.Companion.CompanionEffect;
using Event = Agent.Core.Companion.CompanionEvent;
using OfAll = Agent.Core.Companion.CompanionsEvent;

namespace Agent.Shell.Journal.Codec;

/// <summary>The written form of what happens to companions and of what is done to them. The bytes of a unit are never in it.</summary>
internal static class CompanionCodec
{
    public static JsonOut Write(JsonOut to, OfAll @event) => @event switch
    {
        OfAll.Declared e => to.Begin("declared"u8).Items("specs"u8, e.Specs, Write).End(),
        OfAll.One e => Write(to.Begin("one"u8).Text("name"u8, e.Name.Value).Name("event"u8), e.Event).End(),
        OfAll.ReconcileRequested => to.Begin("reconcileRequested"u8).End(),
        OfAll.Looked e => to.Begin("looked"u8).Number("pass"u8, e.Pass).Items("found"u8, e.Found, Write).End(),
        OfAll.LookConfirmed e => to.Begin("lookConfirmed"u8).Number("pass"u8, e.Pass).End(),
        OfAll.LookFailed e => to.Begin("lookFailed"u8).Number("pass"u8, e.Pass).Text("reason"u8, e.Reason).End(),
        OfAll.ReloadCompleted e => to.Begin("reloadCompleted"u8).Number("number"u8, e.Number).End(),
        OfAll.ReloadFailed e => to.Begin("reloadFailed"u8).Number("number"u8, e.Number).Text("reason"u8, e.Reason).End(),
        OfAll.Recovered => to.Begin("recovered"u8).End(),
        OfAll.DeadlineReached => to.Begin("deadlineReached"u8).End(),
    };

    public static OfAll NamedEvent(ref JsonIn from)
    {
        from.Name("event"u8);
        var type = from.BeginTyped();
        OfAll @event = type switch
        {
            "declared" => new OfAll.Declared(from.Items("specs"u8, ReadSpec)),
            "one" => new OfAll.One(Name(ref from), NamedOne(ref from)),
            "reconcileRequested" => new OfAll.ReconcileRequested(),
            "looked" => new OfAll.Looked(from.Int("pass"u8), from.Items("found"u8, ReadObserved)),
            "lookConfirmed" => new OfAll.LookConfirmed(from.Int("pass"u8)),
            "lookFailed" => new OfAll.LookFailed(from.Int("pass"u8), from.Text("reason"u8)),
            "reloadCompleted" => new OfAll.ReloadCompleted(from.Int("number"u8)),
            "reloadFailed" => new OfAll.ReloadFailed(from.Int("number"u8), from.Text("reason"u8)),
            "recovered" => new OfAll.Recovered(),
            "deadlineReached" => new OfAll.DeadlineReached(),
            _ => throw new UnknownRecordException($"companions event \"{type}\"", from.Consumed),
        };
        from.End();
        return @event;
    }

    public static JsonOut Write(JsonOut to, Effect effect) => effect switch
    {
        Effect.Look e => to.Begin("lookAtUnits"u8).Number("pass"u8, e.Pass)
            .Texts("names"u8, e.Names.Map(name => name.Value).Strict()).End(),
        Effect.Write e => Asked(to.Begin("writeUnit"u8), e.Name, e.Call).Text("digest"u8, e.Digest).End(),
        Effect.Reload e => to.Begin("reloadUnits"u8).Number("number"u8, e.Number).End(),
        Effect.Start e => Asked(to.Begin("startUnit"u8), e.Name, e.Call).End(),
        Effect.Restart e => Asked(to.Begin("restartUnit"u8), e.Name, e.Call).End(),
        Effect.Stop e => Asked(to.Begin("stopUnit"u8), e.Name, e.Call).End(),
        Effect.Remove e => Asked(to.Begin("removeUnit"u8), e.Name, e.Call).Flag("failed"u8, e.Failed).End(),
        Effect.Reject e => to.Begin("companionReject"u8).Text("code"u8, Names.Of(e.Code)).Text("reason"u8, e.Reason).End(),
    };

    public static JsonOut Write(JsonOut to, CompanionSpec spec) => to.Begin().Text("name"u8, spec.Name.Value)
        .Text("digest"u8, spec.Digest).Flag("start"u8, spec.Start).Flag("restart"u8, spec.Restart)
        .Texts("after"u8, spec.After.Map(name => name.Value).Strict()).End();

    public static CompanionSpec ReadSpec(ref JsonIn from)
    {
        from.Begin();
        var (name, digest) = (Name(ref from), from.Text("digest"u8));
        var (start, restart) = (from.Flag("start"u8), from.Flag("restart"u8));
        var texts = from.Texts("after"u8);
        var after = new CompanionName[texts.Count];
        for (var i = 0; i < after.Length; i++) after[i] = ReadName(texts[i], from.Consumed);
        from.End();
        return new(name, digest, start, restart, after.ToSeq());
    }

    public static JsonOut Write(JsonOut to, ObservedCompanion found) => Activity(
            File(to.Begin().Text("name"u8, found.Name.Value).Name("file"u8), found.File).Name("activity"u8), found.Activity)
        .End();

    public static ObservedCompanion ReadObserved(ref JsonIn from)
    {
        from.Begin();
        var found = new ObservedCompanion(Name(ref from), NamedFile(ref from), NamedActivity(ref from));
        from.End();
        return found;
    }

    public static CompanionName Name(ref JsonIn from) => ReadName(from.Text("name"u8), from.Consumed);

    private static CompanionName ReadName(string text, long at) => CompanionName.Parse(text).TryGet(out var name)
        ? name
        : throw new UnknownRecordException($"\"{text}\" is no companion's name", at);

    private static JsonOut Write(JsonOut to, Event @event) => @event switch
    {
        Event.Declared e => Write(to.Begin("declared"u8).Name("spec"u8), e.Spec).End(),
        Event.Withdrawn => to.Begin("withdrawn"u8).End(),
        Event.Observed e => Write(to.Begin("observed"u8).Number("pass"u8, e.Pass).Name("found"u8), e.Found).End(),
        Event.RetryRequested => to.Begin("retryRequested"u8).End(),
        Event.CallCompleted e => to.Begin("callCompleted"u8).Number("call"u8, e.Call).End(),
        Event.CallFailed e => to.Begin("callFailed"u8).Number("call"u8, e.Call).Text("reason"u8, e.Reason).End(),
        Event.Reloaded => to.Begin("reloaded"u8).End(),
        Event.Recovered => to.Begin("recovered"u8).End(),
        Event.DeadlineReached => to.Begin("deadlineReached"u8).End(),
    };

    private static Event NamedOne(ref JsonIn from)
    {
        from.Name("event"u8);
        var type = from.BeginTyped();
        Event @event = type switch
        {
            "declared" => new Event.Declared(NamedSpec(ref from)),
            "withdrawn" => new Event.Withdrawn(),
            "observed" => new Event.Observed(from.Int("pass"u8), NamedObserved(ref from)),
            "retryRequested" => new Event.RetryRequested(),
            "callCompleted" => new Event.CallCompleted(from.Int("call"u8)),
            "callFailed" => new Event.CallFailed(from.Int("call"u8), from.Text("reason"u8)),
            "reloaded" => new Event.Reloaded(),
            "recovered" => new Event.Recovered(),
            "deadlineReached" => new Event.DeadlineReached(),
            _ => throw new UnknownRecordException($"companion event \"{type}\"", from.Consumed),
        };
        from.End();
        return @event;
    }

    private static CompanionSpec NamedSpec(ref JsonIn from)
    {
        from.Name("spec"u8);
        return ReadSpec(ref from);
    }

    private static ObservedCompanion NamedObserved(ref JsonIn from)
    {
        from.Name("found"u8);
        return ReadObserved(ref from);
    }

    private static JsonOut Asked(JsonOut to, CompanionName name, int call) =>
        to.Text("name"u8, name.Value).Number("call"u8, call);

    private static JsonOut File(JsonOut to, UnitFile file) => file switch
    {
        UnitFile.Absent => to.Begin("absent"u8).End(),
        UnitFile.Ours f => to.Begin("ours"u8).Text("digest"u8, f.Digest).End(),
        UnitFile.Foreign f => to.Begin("foreign"u8).Text("reason"u8, f.Reason).End(),
    };

    private static UnitFile NamedFile(ref JsonIn from)
    {
        from.Name("file"u8);
        var type = from.BeginTyped();
        UnitFile file = type switch
        {
            "absent" => new UnitFile.Absent(),
            "ours" => new UnitFile.Ours(from.Text("digest"u8)),
            "foreign" => new UnitFile.Foreign(from.Text("reason"u8)),
            _ => throw new UnknownRecordException($"unit file \"{type}\"", from.Consumed),
        };
        from.End();
        return file;
    }

    private static JsonOut Activity(JsonOut to, UnitActivity activity) => activity switch
    {
        UnitActivity.Active => to.Begin("active"u8).End(),
        UnitActivity.Activating a => to.Begin("activating"u8).Flag("again"u8, a.Again).End(),
        UnitActivity.Deactivating => to.Begin("deactivating"u8).End(),
        UnitActivity.Inactive => to.Begin("inactive"u8).End(),
        UnitActivity.Failed a => to.Begin("failed"u8).Text("words"u8, a.Words).End(),
        UnitActivity.Missing => to.Begin("missing"u8).End(),
        UnitActivity.Unknown a => to.Begin("unknown"u8).Text("text"u8, a.Text).End(),
    };

    private static UnitActivity NamedActivity(ref JsonIn from)
    {
        from.Name("activity"u8);
        var type = from.BeginTyped();
        UnitActivity activity = type switch
        {
            "active" => new UnitActivity.Active(),
            "activating" => new UnitActivity.Activating(from.Flag("again"u8)),
            "deactivating" => new UnitActivity.Deactivating(),
            "inactive" => new UnitActivity.Inactive(),
            "failed" => new UnitActivity.Failed(from.Text("words"u8)),
            "missing" => new UnitActivity.Missing(),
            "unknown" => new UnitActivity.Unknown(from.Text("text"u8)),
            _ => throw new UnknownRecordException($"unit activity \"{type}\"", from.Consumed),
        };
        from.End();
        return activity;
    }
}
