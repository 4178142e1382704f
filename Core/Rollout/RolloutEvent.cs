using Agent.Core.Model;

namespace Agent.Core.Rollout;

/// <summary>
/// Everything that can happen to one rollout on one host. The host steps its own with them, and whoever mirrors the
/// host steps its mirror with the very same ones.
/// </summary>
public abstract record RolloutEvent
{
    private RolloutEvent() { }

    /// <summary>It is this rollout's turn on the host.</summary>
    public sealed record Activate : RolloutEvent;

    /// <summary>All is checked and in place; <paramref name="Running"/> was read from the host just before the switch.</summary>
    public sealed record ActivationStarted(int Activation, Option<ReleaseId> Running, string Method) : RolloutEvent;

    /// <summary>The switch is over; <paramref name="Running"/> was read from the host after it.</summary>
    public sealed record ActivationCompleted(int Activation, Option<ReleaseId> Running) : RolloutEvent;

    /// <summary>It is staged, but <paramref name="Component"/> cannot be exchanged without a reboot.</summary>
    public sealed record ActivationDeferred(int Activation, string Component, BootId Boot) : RolloutEvent;

    public sealed record ActivationFailed(int Activation, string Code, string Detail) : RolloutEvent;

    public sealed record ProbeReported(
        int Activation, ProbeName Probe, ProbeOutcome Outcome, Seq<ControlResult> Controls) : RolloutEvent;

    /// <summary>What runs while it soaks, read from the host.</summary>
    public sealed record RunningObserved(int Activation, Option<ReleaseId> Running) : RolloutEvent;

    public sealed record RollbackCompleted(int Activation, Option<ReleaseId> Running) : RolloutEvent;

    public sealed record RollbackFailed(int Activation, string Code, string Detail) : RolloutEvent;

    /// <summary>A newer rollout of its channel is here.</summary>
    public sealed record SuccessorArrived(RolloutId By) : RolloutEvent;

    /// <summary>An operator wants it to stop where it is.</summary>
    public sealed record HaltRequested : RolloutEvent;

    /// <summary>An operator wants the host back on what it ran before.</summary>
    public sealed record RollbackRequested : RolloutEvent;

    /// <summary>An operator wants what failed last to be tried again: the way back, else the switch.</summary>
    public sealed record RetryRequested : RolloutEvent;

    /// <summary>The agent has just started on this boot: what is owed is issued again, what soaks is looked at anew.</summary>
    public sealed record Recovered(BootId Boot) : RolloutEvent;

    public sealed record DeadlineReached : RolloutEvent;
}
