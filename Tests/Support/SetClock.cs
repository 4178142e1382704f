using System;

namespace Agent.Tests.Support;

/// <summary>
/// A machine's clock that somebody sets: its wall time is the real one and what it was set ahead by, its monotonic time
/// goes on as if nothing were.
/// </summary>
internal sealed class SetClock : TimeProvider
{
    public TimeSpan Ahead { get; set; }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Ahead;
}
