using Agent.Core.Container;
using Agent.Core.Model;
using LanguageExt;
using ContainerSet = Agent.Core.Container.Containers;
using State = Agent.Core.Container.ContainerState;

namespace Agent.Shell.Journal.Codec;

/// <summary>The written form of the containers' states, for snapshots and digests.</summary>
internal static class ContainerStateCodec
{
    public static JsonOut Write(JsonOut to, ContainerSet containers)
    {
        Passing(to.Begin().Name("passing"u8), containers.Passing).Number("pass"u8, containers.Pass);
        return to.Optional("last"u8, containers.Last, Write).Flag("usesRuntime"u8, containers.UsesRuntime)
            .Items("all"u8, containers.All.Values.ToSeq(), Write).End();
    }

    public static ContainerSet ReadAll(ref JsonIn from)
    {
        from.Begin();
        var passing = Passing(ref from);
        var pass = from.Int("pass"u8);
        var last = from.Optional("last"u8, ReadOutcome);
        var usesRuntime = from.Flag("usesRuntime"u8);
        var all = Map<OrdContainerUid, ContainerUid, State>.Empty;
        from.BeginList("all"u8);
        while (!from.AtListEnd)
        {
            var state = Read(ref from);
            all = all.AddOrUpdate(state.Profile.Uid, state);
        }

        from.EndList();
        from.End();
        return new(all, passing, pass, last, usesRuntime);
    }

    private static JsonOut Write(JsonOut to, State state) => state switch
    {
        State.Idle s => Profile(to.Begin("idle"u8), s.Profile).End(),
        State.Pulling s => Profile(to.Begin("pulling"u8), s.Profile).At("since"u8, s.Since).Text("digest"u8, s.Digest).End(),
        State.Creating s => Profile(to.Begin("creating"u8), s.Profile).At("since"u8, s.Since).Text("digest"u8, s.Digest).End(),
        State.Starting s => Profile(to.Begin("starting"u8), s.Profile).At("since"u8, s.Since).End(),
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
            "pulling" => new State.Pulling(profile, from.At("since"u8), from.Text("digest"u8)),
            "creating" => new State.Creating(profile, from.At("since"u8), from.Text("digest"u8)),
            "starting" => new State.Starting(profile, from.At("since"u8)),
            "stopping" => new State.Stopping(profile, from.At("since"u8)),
            "removing" => new State.Removing(profile, from.At("since"u8)),
            _ => throw new UnknownRecordException($"container state \"{type}\"", from.Consumed),
        };
        from.End();
        return state;
    }

    private static JsonOut Profile(JsonOut to, ContainerProfile profile)
    {
        to.Text("uid"u8, profile.Uid.Value).Optional("spec"u8, profile.Spec, ContainerCodec.Write);
        Seen(to.Text("wish"u8, Names.Of(profile.Wish)).Flag("owed"u8, profile.Owed).Name("seen"u8), profile.Seen)
            .Number("calls"u8, profile.Calls).Number("fromPass"u8, profile.FromPass).Text("pulled"u8, profile.Pulled)
            .Text("made"u8, profile.Made).At("runningSince"u8, profile.RunningSince).Optional("end"u8, profile.End, Write);
        return History(to.Name("history"u8), profile.History).At("retryAt"u8, profile.RetryAt);
    }

    private static ContainerProfile Profile(ref JsonIn from)
    {
        var uid = ContainerCodec.Uid(ref from);
        var spec = from.Optional("spec"u8, ContainerCodec.ReadSpec);
        var wish = Names.Wish(from.Text("wish"u8));
        var owed = from.Flag("owed"u8);
        var seen = Seen(ref from);
        return new(
            uid, spec, wish, owed, seen, from.Int("calls"u8), from.Int("fromPass"u8), from.TextOrNone("pulled"u8),
            from.TextOrNone("made"u8), from.AtOrNone("runningSince"u8), from.Optional("end"u8, ReadEnd), History(ref from),
            from.AtOrNone("retryAt"u8));
    }

    private static JsonOut Write(JsonOut to, ContainerEnd end) => to.Begin().Text("digest"u8, end.Digest)
        .Number("code"u8, end.Code).Flag("outOfMemory"u8, end.OutOfMemory).End();

    private static ContainerEnd ReadEnd(ref JsonIn from)
    {
        from.Begin();
        var end = new ContainerEnd(from.Text("digest"u8), from.Int("code"u8), from.Flag("outOfMemory"u8));
        from.End();
        return end;
    }

    private static JsonOut Seen(JsonOut to, Sighting seen) => seen switch
    {
        Sighting.Unseen => to.Begin("unseen"u8).End(),
        Sighting.Absent => to.Begin("absent"u8).End(),
        Sighting.Present(var container) => ContainerCodec.Write(to.Begin("present"u8).Name("container"u8), container).End(),
    };

    private static Sighting Seen(ref JsonIn from)
    {
        from.Name("seen"u8);
        var type = from.BeginTyped();
        Sighting seen = type switch
        {
            "unseen" => new Sighting.Unseen(),
            "absent" => new Sighting.Absent(),
            "present" => new Sighting.Present(NamedContainer(ref from)),
            _ => throw new UnknownRecordException($"sighting \"{type}\"", from.Consumed),
        };
        from.End();
        return seen;
    }

    private static ObservedContainer NamedContainer(ref JsonIn from)
    {
        from.Name("container"u8);
        return ContainerCodec.ReadObserved(ref from);
    }

    private static JsonOut History(JsonOut to, ContainerHistory history) =>
        to.Begin().Tally(history.Tally).Number("failures"u8, history.Failures)
            .Instants("recreations"u8, history.Recreations).Optional("lastDeed"u8, history.LastDeed, Write)
            .Optional("lastFailure"u8, history.LastFailure, Write).End();

    private static JsonOut Write(JsonOut to, ContainerDeed deed) =>
        to.Begin().Text("action"u8, Names.Of(deed.Action)).At("at"u8, deed.At).End();

    private static JsonOut Write(JsonOut to, ContainerFailure failure) => to.Begin()
        .Text("call"u8, Names.Of(failure.Call)).At("at"u8, failure.At).Text("reason"u8, failure.Reason).End();

    private static ContainerHistory History(ref JsonIn from)
    {
        from.Name("history"u8);
        from.Begin();
        var history = new ContainerHistory(
            from.Tally(), from.Int("failures"u8), from.Instants("recreations"u8), from.Optional("lastDeed"u8, ReadDeed),
            from.Optional("lastFailure"u8, ReadFailure));
        from.End();
        return history;
    }

    private static ContainerDeed ReadDeed(ref JsonIn from)
    {
        from.Begin();
        var deed = new ContainerDeed(Names.Action(from.Text("action"u8)), from.At("at"u8));
        from.End();
        return deed;
    }

    private static ContainerFailure ReadFailure(ref JsonIn from)
    {
        from.Begin();
        var failure = new ContainerFailure(Names.Call(from.Text("call"u8)), from.At("at"u8), from.Text("reason"u8));
        from.End();
        return failure;
    }

    private static JsonOut Passing(JsonOut to, PassState passing) => passing switch
    {
        PassState.Off => to.Begin("off"u8).End(),
        PassState.Gated s => to.Begin("gated"u8).At("until"u8, s.Until).End(),
        PassState.Resting s => to.Begin("resting"u8).At("nextAt"u8, s.NextAt).End(),
        PassState.Looking s => to.Begin("looking"u8).At("since"u8, s.Since).Flag("again"u8, s.Again).End(),
    };

    private static PassState Passing(ref JsonIn from)
    {
        from.Name("passing"u8);
        var type = from.BeginTyped();
        PassState passing = type switch
        {
            "off" => new PassState.Off(),
            "gated" => new PassState.Gated(from.At("until"u8)),
            "resting" => new PassState.Resting(from.At("nextAt"u8)),
            "looking" => new PassState.Looking(from.At("since"u8), from.Flag("again"u8)),
            _ => throw new UnknownRecordException($"pass \"{type}\"", from.Consumed),
        };
        from.End();
        return passing;
    }

    private static JsonOut Write(JsonOut to, PassOutcome outcome) => to.Begin().Number("pass"u8, outcome.Pass)
        .At("at"u8, outcome.At).Number("listed"u8, outcome.Listed).Text("failure"u8, outcome.Failure).End();

    private static PassOutcome ReadOutcome(ref JsonIn from)
    {
        from.Begin();
        var outcome = new PassOutcome(
            from.Int("pass"u8), from.At("at"u8), from.Int("listed"u8), from.TextOrNone("failure"u8));
        from.End();
        return outcome;
    }
}
