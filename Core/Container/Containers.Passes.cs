using Agent.Core.Model;
using Agent.Core.Time;

namespace Agent.Core.Container;

/// <summary>How passes come about, and what events do to several containers at once.</summary>
public sealed partial record Containers
{
    /// <summary>A pass, or one more after the one that is under way.</summary>
    private ContainersStep Look(Instant now) => Passing is PassState.Looking looking
        ? new(looking.Again ? this : this with { Passing = looking with { Again = true } }, Seq<ContainerEffect>())
        : LookAfresh(now);

    private ContainersStep LookAfresh(Instant now) => new(
        this with { Pass = Pass + 1, Passing = new PassState.Looking(now, Again: false) },
        Seq1<ContainerEffect>(new ContainerEffect.List(Pass + 1)));

    /// <summary>At once if the engine can answer, or when it can.</summary>
    private ContainersStep Open(Instant now, bool runtimeReady) => runtimeReady || !UsesRuntime
        ? LookAfresh(now)
        : new(this with { Passing = new PassState.Gated(now + LongestGate) }, Seq<ContainerEffect>());

    private ContainersStep Recover(Instant now, bool runtimeReady)
    {
        var recovered = ForEach(_ => true, new ContainerEvent.Recovered(), now);
        return Passing is PassState.Off ? new(recovered, Seq<ContainerEffect>()) : recovered.Open(now, runtimeReady);
    }

    private ContainersStep Declare(ContainersEvent.Declared declared, Instant now, bool runtimeReady)
    {
        var next = this with { UsesRuntime = declared.UsesRuntime };
        foreach (var state in All.Values)
        {
            var uid = state.Profile.Uid;
            if (declared.Specs.Exists(spec => spec.Uid == uid)) continue;
            next = next.Told(state, new(now, new ContainerEvent.Withdrawn(declared.RemoveDropped)));
        }

        foreach (var spec in declared.Specs)
        {
            var known = next.Find(spec.Uid);
            if (known.IsNone && next.All.Count >= MaxContainers) break;
            next = next.Told(
                known.IfNone(() => ContainerMachine.Create(spec.Uid)),
                new(now, new ContainerEvent.Declared(spec, declared.Install)));
        }

        next = next.Pruned();
        if (next.Same(this)) return Nothing;
        return next.Passing switch
        {
            PassState.Off => next.All.IsEmpty ? new(next, Seq<ContainerEffect>()) : next.Open(now, runtimeReady),
            PassState.Gated => next.UsesRuntime ? new(next, Seq<ContainerEffect>()) : next.LookAfresh(now),
            PassState.Resting or PassState.Looking => next.Look(now),
        };
    }

    private ContainersStep Tell(ContainerUid uid, Timed<ContainerEvent> input)
    {
        if (!All.Find(uid).TryGet(out var state)) return Refuse(ErrorCode.NoSuchContainer, $"no container {uid}");
        var step = ContainerMachine.Step(state, input, Pass);
        if (ReferenceEquals(step.State, state)) return new(this, step.Effects);
        var next = With(step.State).Pruned();

        // What a failed call did is for the next list to say, and so is the health that others wait for.
        var isFailed = step.State.Profile.Seen is Sighting.Unseen && state is not ContainerState.Idle;
        return isFailed || (input.Event is ContainerEvent.StartCompleted && next.IsHealthAwaited(uid))
            ? next.LookIfOpen(input.At)
            : new(next, step.Effects);
    }

    private ContainersStep Up(Seq<ContainerUid> uids, bool removeOrphans, Instant now)
    {
        if (Unknown(uids).TryGet(out var unknown)) return Refuse(ErrorCode.NoSuchContainer, $"no container {unknown}");
        var next = ForEach(
            profile => profile.Declared.IsSome && IsAmong(profile.Uid, uids), new ContainerEvent.StartRequested(), now);
        if (removeOrphans)
        {
            next = next.ForEach(profile => profile.Declared.IsNone, new ContainerEvent.RemoveRequested(), now);
        }

        return next.LookIfOpen(now);
    }

    private ContainersStep Down(Seq<ContainerUid> uids, Instant now) => Unknown(uids).TryGet(out var unknown)
        ? Refuse(ErrorCode.NoSuchContainer, $"no container {unknown}")
        : ForEach(profile => IsAmong(profile.Uid, uids), new ContainerEvent.RemoveRequested(), now)
            .Pruned().LookIfOpen(now);

    /// <summary>What was believed until here led far enough; whether it is true, the list tells.</summary>
    private ContainersStep LookIfOpen(Instant now) => Passing is PassState.Off or PassState.Gated ? Nothing : Look(now);

    private ContainersStep TakeList(PassState.Looking looking, Seq<ObservedContainer> found, Instant now)
    {
        var next = this;
        foreach (var state in All.Values)
        {
            var uid = state.Profile.Uid;
            var seen = found.Find(container => container.Uid == uid);
            next = next.Told(state, new(now, new ContainerEvent.Observed(Pass, seen)));
        }

        // An engine may be made to hold more than this agent keeps count of; what is declared is in the count already.
        foreach (var container in found)
        {
            if (next.Find(container.Uid).IsSome || next.All.Count >= MaxContainers) continue;
            next = next.Told(
                ContainerMachine.Create(container.Uid), new(now, new ContainerEvent.Observed(Pass, container)));
        }

        return next.EndPass(looking, found.Count, Doubles(found), now);
    }

    private ContainersStep EndPass(PassState.Looking looking, int listed, Option<string> failure, Instant now)
    {
        var ended = Pruned() with { Last = new PassOutcome(Pass, now, listed, failure) };
        if (looking.Again) return ended.LookAfresh(now);
        PassState rest = ended.All.IsEmpty ? new PassState.Off() : new PassState.Resting(now + PassEvery);
        return new(ended with { Passing = rest }, Seq<ContainerEffect>());
    }

    private ContainersStep FailList(string reason, Instant now) => new(
        this with { Last = new PassOutcome(Pass, now, 0, reason), Passing = new PassState.Resting(now + PassEvery) },
        Seq<ContainerEffect>());

    private ContainersStep Wake(Instant now)
    {
        var next = this;
        foreach (var state in All.Values)
        {
            if (!state.Profile.RetryAt.TryGet(out var at) || at > now) continue;
            next = next.Told(state, new(now, new ContainerEvent.DeadlineReached()));
        }

        return next.Passing switch
        {
            PassState.Gated(var until) when until <= now => next.LookAfresh(now),
            PassState.Resting(var due) when due <= now => next.LookAfresh(now),
            PassState.Looking(var since, _) when since + LongestList <= now =>
                next.FailList($"no answer within {LongestList.TotalSeconds:0} s", now),
            PassState.Off or PassState.Gated or PassState.Resting or PassState.Looking => next.Nothing,
        };
    }

    /// <summary>The machine's answer to a fact. Nobody asked, so nobody is told of a refusal.</summary>
    private Containers Told(ContainerState state, Timed<ContainerEvent> input)
    {
        var next = ContainerMachine.Step(state, input, Pass).State;
        return ReferenceEquals(next, state) && All.ContainsKey(state.Profile.Uid) ? this : With(next);
    }

    private Containers ForEach(Func<ContainerProfile, bool> which, ContainerEvent @event, Instant now)
    {
        var next = this;
        foreach (var state in All.Values)
        {
            if (which(state.Profile)) next = next.Told(state, new(now, @event));
        }

        return next;
    }

    /// <summary>What nothing declares and does not exist is forgotten, unless its user's stop must be remembered.</summary>
    private Containers Pruned()
    {
        var all = All;
        foreach (var state in All.Values)
        {
            var profile = state.Profile;
            if (state is ContainerState.Idle && profile is { Declared.IsNone: true, Seen: Sighting.Absent }
                && profile.Wish != ContainerWish.Stopped)
            {
                all = all.Remove(profile.Uid);
            }
        }

        return all.Count == All.Count ? this : this with { All = all };
    }

    private bool Same(Containers other) => UsesRuntime == other.UsesRuntime && All.Count == other.All.Count
        && All.Values.ForAll(state => other.All.Find(state.Profile.Uid).Exists(known => ReferenceEquals(known, state)));

    private Option<ContainerUid> Unknown(Seq<ContainerUid> uids) => uids.Find(uid => !All.ContainsKey(uid));

    private static bool IsAmong(ContainerUid uid, Seq<ContainerUid> uids) =>
        uids.IsEmpty || uids.Exists(one => one == uid);

    private static Option<string> Doubles(Seq<ObservedContainer> found)
    {
        var uids = Set<OrdContainerUid, ContainerUid>();
        foreach (var container in found)
        {
            if (uids.Contains(container.Uid)) return $"{container.Uid} is there more than once, the agent goes by the first";
            uids = uids.Add(container.Uid);
        }

        return None;
    }
}
