using Agent.Core;
using Agent.Core.Time;
using Agent.Shell.Journal.Codec;
using LanguageExt;

namespace Agent.Shell.Loop;

/// <summary>
/// One machine of Core as the loop and the journal see it: how it steps, what it waits for, and how its events, effects
/// and states are written. There is one for the agent and one for the plane; all that runs or reads them is shared.
/// </summary>
internal abstract class Binding<TState, TEvent, TEffect>
{
    /// <summary>The state before the first record.</summary>
    public abstract TState Initial { get; }

    /// <summary>What the loop posts when the instant that <see cref="Deadline"/> named has come.</summary>
    public abstract TEvent DeadlineReached { get; }

    public abstract Transition<TState, TEffect> Step(TState state, Timed<TEvent> input);

    public abstract Option<Instant> Deadline(TState state);

    /// <summary>The refusal that an effect is, if it is one.</summary>
    public abstract Refusal? RefusalOf(TEffect effect);

    /// <summary>
    /// Whether this event is the start of a run: the loop wakes no deadline before it, and its record carries the digest
    /// of the state after it.
    /// </summary>
    public abstract bool IsStart(TEvent @event);

    public abstract void Write(JsonOut to, TEvent @event);

    public abstract void Write(JsonOut to, Seq<TEffect> effects);

    public abstract void Write(JsonOut to, TState state);

    public abstract TEvent ReadEvent(ref JsonIn from);

    public abstract TState ReadState(ref JsonIn from);
}
