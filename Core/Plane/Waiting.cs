using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Core.Time;

namespace Agent.Core.Plane;

/// <summary>Why a host has not got a rollout, or how far it is with it.</summary>
public abstract record Waiting
{
    private Waiting() { }

    /// <summary>The host has it; this is how it stands.</summary>
    public sealed record Standing(RolloutState State) : Waiting;

    /// <summary>The manifest does not list the host, or is not known here.</summary>
    public sealed record NotListed : Waiting;

    public sealed record Revoked : Waiting;

    /// <summary>Only the newest rollout of a channel is offered.</summary>
    public sealed record Superseded(RolloutId By) : Waiting;

    public sealed record Quarantined(Quarantine Entry) : Waiting;

    public sealed record RolloutFailed(HostName Host) : Waiting;

    public sealed record Halted : Waiting;

    /// <summary>
    /// The host is of <paramref name="Wave"/>, the newest open one is <paramref name="Open"/>, and these hosts, the first of
    /// all, are what it waits for.
    /// </summary>
    public sealed record WaveNotOpen(int Wave, int Open, Seq<HostName> First) : Waiting;

    public sealed record DeclinedByHost(Declined Declined) : Waiting;

    /// <summary>It is offered, and the host has never said a word to this plane.</summary>
    public sealed record NeverSeen : Waiting;

    /// <summary>It is offered and the host has not answered yet.</summary>
    public sealed record Offered(Instant LastHeartbeat) : Waiting;
}
