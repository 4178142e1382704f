using Agent.Core.Model;
using Agent.Core.Time;

namespace Agent.Core.Outbox;

/// <summary>Where the agent's queue towards its plane stands.</summary>
public abstract record OutboxState
{
    private OutboxState(OutboxQueue queue) => Queue = queue;

    public OutboxQueue Queue { get; init; }

    /// <summary>No plane is configured. Nothing is queued; the numbers go on, so that none is given out twice.</summary>
    public sealed record Off(OutboxQueue Queue) : OutboxState(Queue);

    /// <summary>The plane knows everything.</summary>
    public sealed record Idle(OutboxQueue Queue) : OutboxState(Queue);

    /// <summary>
    /// Post <paramref name="Number"/> is under way: the items up to the position <paramref name="Through"/>, and these
    /// rollouts as a whole, <paramref name="Size"/> together. <paramref name="Attempt"/> counts the posts since one
    /// was of use.
    /// </summary>
    public sealed record Sending(
        OutboxQueue Queue, long Number, long Through, int Size, Seq<RolloutId> Snapshots, int Attempt)
        : OutboxState(Queue);

    /// <summary>So many posts in a row were of no use, the last for this reason; the next one follows by itself.</summary>
    public sealed record Waiting(OutboxQueue Queue, Instant RetryAt, int Attempts, string Failure) : OutboxState(Queue);
}
