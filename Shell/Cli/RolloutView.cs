using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Api;

namespace Agent.Shell.Cli;

/// <summary>
/// Follows one rollout: a line for each change of its state, and on a terminal below it one line that counts down and
/// shows the probes.
/// </summary>
internal sealed class RolloutView(bool live)
{
    private static readonly TimeSpan Refresh = TimeSpan.FromMilliseconds(250);

    private const int BarWidth = 24;

    private readonly Lock _gate = new();
    private RolloutInfo? _shown;
    private bool _drawn;

    /// <summary>The last thing that was heard; null if nothing was.</summary>
    public async Task<RolloutInfo?> FollowAsync(IAsyncEnumerable<string> lines, CancellationToken stop)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var drawing = live ? DrawAsync(ending.Token) : Task.CompletedTask;
        try
        {
            await foreach (var line in lines.ConfigureAwait(false))
            {
                Show(JsonSerializer.Deserialize(line, WireJson.Default.RolloutInfo)!);
            }
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
            await drawing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            lock (_gate) Erase();
        }

        return _shown;
    }

    private void Show(RolloutInfo next)
    {
        lock (_gate)
        {
            var news = _shown is null || _shown.State != next.State || _shown.Summary != next.Summary
                || _shown.Recovery?.State != next.Recovery?.State;
            var probes = _shown is null ? [] : Changed(_shown.Probes, next.Probes).ToList();
            _shown = next;
            Erase();
            if (news)
            {
                Invocation.Say($"{Screen.Dim(Time())} {next.Id} version {next.Version} {Describe.State(next.State)}: {Screen.Clean(next.Summary)}");
            }

            foreach (var probe in probes)
            {
                var detail = probe.Detail is { Length: > 0 } text ? $": {Screen.Clean(text)}" : "";
                Invocation.Say($"{Screen.Dim(Time())}   probe {probe.Name} {Describe.Probe(probe.Status)}{detail}");
            }
        }
    }

    private async Task DrawAsync(CancellationToken stop)
    {
        while (true)
        {
            await Task.Delay(Refresh, stop).ConfigureAwait(false);
            lock (_gate)
            {
                if (_shown is null) continue;
                Erase();
                Invocation.Draw(Screen.Cut(Line(_shown, DateTimeOffset.UtcNow), Math.Max(20, Console.WindowWidth - 1)));
                _drawn = true;
            }
        }
    }

    private void Erase()
    {
        if (!_drawn) return;
        Invocation.Draw("\r\e[2K");
        _drawn = false;
    }

    /// <summary>What goes on right now, with the time that is left where there is one.</summary>
    private static string Line(RolloutInfo info, DateTimeOffset now)
    {
        var probes = string.Join("  ", info.Probes.Select(probe => $"{probe.Name} {Describe.Probe(probe.Status)}"));
        if (info.SoakUntil is not { } until || info.Since is not { } since) return $"  {info.State} …";
        var (from, to) = (At(since), At(until));
        var whole = (to - from).TotalSeconds;
        var share = whole <= 0 ? 1 : Math.Clamp((now - from).TotalSeconds / whole, 0, 1);
        var done = (int)(share * BarWidth);
        var left = to > now ? $"{Screen.Age((long)(to - now).TotalMilliseconds)} left" : "soaked";
        return $"  [{new string('#', done)}{new string('.', BarWidth - done)}] {left}  {probes}";
    }

    private static IEnumerable<RolloutProbeInfo> Changed(
        IReadOnlyList<RolloutProbeInfo> before, IReadOnlyList<RolloutProbeInfo> after) =>
        after.Where(probe => probe.Status != "unreported"
            && before.FirstOrDefault(old => old.Name == probe.Name)?.Status != probe.Status);

    private static DateTimeOffset At(string text) =>
        DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

    private static string Time() => DateTimeOffset.UtcNow.ToString("HH:mm:ss", CultureInfo.InvariantCulture);
}
