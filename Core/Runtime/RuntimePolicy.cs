namespace Agent.Core.Runtime;

/// <summary>Whether the runtime is brought up unasked and kept, or only when somebody asks.</summary>
public enum Keep
{
    OnDemand,
    Always,
}

/// <summary>What the operator configured, and the bounds of every wait and retry of the runtime machine.</summary>
public sealed record RuntimePolicy(Keep Keep, TimeSpan StartTimeout)
{
    /// <summary>Three misses at ten seconds: half a minute of silence is an outage, one slow answer is not.</summary>
    public const int MissesUntilDegraded = 3;

    /// <summary>
    /// After this many restarts within <see cref="CircuitWindow"/> a further one would only burn the host.
    /// </summary>
    public const int CircuitRestarts = 5;

    public static TimeSpan ProbeInterval => TimeSpan.FromSeconds(10);

    public static TimeSpan CircuitWindow => TimeSpan.FromMinutes(10);

    public static TimeSpan FirstRetry => TimeSpan.FromSeconds(1);

    public static TimeSpan LongestRetry => TimeSpan.FromSeconds(60);

    public static RuntimePolicy Default { get; } = new(Keep.OnDemand, TimeSpan.FromSeconds(90));
}
