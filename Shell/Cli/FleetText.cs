using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;
using Agent.Shell.Uplink;

namespace Agent.Shell.Cli;

/// <summary>A fleet as people read it.</summary>
internal static class FleetText
{
    private const int BarWidth = 16;

    public static IEnumerable<string> Hosts(IReadOnlyList<FleetHostInfo> hosts) => Screen.Table(
        ["HOST", "STATE", "VERSION", "ROLLOUT", "WHERE IT STANDS"],
        [
            .. hosts.SelectMany(host => Rows(host)),
        ]);

    public static IEnumerable<string> Rollouts(FleetInfo fleet)
    {
        foreach (var line in Screen.Table(
            ["ROLLOUT", "VERSION", "STATE", "WAVES", "WHERE IT STANDS"],
            [
                .. fleet.Rollouts.Select(one => (IReadOnlyList<string>)
                [
                    one.Id, Screen.Number(one.Version), State(one.State), string.Join(' ', one.Waves.Select(Wave)),
                    Screen.Clean(one.Summary),
                ]),
            ]))
        {
            yield return line;
        }

        foreach (var channel in fleet.Channels)
        {
            if (channel.Halted) yield return $"{channel.Name} is {Screen.Yellow("halted")}";
            foreach (var entry in channel.Quarantine)
            {
                yield return $"{channel.Name}: {Describe.Release(entry.Release)} is in {Screen.Red("quarantine")}, {entry.Host} rolled back from it at {entry.At}";
            }
        }
    }

    public static IEnumerable<string> Rollout(FleetRolloutInfo one, IReadOnlyList<FleetHostInfo> hosts)
    {
        yield return $"rollout   {Screen.Bold(one.Id)}, version {one.Version}, published {one.PublishedAt}";
        yield return $"state     {State(one.State)}: {Screen.Clean(one.Summary)}";
        foreach (var line in Waves(one)) yield return line;
        yield return "";
        foreach (var line in Screen.Table(
            ["HOST", "STATE", "WHERE IT STANDS"],
            [
                .. hosts.SelectMany(host => host.Rollouts.Where(it => it.Id == one.Id).Select(it => (IReadOnlyList<string>)
                    [host.Name, Describe.State(it.State), Screen.Clean(it.Summary)])),
            ]))
        {
            yield return line;
        }
    }

    public static IEnumerable<string> Host(FleetHostInfo host)
    {
        yield return $"host      {Screen.Bold(host.Name)} is {HostState(host.State)}{(host.LastSeen is { } seen ? $", heard at {seen}" : "")}";
        if (host.Version is { } version) yield return $"agent     {Screen.Clean(version)}";
        if (host.CertificateUntil is { } until) yield return $"lets in   until {until}";
        foreach (var running in host.Running) yield return $"runs      {Describe.Release(running.Release)} on {running.Channel}";
        foreach (var one in host.Rollouts) yield return $"rollout   {one.Id} {Describe.State(one.State)}: {Screen.Clean(one.Summary)}";
        if (host.Rollouts.Count == 0) yield return "rollout   no newest manifest lists this host";
    }

    private static IEnumerable<IReadOnlyList<string>> Rows(FleetHostInfo host)
    {
        if (host.Rollouts.Count == 0) yield return [host.Name, HostState(host.State), Screen.Clean(host.Version ?? "-"), "-", ""];
        foreach (var one in host.Rollouts)
        {
            yield return [host.Name, HostState(host.State), Screen.Clean(host.Version ?? "-"), one.Id, $"{Describe.State(one.State)}: {Screen.Clean(one.Summary)}"];
        }
    }

    private static IEnumerable<string> Waves(FleetRolloutInfo one) => one.Waves.Select((wave, number) =>
    {
        var done = wave.Hosts == 0 ? BarWidth : BarWidth * wave.Done / wave.Hosts;
        var open = one.Wave is { } at && number <= at ? "open" : one.State == "converged" ? "done" : "";
        var wrong = wave.Failed + wave.Reverted > 0 ? Screen.Red(string.Create(CultureInfo.InvariantCulture, $" {wave.Failed} failed, {wave.Reverted} rolled back")) : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"wave {number,-4} {new string('█', done)}{new string('░', BarWidth - done)} {wave.Done}/{wave.Hosts} {open}{wrong}");
    });

    private static string Wave(WaveInfo wave) => string.Create(
        CultureInfo.InvariantCulture, $"{wave.Done}/{wave.Hosts}{(wave.Failed + wave.Reverted > 0 ? "!" : "")}");

    private static string State(string state) => state switch
    {
        "converged" => Screen.Green(state),
        "failed" or "reverted" => Screen.Red(state),
        "active" => Screen.Yellow(state),
        _ => Screen.Dim(state),
    };

    private static string HostState(string state) => state switch
    {
        "online" => Screen.Green(state),
        "silent" or "never-seen" => Screen.Yellow(state),
        _ => Screen.Red(state),
    };

    /// <summary>What moves in a fleet: redrawn on a terminal, a line for each change elsewhere.</summary>
    internal sealed class View(bool live, string? only = null)
    {
        private readonly Dictionary<string, string> _told = new(StringComparer.Ordinal);
        private int _drawn;

        public void Show(FleetInfo fleet)
        {
            if (live) Draw(fleet);
            else Tell(fleet);
        }

        private void Draw(FleetInfo fleet)
        {
            var lines = fleet.Rollouts.Where(one => only is null ? one.Newest : one.Id == only).SelectMany(one => Rollout(one, fleet.Hosts).Append("")).ToList();
            if (lines.Count == 0) lines.Add("nothing is published");
            var text = new StringBuilder();
            if (_drawn > 0) text.Append(CultureInfo.InvariantCulture, $"\x1b[{_drawn}A\x1b[J");
            foreach (var line in lines) text.Append(line).Append('\n');
            Invocation.Draw(text.ToString());
            _drawn = lines.Count;
        }

        private void Tell(FleetInfo fleet)
        {
            foreach (var one in fleet.Rollouts.Where(IsWanted).Reverse())
            {
                Tell(one.Id, $"{one.Id} version {one.Version} {State(one.State)}: {Screen.Clean(one.Summary)}");
            }

            foreach (var host in fleet.Hosts)
            {
                foreach (var one in host.Rollouts.Where(it => only is null || it.Id == only)) Tell($"{host.Name} {one.Id}", $"  {host.Name} {one.Id} {Describe.State(one.State)}: {Screen.Clean(one.Summary)}");
            }
        }

        private bool IsWanted(FleetRolloutInfo one) => only is null || one.Id == only;

        private void Tell(string what, string line)
        {
            if (_told.TryGetValue(what, out var before) && before == line) return;
            _told[what] = line;
            Invocation.Say(line);
        }
    }
}
