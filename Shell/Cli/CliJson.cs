using System.Collections.Generic;
using System.Text.Json.Serialization;

namespace Agent.Shell.Cli;

// What the commands that need no agent answer with `-o json`.

internal sealed record ValidateAnswer(bool Valid, int Services, IReadOnlyList<string> Mistakes);

internal sealed record VerifyAnswer(long Records, long LastSeq, long DroppedBytes);

/// <summary>One decision that this build would make otherwise.</summary>
internal sealed record DifferenceAnswer(string Difference);

internal sealed record ReplayAnswer(long Events, string Digest, long Differences, long DroppedBytes);

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

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ValidateAnswer))]
[JsonSerializable(typeof(VerifyAnswer))]
[JsonSerializable(typeof(DifferenceAnswer))]
[JsonSerializable(typeof(ReplayAnswer))]
[JsonSerializable(typeof(TopAnswer))]
internal sealed partial class CliJson : JsonSerializerContext;
