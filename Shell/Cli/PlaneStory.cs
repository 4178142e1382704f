using System.Linq;
using System.Text.Json;
using static Agent.Shell.Cli.RecordParts;

namespace Agent.Shell.Cli;

/// <summary>A plane's journal records as sentences.</summary>
internal static class PlaneStory
{
    /// <summary>What happened; null if it is no event of a plane.</summary>
    public static string? Event(JsonElement e) => Text(e, "type") switch
    {
        "planeStarted" => "the plane started",
        "published" => $"{Text(Part(e, "order"), "id")} version {Part(Part(e, "order"), "version")} was published for "
            + $"{Count(Part(e, "order"), "hosts")} hosts",
        "tokenIssued" => $"a token was issued for {Text(e, "host")}",
        "enrolRequested" => $"{Text(e, "host")} asked to be enrolled",
        "certified" => $"{Text(e, "host")} has certificate {Text(Part(e, "certificate"), "serial")}",
        "hostRevoked" => $"{Text(e, "host")} was shut out",
        "heartbeat" => $"{Text(e, "host")} is there",
        "told" => $"{Text(e, "host")} told {Count(e, "tellings")} things",
        "haltRequested" => $"{Text(e, "channel")}: asked for a halt",
        "resumeRequested" => $"{Text(e, "channel")}: asked to go on",
        _ => null,
    };

    /// <summary>What was decided; null if it is no effect of a plane.</summary>
    public static string? Effect(JsonElement e) => Text(e, "type") switch
    {
        "offer" => $"offer {Text(e, "id")} to {Count(e, "hosts")} hosts",
        "waveOpened" => $"open wave {Part(e, "wave")} of {Text(e, "id")}",
        "moved" => $"{Text(e, "id")} is {Text(Part(e, "phase"), "type")}",
        "quarantined" => $"no {Describe.Release(Text(e, "release"))} on {Text(e, "channel")}, {Text(e, "host")} went back from it",
        "quarantineLifted" => $"{Describe.Release(Text(e, "release"))} may come back on {Text(e, "channel")}",
        "certify" => $"sign a certificate for {Text(e, "host")}",
        "revoke" => $"revoke certificate {Text(Part(e, "certificate"), "serial")}",
        "answer" => Verdicts(e),
        "planeReject" => $"refused: {Text(e, "reason")}",
        _ => null,
    };

    private static string Verdicts(JsonElement e) => Count(e, "verdicts") == 0 ? "nothing is missing"
        : string.Join(", ", Items(e, "verdicts").GroupBy(verdict => Text(verdict, "type"))
            .Select(group => $"{group.Count()} {group.Key}"));
}
