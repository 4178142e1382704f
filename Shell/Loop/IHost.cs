using System;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Core.Rollout;
using Agent.Core.Runtime;
using Agent.Core.Time;
using LanguageExt;

namespace Agent.Shell.Loop;

/// <summary>
/// The one owner of the host's state, as sources, interpreters and the API see it: they post events and read what is
/// published. Nobody else steps the machine.
/// </summary>
internal interface IHost
{
    /// <summary>The newest durable state. Immutable; reading it costs nothing and never waits for the loop.</summary>
    Published Current { get; }

    /// <summary>The loop's clock: never behind the newest event.</summary>
    Instant Now { get; }

    /// <summary>Posts an event and waits only for room in the inbox.</summary>
    ValueTask PostAsync(HostEvent @event, CancellationToken stop);

    /// <summary>Posts an event and answers once it is stepped, durable and published.</summary>
    Task<Decision> AskAsync(HostEvent @event, CancellationToken stop);

    /// <summary>The first published state, from the current one on, for which the condition holds.</summary>
    Task<Published> WhenAsync(Func<Published, bool> condition, CancellationToken stop);
}

/// <summary>
/// A durable state and the record it stands after. <paramref name="Seq"/> is 0 before the first record.
/// </summary>
internal sealed record Published(long Seq, Instant At, HostState State);

/// <summary>What the core decided on one event, durable when it is seen.</summary>
internal sealed record Decision(Published After, Seq<HostEffect> Effects)
{
    /// <summary>The refusal among the effects, if the event was refused.</summary>
    public Refusal? Refusal
    {
        get
        {
            foreach (var effect in Effects)
            {
                if (Loop.Refusal.From(effect) is { } refusal) return refusal;
            }

            return null;
        }
    }
}

/// <summary>Why an event changed nothing.</summary>
internal sealed record Refusal(ErrorCode Code, string Reason)
{
    public static Refusal? From(HostEffect effect) => effect switch
    {
        HostEffect.Runtime(RuntimeEffect.Reject(var code, var reason)) => new(code, reason),
        HostEffect.Process(ProcessEffect.Reject(var code, var reason)) => new(code, reason),
        HostEffect.Rollout(RolloutEffect.Reject(var code, var reason)) => new(code, reason),
        HostEffect.Runtime or HostEffect.Process or HostEffect.Rollout => null,
    };
}
