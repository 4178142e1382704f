using Agent.Core.Time;

namespace Agent.Core.Container;

/// <summary>What a container's state and its declaration lead to.</summary>
public abstract record ContainerDecision
{
    private ContainerDecision() { }

    /// <summary>There is nothing to do.</summary>
    public sealed record Settled(ContainerStanding Standing, string Detail) : ContainerDecision;

    /// <summary>It is not as it should be, and no repair is called for. Never a success.</summary>
    public sealed record Left(string Reason) : ContainerDecision;

    /// <summary>Something comes first: a time, or a container that it depends on.</summary>
    public sealed record Waits(string For, Option<Instant> Until) : ContainerDecision;

    /// <summary>The next call on the way to what <paramref name="Action"/> says.</summary>
    public sealed record Acts(ContainerAction Action, ContainerCall Call) : ContainerDecision;
}

/// <summary>Where a container that needs nothing stands.</summary>
public enum ContainerStanding
{
    Running,
    Unhealthy,
    Succeeded,
    Failed,

    /// <summary>Its user stopped it.</summary>
    Stopped,

    /// <summary>It does not exist, and nobody asked for it.</summary>
    NotInstalled,

    /// <summary>Its user had it removed.</summary>
    Removed,
}

/// <summary>What is done to a container as a whole; it may take several calls.</summary>
public enum ContainerAction
{
    Install,
    Start,

    /// <summary>It ended, and its policy says so.</summary>
    Restart,

    /// <summary>Its definition changed.</summary>
    Replace,

    /// <summary>It is gone or broken, and nobody asked for that.</summary>
    Recreate,
    Stop,
    Remove,
}

public enum ContainerCall
{
    Pull,
    Create,
    Start,
    Stop,
    Remove,
}
