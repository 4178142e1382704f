using System;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Core.Time;
using LanguageExt;

namespace Agent.Shell.Loop;

/// <summary>
/// The one owner of a machine's state, as sources, interpreters and the API see it: they post events and read what is
/// published. Nobody else steps the machine.
/// </summary>
internal interface ILoop<TState, TEvent, TEffect>
{
    /// <summary>The newest durable state. Immutable; reading it costs nothing and never waits for the loop.</summary>
    Published<TState> Current { get; }

    /// <summary>The loop's clock: never behind the newest event.</summary>
    Instant Now { get; }

    /// <summary>Posts an event and waits only for room in the inbox.</summary>
    ValueTask PostAsync(TEvent @event, CancellationToken stop);

    /// <summary>Posts an event and answers once it is stepped, durable and published.</summary>
    Task<Decision<TState, TEffect>> AskAsync(TEvent @event, CancellationToken stop);

    /// <summary>The first published state, from the current one on, for which the condition holds.</summary>
    Task<Published<TState>> WhenAsync(Func<Published<TState>, bool> condition, CancellationToken stop);
}

/// <summary>
/// A durable state and the record it stands after. <paramref name="Seq"/> is 0 before the first record.
/// </summary>
internal sealed record Published<TState>(long Seq, Instant At, TState State);

/// <summary>
/// What the core decided on one event, durable when it is seen; and the refusal among the effects, if it was refused.
/// </summary>
internal sealed record Decision<TState, TEffect>(Published<TState> After, Seq<TEffect> Effects, Refusal? Refusal);

/// <summary>Why an event changed nothing.</summary>
internal sealed record Refusal(ErrorCode Code, string Reason);
