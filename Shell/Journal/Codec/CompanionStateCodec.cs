using Agent.Core.Companion;
using Agent.Core.Model;
using LanguageExt;
using CompanionSet = Agent.Core.Companion.Companions;
using State = Agent.Core.Companion.CompanionState;

namespace Agent.Shell.Journal.Codec;

/// <summary>The written form of the companions' states, for snapshots and digests.</summary>
internal static class CompanionStateCodec
{
    public static JsonOut Write(JsonOut to, CompanionSet companions)
    {
        Passing(to.Begin().Name("passing"u8), companions.Passing).Number("pass"u8, companions.Pass)
            .Optional("last"u8, companions.Last, Write);
        return Reload(to.Name("reload"u8), companions.Reload).Number("reloads"u8, companions.Reloads)
            .Items("all"u8, companions.All.Values.ToSeq(), Write).End();
    }

    public static CompanionSet ReadAll(ref JsonIn from)
    {
        from.Begin();
        var passing = Passing(ref from);
        var pass = from.Int("pass"u8);
        var last = from.Optional("last"u8, ReadOutcome);
        var reload = Reload(ref from);
        var reloads = from.Int("reloads"u8);
        var all = Map<OrdCompanionName, CompanionName, State>.Empty;
        from.BeginList("all"u8);
        while (!from.AtListEnd)
        {
            var state = Read(ref from);
            all = all.AddOrUpdate(state.Profile.Name, state);
        }

        from.EndList();
        from.End();
        return new(all, passing, pass, last, reload, reloads);
    }

    private static JsonOut Write(JsonOut to, State state) => state switch
    {
        State.Idle s => Profile(to.Begin("idle"u8), s.Profile).End(),
        State.Writing s => Profile(to.Begin("writing"u8), s.Profile).At("since"u8, s.Since).Text("digest"u8, s.Digest).End(),
        State.Starting s => Profile(to.Begin("starting"u8), s.Profile).At("since"u8, s.Since).Flag("again"u8, s.Again).End(),
        State.Stopping s => Profile(to.Begin("stopping"u8), s.Profile).At("since"u8, s.Since).End(),
        State.Removing s => Profile(to.Begin("removing"u8), s.Profile).At("since"u8, s.Since).End(),
    };

    private static State Read(ref JsonIn from)
    {
        var type = from.BeginTyped();
        var profile = Profile(ref from);
        State state = type switch
        {
            "idle" => new State.Idle(profile),
            "writing" => new State.Writing(profile, from.At("since"u8), from.Text("digest"u8)),
            "starting" => new State.Starting(profile, from.At("since"u8), from.Flag("again"u8)),
            "stopping" => new State.Stopping(profile, from.At("since"u8)),
            "removing" => new State.Removing(profile, from.At("since"u8)),
            _ => throw new UnknownRecordException($"companion state \"{type}\"", from.Consumed),
        };
        from.End();
        return state;
    }

    private static JsonOut Profile(JsonOut to, CompanionProfile profile)
    {
        to.Text("name"u8, profile.Name.Value).Optional("spec"u8, profile.Spec, CompanionCodec.Write)
            .Optional("seen"u8, profile.Seen, CompanionCodec.Write).Number("calls"u8, profile.Calls)
            .Number("fromPass"u8, profile.FromPass).Text("wrote"u8, profile.Wrote)
            .Flag("owesReload"u8, profile.OwesReload).Flag("owesRestart"u8, profile.OwesRestart)
            .At("movingSince"u8, profile.MovingSince).At("settledSince"u8, profile.SettledSince);
        return History(to.Name("history"u8), profile.History).At("retryAt"u8, profile.RetryAt);
    }

    private static CompanionProfile Profile(ref JsonIn from)
    {
        var name = CompanionCodec.Name(ref from);
        var spec = from.Optional("spec"u8, CompanionCodec.ReadSpec);
        var seen = from.Optional("seen"u8, CompanionCodec.ReadObserved);
        return new(
            name, spec, seen, from.Int("calls"u8), from.Int("fromPass"u8), from.TextOrNone("wrote"u8),
            from.Flag("owesReload"u8), from.Flag("owesRestart"u8), from.AtOrNone("movingSince"u8),
            from.AtOrNone("settledSince"u8), History(ref from), from.AtOrNone("retryAt"u8));
    }

    private static JsonOut History(JsonOut to, CompanionHistory history) =>
        to.Begin().Tally(history.Tally).Instants("losses"u8, history.Losses)
            .Optional("lastDeed"u8, history.LastDeed, Write).Optional("lastFailure"u8, history.LastFailure, Write).End();

    private static JsonOut Write(JsonOut to, CompanionDeed deed) =>
        to.Begin().Text("action"u8, Names.Of(deed.Action)).At("at"u8, deed.At).End();

    private static JsonOut Write(JsonOut to, CompanionFailure failure) =>
        to.Begin().At("at"u8, failure.At).Text("reason"u8, failure.Reason).End();

    private static CompanionHistory History(ref JsonIn from)
    {
        from.Name("history"u8);
        from.Begin();
        var history = new CompanionHistory(
            from.Tally(), from.Instants("losses"u8), from.Optional("lastDeed"u8, ReadDeed),
            from.Optional("lastFailure"u8, ReadFailure));
        from.End();
        return history;
    }

    private static CompanionDeed ReadDeed(ref JsonIn from)
    {
        from.Begin();
        var deed = new CompanionDeed(Names.CompanionAction(from.Text("action"u8)), from.At("at"u8));
        from.End();
        return deed;
    }

    private static CompanionFailure ReadFailure(ref JsonIn from)
    {
        from.Begin();
        var failure = new CompanionFailure(from.At("at"u8), from.Text("reason"u8));
        from.End();
        return failure;
    }

    private static JsonOut Passing(JsonOut to, LookState passing) => passing switch
    {
        LookState.Off => to.Begin("off"u8).End(),
        LookState.Resting s => to.Begin("resting"u8).At("nextAt"u8, s.NextAt).End(),
        LookState.Looking s => to.Begin("looking"u8).At("since"u8, s.Since).Flag("again"u8, s.Again).End(),
    };

    private static LookState Passing(ref JsonIn from)
    {
        from.Name("passing"u8);
        var type = from.BeginTyped();
        LookState passing = type switch
        {
            "off" => new LookState.Off(),
            "resting" => new LookState.Resting(from.At("nextAt"u8)),
            "looking" => new LookState.Looking(from.At("since"u8), from.Flag("again"u8)),
            _ => throw new UnknownRecordException($"look \"{type}\"", from.Consumed),
        };
        from.End();
        return passing;
    }

    private static JsonOut Write(JsonOut to, LookOutcome outcome) =>
        to.Begin().Number("pass"u8, outcome.Pass).At("at"u8, outcome.At).Text("failure"u8, outcome.Failure).End();

    private static LookOutcome ReadOutcome(ref JsonIn from)
    {
        from.Begin();
        var outcome = new LookOutcome(from.Int("pass"u8), from.At("at"u8), from.TextOrNone("failure"u8));
        from.End();
        return outcome;
    }

    private static JsonOut Reload(JsonOut to, ReloadState reload) => reload switch
    {
        ReloadState.Quiet => to.Begin("quiet"u8).End(),
        ReloadState.UnderWay => to.Begin("underWay"u8).End(),
        ReloadState.Failed s => to.Begin("failed"u8).Text("reason"u8, s.Reason).At("retryAt"u8, s.RetryAt).End(),
    };

    private static ReloadState Reload(ref JsonIn from)
    {
        from.Name("reload"u8);
        var type = from.BeginTyped();
        ReloadState reload = type switch
        {
            "quiet" => new ReloadState.Quiet(),
            "underWay" => new ReloadState.UnderWay(),
            "failed" => new ReloadState.Failed(from.Text("reason"u8), from.At("retryAt"u8)),
            _ => throw new UnknownRecordException($"reload \"{type}\"", from.Consumed),
        };
        from.End();
        return reload;
    }
}
