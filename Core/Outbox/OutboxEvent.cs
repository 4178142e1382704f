using Agent.Core.Model;
using Agent.Core.Rollout;

namespace Agent.Core.Outbox;

/// <summary>Everything that can happen to the outbox.</summary>
public abstract record OutboxEvent
{
    private OutboxEvent() { }

    /// <summary>A plane is configured.</summary>
    public sealed record Attached : OutboxEvent;

    /// <summary>No plane is configured any more: what was meant for it is forgotten.</summary>
    public sealed record Detached : OutboxEvent;

    /// <summary>A rollout changed, and this is how.</summary>
    public sealed record Noted(RolloutId Rollout, long Seq, RolloutEvent Event, Importance Importance) : OutboxEvent;

    /// <summary>
    /// The plane took post <paramref name="Post"/> and answers for its items. What it says nothing of is sent again;
    /// the rollouts that were sent as a whole have arrived.
    /// </summary>
    public sealed record Delivered(long Post, Seq<ItemVerdict> Verdicts, Seq<ReplayRequest> Replays) : OutboxEvent;

    /// <summary>
    /// The post was not taken. <paramref name="JitterPermille"/>, from 0 to 1000, is random and spreads the hosts that
    /// failed together.
    /// </summary>
    public sealed record DeliveryFailed(
        long Post, FailureKind Kind, Option<TimeSpan> RetryAfter, string Detail, int JitterPermille) : OutboxEvent;

    /// <summary>The plane lacks a rollout's events from this seq on and says so by itself, as after a loss of its store.</summary>
    public sealed record ReplayRequested(RolloutId Rollout, long FromSeq) : OutboxEvent;

    public sealed record DeadlineReached : OutboxEvent;

    /// <summary>The agent has just started: whoever was sending is gone.</summary>
    public sealed record Recovered : OutboxEvent;

    /// <summary>An operator does not want to wait.</summary>
    public sealed record FlushRequested : OutboxEvent;

    /// <summary>An operator wants a dead letter sent again.</summary>
    public sealed record DeadLetterRetried(long Position) : OutboxEvent;

    /// <summary>An operator has seen a dead letter and lets it go.</summary>
    public sealed record DeadLetterDropped(long Position) : OutboxEvent;
}

/// <summary>What the plane says of one item.</summary>
public abstract record ItemVerdict
{
    private ItemVerdict(long position) => Position = position;

    public long Position { get; }

    /// <summary>It is durable there and stepped, or was seen before.</summary>
    public sealed record Accepted(long Position) : ItemVerdict(Position);

    /// <summary>It never will be.</summary>
    public sealed record Refused(long Position, string Code, string Detail) : ItemVerdict(Position);
}

/// <summary>The plane lacks a rollout's events from this seq on.</summary>
public sealed record ReplayRequest(RolloutId Rollout, long FromSeq);

/// <summary>Whose fault it is that a post was not taken.</summary>
public enum FailureKind
{
    /// <summary>The way or the plane: no connection, no answer in time, 408, 429, any 5xx.</summary>
    Unavailable,

    /// <summary>401 or 403: the host's certificate, and none of its items.</summary>
    Unauthorized,

    /// <summary>413: too much at once.</summary>
    TooLarge,

    /// <summary>Any other 4xx: something in the post.</summary>
    Refused,
}
