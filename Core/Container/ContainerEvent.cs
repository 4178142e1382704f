namespace Agent.Core.Container;

/// <summary>Everything that can happen to one container. What answers a call carries the call's number.</summary>
public abstract record ContainerEvent
{
    private ContainerEvent() { }

    /// <summary>
    /// The configuration declares it, perhaps otherwise than before. <paramref name="Install"/>: the declaration itself asks
    /// for it to be there.
    /// </summary>
    public sealed record Declared(ContainerSpec Spec, bool Install) : ContainerEvent;

    /// <summary>
    /// The configuration no more declares it. That alone removes nothing; with <paramref name="Remove"/> it is to go, unless
    /// its user stopped it.
    /// </summary>
    public sealed record Withdrawn(bool Remove = false) : ContainerEvent;

    /// <summary>The list of this pass tells of it, or has none of that uid.</summary>
    public sealed record Observed(int Pass, Option<ObservedContainer> Found) : ContainerEvent;

    public sealed record StartRequested : ContainerEvent;

    public sealed record StopRequested : ContainerEvent;

    public sealed record RemoveRequested : ContainerEvent;

    public sealed record PullCompleted(int Call) : ContainerEvent;

    public sealed record PullFailed(int Call, string Reason) : ContainerEvent;

    public sealed record CreateCompleted(int Call, string EngineId) : ContainerEvent;

    public sealed record CreateFailed(int Call, string Reason) : ContainerEvent;

    public sealed record StartCompleted(int Call) : ContainerEvent;

    public sealed record StartFailed(int Call, string Reason) : ContainerEvent;

    public sealed record StopCompleted(int Call) : ContainerEvent;

    public sealed record StopFailed(int Call, string Reason) : ContainerEvent;

    public sealed record RemoveCompleted(int Call) : ContainerEvent;

    public sealed record RemoveFailed(int Call, string Reason) : ContainerEvent;

    /// <summary>The agent has just started: what was under way is judged by the next list.</summary>
    public sealed record Recovered : ContainerEvent;

    /// <summary>The wait for another try is over.</summary>
    public sealed record DeadlineReached : ContainerEvent;
}
