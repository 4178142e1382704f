using Agent.Core.Model;
using Agent.Core.Time;

namespace Agent.Core.Plane;

/// <summary>
/// A line of manifests. Only its newest one is ever offered; <paramref name="Floor"/> is that one's version and never
/// falls. A release in quarantine is offered to nobody until a manifest is published that targets others only.
/// </summary>
public sealed record PlaneChannel(
    long Floor, RolloutId Newest, bool Halted, Map<OrdReleaseId, ReleaseId, Quarantine> Quarantine)
{
    /// <summary>
    /// The newest manifest's own releases always find room; what hosts report of manifests that were not published here
    /// finds it up to this many, so that no host can fill the state with inventions.
    /// </summary>
    public const int MaxForeignQuarantines = 64;
}

/// <summary>Which host rolled back first from a release, in which rollout.</summary>
public sealed record Quarantine(Instant At, RolloutId Rollout, HostName Host);
