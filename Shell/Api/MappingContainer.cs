using System.Linq;
using Agent.Core.Container;
using Agent.Core.Model;
using Agent.Core.Time;
using Agent.Shell.Containers;
using LanguageExt;
using ContainerSet = Agent.Core.Container.Containers;

namespace Agent.Shell.Api;

/// <summary>Containers in the API's words.</summary>
internal static class MappingContainer
{
    private const string Failed = "failed";

    public static ContainersInfo Of(
        ContainerSet containers, (string Instance, EngineAddress Address, string? RegistryAuth) engine, Instant now) => new(
        engine.Instance,
        engine.Address.Path,
        engine.Address.Kind,
        engine.RegistryAuth,
        NameOf(containers.Passing),
        containers.Passing is PassState.Gated(var until) ? until.ToString() : null,
        containers.Last.TryGet(out var last)
            ? new(last.Pass, last.At.ToString(), last.Listed, last.Failure.TryGet(out var why) ? why : null)
            : null,
        [.. containers.All.Values.Select(state => Of(containers, state, now))]);

    public static ContainerInfo Of(ContainerSet containers, ContainerState state, Instant now)
    {
        var profile = state.Profile;
        var (report, detail) = Report(containers, state, now);
        var spec = profile.Declared.TryGet(out var declared) ? declared : null;
        var seen = profile.Present.TryGet(out var container) ? container : null;
        var exit = seen?.Status as ContainerStatus.Exited;
        var tally = profile.History.Tally;
        var runs = seen is not null && Runs(seen);
        return new(
            profile.Uid.Value,
            spec?.Image,
            spec is not null,
            WireNames.Of(profile.Wish),
            NameOf(profile.Seen),
            seen?.EngineId,
            spec is null || seen is null ? null : spec.Digest == seen.Digest,
            seen is null or { Health: ContainerHealth.None } ? null : WireNames.Of(seen.Health),
            exit?.Code,
            exit?.OutOfMemory,
            ContainerSet.CallOf(state).TryGet(out var call) ? WireNames.Of(call) : null,
            report,
            detail,
            profile.History.LastDeed.TryGet(out var deed) ? WireNames.Of(deed.Action) : null,
            Plan(containers, state, now),
            runs && profile.RunningSince.TryGet(out var since) ? (long)(now - since).TotalMilliseconds : null,
            tally.Restarts,
            profile.IsCrashLooping(now),
            profile.RetryAt.TryGet(out var at) ? at.ToString() : null,
            profile.History.LastFailure.TryGet(out var failure)
                ? new(WireNames.Of(failure.Call), failure.At.ToString(), failure.Reason)
                : null);
    }

    public static ContainerCounts Count(ContainerSet containers, Instant now)
    {
        var counts = new ContainerCounts(0, 0, 0, 0, 0);
        foreach (var state in containers.All.Values)
        {
            var profile = state.Profile;
            counts = new(
                counts.Declared + (profile.Declared.IsSome ? 1 : 0),
                counts.Running + (profile.Present.Exists(Runs) ? 1 : 0),
                counts.Failing + (Report(containers, state, now).Report == Failed ? 1 : 0),
                counts.CircuitOpen + (profile.History.CircuitUntil(now).IsSome ? 1 : 0),
                counts.Stopped + (profile.Wish == ContainerWish.Stopped ? 1 : 0));
        }

        return counts;
    }

    private static bool Runs(ObservedContainer container) =>
        container.Status is ContainerStatus.Running(PidAlive: true);

    /// <summary>The line of the last pass's report: an action or a failure, in one word and the words behind it.</summary>
    private static (string Report, string Detail) Report(ContainerSet containers, ContainerState state, Instant now) =>
        containers.Judge(state, now) switch
        {
            ContainerDecision.Settled(var standing, var detail) => (
                standing is ContainerStanding.Failed or ContainerStanding.Unhealthy ? Failed : "ok",
                detail.Length > 0 ? detail : WireNames.Of(standing)),
            ContainerDecision.Left(var reason) => (Failed, reason),
            ContainerDecision.Waits(var what, var until) => (
                until.IsSome && (state.Profile.History.Failures > 0 || state.Profile.End.IsNone) ? Failed : "waiting",
                "waits for " + what),
            ContainerDecision.Acts(var action, var call) => (
                "working", action.ToString() == call.ToString() ? WireNames.Of(action) : $"{WireNames.Of(action)}: {WireNames.Of(call)}"),
        };

    /// <summary>What the table says once its user asked for it, whatever it waits for now.</summary>
    private static string? Plan(ContainerSet containers, ContainerState state, Instant now)
    {
        if (state.Profile.Declared.IsNone || state is not ContainerState.Idle) return null;
        var asked = ContainerMachine.Step(state, new(now, new ContainerEvent.StartRequested()), containers.Pass).State;
        return ContainerPlan.Decide(asked.Profile, now) is ContainerDecision.Acts(var action, _) ? WireNames.Of(action) : null;
    }

    private static string NameOf(PassState passing) => passing switch
    {
        PassState.Off => "off",
        PassState.Gated => "gated",
        PassState.Resting => "resting",
        PassState.Looking => "looking",
    };

    private static string NameOf(Sighting seen) => seen switch
    {
        Sighting.Unseen => "unseen",
        Sighting.Absent => "absent",
        Sighting.Present(var container) => NameOf(container.Status),
    };

    public static string NameOf(ContainerStatus status) => status switch
    {
        ContainerStatus.Created => "created",
        ContainerStatus.Running(var pidAlive) => pidAlive ? "running" : "process-gone",
        ContainerStatus.Paused => "paused",
        ContainerStatus.Restarting => "restarting",
        ContainerStatus.Exited => "exited",
        ContainerStatus.Dead => "dead",
        ContainerStatus.Removing => "removing",
        ContainerStatus.Unknown => "unknown",
    };
}
