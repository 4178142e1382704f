using System;
using Agent.Core.Time;

namespace Agent.Shell.Loop;

/// <summary>
/// The agent's clock: wall time when it started plus what the monotonic clock has counted since, and never before
/// the newest journaled instant. A step of the wall clock therefore fires no deadline early or late, and instants
/// never run backwards. Signatures are judged by <see cref="WallClock"/>.
/// </summary>
internal sealed class Clock(Instant floor, TimeProvider time)
{
    private readonly long _startedAt = time.GetTimestamp();
    private readonly Instant _base = Later(floor, new(time.GetUtcNow().ToUnixTimeMilliseconds()));

    public Clock(Instant floor)
        : this(floor, TimeProvider.System)
    {
    }

    public Instant Now => _base + time.GetElapsedTime(_startedAt);

    private static Instant Later(Instant left, Instant right) => left >= right ? left : right;
}
