using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.Json;
using static Agent.Shell.Cli.RecordParts;

namespace Agent.Shell.Cli;

/// <summary>Journal records as sentences: what happened, and what was decided about it.</summary>
internal static class Story
{
    /// <summary>A sentence is read, a command of a MiB is not.</summary>
    private const int LongestCommand = 200;

    /// <summary>One line for one record. <paramref name="names"/> turns ids into labels where they are known, and learns them.</summary>
    public static string Tell(string record, Dictionary<string, string> names)
    {
        using var json = JsonDocument.Parse(record);
        var root = json.RootElement;
        var time = Text(root, "at") is { Length: 24 } at ? at[11..23] : "";
        var happened = Event(Part(root, "event"), names);
        var decided = root.TryGetProperty("effects", out var effects)
            ? string.Join(", ", effects.EnumerateArray().Select(effect => Effect(effect, names)))
            : "";
        return $"{Screen.Dim(time)} {happened}" + (decided.Length > 0 ? $" {Screen.Dim("→")} {decided}" : "");
    }

    private static string Event(JsonElement e, Dictionary<string, string> names) => Text(e, "type") switch
    {
        "started" => Started(e, names),
        "configured" => Configured(e, names),
        "spawnRequested" => $"asked to run {Learn(e, names)}: {Command(Part(e, "spec"))}",
        "processRequested" => $"{Name(e, names)}: asked for {Words(Text(Part(e, "event"), "type"), "Requested")}",
        "processReported" => Reported(Name(e, names), Part(e, "event")),
        "runtime" => Runtime(Part(e, "event")),
        "rolloutOrdered" or "rolloutRequested" or "rolloutReported" => RolloutStory.Event(e),
        "containersRequested" or "containersReported" => ContainerStory.Event(e),
        "companionsRequested" or "companionsReported" => CompanionStory.Event(e),
        "outbox" => OutboxStory.Event(Part(e, "event")),
        "deadlineReached" => "a deadline came",
        var other => PlaneStory.Event(e) ?? other,
    };

    /// <summary>What ended while no agent lived was seen by the keeper alone, so it is told here.</summary>
    private static string Started(JsonElement e, Dictionary<string, string> names)
    {
        var (alive, found) = (new List<string>(), new List<string>());
        foreach (var row in Items(e, "observed"))
        {
            var (name, observation) = (Name(row, names), Part(row, "observation"));
            switch (Text(observation, "type"))
            {
                case "alive": alive.Add(name); break;
                case "ended": found.Add($"{name} ended with {Status(Part(observation, "status"))}"); break;
                default: found.Add($"no trace of {name}"); break;
            }
        }

        if (alive.Count > 0) found.Insert(0, alive.Count == 1 ? $"{alive[0]} alive" : $"{alive.Count} processes alive");
        return "the agent started" + (found.Count > 0 ? $" and found {string.Join(", ", found)}" : "");
    }

    private static string Configured(JsonElement e, Dictionary<string, string> names)
    {
        foreach (var service in Items(e, "services")) Learn(service, names);
        var count = Items(e, "services").Count();
        return count == 1 ? "configured: 1 service" : $"configured: {count} services";
    }

    private static string Reported(string name, JsonElement e) => Text(e, "type") switch
    {
        "spawnCompleted" => $"{name} runs with pid {Part(Part(e, "identity"), "pid")}",
        "spawnFailed" => $"{name} could not be started: {Text(e, "detail")}",
        "becameReady" => $"{name} is ready",
        "exitObserved" => $"{name} ended with {Status(Part(e, "status"))}",
        var other => $"{name}: {other}",
    };

    private static string Status(JsonElement status) => Text(status, "type") switch
    {
        "exited" => $"code {Part(status, "code")}",
        "signaled" => $"signal {Part(status, "signal")}",
        "outOfMemory" => "a kill at its limit of memory",
        "lost" => "an exit nobody saw",
        _ => Text(status, "detail"),
    };

    private static string Runtime(JsonElement e) => Text(e, "type") switch
    {
        "ensureRequested" => "somebody wants the runtime",
        "stopRequested" => "somebody wants the runtime stopped",
        "startProgressed" => "the runtime's start goes on: " + string.Join(", ", Items(e, "services")
            .Select(service => $"{Text(service, "name")} {Text(service, "health")}")),
        "startCompleted" => $"the runtime is ready at {Text(e, "endpoint")}",
        "startFailed" => $"the runtime's start failed: {Text(e, "cause")}",
        "probeFailed" => $"the engine did not answer: {Text(e, "detail")}",
        "probePassed" => "the engine answers",
        var other => $"runtime: {other}",
    };

    private static string Effect(JsonElement e, Dictionary<string, string> names) => Text(e, "type") switch
    {
        "startRuntime" => $"start the runtime, attempt {Part(e, "attempt")}",
        "stopDaemons" => "stop its daemons",
        "spawn" => $"start {Learn(e, names)} (generation {Part(e, "generation")})",
        "adopt" => $"adopt {Learn(e, names)}",
        "sendSignal" => $"signal {Part(e, "signal")} to {Name(e, names)}",
        "killTree" => $"kill all of {Name(e, names)}",
        "forget" => "note its exit",
        "closeOutput" => "close its output",
        "reap" => $"forget {Name(e, names)} ({Text(e, "reason")})",
        "runtimeReject" or "processReject" => $"refused: {Text(e, "reason")}",
        var other => RolloutStory.Effect(e) ?? ContainerStory.Effect(e) ?? CompanionStory.Effect(e) ?? OutboxStory.Effect(e)
            ?? PlaneStory.Effect(e) ?? other,
    };

    private static string Learn(JsonElement e, Dictionary<string, string> names)
    {
        if (e.TryGetProperty("spec", out var spec)) names[Text(e, "id")] = Text(spec, "label");
        return Name(e, names);
    }

    private static string Name(JsonElement e, Dictionary<string, string> names) =>
        names.GetValueOrDefault(Text(e, "id")) is { } label ? label : Text(e, "id");

    private static string Command(JsonElement spec) =>
        Screen.Cut(Screen.Clean(string.Join(' ', Items(spec, "command").Select(word => word.GetString()))), LongestCommand);

    private static string Words(string type, string suffix) =>
        type.EndsWith(suffix, StringComparison.Ordinal) ? type[..^suffix.Length] : type;
}
