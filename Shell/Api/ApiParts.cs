using System;
using Agent.Shell.Effects;
using Agent.Shell.Loop;
using Agent.Shell.Observability;
using Agent.Shell.Manifests;

namespace Agent.Shell.Api;

/// <summary>What the API speaks for.</summary>
/// <param name="Version">Of this build.</param>
/// <param name="Instance">The name of this agent on this machine.</param>
/// <param name="KeeperConnected">Whether the keeper answers.</param>
internal sealed record ApiParts(
    string Version,
    string Instance,
    IHost Host,
    IRuntimeProbe Probe,
    IProcessOutput Output,
    IJournalRecords Journal,
    IStateDigest Digest,
    ISpawnSecrets Secrets,
    IRolloutIntake Intake,
    Counters Counters,
    Func<bool> KeeperConnected,
    IPlane Plane,
    WallClock Wall,
    IUpgrade Upgrade)
{
    /// <summary>By what this agent's containers are known, and where their engine listens.</summary>
    public Func<(string Instance, string Socket)> Engine { get; init; } = () => ("", "");
}
