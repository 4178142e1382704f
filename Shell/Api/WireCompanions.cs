using System.Collections.Generic;

namespace Agent.Shell.Api;

/// <summary>The units that this agent writes and keeps, and how the last look at them went.</summary>
/// <param name="Units">The folder that has their files.</param>
/// <param name="Passing">off, resting or looking.</param>
/// <param name="ReloadFailure">Why systemd could not be made to read them, in its own words.</param>
internal sealed record CompanionsInfo(
    string Units, string Passing, LookInfo? LastLook, string? ReloadFailure, IReadOnlyList<CompanionInfo> Companions);

/// <param name="Failure">Why systemd could not be asked, in its own words.</param>
internal sealed record LookInfo(int Pass, string At, string? Failure);

/// <param name="Start">Whether the agent is to have it active.</param>
/// <param name="After">What must be active before it is started.</param>
/// <param name="File">unseen, absent, current, other (ours, of other bytes) or foreign.</param>
/// <param name="State">unseen, active, activating, deactivating, inactive, failed, missing or unknown: as systemd said.</param>
/// <param name="UnderWay">write, start, restart, stop or remove.</param>
/// <param name="Report">ok, working, waiting or failed.</param>
/// <param name="Action">What is done, or was done last.</param>
/// <param name="Losses">How often in the last half hour it was found other than it had been left.</param>
internal sealed record CompanionInfo(
    string Name,
    bool Declared,
    bool? Start,
    IReadOnlyList<string> After,
    string File,
    string State,
    string? UnderWay,
    string Report,
    string Detail,
    string? Action,
    string? ActionAt,
    int Losses,
    string? RetryAt,
    CompanionFailureInfo? LastFailure);

internal sealed record CompanionFailureInfo(string At, string Reason);
