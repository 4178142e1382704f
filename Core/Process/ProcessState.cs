using Agent.Core.Model;
using Agent.Core.Time;

namespace Agent.Core.Process;

/// <summary>Where one supervised process stands.</summary>
public abstract record ProcessState
{
    private ProcessState(ProcessProfile profile) => Profile = profile;

    public ProcessProfile Profile { get; init; }

    /// <summary>Services it must come after are not running yet.</summary>
    public sealed record Waiting(ProcessProfile Profile) : ProcessState(Profile);

    /// <summary>
    /// The spawn of this generation was asked for and is not answered. A stop that came meanwhile waits in <paramref
    /// name="Pending"/>.
    /// </summary>
    public sealed record Starting(ProcessProfile Profile, Option<StopPlan> Pending) : ProcessState(Profile);

    /// <summary>
    /// It runs. <paramref name="TouchedAt"/> is the last time its owner used it. While <paramref name="ReadyBy"/> is set
    /// its readiness is awaited, until that instant at the latest; without, it is ready.
    /// </summary>
    public sealed record Running(
        ProcessProfile Profile, ProcessIdentity Identity, Instant Since, Instant TouchedAt, bool Adopted,
        Option<Instant> ReadyBy)
        : ProcessState(Profile)
    {
        public bool IsReady => ReadyBy.IsNone;
    }

    /// <summary>
    /// It was told to stop, and at <paramref name="KillAt"/> its whole tree is killed (again, if need be).
    /// </summary>
    public sealed record Stopping(ProcessProfile Profile, ProcessIdentity Identity, StopPlan Plan, Instant KillAt)
        : ProcessState(Profile);

    /// <summary>It ended and is started again at <paramref name="Until"/>.</summary>
    public sealed record Backoff(ProcessProfile Profile, ProcessExit Last, Instant Until) : ProcessState(Profile);

    /// <summary>
    /// It ended for good; exit and output stay readable until <paramref name="ReapAt"/>, if that is set.
    /// </summary>
    public sealed record Exited(ProcessProfile Profile, ProcessExit Exit, Instant At, Option<Instant> ReapAt)
        : ProcessState(Profile);

    /// <summary>Forgotten. The registry drops it in the same step, so no caller sees it.</summary>
    public sealed record Reaped(ProcessProfile Profile, ReapReason Reason) : ProcessState(Profile);
}
