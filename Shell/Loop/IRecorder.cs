using Agent.Core.Time;
using LanguageExt;

namespace Agent.Shell.Loop;

/// <summary>
/// Where the loop writes what it decided. A failure is an exception and ends the loop: there is no retry.
/// </summary>
internal interface IRecorder<TState, TEvent, TEffect>
{
    /// <summary>Adds one decision to the batch under way.</summary>
    void Append(long seq, Instant at, TEvent @event, Seq<TEffect> effects, TState after);

    /// <summary>The batch under way is large enough to be committed before more is added.</summary>
    bool IsFull { get; }

    /// <summary>Makes the batch durable.</summary>
    void Commit(Published<TState> after);
}

/// <summary>
/// What an interpreter makes of the effects of a durable decision. It starts work and never waits for it.
/// </summary>
internal interface IEffects<TEffect>
{
    void Run(TEffect effect);
}
