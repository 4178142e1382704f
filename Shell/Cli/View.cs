using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Api;

namespace Agent.Shell.Cli;

/// <summary>
/// The live view on a terminal: the agent, the runtime, the processes, the newest events, drawn over itself. The state
/// is asked for twice a second, which costs the agent no decision; the events come by themselves.
/// </summary>
internal sealed class View(ApiClient client)
{
    public const int RememberedEvents = 8;

    private const int LastWords = 3;
    private const int FewestProcesses = 3;
    private static readonly TimeSpan Refresh = TimeSpan.FromMilliseconds(500);

    private readonly Lock _gate = new();
    private readonly Queue<string> _recent = new();
    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);

    /// <summary>Draws until it is stopped or the agent ends, and leaves the last frame and the cursor standing.</summary>
    public async Task DrawAsync(IAsyncEnumerable<string> events, CancellationToken stop)
    {
        var listening = ListenAsync(events, stop);
        var drawn = 0;
        Invocation.Draw("\e[?25l");
        try
        {
            while (!listening.IsCompleted)
            {
                drawn = Draw(await FrameAsync(stop).ConfigureAwait(false), drawn);
                await Task.Delay(Refresh, stop).ConfigureAwait(false);
            }

            await listening.ConfigureAwait(false);
        }
        finally
        {
            Invocation.Draw("\e[?25h");
        }
    }

    /// <summary>What fits: the processes give way first, down to a few, then the end is cut.</summary>
    public static IReadOnlyList<string> Fit(
        IReadOnlyList<string> head, IReadOnlyList<string> processes, IReadOnlyList<string> events, int height)
    {
        const int Separators = 3;
        var room = Math.Max(FewestProcesses, height - head.Count - events.Count - Separators);
        IEnumerable<string> table = processes.Count <= room
            ? processes
            : processes.Take(room - 1).Append(Screen.Dim($"… {processes.Count - room + 1} more, `agent ps` lists them"));
        return [.. head.Append("").Concat(table).Append("").Append(Screen.Dim("what happened")).Concat(events).Take(height)];
    }

    private async Task ListenAsync(IAsyncEnumerable<string> events, CancellationToken stop)
    {
        try
        {
            await foreach (var line in events.ConfigureAwait(false)) Remember(() => Story.Tell(line, _names));
        }
        catch (CommandFailure refusal) when (refusal.ExitCode == ExitCodes.NotAllowed)
        {
            // The journal speaks of everybody's processes. The rest of the view is still the caller's.
            Remember(() => refusal.Message);
            await Task.Delay(Timeout.Infinite, stop).ConfigureAwait(false);
        }
    }

    private void Remember(Func<string> tell)
    {
        lock (_gate)
        {
            _recent.Enqueue(tell());
            if (_recent.Count > RememberedEvents) _recent.Dequeue();
        }
    }

    private async Task<IReadOnlyList<string>> FrameAsync(CancellationToken stop)
    {
        var status = await client.GetAsync("/v1/status", WireJson.Default.StatusInfo, stop).ConfigureAwait(false);
        var processes = await client.GetAsync(
            "/v1/processes", WireJson.Default.IReadOnlyListProcessInfo, stop).ConfigureAwait(false);
        lock (_gate)
        {
            foreach (var one in processes) _names[one.Id] = Screen.Clean(one.Label);
            return Fit(
                [.. StatusVerbs.Head(status, LastWords)], [.. Describe.Processes(processes)], [.. _recent],
                Math.Max(4, Console.WindowHeight - 1));
        }
    }

    /// <summary>Over the last frame, line by line, so that nothing flickers; answers how many lines it drew.</summary>
    public static int Draw(IReadOnlyList<string> lines, int before)
    {
        var width = Math.Max(20, Console.WindowWidth);
        var frame = before > 0 ? $"\e[{before}A" : "";
        Invocation.Draw(frame + string.Concat(lines.Select(line => $"\r\e[2K{Screen.Cut(line, width)}\n")) + "\e[0J");
        return lines.Count;
    }
}
