using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Core.Time;
using Effect = Agent.Core.Container.ContainerEffect;
using State = Agent.Core.Container.ContainerState;
using Status = Agent.Core.Container.ContainerStatus;

namespace Agent.Core.Container;

/// <summary>What events do to what is wanted and believed of a container.</summary>
public static partial class ContainerMachine
{
    /// <summary>A changed definition may well have mended what was wrong; a user's stop or removal outlives it.</summary>
    private static ContainerProfile Declare(ContainerProfile profile, ContainerSpec spec, bool install)
    {
        var wish = install && profile.Wish == ContainerWish.Repaired ? ContainerWish.Installed : profile.Wish;
        if (profile.Spec.TryGet(out var known) && known.SameAs(spec))
        {
            return wish == profile.Wish ? profile : profile with { Wish = wish };
        }

        return (known?.Digest == spec.Digest ? profile : profile.Afresh()) with { Spec = spec, Wish = wish };
    }

    /// <summary>What was about to go is wanted as if it were declared for the first time.</summary>
    private static Transition<State, Effect> BringBack(State state, ContainerSpec spec, bool install)
    {
        var back = Stay(state, state.Profile.Afresh() with { Spec = spec, Wish = ContainerWish.Repaired });
        return install ? Start(back.State) : back;
    }

    private static ContainerProfile Withdraw(ContainerProfile profile, bool remove)
    {
        if (profile.Spec.IsNone) return profile;
        return profile.Wish switch
        {
            ContainerWish.Dropped => profile,
            ContainerWish.Removed => profile with { Wish = ContainerWish.Dropped },
            ContainerWish.Stopped => profile with { Spec = None, Owed = false },
            ContainerWish.Repaired or ContainerWish.Installed => remove
                ? Asked(profile, ContainerWish.Dropped)
                : profile with { Spec = None, Owed = false, Wish = ContainerWish.Repaired },
        };
    }

    private static Transition<State, Effect> Start(State state)
    {
        var profile = state.Profile;
        if (profile.Declared.IsNone && profile.Present.IsNone)
        {
            return Refuse(state, ErrorCode.NotLegal, $"nothing declares {profile.Uid}, and it does not exist");
        }

        var runs = profile.Seen is Sighting.Present({ Status: Status.Running(PidAlive: true) }) && state is State.Idle;
        var wish = profile.Declared.IsSome ? ContainerWish.Installed : ContainerWish.Repaired;
        return Stay(state, profile.Afresh() with { Spec = profile.Declared, Wish = wish, Owed = !runs });
    }

    private static ContainerProfile Stop(ContainerProfile profile) =>
        Asked(profile with { Spec = profile.Declared }, ContainerWish.Stopped);

    private static ContainerProfile Remove(ContainerProfile profile) =>
        Asked(profile, profile.Declared.IsSome ? ContainerWish.Removed : ContainerWish.Dropped);

    private static ContainerProfile Asked(ContainerProfile profile, ContainerWish wish)
    {
        var asked = profile.Afresh() with { Wish = wish, Owed = false };
        return asked.Seen is Sighting.Absent ? Absent(asked) : asked;
    }

    private static ContainerProfile Observe(ContainerProfile profile, Option<ObservedContainer> found, Instant now)
    {
        if (!found.TryGet(out var container))
        {
            return profile.Seen is Sighting.Absent
                ? profile
                : Absent(profile);
        }

        if (profile.Seen is Sighting.Present(var known) && known == container) return profile;
        var seen = profile with { Seen = new Sighting.Present(container), Made = container.Digest };
        return container.Status switch
        {
            Status.Running(PidAlive: true) => seen with
            {
                Owed = profile.Owed && profile.Spec.TryGet(out var spec) && spec.Digest != container.Digest,
                RunningSince = profile.RunningSince.IfNone(now),
                End = None,
            },
            Status.Exited(var code, var killed) => Exit(seen, new(container.Digest, code, killed), now),
            Status.Created or Status.Dead => seen with { RunningSince = None },
            Status.Running or Status.Paused or Status.Restarting or Status.Removing or Status.Unknown => seen,
        };
    }

    /// <summary>An end that nobody asked for is counted once: with the run that it ended.</summary>
    private static ContainerProfile Exit(ContainerProfile profile, ContainerEnd end, Instant now)
    {
        var ended = profile with { End = end, RunningSince = None };
        if (!profile.RunningSince.TryGet(out var since)) return ended;
        var tally = profile.History.Tally.WithExit(now, now - since);
        return ended with
        {
            History = profile.History with { Tally = tally },
            RetryAt = tally.Wait == TimeSpan.Zero ? profile.RetryAt : now + tally.Wait,
        };
    }

    private static ContainerProfile Created(State.Creating state, string engineId) => state.Profile with
    {
        Seen = new Sighting.Present(new(
            state.Profile.Uid, engineId, state.Digest, new Status.Created(), ContainerHealth.None)),
        Made = state.Digest,
        End = None,
        RunningSince = None,
    };

    private static ContainerProfile Started(ContainerProfile profile, Instant now)
    {
        var history = profile.History;
        var restarts = history.LastDeed.Exists(deed => deed.Action == ContainerAction.Restart) ? 1 : 0;
        return profile with
        {
            Seen = With(profile, new Status.Running(PidAlive: true)),
            Owed = false,
            RunningSince = now,
            End = None,
            History = history with { Failures = 0, Tally = history.Tally with { Restarts = history.Tally.Restarts + restarts } },
        };
    }

    /// <summary>
    /// Its code is not known here, nor needed. What was stopped to be replaced is owed a start, whatever becomes of the
    /// replacement.
    /// </summary>
    private static ContainerProfile Stopped(ContainerProfile profile) => profile with
    {
        Seen = With(profile, new Status.Exited(0, OutOfMemory: false)),
        Owed = profile.Wish is ContainerWish.Installed or ContainerWish.Repaired && profile.Spec.IsSome,
        RunningSince = None,
        History = profile.History with { Failures = 0 },
    };

    private static ContainerProfile Gone(ContainerProfile profile) =>
        Absent(profile) with { History = profile.History with { Failures = 0 } };

    /// <summary>What its user had removed begins anew when he wants it back.</summary>
    private static ContainerProfile Absent(ContainerProfile profile) => profile with
    {
        Seen = new Sighting.Absent(),
        RunningSince = None,
        Made = profile.Wish is ContainerWish.Removed or ContainerWish.Dropped ? None : profile.Made,
        End = profile.Wish is ContainerWish.Removed or ContainerWish.Dropped ? None : profile.End,
    };

    private static Sighting With(ContainerProfile profile, Status status) => profile.Seen is Sighting.Present(var container)
        ? new Sighting.Present(container with { Status = status, Health = ContainerHealth.None })
        : profile.Seen;
}
