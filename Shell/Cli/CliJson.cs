using System.Collections.Generic;
using System.Text.Json.Serialization;

namespace Agent.Shell.Cli;

// What the commands that need no agent answer with `-o json`.

internal sealed record ValidateAnswer(bool Valid, int Services, IReadOnlyList<string> Mistakes);

internal sealed record VerifyAnswer(long Records, long LastSeq, long DroppedBytes);

/// <summary>One decision that this build would make otherwise.</summary>
internal sealed record DifferenceAnswer(string Difference);

internal sealed record ReplayAnswer(long Events, string Digest, long Differences, long DroppedBytes);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ValidateAnswer))]
[JsonSerializable(typeof(VerifyAnswer))]
[JsonSerializable(typeof(DifferenceAnswer))]
[JsonSerializable(typeof(ReplayAnswer))]
internal sealed partial class CliJson : JsonSerializerContext;
