using System.Collections.Generic;
using System.Text.Json.Serialization;

namespace Agent.Shell.Api;

/// <summary>Desired and observed side by side, and how the last look at the engine went.</summary>
/// <param name="Instance">What its containers' label agent.instance says.</param>
/// <param name="Engine">The path of the engine that has them.</param>
/// <param name="EngineKind">What that path is: socket or command.</param>
/// <param name="RegistryAuth">The file with the logins for registries; null: there is none.</param>
/// <param name="Passing">off, gated, resting or looking.</param>
/// <param name="GatedUntil">While the engine is not ready: when it is tried all the same.</param>
internal sealed record ContainersInfo(
    string Instance,
    string Engine,
    string EngineKind,
    string? RegistryAuth,
    string Passing,
    string? GatedUntil,
    PassInfo? LastPass,
    IReadOnlyList<ContainerInfo> Containers);

/// <summary>The containers that are declared or known, each counted under all that is true of it.</summary>
/// <param name="Running">With a living process, as it was seen.</param>
/// <param name="Failing">Reported as failed.</param>
/// <param name="CircuitOpen">Made anew so often that the agent lets it be for a while.</param>
/// <param name="Stopped">By its user.</param>
internal sealed record ContainerCounts(int Declared, int Running, int Failing, int CircuitOpen, int Stopped);

/// <param name="Listed">How many containers of this agent's the engine has.</param>
/// <param name="Failure">Why it could not be asked, in its own words.</param>
internal sealed record PassInfo(int Pass, string At, int Listed, string? Failure);

/// <param name="Wish">
/// repaired (it runs where it exists), installed, stopped or removed (by its user), dropped (nothing declares it, and it goes).
/// </param>
/// <param name="State">
/// unseen, absent, created, running, process-gone, paused, restarting, exited, dead, removing or unknown: as it was seen.
/// </param>
/// <param name="Current">Whether it was made of the definition that is declared; null where there is none of either.</param>
/// <param name="UnderWay">pull, create, start, stop or remove: what the engine is asked for.</param>
/// <param name="Report">ok, working, waiting or failed.</param>
/// <param name="Action">install, start, restart, replace, recreate, stop or remove: what is done, or was done last.</param>
/// <param name="Plan">What `up` would do to it; null: nothing.</param>
internal sealed record ContainerInfo(
    string Uid,
    string? Image,
    bool Declared,
    string Wish,
    string State,
    string? EngineId,
    bool? Current,
    string? Health,
    int? ExitCode,
    bool? OutOfMemory,
    string? UnderWay,
    string Report,
    string Detail,
    string? Action,
    string? Plan,
    long? RunningMs,
    int Restarts,
    bool CrashLooping,
    string? RetryAt,
    ContainerFailureInfo? LastFailure);

internal sealed record ContainerFailureInfo(string Call, string At, string Reason);

/// <param name="Uids">Null or empty: all that are declared.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record UpRequest(IReadOnlyList<string?>? Uids = null, bool RemoveOrphans = false);

/// <param name="Uids">Null or empty: all that bear this agent's label.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record DownRequest(IReadOnlyList<string?>? Uids = null);
