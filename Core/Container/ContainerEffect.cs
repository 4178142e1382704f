using Agent.Core.Model;

namespace Agent.Core.Container;

/// <summary>
/// What the shell must ask of the engine. Each call is answered by exactly one event with its stem and its number, within
/// a limit of the shell's. Asked again after a crash, none does harm: the next list tells what it did.
/// </summary>
public abstract record ContainerEffect
{
    private ContainerEffect() { }

    /// <summary>Tell of every container that bears this agent's instance label, and of no other.</summary>
    public sealed record List(int Pass) : ContainerEffect;

    /// <summary>See to it that the image of the definition with this digest is there, as its policy says.</summary>
    public sealed record Pull(ContainerUid Uid, int Call, string Digest, PullPolicy Policy) : ContainerEffect;

    /// <summary>Create it from the definition with this digest, which goes into its label. It is not started.</summary>
    public sealed record Create(ContainerUid Uid, int Call, string Digest) : ContainerEffect;

    public sealed record Start(ContainerUid Uid, int Call, string EngineId) : ContainerEffect;

    /// <summary>Ask it to end, and end it by force once the grace is over.</summary>
    public sealed record Stop(ContainerUid Uid, int Call, string EngineId, TimeSpan Grace) : ContainerEffect;

    /// <summary>Remove it, by force where the engine takes it for running. Named volumes stay, nameless ones go with it.</summary>
    public sealed record Remove(ContainerUid Uid, int Call, string EngineId) : ContainerEffect;

    /// <summary>The event changed nothing, and why.</summary>
    public sealed record Reject(ErrorCode Code, string Reason) : ContainerEffect;
}
