using Agent.Core.Time;

namespace Agent.Core.Companion;

/// <summary>Where the passes stand: each looks at every unit once and begins what follows from it.</summary>
public abstract record LookState
{
    private LookState() { }

    /// <summary>No companion is known or declared.</summary>
    public sealed record Off : LookState;

    public sealed record Resting(Instant NextAt) : LookState;

    /// <summary><paramref name="Again"/>: something changed since the look began, another pass follows.</summary>
    public sealed record Looking(Instant Since, bool Again) : LookState;
}

/// <summary>How the last look ended: why it failed, if it did.</summary>
public sealed record LookOutcome(int Pass, Instant At, Option<string> Failure);

/// <summary>systemd reads all unit files at once, so there is one of these for all companions.</summary>
public abstract record ReloadState
{
    private ReloadState() { }

    public sealed record Quiet : ReloadState;

    /// <summary>No file is written or removed meanwhile: systemd would have read some of them and not the others.</summary>
    public sealed record UnderWay : ReloadState;

    public sealed record Failed(string Reason, Instant RetryAt) : ReloadState;
}
