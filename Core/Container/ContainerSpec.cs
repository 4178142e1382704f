using Agent.Core.Model;

namespace Agent.Core.Container;

/// <summary>
/// What decisions need to know of a declared container. The whole definition (its environment, volumes, command) stays in
/// the shell; <paramref name="Digest"/> is a keyed hash over all of it and tells whether it changed.
/// </summary>
public sealed record ContainerSpec(
    ContainerUid Uid,
    string Image,
    PullPolicy Pull,
    ContainerRestart Restart,
    Seq<ContainerDependency> DependsOn,
    bool HasHealthcheck,
    TimeSpan StopGrace,
    string Digest)
{
    /// <summary>As engines have it where nothing is said.</summary>
    public static TimeSpan DefaultStopGrace => TimeSpan.FromSeconds(10);

    /// <summary>A database may need minutes to end well; a stop that takes longer holds up its replacement for too long.</summary>
    public static TimeSpan LongestStopGrace => TimeSpan.FromMinutes(10);

    /// <summary>Written out because a Seq's own equality is found by reflection.</summary>
    public bool SameAs(ContainerSpec other)
    {
        if (this with { DependsOn = other.DependsOn } != other || DependsOn.Count != other.DependsOn.Count) return false;
        for (var i = 0; i < DependsOn.Count; i++)
        {
            if (DependsOn[i] != other.DependsOn[i]) return false;
        }

        return true;
    }
}

/// <summary>When the image is asked of its registry.</summary>
public enum PullPolicy
{
    /// <summary>Only where the engine does not have it.</summary>
    Missing,

    /// <summary>With each declaration and each word of its user's that makes the container anew; a repair is neither.</summary>
    Always,
    Never,
}

/// <summary>What follows when a container ends by itself.</summary>
public enum ContainerRestart
{
    Never,
    OnFailure,
    Always,
}

/// <summary>A container is started only while the one it depends on is as far as <paramref name="Condition"/> says.</summary>
public sealed record ContainerDependency(ContainerUid On, DependencyCondition Condition);

public enum DependencyCondition
{
    Started,
    Healthy,

    /// <summary>It has ended with code 0.</summary>
    Completed,
}
