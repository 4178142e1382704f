using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Core.Time;

namespace Agent.Core.Plane;

/// <summary>
/// One host as the plane knows it: what it said last, a mirror of each of its rollouts, and which offers it declined.
/// </summary>
public sealed record PlaneHost(
    HostName Name,
    Option<Certificate> Certificate,
    Option<Instant> RevokedAt,
    Option<HostReport> Report,
    Map<OrdRolloutId, RolloutId, RolloutState> Mirrors,
    Map<OrdRolloutId, RolloutId, Declined> Declined)
{
    /// <summary>As many as a host itself keeps of those that are decided.</summary>
    public const int MaxMirrors = 32;

    /// <summary>Shut out, and not certified since.</summary>
    public bool IsRevoked => RevokedAt.TryGet(out var at) && !(Certificate.TryGet(out var newest) && newest.NotBefore > at);

    public static PlaneHost Create(HostName name) => new(
        name, None, None, None, Map<OrdRolloutId, RolloutId, RolloutState>(), Map<OrdRolloutId, RolloutId, Declined>());

    /// <summary>
    /// Whether a report tells nothing new but that the host is there still: it is and runs what it did, and the mirrors
    /// are as far as its rollouts.
    /// </summary>
    public bool Knows(HostReport report) => Report.TryGet(out var known)
        && known.Boot == report.Boot && known.Version == report.Version && Same(known.Running, report.Running)
        && known.Rollouts.Count == report.Rollouts.Count
        && report.Rollouts.ForAll(mark => known.Rollouts.Exists(one => one.Id == mark.Id)
            && Mirrors.Find(mark.Id).Exists(mirror => mirror.Profile.Seq >= mark.Seq));

    /// <summary>Whether this certificate is from before the host was shut out; nobody may come in with it.</summary>
    public bool Refuses(Certificate certificate) => RevokedAt.TryGet(out var at) && certificate.NotBefore <= at;

    private static bool Same(Seq<RunningRelease> left, Seq<RunningRelease> right)
    {
        if (left.Count != right.Count) return false;
        for (var i = 0; i < left.Count; i++)
        {
            if (left[i] != right[i]) return false;
        }

        return true;
    }
}

/// <summary>A host's certificate. <paramref name="NotBefore"/> is when it was issued, not earlier.</summary>
public sealed record Certificate(string Serial, Instant NotBefore, Instant NotAfter);

/// <summary>A heartbeat: what the host is and runs, and how far its rollouts are. <paramref name="At"/> is when it came.</summary>
public sealed record HostReport(
    Instant At, BootId Boot, string Version, Seq<RunningRelease> Running, Seq<RolloutMark> Rollouts);

public sealed record RunningRelease(ChannelName Channel, ReleaseId Release);

/// <summary>A rollout that the host knows of, and the seq of its newest event.</summary>
public sealed record RolloutMark(RolloutId Id, long Seq);

/// <summary>The host would not take what it was offered; <paramref name="Code"/> and detail are its own words.</summary>
public sealed record Declined(Instant At, string Code, string Detail);
