using System.Threading;
using Agent.Core.Host;
using Agent.Core.Process;
using Agent.Shell.Loop;

namespace Agent.Shell.Observability;

/// <summary>What was counted since this agent started. Whatever follows from the state is not counted here.</summary>
internal sealed class Counters
{
    private long _restarts;
    private long _requests;
    private long _refusals;

    /// <summary>Spawns of a process that had run before.</summary>
    public long Restarts => Volatile.Read(ref _restarts);

    public long Requests => Volatile.Read(ref _requests);

    /// <summary>Requests answered with an error.</summary>
    public long Refusals => Volatile.Read(ref _refusals);

    public void CountRequest() => Interlocked.Increment(ref _requests);

    public void CountRefusal() => Interlocked.Increment(ref _refusals);

    public void Count(HostEffect effect)
    {
        if (effect is HostEffect.Process(ProcessEffect.Spawn { Generation: > 1 })) Interlocked.Increment(ref _restarts);
    }
}

/// <summary>Counts the effects on their way to those who run them.</summary>
internal sealed class CountedEffects(IEffects<HostEffect> effects, Counters counters) : IEffects<HostEffect>
{
    public void Run(HostEffect effect)
    {
        counters.Count(effect);
        effects.Run(effect);
    }
}
