using System;

namespace Agent.Shell.Containers.Engine;

/// <summary>How long each call may take and how much of its answer is read. A test makes the times short.</summary>
internal sealed record EngineLimits
{
    /// <summary>An engine with a thousand containers lists them in a second; one under load takes some more.</summary>
    public TimeSpan Look { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>One container's account: its own lock may be held, and it must not hold up the list.</summary>
    public TimeSpan Inspect { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A create, start or remove waits for disks and networks, seldom longer than seconds.</summary>
    public TimeSpan Act { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>What a stop may take beyond its grace: the kill, and the engine's accounts.</summary>
    public TimeSpan AfterGrace { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>A registry or a disk that moves no byte for so long moves none any more.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>A pull that tells of no progress, from beginning to end.</summary>
    public TimeSpan WholePull { get; init; } = TimeSpan.FromHours(1);

    /// <summary>
    /// An exit takes the engine some 100 ms to notice. Only a process that is still gone after this while the engine
    /// still calls it running is taken for lost.
    /// </summary>
    public TimeSpan ExitNotice { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Accounts asked for at a time: enough to hide the socket's latency, too few to burden the engine.</summary>
    public const int Inspects = 8;

    /// <summary>A row takes some 2 KiB; so many containers are more than an engine carries.</summary>
    public const int ListBytes = 16 << 20;

    /// <summary>More than any engine carries. A short row takes some ten bytes, so the list's bytes are no bound.</summary>
    public const int Rows = 10_000;

    /// <summary>An account takes some 10 KiB, labels, mounts and health log included.</summary>
    public const int AnswerBytes = 1 << 20;

    /// <summary>A line of progress or an event takes some hundred bytes, with many labels some KiB.</summary>
    public const int LineBytes = 256 << 10;

    /// <summary>An error's text; the engine's longest quote a command line.</summary>
    public const int ErrorBytes = 64 << 10;
}
