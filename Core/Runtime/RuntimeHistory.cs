using Agent.Core.Model;
using Agent.Core.Time;

namespace Agent.Core.Runtime;

/// <summary>
/// The attempts made so far, the instants of the restarts nobody asked for (those that still count), and why the
/// last attempt or the last ready runtime ended.
/// </summary>
public sealed record RuntimeHistory(int Attempt, Seq<Instant> Restarts, Option<RuntimeFailure> LastFailure)
{
    public static RuntimeHistory Empty { get; } = new(0, Seq<Instant>(), None);
}

/// <summary>
/// Why an attempt failed, or why a ready runtime is none any more. <paramref name="CircuitOpen"/> says that too
/// many restarts came too fast and that the next one waits for the window to pass or for somebody to ask.
/// </summary>
public sealed record RuntimeFailure(
    int Attempt, Instant At, string Cause, Option<DaemonExit> Exit, bool CircuitOpen);

/// <summary>A daemon's end: its name, how it ended, and its last words.</summary>
public sealed record DaemonExit(string Daemon, ExitStatus Status, Seq<string> LogTail);

/// <summary>One row of the service table that `runtime status` shows.</summary>
public sealed record ServiceStatus(string Name, ServiceHealth Health, string Detail, Option<int> Pid, bool Owned);

public enum ServiceHealth
{
    Ready,
    NotReady,
    Error,
}
