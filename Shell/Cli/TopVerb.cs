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

/// <summary>`agent top`: what each process takes, over and over.</summary>
internal static class TopVerb
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    private static readonly Option<bool> Once = new("--once") { Description = "One table, over one interval, and no more" };
    private static readonly Option<string> Interval = new("--interval")
    {
        Description = "From one look to the next", HelpName = "2s", DefaultValueFactory = _ => "1s",
    };

    public static Command Tree() => Invocation.Asking(
        "top", "What each process takes, the busiest first; with -o json one line a look", "agent top --once --interval 5s",
        TopAsync, Once, Interval);

    /// <summary>What lies between two looks, the busiest first; without an earlier one rates are not known.</summary>
    public static IReadOnlyList<TopRow> Rows(IReadOnlyList<ProcessInfo> processes, UsageInfo now, UsageInfo? before)
    {
        var usage = now.Processes.ToDictionary(one => one.Id, StringComparer.Ordinal);
        var earlier = (before?.Processes ?? []).ToDictionary(one => one.Id, StringComparer.Ordinal);
        var span = now.AtMs - (before?.AtMs ?? now.AtMs);
        return
        [
            .. processes.Where(one => usage.ContainsKey(one.Id))
                .Select(one => Row(one, usage[one.Id], earlier.GetValueOrDefault(one.Id), span))
                .OrderByDescending(one => one.CpuPercent).ThenBy(one => one.Label, StringComparer.Ordinal),
        ];
    }

    private static TopRow Row(ProcessInfo info, ProcessUsage now, ProcessUsage? before, long span)
    {
        var known = before is not null && span > 0;

        // A member that ended unreaped takes its share along, and a new incarnation begins at nothing.
        var cpu = known ? Math.Max(0, now.CpuMs - before!.CpuMs) * 100.0 / span : (double?)null;
        var output = known ? Math.Max(0, now.OutputBytes - before!.OutputBytes) * 1000 / span : (long?)null;
        return new(
            info.Id, info.Label, info.Kind, info.Phase, info.CrashLooping, info.Pid, now.Members,
            cpu is { } percent ? Math.Round(percent, 1) : null, now.ResidentBytes, output, info.Restarts, now.UpMs);
    }

    private static async Task<int> TopAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        var text = parsed.GetRequiredValue(Interval);
        if (Durations.Parse(text) is not { } interval || interval < Shortest || interval > Longest)
        {
            throw new CommandFailure(ExitCodes.Usage, $"--interval {text}: give a duration from 250ms to 1h, such as 2s");
        }

        var (once, json) = (parsed.GetValue(Once), Invocation.WantsJson(parsed));
        var live = !once && !json && !Console.IsOutputRedirected;
        var drawn = 0;
        UsageInfo? before = null;
        if (live) Invocation.Draw("\e[?25l");
        try
        {
            while (true)
            {
                var now = await client.GetAsync("/v1/processes/usage", WireJson.Default.UsageInfo, stop).ConfigureAwait(false);
                var processes = await client.GetAsync(
                    "/v1/processes", WireJson.Default.IReadOnlyListProcessInfo, stop).ConfigureAwait(false);
                var rows = Rows(processes, now, before);
                if (live) drawn = View.Draw([.. Fit(rows)], drawn);
                else if (before is not null) Tell(rows, now, json);
                if (once && before is not null) return ExitCodes.Done;
                before = now;
                await Task.Delay(interval, stop).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (live)
        {
            return ExitCodes.Done;
        }
        finally
        {
            if (live) Invocation.Draw("\e[?25h");
        }
    }

    private static void Tell(IReadOnlyList<TopRow> rows, UsageInfo now, bool json)
    {
        if (json) Invocation.Say(JsonSerializer.Serialize(new TopAnswer(now.AtMs, rows), CliJson.Default.TopAnswer));
        else Invocation.Say([.. Table(rows)]);
    }

    private static IEnumerable<string> Fit(IReadOnlyList<TopRow> rows)
    {
        var room = Math.Max(4, Console.WindowHeight - 3);
        var shown = rows.Count <= room ? rows : [.. rows.Take(room - 1)];
        foreach (var line in Table(shown)) yield return line;
        if (shown.Count < rows.Count) yield return Screen.Dim($"… {rows.Count - shown.Count} more, `agent ps` lists them");
    }

    private static IEnumerable<string> Table(IReadOnlyList<TopRow> rows) => Screen.Table(
        ["ID", "LABEL", "PHASE", "PID", "PROCS", "CPU %", "MEMORY", "OUTPUT/s", "RESTARTS", "UP"],
        [
            .. rows.Select(one => (IReadOnlyList<string>)
            [
                one.Id, Screen.Clean(one.Label), Describe.State(one.CrashLooping ? one.Phase + " (crash-looping)" : one.Phase),
                one.Pid is { } pid ? Screen.Number(pid) : "-", Screen.Number(one.Members),
                one.CpuPercent?.ToString("0.0", CultureInfo.InvariantCulture) ?? "-", Sizes.Show(one.ResidentBytes),
                one.OutputBytesPerSecond is { } rate ? Sizes.Show(rate) : "-", Screen.Number(one.Restarts),
                one.UpMs is { } up ? Screen.Age(up) : "-",
            ]),
        ]);
}
