using System;
using System.CommandLine;
using System.Net.Http;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Api;

namespace Agent.Shell.Cli;

/// <summary>`agent runtime …`: the container runtime.</summary>
internal static class RuntimeVerbs
{
    private static readonly Option<bool> NoStart = new("--no-start") { Description = "Only look, start nothing" };
    private static readonly Option<bool> Wait = new("--wait") { Description = "Wait until it is ready or has failed" };

    public static Command Tree() => Invocation.Group(
        "runtime", "The container runtime: bring it up, watch it, stop it", "agent runtime ensure --wait",
        Invocation.Asking(
            "ensure", "Make sure it is up; answers at once", "agent runtime ensure --wait", EnsureAsync, NoStart, Wait),
        Invocation.Asking(
            "status", "The table of its services and the last cause of trouble", "agent runtime status -o json", StatusAsync),
        Invocation.Asking(
            "watch", "One line per change, until it is ready or has failed", "agent runtime watch", WatchAsync),
        Invocation.Asking("stop", "Stop what the agent started of it", "agent runtime stop", StopAsync));

    private static async Task<int> EnsureAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        var answer = await client.PostAsync(
            "/v1/runtime/ensure", new EnsureRequest(!parsed.GetValue(NoStart)), WireJson.Default.EnsureRequest,
            WireJson.Default.EnsureAnswer, stop).ConfigureAwait(false);
        if (answer.Status == "starting" && parsed.GetValue(Wait))
        {
            var end = await FollowAsync(parsed, client, quiet: true, stop).ConfigureAwait(false);
            answer = end.State == "ready"
                ? new(true, end.Endpoint, end.Message ?? "", "started")
                : new(false, null, end.Cause?.Text ?? "", "failed");
        }

        Invocation.Say(Invocation.WantsJson(parsed)
            ? JsonSerializer.Serialize(answer, WireJson.Default.EnsureAnswer)
            : $"{Describe.State(answer.Ready ? "ready" : answer.Status)} ({answer.Status}) {answer.Endpoint} {answer.Message}".TrimEnd());
        return answer.Ready || answer.Status == "starting" ? ExitCodes.Done : ExitCodes.Failed;
    }

    private static async Task<int> StatusAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        var text = await client.TextAsync("/v1/runtime", stop).ConfigureAwait(false);
        if (Invocation.WantsJson(parsed)) Invocation.Say(text);
        else Invocation.Say(Describe.Runtime(JsonSerializer.Deserialize(text, WireJson.Default.RuntimeInfo)!));
        return ExitCodes.Done;
    }

    private static async Task<int> WatchAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        var end = await FollowAsync(parsed, client, quiet: false, stop).ConfigureAwait(false);
        return end.State == "ready" ? ExitCodes.Done : ExitCodes.Failed;
    }

    private static async Task<RuntimeInfo> FollowAsync(
        ParseResult parsed, ApiClient client, bool quiet, CancellationToken stop)
    {
        RuntimeInfo? last = null;
        await foreach (var line in client.LinesAsync("/v1/runtime/watch", stop).ConfigureAwait(false))
        {
            last = JsonSerializer.Deserialize(line, WireJson.Default.RuntimeInfo);
            if (quiet) continue;
            if (Invocation.WantsJson(parsed)) Invocation.Say(line);
            else Invocation.Say(string.Join("  ", Describe.Runtime(last!)));
        }

        return last ?? throw new CommandFailure("the agent ended the watch without a word");
    }

    private static async Task<int> StopAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        using var answer = await client.SendAsync(HttpMethod.Post, "/v1/runtime/stop", null, stop).ConfigureAwait(false);
        if (!Invocation.WantsJson(parsed)) Invocation.Say("stopping what the agent started of the runtime");
        return ExitCodes.Done;
    }
}
