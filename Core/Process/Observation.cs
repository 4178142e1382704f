using Agent.Core.Model;

namespace Agent.Core.Process;

/// <summary>What the keeper knows of one spawn when the agent starts.</summary>
public abstract record Observation
{
    private Observation() { }

    public sealed record Alive(ProcessIdentity Identity) : Observation;

    public sealed record Ended(ExitStatus Status, TimeSpan Cpu, long PeakMemoryBytes, Seq<string> LogTail) : Observation;

    /// <summary>The keeper has never heard of it.</summary>
    public sealed record Absent : Observation;
}

/// <summary>One row of the keeper's list.</summary>
public sealed record ObservedProcess(ProcessId Id, int Generation, Observation Observation);
