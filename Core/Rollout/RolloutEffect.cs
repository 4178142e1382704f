using Agent.Core.Model;

namespace Agent.Core.Rollout;

/// <summary>What must be done about a rollout. Data only; all may be done twice without harm.</summary>
public abstract record RolloutEffect
{
    private RolloutEffect() { }

    /// <summary>
    /// Switch the host to the order's target. Answered by ActivationStarted and then by Completed, Deferred or Failed
    /// of the same activation; whoever asks twice for one activation gets one switch.
    /// </summary>
    public sealed record FireSwitch(RolloutOrder Order, int Activation, Option<ReleaseId> Previous) : RolloutEffect;

    /// <summary>Switch the host back. Answered by RollbackCompleted or RollbackFailed of the same activation.</summary>
    public sealed record FireRollback(RolloutOrder Order, int Activation, ReleaseId To) : RolloutEffect;

    /// <summary>The host has rebooted: see what runs. Answered by ActivationCompleted.</summary>
    public sealed record CheckRunning(RolloutOrder Order, int Activation) : RolloutEffect;

    /// <summary>
    /// This event changed the rollout, as its <paramref name="Seq"/>th: tell whoever mirrors this host. It led to
    /// another state if <paramref name="Moved"/>, else it added to what is known in the same one.
    /// </summary>
    public sealed record Report(RolloutId Id, long Seq, RolloutEvent Event, bool Moved) : RolloutEffect;

    /// <summary>The event changed nothing, and why.</summary>
    public sealed record Reject(ErrorCode Code, string Reason) : RolloutEffect;
}
