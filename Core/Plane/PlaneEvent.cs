using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Core.Time;

namespace Agent.Core.Plane;

/// <summary>Everything that can happen to the plane.</summary>
public abstract record PlaneEvent
{
    private PlaneEvent() { }

    public sealed record Started : PlaneEvent;

    /// <summary>A manifest was verified.</summary>
    public sealed record Published(FleetOrder Order) : PlaneEvent;

    /// <summary>An operator lets a host in, once, until <paramref name="Expires"/>.</summary>
    public sealed record TokenIssued(TokenId Token, HostName Host, Instant Expires) : PlaneEvent;

    /// <summary>Somebody with this token wants a certificate for this host and the key of this fingerprint.</summary>
    public sealed record EnrolRequested(TokenId Token, HostName Host, string Key) : PlaneEvent;

    /// <summary>A certificate was issued, the first or a renewed one.</summary>
    public sealed record Certified(HostName Host, Certificate Certificate) : PlaneEvent;

    /// <summary>An operator shuts a host out.</summary>
    public sealed record HostRevoked(HostName Host) : PlaneEvent;

    public sealed record Heartbeat(HostName Host, HostReport Report) : PlaneEvent;

    /// <summary>A host tells what happened to its rollouts.</summary>
    public sealed record Told(HostName Host, Seq<Telling> Tellings) : PlaneEvent;

    /// <summary>An operator wants nothing of this channel offered to anybody.</summary>
    public sealed record HaltRequested(ChannelName Channel) : PlaneEvent;

    public sealed record ResumeRequested(ChannelName Channel) : PlaneEvent;

    /// <summary>The instant that <see cref="PlaneMachine.Deadline"/> named has come.</summary>
    public sealed record DeadlineReached : PlaneEvent;
}

/// <summary>One thing that a host tells of one of its rollouts.</summary>
public abstract record Telling
{
    private Telling() { }

    /// <summary>This event changed the rollout, as its <paramref name="Seq"/>th, when the host's clock showed this.</summary>
    public sealed record Happened(RolloutId Id, long Seq, Instant At, RolloutEvent Event) : Telling;

    /// <summary>The rollout as a whole, at the seq that is in it: told first, and where single events are gone.</summary>
    public sealed record Stands(RolloutState State) : Telling;

    /// <summary>The host declines what it was offered.</summary>
    public sealed record Refused(RolloutId Id, string Code, string Detail) : Telling;
}
