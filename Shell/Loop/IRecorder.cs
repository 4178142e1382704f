using Agent.Core.Host;
using Agent.Core.Time;
using LanguageExt;

namespace Agent.Shell.Loop;

/// <summary>
/// Where the loop writes what it decided. A failure is an exception and ends the loop: there is no retry.
/// </summary>
internal interface IRecorder
{
    /// <summary>Adds one decision to the batch under way.</summary>
    void Append(long seq, Instant at, HostEvent @event, Seq<HostEffect> effects, HostState after);

    /// <summary>Makes the batch durable.</summary>
    void Commit(Published after);
}

/// <summary>
/// What an interpreter makes of the effects of a durable decision. It starts work and never waits for it.
/// </summary>
internal interface IEffects
{
    void Run(HostEffect effect);
}
