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
    private const int RememberedEvents = 8;
    private static readonly TimeSpan Refresh = TimeSpan.FromMilliseconds(500);

    private static readonly Option<bool> Watch = new("--watch", "-w") { Description = "Stay, and redraw what changes" };
    private static readonly Option<string?> For = new("--for") { Description = "With --watch: end after this long", HelpName = "60s" };

    public static Command Tree() => Invocation.Asking(
        "status", "How the agent and everything it keeps is, e.g. agent status --watch", StatusAsync, Watch, For);

    private static async Task<int> StatusAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        if (parsed.GetValue(Watch))
        {
            await WatchAsync(parsed, client, stop).ConfigureAwait(false);
            return ExitCodes.Done;
        }

        var status = await client.GetAsync("/v1/status", WireJson.Default.StatusInfo, stop).ConfigureAwait(false);
        if (Invocation.WantsJson(parsed)) Invocation.Say(JsonSerializer.Serialize(status, WireJson.Default.StatusInfo));
        else Invocation.Say(Head(status).Concat(Describe.Runtime(status.Runtime)));
        return ExitCodes.Done;
    }

    private static IEnumerable<string> Head(StatusInfo status)
    {
        var counts = status.Counts;
        yield return $"agent     {Screen.Bold(status.Version)}, up {Durations.Show(TimeSpan.FromSeconds(status.UptimeMs / 1000))}"
            + (status.KeeperConnected ? "" : Screen.Red(", no keeper"));
        yield return $"journal   seq {status.Journal.Seq}, digest {status.Journal.Digest}";
        yield return string.Create(
            CultureInfo.InvariantCulture,
            $"processes {counts.Running} running, {counts.Starting} starting, {counts.Stopping} stopping, {counts.Backoff} waiting to restart, {counts.Exited} ended");
    }

    private static async Task WatchAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        if (parsed.GetValue(For) is { } text)
        {
            ending.CancelAfter(Durations.Parse(text)
                ?? throw new CommandFailure(ExitCodes.Usage, $"--for {text}: give it as a duration such as 60s"));
        }

        var status = await client.GetAsync("/v1/status", WireJson.Default.StatusInfo, ending.Token).ConfigureAwait(false);
        var events = client.LinesAsync(
            $"/v1/events?since={Math.Max(1, status.Journal.Seq - RememberedEvents)}&follow=true", ending.Token);
        try
        {
            if (Console.IsOutputRedirected) await TellAsync(events).ConfigureAwait(false);
            else await DrawAsync(client, events, ending.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The time is over, or Ctrl-C: either way the view has done its work.
        }
    }

    private static async Task TellAsync(IAsyncEnumerable<string> events)
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        await foreach (var line in events.ConfigureAwait(false)) Invocation.Say(Story.Tell(line, names));
    }

    private static async Task DrawAsync(ApiClient client, IAsyncEnumerable<string> events, CancellationToken stop)
    {
        var recent = new Queue<string>();
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        var listening = ListenAsync(events, line =>
        {
            lock (recent)
            {
                recent.Enqueue(Story.Tell(line, names));
                if (recent.Count > RememberedEvents) recent.Dequeue();
            }
        });
        var drawn = 0;
        Draw("\e[?25l");
        try
        {
            while (!listening.IsCompleted)
            {
                var lines = await FrameAsync(client, recent, names, stop).ConfigureAwait(false);
                drawn = Draw(lines, drawn);
                await Task.Delay(Refresh, stop).ConfigureAwait(false);
            }

            await listening.ConfigureAwait(false);
        }
        finally
        {
            Draw("\e[?25h");
        }
    }

    private static async Task ListenAsync(IAsyncEnumerable<string> events, Action<string> tell)
    {
        await foreach (var line in events.ConfigureAwait(false)) tell(line);
    }

    private static async Task<List<string>> FrameAsync(
        ApiClient client, Queue<string> recent, Dictionary<string, string> names, CancellationToken stop)
    {
        var status = await client.GetAsync("/v1/status", WireJson.Default.StatusInfo, stop).ConfigureAwait(false);
        var processes = await client.GetAsync(
            "/v1/processes", WireJson.Default.IReadOnlyListProcessInfo, stop).ConfigureAwait(false);
        lock (recent)
        {
            foreach (var one in processes) names[one.Id] = one.Label;
            return
            [
                .. Head(status), .. Describe.Runtime(status.Runtime), "", .. Describe.Processes(processes), "",
                Screen.Dim("what happened"), .. recent,
            ];
        }
    }

    /// <summary>Over the last frame, line by line, so that nothing flickers; answers how many lines it drew.</summary>
    private static int Draw(List<string> lines, int before)
    {
        var height = Math.Max(4, Console.WindowHeight - 1);
        var width = Math.Max(20, Console.WindowWidth);
        var shown = lines.Take(height).ToList();
        var frame = before > 0 ? $"\e[{before}A" : "";
        foreach (var line in shown) frame += $"\r\e[2K{Screen.Cut(line, width)}\n";
        Draw(frame + "\e[0J");
        return shown.Count;
    }

    private static void Draw(string text) => Console.Out.Write(text);
}
