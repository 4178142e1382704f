using Agent.Core.Model;

namespace Agent.Core.Process;

/// <summary>Everything that can happen to one process.</summary>
public abstract record ProcessEvent
{
    private ProcessEvent() { }

    public sealed record SpawnCompleted(int Generation, ProcessIdentity Identity) : ProcessEvent;

    public sealed record SpawnFailed(int Generation, string Code, string Detail) : ProcessEvent;

    /// <summary>The keeper saw it end. <paramref name="LogTail"/> is filled for engine daemons only.</summary>
    public sealed record ExitObserved(
        int Generation, ExitStatus Status, TimeSpan Cpu, long PeakMemoryBytes, Seq<string> LogTail) : ProcessEvent;

    /// <summary>Every service it comes after is running.</summary>
    public sealed record DependenciesMet : ProcessEvent;

    /// <summary>It has shown that it does its work.</summary>
    public sealed record BecameReady(int Generation) : ProcessEvent;

    public sealed record StopRequested(Option<TimeSpan> Grace) : ProcessEvent;

    /// <summary>
    /// The agent ends with everything it supervises. Unlike what its user stopped, a service comes back when the agent
    /// does.
    /// </summary>
    public sealed record ShutdownRequested : ProcessEvent;

    public sealed record StartRequested : ProcessEvent;

    public sealed record RestartRequested : ProcessEvent;

    public sealed record SignalRequested(Signal Signal) : ProcessEvent;

    /// <summary>Its owner used it (read, wrote, waited); the idle clock begins anew.</summary>
    public sealed record Touched : ProcessEvent;

    public sealed record ReleaseRequested : ProcessEvent;

    /// <summary>The configuration declares this service, perhaps with another spec than before.</summary>
    public sealed record Redeclared(ProcessSpec Spec) : ProcessEvent;

    /// <summary>The configuration no more declares this service.</summary>
    public sealed record Withdrawn : ProcessEvent;

    /// <summary>The agent has just started and looked: whatever is owed is issued again.</summary>
    public sealed record Recovered(Observation Observation) : ProcessEvent;

    public sealed record DeadlineReached : ProcessEvent;
}
