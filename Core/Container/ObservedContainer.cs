using Agent.Core.Model;

namespace Agent.Core.Container;

/// <summary>
/// One row of the engine's list: a container that bears this agent's instance label. <paramref name="Digest"/> is the one
/// it was created with.
/// </summary>
public sealed record ObservedContainer(
    ContainerUid Uid, string EngineId, string Digest, ContainerStatus Status, ContainerHealth Health);

/// <summary>What the engine says of a container. Whatever is not known to be one of the others is Unknown.</summary>
public abstract record ContainerStatus
{
    private ContainerStatus() { }

    public sealed record Created : ContainerStatus;

    /// <summary>
    /// The engine says that it runs. <paramref name="PidAlive"/> is false only where its process is known to be gone:
    /// uncertainty counts as alive.
    /// </summary>
    public sealed record Running(bool PidAlive) : ContainerStatus;

    public sealed record Paused : ContainerStatus;

    public sealed record Restarting : ContainerStatus;

    public sealed record Exited(int Code, bool OutOfMemory) : ContainerStatus;

    /// <summary>The engine failed to remove it.</summary>
    public sealed record Dead : ContainerStatus;

    public sealed record Removing : ContainerStatus;

    /// <summary>The engine's own word for it.</summary>
    public sealed record Unknown(string Text) : ContainerStatus;
}

public enum ContainerHealth
{
    /// <summary>It has no health check.</summary>
    None,
    Starting,
    Healthy,
    Unhealthy,
}
