using Agent.Core.Time;

namespace Agent.Core.Container;

/// <summary>Where the passes stand: each looks at the engine's list once and begins what follows from it.</summary>
public abstract record PassState
{
    private PassState() { }

    /// <summary>No container is known or declared.</summary>
    public sealed record Off : PassState;

    /// <summary>The engine is not ready yet. At <paramref name="Until"/> the pass is tried all the same.</summary>
    public sealed record Gated(Instant Until) : PassState;

    public sealed record Resting(Instant NextAt) : PassState;

    /// <summary>The list was asked for. <paramref name="Again"/>: something changed since, another pass follows.</summary>
    public sealed record Looking(Instant Since, bool Again) : PassState;
}

/// <summary>How the last pass ended: how many containers of ours the engine listed, or why it did not.</summary>
public sealed record PassOutcome(int Pass, Instant At, int Listed, Option<string> Failure);
