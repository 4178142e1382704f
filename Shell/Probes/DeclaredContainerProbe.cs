using Agent.Core.Container;
using Agent.Core.Model;
using Agent.Core.Time;
using Agent.Shell.Api;
using ContainerSet = Agent.Core.Container.Containers;

namespace Agent.Shell.Probes;

/// <summary>
/// A declared container runs as it is declared and, where it has a health check, is healthy: as the published state has
/// it. While the agent works on it, and nothing has failed yet, there is no verdict.
/// </summary>
internal static class DeclaredContainerProbe
{
    /// <summary>Null: nothing declares a container of this name.</summary>
    public static ProbeResult? Look(ContainerSet containers, string name, Instant now)
    {
        foreach (var state in containers.All.Values)
        {
            if (state.Profile.Uid.Value == name && state.Profile.Declared.IsSome) return Look(containers, state, now);
        }

        return null;
    }

    private static ProbeResult Look(ContainerSet containers, ContainerState state, Instant now)
    {
        var profile = state.Profile;
        if (profile.IsCrashLooping(now)) return ProbeResult.Failed("it crash-loops");
        return containers.Judge(state, now) switch
        {
            ContainerDecision.Settled(ContainerStanding.Running, _) => containers.IsSeen(profile)
                ? Running(profile)
                : ProbeResult.Inconclusive("it was started, and not seen since"),
            ContainerDecision.Settled(var standing, var detail) =>
                ProbeResult.Failed(detail.Length > 0 ? detail : WireNames.Of(standing)),
            ContainerDecision.Left(var reason) => ProbeResult.Failed(reason),
            ContainerDecision.Waits(var what, _) => Pending(profile, $"it waits for {what}"),
            ContainerDecision.Acts(var action, var call) =>
                Pending(profile, $"{WireNames.Of(action)}: {WireNames.Of(call)} is under way"),
        };
    }

    private static ProbeResult Running(ContainerProfile profile) => !profile.Present.TryGet(out var container)
        ? ProbeResult.Failed("it does not run")
        : container.Health switch
        {
            ContainerHealth.None => ProbeResult.Passed("it runs"),
            ContainerHealth.Healthy => ProbeResult.Passed("it runs and is healthy"),
            ContainerHealth.Starting => ProbeResult.Inconclusive("its health check is starting"),
            ContainerHealth.Unhealthy => ProbeResult.Failed("it is unhealthy"),
        };

    /// <summary>What failed, or ended unasked, is tried again without end, and is no good so long.</summary>
    private static ProbeResult Pending(ContainerProfile profile, string what) =>
        profile.History is { Failures: > 0, LastFailure: var last } && last.TryGet(out var failure)
            ? ProbeResult.Failed($"{WireNames.Of(failure.Call)} failed: {failure.Reason}")
            : profile.End.TryGet(out var end) && !end.IsSuccess
                && profile.Spec.Exists(spec => spec.Digest == end.Digest)
                ? ProbeResult.Failed($"it ended with {end.Code}")
                : ProbeResult.Inconclusive(what);
}
