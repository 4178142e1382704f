using System.Linq;
using System.Text.Json;
using static Agent.Shell.Cli.RecordParts;

namespace Agent.Shell.Cli;

/// <summary>The companions' part of a journal record as sentences.</summary>
internal static class CompanionStory
{
    public static string Event(JsonElement e)
    {
        var inner = Part(e, "event");
        return Text(inner, "type") switch
        {
            "declared" => $"{Count(inner, "specs")} companions are declared",
            "one" => One(Text(inner, "name"), Part(inner, "event")),
            "reconcileRequested" => "somebody wants the companions looked at",
            "looked" => "found " + string.Join(", ", Items(inner, "found").Select(Found)),
            "lookConfirmed" => "the companions are as believed",
            "lookFailed" => $"systemd could not be asked: {Text(inner, "reason")}",
            "reloadCompleted" => "systemd has read the unit files",
            "reloadFailed" => $"systemd did not read the unit files: {Text(inner, "reason")}",

            // An excerpt that concerns one companion says no more of what concerned all.
            _ => "of the companions",
        };
    }

    /// <summary>What was decided; null if it is no effect of the companions.</summary>
    public static string? Effect(JsonElement e) => Text(e, "type") switch
    {
        "lookAtUnits" => "look at the companions",
        "writeUnit" => $"write {Text(e, "name")}",
        "reloadUnits" => "have systemd read the unit files",
        "startUnit" => $"start {Text(e, "name")}",
        "restartUnit" => $"restart {Text(e, "name")}",
        "stopUnit" => $"stop {Text(e, "name")}",
        "removeUnit" => $"disable and delete {Text(e, "name")}",
        "companionReject" => $"refused: {Text(e, "reason")}",
        _ => null,
    };

    private static string One(string name, JsonElement e) => Text(e, "type") switch
    {
        "retryRequested" => $"somebody wants {name} tried again",
        "callCompleted" => $"{name}: it is done",
        "callFailed" => $"{name}: it failed: {Text(e, "reason")}",
        var other => $"{name}: {other}",
    };

    private static string Found(JsonElement one)
    {
        var (file, activity) = (Part(one, "file"), Part(one, "activity"));
        var words = Text(activity, "words") is { Length: > 0 } said ? $" ({said})" : "";
        var place = Text(file, "type") switch
        {
            "absent" => ", without its file",
            "foreign" => $", not ours: {Text(file, "reason")}",
            _ => "",
        };
        return $"{Text(one, "name")} {Text(activity, "type")}{words}{place}";
    }
}
