using Agent.Core.Model;

namespace Agent.Core.Runtime;

/// <summary>Everything that can happen to the runtime.</summary>
public abstract record RuntimeEvent
{
    private RuntimeEvent() { }

    /// <summary>Somebody wants it started if it is not up. Asking for its state alone is no event.</summary>
    public sealed record EnsureRequested : RuntimeEvent;

    public sealed record StopRequested : RuntimeEvent;

    /// <summary>The start under way knows more about its services. Shown to callers, decides nothing.</summary>
    public sealed record StartProgressed(int Attempt, Seq<ServiceStatus> Services) : RuntimeEvent;

    public sealed record StartCompleted(int Attempt, string Endpoint, string Message, Seq<ServiceStatus> Services)
        : RuntimeEvent;

    public sealed record StartFailed(int Attempt, string Cause, Seq<ServiceStatus> Services) : RuntimeEvent;

    /// <summary>A daemon that this agent started ended, at whatever time.</summary>
    public sealed record DaemonExited(DaemonExit Exit) : RuntimeEvent;

    public sealed record ProbePassed : RuntimeEvent;

    public sealed record ProbeFailed(string Detail) : RuntimeEvent;

    /// <summary>The operator's policy may have changed; the one in force comes with the step.</summary>
    public sealed record PolicyChanged : RuntimeEvent;

    /// <summary>The agent itself has just started: whatever is owed is issued again.</summary>
    public sealed record Started : RuntimeEvent;

    public sealed record DeadlineReached : RuntimeEvent;
}
