using Agent.Core.Model;
using Agent.Core.Time;
using Activity = Agent.Core.Companion.UnitActivity;

namespace Agent.Core.Companion;

/// <summary>What a companion's state and its declaration lead to.</summary>
public abstract record CompanionDecision
{
    private CompanionDecision() { }

    /// <summary>It is as it is declared, or is not declared and gone.</summary>
    public sealed record Settled(string Detail) : CompanionDecision;

    /// <summary>It is not as it should be, and no repair is called for. Never a success.</summary>
    public sealed record Left(string Reason) : CompanionDecision;

    /// <summary>Something comes first: a time, another companion, or systemd.</summary>
    public sealed record Waits(string For, Option<Instant> Until) : CompanionDecision;

    public sealed record Acts(CompanionAction Action) : CompanionDecision;
}

public enum CompanionAction
{
    Write,
    Start,

    /// <summary>It runs of bytes that its file has no more.</summary>
    Restart,
    Stop,
    Remove,
}

/// <summary>
/// Desired and observed lead to an action: the whole table, for one companion by itself. What it owes to the others is
/// <see cref="Companions"/>' matter.
/// </summary>
public static class CompanionPlan
{
    public static CompanionDecision Decide(CompanionProfile profile, Instant now)
    {
        var decision = Consider(profile, now);
        if (decision is not CompanionDecision.Acts(var action)) return decision;
        if (profile.RetryAt.TryGet(out var at) && at > now) return new CompanionDecision.Waits(WhyLater(profile, now), at);
        return action is CompanionAction.Write or CompanionAction.Start && profile.History.CircuitUntil(now).TryGet(out var until)
            ? new CompanionDecision.Waits(Circuit, until)
            : decision;
    }

    private static CompanionDecision Consider(CompanionProfile profile, Instant now)
    {
        if (!profile.Seen.TryGet(out var seen)) return new CompanionDecision.Waits("what systemd says", None);
        return profile.Spec.TryGet(out var spec) ? Keep(profile, spec, seen, now) : Clear(profile, seen);
    }

    private static CompanionDecision Keep(CompanionProfile profile, CompanionSpec spec, ObservedCompanion seen, Instant now)
    {
        if (seen.File is UnitFile.Foreign(var reason)) return new CompanionDecision.Left(reason);
        if (seen.File is not UnitFile.Ours(var digest) || digest != spec.Digest) return Acts(CompanionAction.Write);
        if (profile.OwesReload) return new CompanionDecision.Waits("systemd to read its file", None);
        if (!spec.Start) return new CompanionDecision.Settled("not to be started by the agent");
        return seen.Activity switch
        {
            Activity.Active => profile.OwesRestart && spec.Restart
                ? Acts(CompanionAction.Restart)
                : new CompanionDecision.Settled("active"),
            Activity.Activating(var again) => profile.IsLate(now)
                ? new CompanionDecision.Left($"it has been starting for {CompanionProfile.LongestStart.TotalSeconds:0} s")
                : new CompanionDecision.Waits(again ? "systemd to start it anew, for it failed" : "its start", None),
            Activity.Deactivating => new CompanionDecision.Waits("its stop", None),
            Activity.Inactive or Activity.Failed or Activity.Missing => Acts(CompanionAction.Start),
            Activity.Unknown(var text) => Unknown(text),
        };
    }

    /// <summary>Nothing declares it: stopped first, then disabled and deleted, or systemd might bring it back.</summary>
    private static CompanionDecision Clear(CompanionProfile profile, ObservedCompanion seen)
    {
        if (seen.File is UnitFile.Foreign) return new CompanionDecision.Settled("it is somebody else's");
        var isGone = seen.File is UnitFile.Absent;
        if (isGone && profile.OwesReload) return new CompanionDecision.Waits("systemd to forget it", None);
        if (isGone && profile.Wrote.IsNone) return new CompanionDecision.Settled("gone");
        return seen.Activity switch
        {
            Activity.Active or Activity.Activating => Acts(CompanionAction.Stop),
            Activity.Deactivating => new CompanionDecision.Waits("its stop", None),
            Activity.Inactive or Activity.Failed or Activity.Missing => isGone
                ? new CompanionDecision.Settled("gone")
                : Acts(CompanionAction.Remove),
            Activity.Unknown(var text) => Unknown(text),
        };
    }

    private static CompanionDecision.Acts Acts(CompanionAction action) => new(action);

    private static CompanionDecision.Left Unknown(string text) =>
        new($"systemd says \"{text}\" of it, which the agent does not know");

    private static string WhyLater(CompanionProfile profile, Instant now) =>
        profile.History.CircuitUntil(now).IsSome ? Circuit
        : profile.History.LastFailure.TryGet(out var failure) ? $"another try: {failure.Reason}"
        : "another try";

    private static string Circuit =>
        $"its circuit: it had to be repaired more than {CompanionHistory.CircuitRepairs} times in "
        + $"{CompanionHistory.CircuitWindow.TotalMinutes:0} min, retry it to try at once";
}
