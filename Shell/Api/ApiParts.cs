using System;
using Agent.Shell.Containers;
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
    /// <summary>By what this agent's containers are known, where their engine is asked, and the file of its logins.</summary>
    public Func<(string Instance, EngineAddress Address, string? RegistryAuth)> Engine { get; init; } =
        () => ("", new EngineAddress.Socket(""), null);

    /// <summary>The folder in which systemd finds this agent's companions.</summary>
    public Func<string> Units { get; init; } = () => "";
}
