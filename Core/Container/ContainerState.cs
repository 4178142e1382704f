using Agent.Core.Time;

namespace Agent.Core.Container;

/// <summary>
/// What the engine is being asked for one container: at most one thing at a time. Where the container itself stands is
/// the profile's matter.
/// </summary>
public abstract record ContainerState
{
    private ContainerState(ContainerProfile profile) => Profile = profile;

    public ContainerProfile Profile { get; init; }

    /// <summary>No call is under way.</summary>
    public sealed record Idle(ContainerProfile Profile) : ContainerState(Profile);

    /// <summary>The image of the definition with this digest is being made available.</summary>
    public sealed record Pulling(ContainerProfile Profile, Instant Since, string Digest) : ContainerState(Profile);

    public sealed record Creating(ContainerProfile Profile, Instant Since, string Digest) : ContainerState(Profile);

    public sealed record Starting(ContainerProfile Profile, Instant Since) : ContainerState(Profile);

    public sealed record Stopping(ContainerProfile Profile, Instant Since) : ContainerState(Profile);

    public sealed record Removing(ContainerProfile Profile, Instant Since) : ContainerState(Profile);
}
