using System.Collections.Generic;
using System.Text.Json.Serialization;

namespace Agent.Shell.Keeper;

/// <summary>Asks the keeper something: one JSON object on a line. Which fields count depends on <c>Op</c>.</summary>
internal sealed record KeeperRequest(long Id, string Op)
{
    /// <summary>Command and environment have a MiB each, of which JSON may make six bytes of one.</summary>
    public const int LongestFrame = 16 << 20;

    public string? Key { get; init; }

    public SpawnOrder? Order { get; init; }

    public int Signal { get; init; }

    /// <summary>Of the handover that the program of an upgrade takes.</summary>
    public int Form { get; init; }
}

/// <summary>What to start, as the keeper needs it.</summary>
/// <param name="Tree">Whether the leader's end is the end of all its descendants. Not so for an engine's
/// daemons.</param>
internal sealed record SpawnOrder(
    IReadOnlyList<string> Command,
    IReadOnlyList<string> Environment,
    string? WorkingDirectory,
    string? User,
    bool Stdin,
    bool Tree)
{
    /// <summary>Whether it tells that it is ready, on a socket of its own.</summary>
    public bool Notify { get; init; }

    public SpawnLimit? Limits { get; init; }
}

/// <summary>The bounds of a child and its descendants: bytes, thousandths of a processor, processes, open files of each.</summary>
internal sealed record SpawnLimit(long? MemoryBytes, int? CpuThousandths, int? Pids, int? OpenFiles);

/// <summary>Answers a request (with its id), or reports an exit or a readiness (with id 0).</summary>
internal sealed record KeeperReply(long Id)
{
    /// <summary>Set when refused: a stable word, and what to do about it in <see cref="Detail"/>.</summary>
    public string? Error { get; init; }

    public string? Detail { get; init; }

    public KeptRow? Row { get; init; }

    public IReadOnlyList<KeptRow>? Rows { get; init; }

    public KeeperAbout? About { get; init; }
}

/// <summary>Which program the keeper is.</summary>
internal sealed record KeeperAbout(string Version, string Program);

/// <summary>One spawn that the keeper knows: who it is, and how it ended if it did.</summary>
internal sealed record KeptRow(string Key, int Pid, long StartTime, string Boot)
{
    public KeptExit? Exit { get; init; }

    /// <summary>It said so itself.</summary>
    public bool Ready { get; init; }
}

/// <summary>
/// An exit by code or by signal, or lost where nobody could see it. <c>Durable</c> is false when the keeper could not
/// write it down and knows it only for as long as it lives.
/// </summary>
internal sealed record KeptExit(int? Code, int? Signal, long CpuMs, long PeakMemoryBytes, bool Durable)
{
    /// <summary>The kernel killed one of its family at the limit of memory.</summary>
    public bool OutOfMemory { get; init; }

    [JsonIgnore]
    public bool IsLost => Code is null && Signal is null;
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(KeeperRequest))]
[JsonSerializable(typeof(KeeperReply))]
[JsonSerializable(typeof(ChildFact))]
[JsonSerializable(typeof(Handover))]
internal sealed partial class KeeperJson : JsonSerializerContext;
