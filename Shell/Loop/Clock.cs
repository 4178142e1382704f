using System;
using System.Diagnostics;
using Agent.Core.Time;

namespace Agent.Shell.Loop;

/// <summary>
/// The agent's clock: wall time when it started plus what the monotonic clock has counted since, and never before
/// the newest journaled instant. A step of the wall clock therefore fires no deadline early or late, and instants
/// never run backwards.
/// </summary>
internal sealed class Clock(Instant floor)
{
    private readonly long _startedAt = Stopwatch.GetTimestamp();
    private readonly Instant _base = Later(floor, new(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()));

    public Instant Now => _base + Stopwatch.GetElapsedTime(_startedAt);

    private static Instant Later(Instant left, Instant right) => left >= right ? left : right;
}
