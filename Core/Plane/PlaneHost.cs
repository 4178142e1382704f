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

    /// <summary>Whether this certificate is from before the host was shut out; nobody may come in with it.</summary>
    public bool Refuses(Certificate certificate) => RevokedAt.TryGet(out var at) && certificate.NotBefore <= at;
}

/// <summary>A host's certificate. <paramref name="NotBefore"/> is when it was issued, not earlier.</summary>
public sealed record Certificate(string Serial, Instant NotBefore, Instant NotAfter);

/// <summary>A heartbeat: what the host is and runs, and how far its rollouts are. <paramref name="At"/> is when it came.</summary>
public sealed record HostReport(
    Instant At, BootId Boot, string Version, Seq<RunningRelease> Running, Seq<RolloutMark> Rollouts)
{
    /// <summary>Whether it tells more than that the host is there still.</summary>
    public bool Differs(HostReport earlier)
    {
        if (Boot != earlier.Boot || Version != earlier.Version) return true;
        if (Running.Count != earlier.Running.Count || Rollouts.Count != earlier.Rollouts.Count) return true;
        for (var i = 0; i < Running.Count; i++)
        {
            if (Running[i] != earlier.Running[i]) return true;
        }

        for (var i = 0; i < Rollouts.Count; i++)
        {
            if (Rollouts[i] != earlier.Rollouts[i]) return true;
        }

        return false;
    }
}

public sealed record RunningRelease(ChannelName Channel, ReleaseId Release);

/// <summary>A rollout that the host knows of, and the seq of its newest event.</summary>
public sealed record RolloutMark(RolloutId Id, long Seq);

/// <summary>The host would not take what it was offered; <paramref name="Code"/> and detail are its own words.</summary>
public sealed record Declined(Instant At, string Code, string Detail);
