using Agent.Core.Model;
using Agent.Core.Rollout;

namespace Agent.Core.Host;

/// <summary>
/// A recurring watch that a state needs. The shell keeps exactly the set that the current state names: equal keys go
/// on undisturbed, a new key starts, a missing one stops.
/// </summary>
public abstract record Subscription
{
    private Subscription() { }

    /// <summary>Ping the engine every <paramref name="Every"/>. Another attempt is another key.</summary>
    public sealed record RuntimeProbe(int Attempt, TimeSpan Every) : Subscription;

    /// <summary>Run this probe at its interval. Another activation is another key, so nothing old counts for it.</summary>
    public sealed record RolloutProbe(RolloutId Id, int Activation, ProbeName Probe) : Subscription;

    /// <summary>See from time to time whether the host still runs what the rollout switched it to.</summary>
    public sealed record RunningRelease(RolloutId Id, int Activation) : Subscription;

    /// <summary>See every <paramref name="Every"/> whether a service has become ready. Another incarnation is another key.</summary>
    public sealed record ServiceReadiness(ProcessId Id, int Generation, TimeSpan Every) : Subscription;

    /// <summary>
    /// Hear from the engine that something of ours changed. Another attempt at the runtime is another key: its engine is
    /// another one.
    /// </summary>
    public sealed record ContainerChanges(int Attempt) : Subscription;

    /// <summary>Hold a question for work open at the plane.</summary>
    public sealed record PlaneDispatch : Subscription;

    /// <summary>Tell the plane every <paramref name="Every"/> that this host lives, and where it stands.</summary>
    public sealed record PlaneHeartbeat(TimeSpan Every) : Subscription;

    /// <summary>See every <paramref name="Every"/> whether the plane has a newer trust file.</summary>
    public sealed record PlaneManifests(TimeSpan Every) : Subscription;

    /// <summary>See from time to time whether the certificate is due to be renewed.</summary>
    public sealed record PlaneCertificate : Subscription;
}
