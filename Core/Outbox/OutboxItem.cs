using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Core.Time;
using LanguageExt.TypeClasses;

namespace Agent.Core.Outbox;

/// <summary>
/// One thing that the plane has to learn: the <paramref name="Seq"/>th event of a rollout and when it was stepped.
/// Positions number all items ever queued on this host, from 1, and are never given out twice.
/// </summary>
public sealed record OutboxItem(
    long Position, RolloutId Rollout, long Seq, Instant At, RolloutEvent Event, Importance Importance);

public enum Importance
{
    /// <summary>The event led the rollout to another state. Never given up for want of room.</summary>
    Transition,

    /// <summary>The rollout stayed in its state and knows a little more.</summary>
    Observation,
}

/// <summary>
/// An item that the plane refused; <paramref name="Code"/> is stable, <paramref name="Detail"/> is for people. It
/// holds up nothing and waits for an operator.
/// </summary>
public sealed record DeadLetter(OutboxItem Item, string Code, string Detail, Instant At);

/// <summary>Orders positions.</summary>
public readonly record struct OrdPosition : Ord<long>
{
    public int Compare(long x, long y) => x.CompareTo(y);

    public bool Equals(long x, long y) => x == y;

    public int GetHashCode(long x) => x.GetHashCode();

    public System.Threading.Tasks.Task<int> CompareAsync(long x, long y) => throw new NotSupportedException();
}
