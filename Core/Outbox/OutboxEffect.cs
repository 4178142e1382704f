using Agent.Core.Model;

namespace Agent.Core.Outbox;

/// <summary>What must be done for the outbox. Data only; all may be done twice without harm.</summary>
public abstract record OutboxEffect
{
    private OutboxEffect() { }

    /// <summary>
    /// Send these items, in order, after the whole state of these rollouts as it is known by then, each with its seq; a
    /// rollout that the host has forgotten is named as gone. Answered once, by Delivered or DeliveryFailed of the same
    /// number.
    /// </summary>
    public sealed record Post(long Number, Seq<OutboxItem> Items, Seq<RolloutId> Snapshots) : OutboxEffect;

    /// <summary>Something was given up, and an operator should hear of it.</summary>
    public sealed record Warn(string What) : OutboxEffect;

    /// <summary>The event changed nothing, and why.</summary>
    public sealed record Reject(ErrorCode Code, string Reason) : OutboxEffect;
}
