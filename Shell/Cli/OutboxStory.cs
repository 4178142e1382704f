using System.Linq;
using System.Text.Json;
using static Agent.Shell.Cli.RecordParts;

namespace Agent.Shell.Cli;

/// <summary>The outbox's part of a journal record as sentences.</summary>
internal static class OutboxStory
{
    /// <summary>What became of what the plane was told, or what somebody wants of it.</summary>
    public static string Event(JsonElement e) => Text(e, "type") switch
    {
        "attached" => "a plane is configured",
        "detached" => "no plane is configured",
        "delivered" => Delivered(e),
        "deliveryFailed" => $"the plane did not take post {Part(e, "post")} ({Text(e, "kind")}): {Text(e, "detail")}",
        "replayRequested" => $"the plane lacks {Text(e, "rollout")} from its event {Part(e, "fromSeq")} on",
        "deadlineReached" => "the plane is tried again",
        "recovered" => "the outbox goes on where it was",
        "flushRequested" => "an operator does not want to wait",
        "deadLetterRetried" => $"dead letter {Part(e, "position")} is to be sent again",
        "deadLetterDropped" => $"dead letter {Part(e, "position")} was let go",
        var other => $"outbox: {other}",
    };

    /// <summary>What was decided; null if it is no effect of the outbox.</summary>
    public static string? Effect(JsonElement e) => Text(e, "type") switch
    {
        "post" => $"tell the plane ({Told(e)})",
        "warn" => Text(e, "what"),
        "outboxReject" => $"refused: {Text(e, "reason")}",
        _ => null,
    };

    private static string Told(JsonElement e)
    {
        var wholes = Count(e, "snapshots");
        var events = Part(e, "count").ToString();
        return wholes == 0 ? $"post {Part(e, "number")}: {events} events" : $"post {Part(e, "number")}: {wholes} rollouts as a whole, {events} events";
    }

    private static string Delivered(JsonElement e)
    {
        var refused = Items(e, "verdicts").Where(verdict => Text(verdict, "type") == "refused").ToList();
        var again = Count(e, "replays") > 0 ? $", it lacks {Count(e, "replays")} rollouts" : "";
        return $"the plane took post {Part(e, "post")}{again}"
            + string.Concat(refused.Select(verdict => $", refused item {Part(verdict, "position")} ({Text(verdict, "code")}): {Text(verdict, "detail")}"));
    }
}
