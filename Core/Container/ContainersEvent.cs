using Agent.Core.Model;

namespace Agent.Core.Container;

/// <summary>Everything that can happen to the set of containers.</summary>
public abstract record ContainersEvent
{
    private ContainersEvent() { }

    /// <summary>
    /// Exactly these are declared. <paramref name="Install"/>: what is declared is wanted, without anybody asking for it.
    /// <paramref name="UsesRuntime"/>: their engine is the one that this agent supervises. <paramref name="RemoveDropped"/>:
    /// what was declared until now and is no more is to go.
    /// </summary>
    public sealed record Declared(Seq<ContainerSpec> Specs, bool Install, bool UsesRuntime, bool RemoveDropped = false)
        : ContainersEvent;

    /// <summary>Something happened to one of them.</summary>
    public sealed record One(ContainerUid Uid, ContainerEvent Event) : ContainersEvent;

    /// <summary>These, or all that are declared, are to exist and run; with or without what nothing declares.</summary>
    public sealed record UpRequested(Seq<ContainerUid> Uids, bool RemoveOrphans) : ContainersEvent;

    /// <summary>These, or all there are, are to go.</summary>
    public sealed record DownRequested(Seq<ContainerUid> Uids) : ContainersEvent;

    /// <summary>Somebody wants a pass at once.</summary>
    public sealed record ReconcileRequested : ContainersEvent;

    /// <summary>The engine tells that something of ours changed; what, the next list says.</summary>
    public sealed record EngineChanged : ContainersEvent;

    /// <summary>The runtime that this agent supervises became ready.</summary>
    public sealed record EngineReady : ContainersEvent;

    public sealed record Listed(int Pass, Seq<ObservedContainer> Found) : ContainersEvent;

    /// <summary>The list tells nothing but what is believed already; most do, and need not be written down each time.</summary>
    public sealed record ListConfirmed(int Pass) : ContainersEvent;

    public sealed record ListFailed(int Pass, string Reason) : ContainersEvent;

    /// <summary>The agent has just started.</summary>
    public sealed record Recovered : ContainersEvent;

    public sealed record DeadlineReached : ContainersEvent;
}
