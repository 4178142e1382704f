using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.Linq;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Api;
using Agent.Shell.Config;

namespace Agent.Shell.Cli;

/// <summary>`agent status`, once or as a view that stays up to date.</summary>
internal static class StatusVerbs
{
    private static readonly Option<bool> Watch = new("--watch", "-w") { Description = "Stay, and redraw what changes" };
    private static readonly Option<string?> For = SpawnVerb.Text("--for", "60s", "When watching: end after this long");

    public static IReadOnlyList<Command> All() =>
    [
        Invocation.Asking(
            "status", "How the agent and everything it keeps is", "agent status --watch --for 60s",
            (p, c, s) => p.GetValue(Watch) ? WatchAsync(p, c, s) : StatusAsync(p, c, s), Watch, For),
        Invocation.Asking(
            "watch", "The same, redrawn as it changes; plain lines where there is no terminal", "agent watch", WatchAsync, For),
    ];

    /// <summary>The agent, its journal, its processes and containers in numbers, and the runtime.</summary>
    public static IEnumerable<string> Head(StatusInfo status, int lastWords)
    {
        var counts = status.Counts;
        yield return $"agent     {Screen.Bold(status.Version)}, up {Screen.Age(status.UptimeMs)}"
            + (status.KeeperConnected ? "" : Screen.Red(", no keeper"));
        if (status.UpgradeFailure is { } taken) yield return $"upgrade   {Screen.Red("taken back")}: {Screen.Clean(taken)}";
        yield return $"journal   seq {status.Journal.Seq}, digest {status.Journal.Digest}";
        if (status.ClockSuspect is { } why) yield return $"clock     {Screen.Red("suspect")}: {Screen.Clean(why)}";
        yield return string.Create(
            CultureInfo.InvariantCulture,
            $"processes {counts.Running} running, {counts.Starting} starting, {counts.Stopping} stopping, ")
            + string.Create(CultureInfo.InvariantCulture, $"{counts.Backoff} waiting to restart, {counts.Exited} ended");
        if (status.Containers is { } containers)
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"containers {containers.Declared} declared, {containers.Running} running, ")
                + string.Create(
                    CultureInfo.InvariantCulture,
                    $"{containers.Failing} failing, {containers.CircuitOpen} with an open circuit, ")
                + string.Create(CultureInfo.InvariantCulture, $"{containers.Stopped} stopped by their user");
        }

        foreach (var rollout in status.Rollouts)
        {
            yield return $"rollout   {rollout.Id} version {rollout.Version} {Describe.State(rollout.State)}: {Screen.Clean(rollout.Summary)}";
        }

        if (status.Plane is { } plane)
        {
            foreach (var line in OutboxVerbs.Head(plane)) yield return line;
        }

        foreach (var line in Describe.Runtime(status.Runtime, lastWords)) yield return line;
    }

    private static async Task<int> StatusAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        var text = await client.TextAsync("/v1/status", stop).ConfigureAwait(false);
        if (Invocation.WantsJson(parsed)) Invocation.Say(text);
        else Invocation.Say(Head(JsonSerializer.Deserialize(text, WireJson.Default.StatusInfo)!, int.MaxValue));
        return ExitCodes.Done;
    }

    private static async Task<int> WatchAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        if (parsed.GetValue(For) is { } text)
        {
            ending.CancelAfter(Durations.Parse(text)
                ?? throw new CommandFailure(ExitCodes.Usage, $"--for {text}: give it as a duration such as 60s"));
        }

        var status = await client.GetAsync("/v1/status", WireJson.Default.StatusInfo, ending.Token).ConfigureAwait(false);
        var since = Math.Max(1, status.Journal.Seq - View.RememberedEvents);
        var events = client.LinesAsync($"/v1/events?since={since}&follow=true", ending.Token);
        try
        {
            if (Console.IsOutputRedirected || Invocation.WantsJson(parsed))
            {
                await JournalVerbs.TellAsync(parsed, events).ConfigureAwait(false);
            }
            else
            {
                await new View(client).DrawAsync(events, ending.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // The time that it was asked for is over.
        }

        return ExitCodes.Done;
    }
}
