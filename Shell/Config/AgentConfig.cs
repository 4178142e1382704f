using System;
using System.Collections.Generic;
using Agent.Core.Process;
using Agent.Core.Runtime;
using Agent.Shell.Activators.Nixos;
using Agent.Shell.Companions;
using Agent.Shell.Containers;
using Agent.Shell.Docker;

namespace Agent.Shell.Config;

/// <summary>A configuration that is valid as a whole.</summary>
internal sealed record AgentConfig(
    RuntimePolicy Policy, RuntimeSettings Runtime, RolloutSettings Rollout, IReadOnlyList<ServiceConfig> Services)
{
    public ContainerSettings Containers { get; init; } = ContainerSettings.None;

    public CompanionSettings Companions { get; init; } = CompanionSettings.None;
}

/// <summary>
/// What rollouts are judged by: the names of this host and of its environment (none: manifests of any), the trust
/// file, how many releases are kept to go back to, where a NixOS host keeps its own, and its plane (none: the one that it
/// was enrolled with, if it was).
/// </summary>
internal sealed record RolloutSettings(
    string Host, string? Environment, string Trust, int KeepReleases, NixosPaths Nixos, Uri? Plane)
{
    public const string DefaultTrust = "/etc/agent/trust.json";

    /// <summary>What runs, what ran before, and three more that an operator may want back at once.</summary>
    public const int DefaultKept = 5;

    /// <summary>What runs and the way back.</summary>
    public const int LeastKept = 2;

    /// <summary>More is an archive, and has its place elsewhere.</summary>
    public const int MostKept = 100;

    /// <summary>What exec probes may run.</summary>
    public ProbePrograms ExecProbes { get; init; } = ProbePrograms.Any;

    public static RolloutSettings Default =>
        new(System.Environment.MachineName, null, DefaultTrust, DefaultKept, NixosPaths.Standard, null);
}

/// <summary>Which programs a manifest may name in its exec probes.</summary>
internal enum ProbePrograms
{
    /// <summary>Every one of the host: whoever signs manifests is trusted with root.</summary>
    Any,

    /// <summary>Those of the release that the manifest asks for.</summary>
    Release,
}

/// <summary>One service: what decisions need of it, and the environment that they must not see.</summary>
internal sealed record ServiceConfig(ProcessSpec Spec, IReadOnlyDictionary<string, string> Environment)
{
    /// <summary>What is kept of its output on disk; null: nothing. No decision needs it, so no spec has it.</summary>
    public LogSettings? Log { get; init; } = LogSettings.Default;
}

/// <summary>Everything that is wrong with a configuration, each mistake with its place.</summary>
internal sealed class ConfigException : Exception
{
    public ConfigException()
    {
    }

    public ConfigException(string message)
        : base(message)
    {
    }

    public ConfigException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    public ConfigException(IReadOnlyList<string> mistakes)
        : this(string.Join('\n', mistakes)) => Mistakes = mistakes;

    public IReadOnlyList<string> Mistakes { get; } = [];
}
