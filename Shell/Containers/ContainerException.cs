using System;

namespace Agent.Shell.Containers;

/// <summary>What kind of failure a call to an engine had; the message has the engine's own words.</summary>
internal enum ContainerFault
{
    /// <summary>Nobody accepts connections, or the connection broke.</summary>
    Unreachable,

    /// <summary>No answer within the call's own bound.</summary>
    TimedOut,

    /// <summary>No such container or image.</summary>
    NotFound,

    /// <summary>The name is taken, or the container is in a state that forbids it.</summary>
    Conflict,

    /// <summary>The engine refuses what was asked for; asking again is no use.</summary>
    Refused,

    /// <summary>The engine tried and failed.</summary>
    Failed,

    /// <summary>An answer that is not understood, or larger than an engine's can be.</summary>
    Garbage,
}

/// <summary>A call to an engine failed. The one way that backends tell it.</summary>
internal sealed class ContainerException : Exception
{
    public ContainerException()
    {
    }

    public ContainerException(string message)
        : base(message)
    {
    }

    public ContainerException(string message, Exception cause)
        : base(message, cause)
    {
    }

    public ContainerException(ContainerFault fault, string message, Exception? cause = null)
        : base(message, cause) => Fault = fault;

    public ContainerFault Fault { get; } = ContainerFault.Failed;
}
