using Agent.Core.Model;

namespace Agent.Core.Process;

/// <summary>
/// What was asked to run, as far as decisions need it. Environment values and stdin bytes are not here, so that no
/// journal can hold them; <paramref name="EnvironmentDigest"/> is a keyed digest that only tells whether they changed.
/// </summary>
public sealed record ProcessSpec(
    ProcessKind Kind,
    Principal Owner,
    string Label,
    Seq<string> Command,
    Option<string> WorkingDirectory,
    Option<string> User,
    string EnvironmentDigest,
    StdinMode Stdin,
    Overflow Overflow,
    int RingBytes,
    Option<TimeSpan> MaxLifetime,
    Option<TimeSpan> IdleTimeout,
    TimeSpan ExitRetention,
    Signal StopSignal,
    TimeSpan Grace,
    RestartPolicy Restart,
    Seq<string> After)
{
    /// <summary>Services of which it is enough that they run; those in <see cref="After"/> must be ready.</summary>
    public Seq<string> AfterStarted { get; init; }

    /// <summary>How it tells that it is ready; without one it is as soon as it runs.</summary>
    public Option<Readiness> Ready { get; init; }

    public ProcessLimits Limits { get; init; } = ProcessLimits.None;

    public const int DefaultRingBytes = 1 << 20;
    public const int MinRingBytes = 4 << 10;
    public const int MaxRingBytes = 8 << 20;

    /// <summary>A prelude is written once and then stdin closes; it must fit in memory next to its process.</summary>
    public const int MaxPreludeBytes = 4 << 20;

    public static TimeSpan DefaultGrace => TimeSpan.FromSeconds(5);

    public static TimeSpan MaxGrace => TimeSpan.FromSeconds(30);

    public static TimeSpan DefaultTaskLifetime => TimeSpan.FromHours(6);

    public static TimeSpan DefaultTaskIdle => TimeSpan.FromMinutes(30);

    public static TimeSpan DefaultRetention => TimeSpan.FromMinutes(5);

    public static TimeSpan MaxRetention => TimeSpan.FromHours(1);

    /// <summary>Equal in every field. Written out because LanguageExt's own equality is found by reflection.</summary>
    public bool SameAs(ProcessSpec other) =>
        Kind == other.Kind && Owner.Uid == other.Owner.Uid && Label == other.Label
        && Same(Command, other.Command) && Same(WorkingDirectory, other.WorkingDirectory) && Same(User, other.User)
        && EnvironmentDigest == other.EnvironmentDigest && Stdin == other.Stdin && Overflow == other.Overflow
        && RingBytes == other.RingBytes && Same(MaxLifetime, other.MaxLifetime) && Same(IdleTimeout, other.IdleTimeout)
        && ExitRetention == other.ExitRetention && StopSignal == other.StopSignal && Grace == other.Grace
        && Restart == other.Restart && Same(After, other.After) && Same(AfterStarted, other.AfterStarted)
        && Limits.SameAs(other.Limits)
        && (Ready.TryGet(out var ready) ? other.Ready.TryGet(out var its) && ready.SameAs(its) : other.Ready.IsNone);

    internal static bool Same(Seq<string> left, Seq<string> right)
    {
        if (left.Count != right.Count) return false;
        for (var i = 0; i < left.Count; i++)
        {
            if (!string.Equals(left[i], right[i], StringComparison.Ordinal)) return false;
        }

        return true;
    }

    internal static bool Same<T>(Option<T> left, Option<T> right)
        where T : IEquatable<T> =>
        left.TryGet(out var first) ? right.TryGet(out var second) && first.Equals(second) : right.IsNone;
}

public enum ProcessKind
{
    /// <summary>Asked for over the API: bounded in life, idleness and number.</summary>
    Task,

    /// <summary>Declared in the configuration: runs for as long as it is declared.</summary>
    Service,

    /// <summary>Part of the container runtime, started by it. Its descendants are containers and outlive it.</summary>
    Daemon,

    /// <summary>One step of a switch between releases: run once, bounded in time, counted against nobody.</summary>
    Activation,
}

public enum StdinMode
{
    None,

    /// <summary>Some bytes given at the spawn, then end of file.</summary>
    Prelude,

    /// <summary>Kept open until somebody closes it.</summary>
    Open,
}

public enum Overflow
{
    DropOldest,
    Backpressure,
}

public enum RestartPolicy
{
    Never,
    OnFailure,
    Always,
}

/// <summary>The signals that may be asked for; their numbers are Linux's.</summary>
#pragma warning disable CA1008 // Signal zero is no signal, and asking for it must not be expressible.
public enum Signal
#pragma warning restore CA1008
{
    Hangup = 1,
    Interrupt = 2,
    Quit = 3,
    Kill = 9,
    Usr1 = 10,
    Usr2 = 12,
    Term = 15,
    Cont = 18,
    Stop = 19,
}
