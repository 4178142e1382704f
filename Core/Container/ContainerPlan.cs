using Agent.Core.Model;
using Agent.Core.Time;
using Acts = Agent.Core.Container.ContainerDecision.Acts;
using Decision = Agent.Core.Container.ContainerDecision;
using Left = Agent.Core.Container.ContainerDecision.Left;
using Settled = Agent.Core.Container.ContainerDecision.Settled;
using Status = Agent.Core.Container.ContainerStatus;
using Waits = Agent.Core.Container.ContainerDecision.Waits;

namespace Agent.Core.Container;

/// <summary>
/// Desired and observed lead to an action: the whole table, for one container by itself. What it owes to the containers
/// that it depends on is <see cref="Containers"/>' matter.
/// </summary>
public static class ContainerPlan
{
    public static Decision Decide(ContainerProfile profile, Instant now)
    {
        var decision = Consider(profile, now);
        return decision is Acts && profile.RetryAt.TryGet(out var at) && at > now
            ? new Waits(WhyLater(profile), at)
            : decision;
    }

    private static Decision Consider(ContainerProfile profile, Instant now) => profile.Seen switch
    {
        Sighting.Unseen => new Waits("what the engine lists", None),
        Sighting.Absent => WhenAbsent(profile, now),
        Sighting.Present(var container) => profile.Wish switch
        {
            ContainerWish.Removed or ContainerWish.Dropped => Remove(container.Status),
            ContainerWish.Stopped => Stop(container.Status),
            ContainerWish.Repaired or ContainerWish.Installed => profile.Spec.TryGet(out var spec)
                ? Keep(profile, spec, container, now)
                : WhenUndeclared(profile, container.Status),
        },
    };

    private static Decision WhenAbsent(ContainerProfile profile, Instant now)
    {
        if (profile.Wish == ContainerWish.Removed) return new Settled(ContainerStanding.Removed, "");
        if (profile.Wish == ContainerWish.Stopped) return new Settled(ContainerStanding.Stopped, "it does not exist");
        if (!profile.Declared.TryGet(out var spec)) return new Settled(ContainerStanding.Removed, "nothing declares it");
        if (profile.Wish == ContainerWish.Repaired) return new Settled(ContainerStanding.NotInstalled, "");

        // What ended for good stays ended, also when somebody clears its container away.
        var hasEnded = profile.End.TryGet(out var end) && end.Digest == spec.Digest;
        if (hasEnded && !profile.Owed && !Restarts(spec.Restart, end)) return Ended(end, ", it was removed since");
        var action = profile.Owed || !profile.Made.TryGet(out var made) ? ContainerAction.Install
            : made == spec.Digest ? ContainerAction.Recreate
            : ContainerAction.Replace;
        return Once(profile, action, now, IsPulled(profile, spec) ? ContainerCall.Create : ContainerCall.Pull);
    }

    /// <summary>Ours, and declared by nothing: it stays as it is until somebody asks.</summary>
    private static Decision WhenUndeclared(ContainerProfile profile, Status status) =>
        profile.Owed && status is Status.Created or Status.Exited
            ? new Acts(ContainerAction.Start, ContainerCall.Start)
            : new Left("nothing declares it");

    private static Decision Keep(ContainerProfile profile, ContainerSpec spec, ObservedContainer container, Instant now)
    {
        // Whoever paused it had a reason, and what is not understood is no ground to destroy anything.
        var mayBeReplaced = container.Status is not (Status.Paused or Status.Unknown or Status.Removing);
        if (mayBeReplaced && container.Digest != spec.Digest) return Replace(profile, spec, container.Status);
        return container.Status switch
        {
            Status.Created => new Acts(ContainerAction.Start, ContainerCall.Start),
            Status.Running(var pidAlive) => pidAlive
                ? Running(container.Health)
                : Once(profile, ContainerAction.Recreate, now, ContainerCall.Remove),
            Status.Dead => Once(profile, ContainerAction.Recreate, now, ContainerCall.Remove),
            Status.Exited(var code, var killed) => AfterExit(profile, spec, new(spec.Digest, code, killed)),
            Status.Restarting => new Waits("the engine to restart it", None),
            Status.Removing => new Waits("the engine to remove it", None),
            Status.Paused => new Left("it is paused"),
            Status.Unknown(var text) => new Left($"the engine says \"{text}\" of it, which the agent does not know"),
        };
    }

    /// <summary>The image is fetched while the old container still serves.</summary>
    private static Acts Replace(ContainerProfile profile, ContainerSpec spec, Status status) => new(
        ContainerAction.Replace,
        !IsPulled(profile, spec) ? ContainerCall.Pull
            : status is Status.Running(PidAlive: true) or Status.Restarting ? ContainerCall.Stop
            : ContainerCall.Remove);

    private static Decision AfterExit(ContainerProfile profile, ContainerSpec spec, ContainerEnd end) =>
        profile.Owed ? new Acts(ContainerAction.Start, ContainerCall.Start)
        : Restarts(spec.Restart, end) ? new Acts(ContainerAction.Restart, ContainerCall.Start)
        : Ended(end, "");

    private static Settled Running(ContainerHealth health) => health switch
    {
        ContainerHealth.Unhealthy => new(ContainerStanding.Unhealthy, "its health check fails"),
        ContainerHealth.Starting => new(ContainerStanding.Running, "its health check has not passed yet"),
        ContainerHealth.None or ContainerHealth.Healthy => new(ContainerStanding.Running, ""),
    };

    private static Settled Ended(ContainerEnd end, string since) => new(
        end.IsSuccess ? ContainerStanding.Succeeded : ContainerStanding.Failed,
        (end.OutOfMemory ? "out of memory" : $"exited with {end.Code}") + since);

    private static Decision Stop(Status status) => status switch
    {
        Status.Running or Status.Restarting or Status.Paused => new Acts(ContainerAction.Stop, ContainerCall.Stop),
        Status.Created or Status.Exited or Status.Dead or Status.Removing => new Settled(ContainerStanding.Stopped, ""),
        Status.Unknown(var text) => new Left($"its user stopped it, and the engine says \"{text}\" of it"),
    };

    private static Decision Remove(Status status) => status switch
    {
        Status.Running(PidAlive: true) or Status.Restarting or Status.Paused =>
            new Acts(ContainerAction.Remove, ContainerCall.Stop),
        Status.Created or Status.Exited or Status.Dead or Status.Running =>
            new Acts(ContainerAction.Remove, ContainerCall.Remove),
        Status.Removing => new Waits("the engine to remove it", None),
        Status.Unknown(var text) => new Left($"it is to be removed, and the engine says \"{text}\" of it"),
    };

    /// <summary>Only what nobody asked for counts towards the circuit.</summary>
    private static Decision Once(ContainerProfile profile, ContainerAction action, Instant now, ContainerCall call) =>
        action == ContainerAction.Recreate && !profile.Owed && profile.History.CircuitUntil(now).TryGet(out var until)
            ? new Waits(
                $"its circuit: it was made anew {ContainerHistory.CircuitRecreations} times in "
                    + $"{ContainerHistory.CircuitWindow.TotalMinutes:0} min, start it to try at once",
                until)
            : new Acts(action, call);

    private static bool IsPulled(ContainerProfile profile, ContainerSpec spec) =>
        profile.Pulled.TryGet(out var digest) && digest == spec.Digest;

    public static bool Restarts(ContainerRestart policy, ContainerEnd end) => policy switch
    {
        ContainerRestart.Always => true,
        ContainerRestart.OnFailure => !end.IsSuccess,
        ContainerRestart.Never => false,
    };

    private static string WhyLater(ContainerProfile profile) =>
        profile.History.Failures > 0 && profile.History.LastFailure.TryGet(out var failure)
            ? $"another try after {failure.Call} failed: {failure.Reason}"
            : profile.End.TryGet(out var end) ? $"a restart after it {Ended(end, "").Detail}"
            : "another try";
}
