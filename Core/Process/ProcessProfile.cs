using Agent.Core.Model;
using Agent.Core.Time;

namespace Agent.Core.Process;

/// <summary>
/// What stays with a process through all its states. <paramref name="Generation"/> counts its incarnations from 1:
/// id and generation together name one spawn, and spawning the same pair twice starts one process.
/// </summary>
public sealed record ProcessProfile(
    ProcessId Id, ProcessSpec Spec, Instant CreatedAt, int Generation, RestartTally Tally);

/// <summary>
/// How often it was restarted, how many exits came without <see cref="StableAfter"/> of running between them, and
/// when the last few of those were: at most five, and once five of them came within a minute, those five.
/// </summary>
public sealed record RestartTally(int Restarts, int Streak, Seq<Instant> Exits)
{
    public const int CrashLoopExits = 5;

    public static RestartTally None { get; } = new(0, 0, Seq<Instant>());

    public static TimeSpan CrashLoopWindow => TimeSpan.FromSeconds(60);

    public static TimeSpan StableAfter => TimeSpan.FromSeconds(60);

    public static TimeSpan LongestWait => TimeSpan.FromSeconds(60);

    /// <summary>An exit after a long run starts a new streak.</summary>
    public RestartTally WithExit(Instant now, TimeSpan ran)
    {
        if (ran >= StableAfter) return this with { Streak = 1, Exits = Seq1(now) };
        if (CrashLooping) return this with { Streak = Streak + 1 };
        var exits = Exits.Add(now);
        return this with
        {
            Streak = Streak + 1,
            Exits = exits.Skip(Math.Max(0, exits.Count - CrashLoopExits)).Strict(),
        };
    }

    /// <summary>The first restart comes at once, then after 1 s, 2 s, 4 s and so on to a minute.</summary>
    public TimeSpan Wait => Streak switch
    {
        <= 1 => TimeSpan.Zero,
        >= 8 => LongestWait,
        _ => TimeSpan.FromSeconds(1 << (Streak - 2)),
    };

    /// <summary>Five exits within a minute. It stays so until a run was stable or somebody starts it anew.</summary>
    public bool CrashLooping =>
        Exits.Count == CrashLoopExits && Exits[^1] - Exits[0] <= CrashLoopWindow;
}

/// <summary>
/// How one incarnation ended. <paramref name="Cpu"/> and <paramref name="PeakMemoryBytes"/> are the kernel's own
/// account.
/// </summary>
public sealed record ProcessExit(ExitStatus Status, ExitReason Reason, TimeSpan Cpu, long PeakMemoryBytes);

public enum ExitReason
{
    Exited,
    Stopped,
    Killed,
    Lifetime,
    Idle,
    OutOfMemory,
    Lost,
    SpawnFailed,

    /// <summary>It was not ready in time.</summary>
    Unready,

    /// <summary>The agent ended with all it supervised.</summary>
    Shutdown,
}

/// <summary>Why a process is being stopped, what follows its end, and how long it has for it.</summary>
public sealed record StopPlan(ExitReason Reason, AfterStop Then, TimeSpan Grace);

public enum AfterStop
{
    Stay,
    StartAgain,
    Remove,

    /// <summary>As after a failure of its own.</summary>
    Obey,
}

public enum ReapReason
{
    Released,
    RetentionOver,
    Withdrawn,
}
