using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Diagnostics;
using System.Linq;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Api;

namespace Agent.Shell.Cli;

/// <summary>`agent containers …`: what is declared, what there is, and the user's word on it.</summary>
internal static class ContainerVerbs
{
    // A first pull over a slow line; what takes longer goes on without anybody watching.
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(200);

    private static readonly Argument<string[]> Some = new("UID")
    {
        Description = "Some of them; all if none is named",
        Arity = ArgumentArity.ZeroOrMore,
        CompletionSources = { Completion.Containers },
    };

    private static readonly Argument<string> One = new("UID") { Description = "A container, as it is declared", CompletionSources = { Completion.Containers } };
    private static readonly Option<bool> Orphans = new("--remove-orphans") { Description = "Remove what is this agent's and not declared" };
    private static readonly Option<bool> Detach = new("--detach") { Description = "Do not wait until it is done" };

    /// <summary>Those that ask what is declared and observed, and change it.</summary>
    public static IReadOnlyList<Command> All() =>
    [
        Invocation.Asking("ps", "Desired and observed side by side, and why", "agent containers ps", PsAsync),
        Invocation.Asking("plan", "What `up` would do; changes nothing", "agent containers plan", PlanAsync),
        Invocation.Asking(
            "up", "Have what is declared exist and run; 0 only if it does", "agent containers up web", UpAsync, Some, Orphans, Detach),
        Invocation.Asking(
            "down", "Stop and remove; volumes stay, and only `up` or `start` brings them back", "agent containers down", DownAsync, Some, Detach),
        Invocation.Asking(
            "start", "Start one; it runs until its user stops it", "agent containers start web", (p, c, s) => OneAsync(p, c, "start", s), One, Detach),
        Invocation.Asking(
            "stop", "Stop one; only its user's start brings it back", "agent containers stop web", (p, c, s) => OneAsync(p, c, "stop", s), One, Detach),
    ];

    public static Command Tree() => Invocation.Group(
        "containers", "Containers: declared in a Compose file, kept running", "agent containers ps",
        [.. All(), .. EngineVerbs.All()]);

    private static async Task<int> PsAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        var text = await client.TextAsync("/v1/containers", stop).ConfigureAwait(false);
        if (Invocation.WantsJson(parsed)) Invocation.Say(text);
        else Invocation.Say(Table(JsonSerializer.Deserialize(text, WireJson.Default.ContainersInfo)!));
        return ExitCodes.Done;
    }

    private static async Task<int> PlanAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        var text = await client.TextAsync("/v1/containers", stop).ConfigureAwait(false);
        if (Invocation.WantsJson(parsed))
        {
            Invocation.Say(text);
            return ExitCodes.Done;
        }

        var info = JsonSerializer.Deserialize(text, WireJson.Default.ContainersInfo)!;
        var rows = info.Containers.Where(one => one.Plan is not null || !one.Declared).ToList();
        if (rows.Count == 0) Invocation.Say("nothing to do");
        else Invocation.Say(rows.Select(one => $"{one.Plan ?? "leave"} {one.Uid}{Why(one)}"));
        return ExitCodes.Done;
    }

    private static async Task<int> UpAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        var uids = parsed.GetValue(Some)!;
        await client.PostAsync(
            "/v1/containers/up", new UpRequest(uids, parsed.GetValue(Orphans)), WireJson.Default.UpRequest,
            WireJson.Default.ContainersInfo, stop).ConfigureAwait(false);
        return await WaitAsync(parsed, client, one => uids.Length == 0 ? one.Declared : uids.Contains(one.Uid), stop).ConfigureAwait(false);
    }

    private static async Task<int> DownAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        var uids = parsed.GetValue(Some)!;
        await client.PostAsync(
            "/v1/containers/down", new DownRequest(uids), WireJson.Default.DownRequest, WireJson.Default.ContainersInfo, stop)
            .ConfigureAwait(false);
        return await WaitAsync(parsed, client, one => uids.Length == 0 || uids.Contains(one.Uid), stop).ConfigureAwait(false);
    }

    private static async Task<int> OneAsync(ParseResult parsed, ApiClient client, string verb, CancellationToken stop)
    {
        var uid = parsed.GetValue(One)!;
        using var answer = await client.SendAsync(
            System.Net.Http.HttpMethod.Post, $"/v1/containers/{Uri.EscapeDataString(uid)}/{verb}", null, stop).ConfigureAwait(false);
        return await WaitAsync(parsed, client, one => one.Uid == uid, stop).ConfigureAwait(false);
    }

    /// <summary>Until nothing is under way for them: 0 if all are as they should be.</summary>
    private static async Task<int> WaitAsync(
        ParseResult parsed, ApiClient client, Func<ContainerInfo, bool> which, CancellationToken stop)
    {
        var waited = Stopwatch.StartNew();
        while (true)
        {
            var info = await client.GetAsync("/v1/containers", WireJson.Default.ContainersInfo, stop).ConfigureAwait(false);
            var meant = info.Containers.Where(which).ToList();
            var hasFailed = meant.Exists(one => one.Report == "failed");
            var isOver = !meant.Exists(one => one.Report == "working") && (hasFailed || !meant.Exists(one => one.Report == "waiting"));
            if (isOver || parsed.GetValue(Detach) || waited.Elapsed > Longest)
            {
                var shown = info with { Containers = meant };
                if (Invocation.WantsJson(parsed)) Invocation.Say(JsonSerializer.Serialize(shown, WireJson.Default.ContainersInfo));
                else Invocation.Say(Table(shown));
                return isOver ? hasFailed ? ExitCodes.Failed : ExitCodes.Done
                    : parsed.GetValue(Detach) ? ExitCodes.Done
                    : ExitCodes.TimedOut;
            }

            await Task.Delay(Between, stop).ConfigureAwait(false);
        }
    }

    private static IEnumerable<string> Table(ContainersInfo info)
    {
        if (info.GatedUntil is { } until) yield return $"the engine is not ready; it is tried at {until} at the latest";
        if (info.LastPass?.Failure is { } failure) yield return Screen.Red($"the last look failed: {Screen.Clean(failure)}");
        if (info.Containers.Count == 0)
        {
            yield return "no container is declared, and there is none of this agent's";
            yield break;
        }

        var rows = info.Containers.Select(one => (IReadOnlyList<string>)
        [
            one.Uid,
            one.Declared ? one.Wish : "not declared",
            one.State + (one.ExitCode is { } code ? $" ({Screen.Number(code)})" : "") + (one.Health is { } health ? $", {health}" : ""),
            one.RunningMs is { } up ? Screen.Age(up) : "",
            Colour(one.Report),
            Screen.Clean(one.Detail) + (one.CrashLooping ? ", crash-looping" : ""),
        ]).ToList();
        foreach (var line in Screen.Table(["CONTAINER", "WANTED", "SEEN", "UP", "REPORT", "WHY"], rows)) yield return line;
    }

    private static string Colour(string report) => report switch
    {
        "ok" => Screen.Green(report),
        "failed" => Screen.Red(report),
        _ => Screen.Yellow(report),
    };

    private static string Why(ContainerInfo one) => one.Wish == "dropped" ? " (not declared, it goes)"
        : !one.Declared ? " (not declared; `up --remove-orphans` removes it)"
        : one.Wish is "stopped" or "removed" ? $" ({one.Wish} by its user)"
        : one.Current == false ? " (its definition changed)"
        : "";
}
