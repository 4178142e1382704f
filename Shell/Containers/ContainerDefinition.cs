using System;
using System.Collections.Generic;
using System.Linq;
using Agent.Core.Container;
using Agent.Core.Model;
using LanguageExt;

namespace Agent.Shell.Containers;

/// <summary>
/// Everything an engine must know to make one container. Only the shell has it: what decisions need of it is its
/// <see cref="ContainerSpec"/>, and the journal holds no more than that. Null is the image's own choice. The engine is
/// never given a restart policy: the agent is the one owner.
/// </summary>
internal sealed record ContainerDefinition(ContainerUid Uid, string Image)
{
    public IReadOnlyList<string>? Entrypoint { get; init; }

    public IReadOnlyList<string>? Command { get; init; }

    public IReadOnlyDictionary<string, string> Environment { get; init; } = Nothing;

    public IReadOnlyDictionary<string, string> Labels { get; init; } = Nothing;

    /// <summary>Names and the addresses that they stand for inside.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> ExtraHosts { get; init; } = [];

    public IReadOnlyList<PublishedPort> Ports { get; init; } = [];

    public IReadOnlyList<ContainerMount> Mounts { get; init; } = [];

    public string? User { get; init; }

    public string? WorkingDirectory { get; init; }

    public string? Hostname { get; init; }

    /// <summary>
    /// `none`, `host` or `bridge`; null is the instance's own network, where containers find each other by uid.
    /// </summary>
    public string? NetworkMode { get; init; }

    public ContainerHealthcheck? Healthcheck { get; init; }

    public ContainerLimits Limits { get; init; } = new(null, null, null);

    public IReadOnlyList<string> AddedCapabilities { get; init; } = [];

    public IReadOnlyList<string> DroppedCapabilities { get; init; } = [];

    public bool ReadOnlyRoot { get; init; }

    /// <summary>A little init as pid 1 inside, which reaps and passes signals on.</summary>
    public bool Init { get; init; }

    public string? StopSignal { get; init; }

    public TimeSpan StopGrace { get; init; } = ContainerSpec.DefaultStopGrace;

    public PullPolicy Pull { get; init; }

    public ContainerRestart Restart { get; init; }

    public IReadOnlyList<ContainerDependency> DependsOn { get; init; } = [];

    private static Dictionary<string, string> Nothing { get; } = new(StringComparer.Ordinal);

    /// <summary>What decisions need of it.</summary>
    public ContainerSpec ToSpec(string digest) => new(
        Uid, Image, Pull, Restart, DependsOn.ToArray().ToSeq(), Healthcheck is { IsOff: false }, StopGrace, digest);
}

/// <summary>A port of the container on the host. Without a host port the engine takes a free one.</summary>
/// <param name="HostAddress">Empty: all of the host's addresses.</param>
/// <param name="Protocol">`tcp`, `udp` or `sctp`.</param>
internal sealed record PublishedPort(string HostAddress, int? HostPort, int ContainerPort, string Protocol);

internal enum MountKind
{
    /// <summary>A path of the host, which must exist: a disk that is not mounted must not be written beneath.</summary>
    Bind,

    /// <summary>A volume of this instance, made when it is first used; nameless where the source is empty.</summary>
    Volume,

    /// <summary>A volume that somebody else made, by its own name.</summary>
    External,

    /// <summary>Memory; the source is empty.</summary>
    Tmpfs,
}

/// <param name="TmpfsBytes">The size of a tmpfs; null is half of the memory.</param>
internal sealed record ContainerMount(
    MountKind Kind, string Source, string Target, bool ReadOnly, long? TmpfsBytes = null);

/// <summary>How the engine tells healthy from not.</summary>
/// <param name="Test">`NONE` alone switches the image's own off; else `CMD` or `CMD-SHELL` and what follows.</param>
internal sealed record ContainerHealthcheck(
    IReadOnlyList<string> Test, TimeSpan? Interval, TimeSpan? Timeout, TimeSpan? StartPeriod, int? Retries)
{
    public bool IsOff => Test is ["NONE"];
}

/// <summary>What the container may use at most; null is no bound.</summary>
internal sealed record ContainerLimits(long? MemoryBytes, int? CpuThousandths, int? Pids);
