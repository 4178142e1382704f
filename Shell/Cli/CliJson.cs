using System.Collections.Generic;
using System.Text.Json.Serialization;

namespace Agent.Shell.Cli;

// What the commands that need no agent answer with `-o json`.

internal sealed record ValidateAnswer(bool Valid, int Services, IReadOnlyList<string> Mistakes);

internal sealed record VerifyAnswer(long Records, long LastSeq, long DroppedBytes);

/// <summary>One decision that this build would make otherwise.</summary>
internal sealed record DifferenceAnswer(string Difference);

internal sealed record ReplayAnswer(long Events, string Digest, long Differences, long DroppedBytes);

internal sealed record ImportNoteAnswer(string File, long Line, string Key, string Text);

/// <summary>How many services were imported, what was not carried over, and the configuration.</summary>
internal sealed record ImportAnswer(int Services, IReadOnlyList<ImportNoteAnswer> Notes, string Yaml);

/// <summary>What was pulled or imported.</summary>
internal sealed record ImagesAnswer(string Done, IReadOnlyList<string> Images);

/// <summary>One look of `agent top`; see <see cref="Api.UsageInfo"/> for the clock.</summary>
internal sealed record TopAnswer(long AtMs, IReadOnlyList<TopRow> Processes);

/// <param name="CpuPercent">Of one processor, since the look before; null before there are two.</param>
/// <param name="UpMs">Since its oldest member was started; null where nothing of it runs.</param>
internal sealed record TopRow(
    string Id,
    string Label,
    string Kind,
    string Phase,
    bool CrashLooping,
    int? Pid,
    int Members,
    double? CpuPercent,
    long ResidentBytes,
    long? OutputBytesPerSecond,
    int Restarts,
    long? UpMs);

/// <summary>What one agent's containers use, and the engine that told it.</summary>
internal sealed record StatsAnswer(EngineAnswer Engine, IReadOnlyList<StatsRow> Containers);

/// <param name="Kind">socket or command: what the path is.</param>
internal sealed record EngineAnswer(string Kind, string Path, string Name, string Version, string Api);

/// <summary>What a container uses; null is what the engine does not tell, and the detail says why.</summary>
/// <param name="CpuPercent">Of one processor, from one look to the next.</param>
/// <param name="CpuMs">Since its start.</param>
internal sealed record StatsRow(
    string Uid,
    string State,
    double? CpuPercent,
    long? CpuMs,
    long? MemoryBytes,
    long? MemoryLimitBytes,
    int? Processes,
    string? Detail);

/// <summary>A build that can run: what it is, and how far it could read the journal.</summary>
internal sealed record RunCheckAnswer(string Version, long Seq);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ValidateAnswer))]
[JsonSerializable(typeof(VerifyAnswer))]
[JsonSerializable(typeof(RunCheckAnswer))]
[JsonSerializable(typeof(DifferenceAnswer))]
[JsonSerializable(typeof(ReplayAnswer))]
[JsonSerializable(typeof(TopAnswer))]
[JsonSerializable(typeof(ImportAnswer))]
[JsonSerializable(typeof(ImagesAnswer))]
[JsonSerializable(typeof(StatsAnswer))]
internal sealed partial class CliJson : JsonSerializerContext;
