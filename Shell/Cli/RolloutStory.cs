using System;
using System.Linq;
using System.Text.Json;
using static Agent.Shell.Cli.RecordParts;

namespace Agent.Shell.Cli;

/// <summary>The rollouts' part of a journal record as sentences.</summary>
internal static class RolloutStory
{
    /// <summary>What was ordered, asked or told.</summary>
    public static string Event(JsonElement e) => Text(e, "type") switch
    {
        "rolloutOrdered" => $"{Text(Part(e, "order"), "id")} version {Part(Part(e, "order"), "version")} was applied: "
            + Describe.Release(Text(Part(e, "order"), "target")),
        "rolloutRequested" => $"{Text(e, "id")}: asked for {Asked(Text(Part(e, "event"), "type"))}",
        _ => $"{Text(e, "id")}: {Told(Part(e, "event"))}",
    };

    /// <summary>What was decided; null if it is no effect of a rollout.</summary>
    public static string? Effect(JsonElement e) => Text(e, "type") switch
    {
        "fireSwitch" => $"switch to {Describe.Release(Text(Part(e, "order"), "target"))} (switch {Part(e, "activation")})",
        "fireRollback" => $"go back to {Describe.Release(Text(e, "to"))} (switch {Part(e, "activation")})",
        "checkRunning" => "see what runs after the reboot",
        "report" => $"its event {Part(e, "seq")}",
        "rolloutReject" => $"refused: {Text(e, "reason")}",
        _ => null,
    };

    /// <summary>One line for each of the rollout's own numbered events in a record, or none.</summary>
    public static System.Collections.Generic.IEnumerable<string> History(string record)
    {
        using var json = JsonDocument.Parse(record);
        var root = json.RootElement;
        var effects = Part(root, "effects");
        if (effects.ValueKind != JsonValueKind.Array) return [];
        return [.. effects.EnumerateArray().Where(effect => Text(effect, "type") == "report").Select(effect =>
            $"{Screen.Dim(Text(root, "at"))} {Part(effect, "seq"),3}  {Told(Part(effect, "event"))}")];
    }

    private static string Told(JsonElement e) => Text(e, "type") switch
    {
        "activate" => "its turn on this host",
        "activationStarted" => $"the switch began, until then {Running(e)} ran",
        "activationCompleted" => $"the switch is over, {Running(e)} runs",
        "activationDeferred" => $"staged, {Text(e, "component")} needs a reboot",
        "activationFailed" => $"the switch failed ({Text(e, "code")}): {Text(e, "detail")}",
        "probeReported" => $"probe {Text(e, "probe")} {Text(Part(e, "outcome"), "type")}: {Text(Part(e, "outcome"), "detail")}",
        "runningObserved" => $"{Running(e)} runs now",
        "rollbackCompleted" => $"the way back is over, {Running(e)} runs",
        "rollbackFailed" => $"the way back failed ({Text(e, "code")}): {Text(e, "detail")}",
        "successorArrived" => $"{Text(e, "by")} took its place",
        "haltRequested" => "an operator halted it",
        "rollbackRequested" => "an operator wants the host back on what it ran",
        "retryRequested" => "an operator wants it tried again",
        "recovered" => "the agent started again",
        "deadlineReached" => "its time had come",
        var other => other,
    };

    private static string Asked(string type) => type switch
    {
        "haltRequested" => "a halt",
        "rollbackRequested" => "the way back",
        "retryRequested" => "another try",
        _ => type,
    };

    private static string Running(JsonElement e) =>
        Text(e, "running") is { Length: > 0 } release ? Describe.Release(release) : "nothing";
}
