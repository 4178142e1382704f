using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Core.Time;

namespace Agent.Core.Plane;

/// <summary>A published manifest and how far its fleet is. There is one tally for each wave, the first at 0.</summary>
public sealed record FleetRollout(FleetOrder Order, Instant PublishedAt, FleetPhase Phase, Seq<WaveTally> Waves);

/// <summary>Where a rollout stands as a whole.</summary>
public abstract record FleetPhase
{
    private FleetPhase() { }

    /// <summary>The hosts up to this wave may have it. An open wave stays open.</summary>
    public sealed record Active(int Wave) : FleetPhase;

    /// <summary>Every host of every wave runs it, or has moved on.</summary>
    public sealed record Converged(Instant At) : FleetPhase;

    /// <summary>
    /// It went wrong on a host, and no other one gets it. A retry that works on that host changes nothing of that.
    /// </summary>
    public sealed record Failed(Instant At, HostName Host) : FleetPhase;

    /// <summary>Every host on which it went wrong runs again what it ran before.</summary>
    public sealed record Reverted(Instant At, HostName Host) : FleetPhase;

    public sealed record Superseded(Instant At, RolloutId By) : FleetPhase;
}

/// <summary>
/// The hosts of one wave, counted by what their mirrors say. Done are those that run it, wait only for their reboot (these
/// are counted in <paramref name="Deferred"/> as well) or have moved on. Kept up to date change by change, so that ten
/// thousand hosts that converge at once cost ten thousand additions and no pass over the fleet.
/// </summary>
public sealed record WaveTally(int Hosts, int Done, int Failed, int Reverted, int Deferred)
{
    public bool IsDone => Done == Hosts;

    /// <summary>The tally with this mirror counted in, or out with -1.</summary>
    public WaveTally With(RolloutState mirror, int count) => mirror switch
    {
        RolloutState.Converged or RolloutState.Superseded => this with { Done = Done + count },
        RolloutState.Deferred => this with { Done = Done + count, Deferred = Deferred + count },
        RolloutState.Failed => this with { Failed = Failed + count },
        RolloutState.Reverted => this with { Reverted = Reverted + count },
        RolloutState.Pending or RolloutState.Activating or RolloutState.Soaking => this,
    };
}
