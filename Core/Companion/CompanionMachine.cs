using Agent.Core.Model;
using Agent.Core.Time;
using Activity = Agent.Core.Companion.UnitActivity;
using Effect = Agent.Core.Companion.CompanionEffect;
using Event = Agent.Core.Companion.CompanionEvent;
using State = Agent.Core.Companion.CompanionState;

namespace Agent.Core.Companion;

/// <summary>
/// The life of one companion: what is believed of it, and the one call that is under way. It never decides to act by
/// itself; <see cref="Companions"/> begins what <see cref="CompanionPlan"/> finds is next.
/// </summary>
public static class CompanionMachine
{
    public static State Create(CompanionName name) => new State.Idle(CompanionProfile.New(name));

    /// <param name="pass">The pass that began last: a look of it may be older than what this event tells.</param>
    public static Transition<State, Effect> Step(State state, Timed<Event> input, int pass) => input.Event switch
    {
        Event.Declared(var spec) => Stay(state, Declare(state.Profile, spec)),
        Event.Withdrawn => Stay(state, Withdraw(state.Profile)),
        Event.Observed(var of, var found) => state is State.Idle && of >= state.Profile.FromPass
            ? Stay(state, Believe(state.Profile, found, input.At))
            : new(state, Seq<Effect>()),
        Event.RetryRequested => Stay(state, state.Profile.Afresh()),
        Event.CallCompleted(var call) => Is(call, state)
            ? Answer(Done(state, input.At), pass)
            : Refuse(state, "the answer belongs to a call that is over"),
        Event.CallFailed(var call, var reason) => Is(call, state)
            ? Answer(Troubled(state.Profile with { Seen = None }, reason, input.At), pass)
            : Refuse(state, "the answer belongs to a call that is over"),
        Event.Reloaded => Stay(state, state.Profile.OwesReload ? state.Profile with { OwesReload = false } : state.Profile),
        Event.Recovered => Stay(new State.Idle(state.Profile), state.Profile with { Seen = None }),
        Event.DeadlineReached => state.Profile.RetryAt.TryGet(out var at) && at <= input.At
            ? Stay(state, state.Profile with { RetryAt = None })
            : new(state, Seq<Effect>()),
    };

    /// <summary>The call that the decision names. Only an idle companion begins one.</summary>
    public static Transition<State, Effect> Begin(State.Idle state, CompanionAction action, Instant now)
    {
        var before = state.Profile;
        var profile = before with
        {
            Calls = before.Calls + 1,
            RetryAt = None,
            SettledSince = None,
            OwesReload = before.OwesReload || action is CompanionAction.Write or CompanionAction.Remove,
            OwesRestart = before.OwesRestart || (action == CompanionAction.Write && Overwrites(before)),
            History = before.History with { LastDeed = new CompanionDeed(action, now) },
        };
        var (name, call) = (profile.Name, profile.Calls);
        var digest = profile.Spec.Map(spec => spec.Digest).IfNone("");
        var hasFailed = profile.Seen.Exists(seen => seen.Activity is Activity.Failed);
        return action switch
        {
            CompanionAction.Write => Go(new State.Writing(profile, now, digest), new Effect.Write(name, call, digest)),
            CompanionAction.Start => Go(new State.Starting(profile, now, Again: false), new Effect.Start(name, call)),
            CompanionAction.Restart => Go(new State.Starting(profile, now, Again: true), new Effect.Restart(name, call)),
            CompanionAction.Stop => Go(new State.Stopping(profile, now), new Effect.Stop(name, call)),
            _ => Go(new State.Removing(profile, now), new Effect.Remove(name, call, hasFailed)),
        };
    }

    /// <summary>A changed declaration may well have mended what was wrong.</summary>
    private static CompanionProfile Declare(CompanionProfile profile, CompanionSpec spec) =>
        profile.Spec.TryGet(out var known) && known.SameAs(spec)
            ? profile
            : profile.Afresh() with { Spec = spec, SettledSince = None };

    private static CompanionProfile Withdraw(CompanionProfile profile) => profile.Spec.IsNone
        ? profile
        : profile.Afresh() with { Spec = None, SettledSince = None };

    /// <summary>Whether what may be running is of other bytes than those that are to be written.</summary>
    private static bool Overwrites(CompanionProfile profile)
    {
        if (!profile.Spec.TryGet(out var spec) || !spec.Start || !profile.Seen.TryGet(out var seen)) return false;
        return seen.File is UnitFile.Ours(var digest)
            ? digest != spec.Digest
            : profile.Wrote.TryGet(out var wrote) && wrote != spec.Digest;
    }

    /// <summary>
    /// Takes on what was found. One that was as declared and is no more was lost, which is counted once, and not while
    /// somebody has it restarted; a start that came to nothing has failed.
    /// </summary>
    private static CompanionProfile Believe(CompanionProfile profile, ObservedCompanion found, Instant now)
    {
        if (profile.Seen.TryGet(out var before) && before == found) return profile;
        var isMoving = found.Activity is Activity.Activating or Activity.Deactivating;
        var next = profile with
        {
            Seen = found,
            Wrote = found.File is UnitFile.Ours(var digest) ? digest : profile.Wrote,
            MovingSince = isMoving ? profile.MovingSince.IfNone(now) : None,
        };
        if (!profile.Spec.TryGet(out var spec)) return next;
        if (IsAsDeclared(spec, found)) return next with { SettledSince = next.SettledSince.IfNone(now) };
        if (isMoving && HasItsBytes(spec, found)) return next;
        if (profile.SettledSince.TryGet(out var since))
        {
            var history = profile.History.WithLoss(now, now - since, Describe(found));
            return Later(next with { SettledSince = None, History = history }, now);
        }

        var wasStarting = before?.Activity is Activity.Activating;
        return wasStarting && found.Activity is Activity.Inactive or Activity.Failed or Activity.Missing
            ? Troubled(next, Describe(found), now)
            : next;
    }

    private static bool IsAsDeclared(CompanionSpec spec, ObservedCompanion found) =>
        HasItsBytes(spec, found) && (!spec.Start || found.Activity is Activity.Active);

    private static bool HasItsBytes(CompanionSpec spec, ObservedCompanion found) =>
        found.File is UnitFile.Ours(var digest) && digest == spec.Digest;

    private static CompanionProfile Done(State state, Instant now)
    {
        var profile = state.Profile;
        if (!profile.Seen.TryGet(out var seen)) return profile;
        return state switch
        {
            State.Idle => profile,
            State.Writing(_, _, var digest) => Believe(profile, seen with { File = new UnitFile.Ours(digest) }, now),
            State.Starting => Believe(
                profile with { OwesRestart = false, MovingSince = None },
                seen with { Activity = new Activity.Activating(Again: false) },
                now),
            State.Stopping => Believe(profile, seen with { Activity = new Activity.Deactivating() }, now),
            State.Removing => Believe(profile, seen with { File = new UnitFile.Absent() }, now),
        };
    }

    private static CompanionProfile Troubled(CompanionProfile profile, string reason, Instant now) =>
        Later(profile with { History = profile.History.WithFailure(now, reason) }, now);

    /// <summary>The first try after something went wrong comes at once, the next ones ever later.</summary>
    private static CompanionProfile Later(CompanionProfile profile, Instant now)
    {
        var wait = profile.History.Tally.Wait;
        return wait == TimeSpan.Zero ? profile : profile with { RetryAt = now + wait };
    }

    private static string Describe(ObservedCompanion found) => found.File switch
    {
        UnitFile.Absent => "its file was gone",
        UnitFile.Foreign(var reason) => reason,
        UnitFile.Ours => found.Activity switch
        {
            Activity.Failed(var words) => words,
            Activity.Inactive => "it was inactive",
            Activity.Missing => "systemd did not know it",
            Activity.Activating or Activity.Deactivating => "it was being started or stopped by somebody else",
            Activity.Active => "its file was changed",
            Activity.Unknown(var text) => $"systemd said \"{text}\" of it",
        },
    };

    private static bool Is(int call, State state) => state is not State.Idle && call == state.Profile.Calls;

    private static Transition<State, Effect> Go(State next, Effect effect) => new(next, Seq1(effect));

    private static Transition<State, Effect> Stay(State state, CompanionProfile profile) =>
        new(ReferenceEquals(profile, state.Profile) ? state : state with { Profile = profile }, Seq<Effect>());

    private static Transition<State, Effect> Answer(CompanionProfile profile, int pass) =>
        new(new State.Idle(profile with { FromPass = pass + 1 }), Seq<Effect>());

    private static Transition<State, Effect> Refuse(State state, string reason) =>
        new(state, Seq1<Effect>(new Effect.Reject(ErrorCode.Stale, reason)));
}
