using Agent.Core.Time;

namespace Agent.Core.Runtime;

/// <summary>Where the container runtime (containerd and dockerd) stands on this host.</summary>
public abstract record RuntimeState
{
    private RuntimeState(RuntimeHistory history) => History = history;

    /// <summary>
    /// What was tried so far. It outlives every attempt, so that a new one never hides the last cause.
    /// </summary>
    public RuntimeHistory History { get; }

    /// <summary>
    /// Nothing was started. While <paramref name="Held"/>, the user has stopped it and only he starts it.
    /// </summary>
    public sealed record NotStarted(bool Held, RuntimeHistory History) : RuntimeState(History);

    /// <summary>An attempt runs and is over at <paramref name="Until"/> at the latest.</summary>
    public sealed record Starting(Instant Since, Instant Until, Seq<ServiceStatus> Services, RuntimeHistory History)
        : RuntimeState(History);

    /// <summary>
    /// The engine answered its ping. <paramref name="Misses"/> counts the probes missed in a row since.
    /// </summary>
    public sealed record Ready(
        string Endpoint, string Message, Instant Since, int Misses, Seq<ServiceStatus> Services, RuntimeHistory History)
        : RuntimeState(History);

    /// <summary>
    /// It was ready and stopped answering. None as <paramref name="RetryAt"/> means that nobody asked to keep it.
    /// </summary>
    public sealed record Degraded(
        string Endpoint, RuntimeFailure Cause, Option<Instant> RetryAt, Seq<ServiceStatus> Services, RuntimeHistory History)
        : RuntimeState(History);

    /// <summary>The last attempt ended without a runtime.</summary>
    public sealed record Failed(
        RuntimeFailure Cause, Option<Instant> RetryAt, Seq<ServiceStatus> Services, RuntimeHistory History)
        : RuntimeState(History);
}
