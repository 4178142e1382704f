using Agent.Core.Time;

namespace Agent.Core.Companion;

/// <summary>What is being done to one companion: at most one thing at a time.</summary>
public abstract record CompanionState
{
    private CompanionState(CompanionProfile profile) => Profile = profile;

    public CompanionProfile Profile { get; init; }

    /// <summary>No call is under way. The unit itself may be starting or stopping: that is systemd's work.</summary>
    public sealed record Idle(CompanionProfile Profile) : CompanionState(Profile);

    /// <summary>Its file is being given the bytes with this digest.</summary>
    public sealed record Writing(CompanionProfile Profile, Instant Since, string Digest) : CompanionState(Profile);

    /// <summary>systemd is being told to start it, or to restart it.</summary>
    public sealed record Starting(CompanionProfile Profile, Instant Since, bool Again) : CompanionState(Profile);

    public sealed record Stopping(CompanionProfile Profile, Instant Since) : CompanionState(Profile);

    /// <summary>It is being disabled and its file deleted.</summary>
    public sealed record Removing(CompanionProfile Profile, Instant Since) : CompanionState(Profile);
}
