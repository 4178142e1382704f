using Agent.Core.Model;

namespace Agent.Core.Plane;

/// <summary>What must be done. Data only; all may be done twice without harm.</summary>
public abstract record PlaneEffect
{
    private PlaneEffect() { }

    /// <summary>These hosts may have it from now on: wake those of them that wait.</summary>
    public sealed record Offer(RolloutId Id, Seq<HostName> Hosts) : PlaneEffect;

    public sealed record WaveOpened(RolloutId Id, int Wave) : PlaneEffect;

    /// <summary>The rollout as a whole has left what it was; waves within Active are told by WaveOpened.</summary>
    public sealed record Moved(RolloutId Id, FleetPhase Phase) : PlaneEffect;

    /// <summary>This host rolled back from it, so nobody else gets it.</summary>
    public sealed record Quarantined(ChannelName Channel, ReleaseId Release, HostName Host) : PlaneEffect;

    public sealed record QuarantineLifted(ChannelName Channel, ReleaseId Release) : PlaneEffect;

    /// <summary>Sign a certificate for the key of this fingerprint. Answered by Certified.</summary>
    public sealed record Certify(HostName Host, string Key) : PlaneEffect;

    /// <summary>Take this certificate from nobody any more, and end the connections that were opened with it.</summary>
    public sealed record Revoke(HostName Host, Certificate Certificate) : PlaneEffect;

    /// <summary>
    /// The host's answer: one verdict for each thing told, in order; for a heartbeat what is to be told again.
    /// </summary>
    public sealed record Answer(HostName Host, Seq<Verdict> Verdicts) : PlaneEffect;

    /// <summary>The event changed nothing, and why.</summary>
    public sealed record Reject(ErrorCode Code, string Reason) : PlaneEffect;
}

/// <summary>What became of one thing that a host told.</summary>
public abstract record Verdict
{
    private Verdict() { }

    public sealed record Accepted : Verdict;

    /// <summary>It was known.</summary>
    public sealed record Seen : Verdict;

    /// <summary>Something before it is missing: tell it again from this seq on, or, from 0, as a whole.</summary>
    public sealed record Replay(RolloutId Id, long From) : Verdict;

    /// <summary>It cannot be true, and telling it again will not make it so.</summary>
    public sealed record Refused(ErrorCode Code, string Detail) : Verdict;
}
