using System;
using System.Linq;
using System.Text.Json;
using static Agent.Shell.Cli.RecordParts;

namespace Agent.Shell.Cli;

/// <summary>The containers' part of a journal record as sentences.</summary>
internal static class ContainerStory
{
    public static string Event(JsonElement e)
    {
        var inner = Part(e, "event");
        return Text(inner, "type") switch
        {
            "declared" => $"{Count(inner, "specs")} containers are declared",
            "one" => One(Text(inner, "uid"), Part(inner, "event")),
            "upRequested" => $"somebody wants {Named(inner)} up",
            "downRequested" => $"somebody wants {Named(inner)} down",
            "reconcileRequested" => "somebody wants the containers looked at",
            "engineChanged" => "the engine tells of a change",
            "listed" => "the engine lists " + (Count(inner, "found") == 0 ? "none of ours" : Found(inner)),
            "listConfirmed" => "the engine lists what is believed",
            "listFailed" => $"the engine could not be asked: {Text(inner, "reason")}",

            // An excerpt that concerns one container says no more of what concerned all.
            _ => "of the containers",
        };
    }

    /// <summary>What was decided; null if it is no effect of the containers.</summary>
    public static string? Effect(JsonElement e) => Text(e, "type") switch
    {
        "listContainers" => "look at the engine",
        "pullImage" => $"see to the image of {Text(e, "uid")}",
        "createContainer" => $"create {Text(e, "uid")}",
        "startContainer" => $"start {Text(e, "uid")}",
        "stopContainer" => $"stop {Text(e, "uid")}",
        "removeContainer" => $"remove {Text(e, "uid")}",
        "containerReject" => $"refused: {Text(e, "reason")}",
        _ => null,
    };

    private static string One(string uid, JsonElement e) => Text(e, "type") switch
    {
        "startRequested" => $"somebody wants {uid} started",
        "stopRequested" => $"somebody wants {uid} stopped",
        var type when type.EndsWith("Failed", StringComparison.Ordinal) => $"{uid}: {type[..^6]} failed: {Text(e, "reason")}",
        var type when type.EndsWith("Completed", StringComparison.Ordinal) => $"{uid}: {type[..^9]} is done",
        var other => $"{uid}: {other}",
    };

    private static string Named(JsonElement e) => Count(e, "uids") == 0
        ? "all containers"
        : string.Join(", ", Items(e, "uids").Select(uid => Screen.Clean(uid.GetString() ?? "")));

    private static string Found(JsonElement e) => string.Join(", ", Items(e, "found").Select(one =>
        Part(one, "status") is var status && Text(status, "type") == "exited"
            ? $"{Text(one, "uid")} exited with {Part(status, "code")}"
            : $"{Text(one, "uid")} {Text(status, "type")}"));
}
