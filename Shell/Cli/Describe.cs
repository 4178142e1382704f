using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Agent.Shell.Api;

namespace Agent.Shell.Cli;

/// <summary>The API's answers as people read them.</summary>
internal static class Describe
{
    /// <param name="lastWords">How many lines of a failed daemon's log are shown at most.</param>
    public static IEnumerable<string> Runtime(RuntimeInfo runtime, int lastWords = int.MaxValue)
    {
        var place = runtime.Endpoint is { Length: > 0 } endpoint ? $" at {endpoint}" : "";
        yield return $"runtime   {State(runtime.State)}{place}, attempt {runtime.Attempt}"
            + (runtime.RetryAt is { } retry ? $", next try {retry}" : "");
        foreach (var service in runtime.Services)
        {
            var who = service.Pid is { } pid ? $" pid {pid}" : "";
            yield return $"  {service.Name,-11} {State(service.Status)}{who}{(service.Owned ? "" : ", not ours")}"
                + (service.Detail.Length > 0 ? $", {Screen.Clean(service.Detail)}" : "");
        }

        if (runtime.Cause is not { } cause) yield break;
        yield return $"  last cause  attempt {cause.Attempt} at {cause.At}: {Screen.Clean(cause.Text)}"
            + (cause.CircuitOpen ? Screen.Red("; it failed too often and is left alone until asked for") : "");
        foreach (var line in cause.LogTail.TakeLast(lastWords)) yield return Said(line);
    }

    public static IEnumerable<string> Processes(IReadOnlyList<ProcessInfo> processes) => Screen.Table(
        ["ID", "LABEL", "KIND", "PHASE", "PID", "AGE", "RESTARTS", "LAST EXIT"],
        [
            .. processes.OrderBy(one => one.Kind, StringComparer.Ordinal).ThenBy(one => one.Label, StringComparer.Ordinal)
                .Select(Row),
        ]);

    public static string Process(ProcessInfo one) =>
        $"{one.Id} {Screen.Clean(one.Label)}: {State(one.Phase)}{(one.Pid is { } pid ? $" with pid {pid}" : "")}";

    /// <summary>How it ended, and its last words.</summary>
    public static IEnumerable<string> End(ProcessInfo one, ExitInfo exit)
    {
        yield return $"{Screen.Clean(one.Label)} ended with {Exit(exit)}";
        foreach (var line in exit.LastOutput?.Stdout ?? []) yield return Said(line);
        foreach (var line in exit.LastOutput?.Stderr ?? []) yield return Said(line);
    }

    public static string Exit(ExitInfo exit) =>
        (exit.Code is { } code ? $"code {code}"
            : exit.Signal is { } signal ? $"signal {signal}"
            : Screen.Clean(exit.Detail ?? "unknown"))
        + $" ({exit.Reason})";

    public static IEnumerable<string> Rollouts(IReadOnlyList<RolloutInfo> rollouts) => Screen.Table(
        ["ROLLOUT", "VERSION", "STATE", "TARGET", "WHERE IT STANDS"],
        [
            .. rollouts.Select(one => (IReadOnlyList<string>)
                [one.Id, Screen.Number(one.Version), State(one.State), Release(one.Target), Screen.Clean(one.Summary)]),
        ]);

    /// <summary>All there is to know of one.</summary>
    public static IEnumerable<string> Rollout(RolloutInfo one)
    {
        yield return $"rollout   {Screen.Bold(one.Id)}, version {one.Version}, received {one.ReceivedAt}";
        yield return $"state     {State(one.State)}{(one.Since is { } since ? $" since {since}" : "")}: {Screen.Clean(one.Summary)}";
        yield return $"target    {one.Target} ({one.Activator})";
        if (one.Previous is { } previous) yield return $"way back  {previous}";
        if (one.SoakUntil is { } until) yield return $"soak      until {until}, a verdict by {one.VerdictBy}";
        if (one.Recovery is { Attempt: > 0 } recovery) yield return $"rollback  {recovery.State}, attempt {recovery.Attempt}";
        if (one.Probes.Count == 0) yield break;
        yield return "";
        foreach (var line in Screen.Table(
            ["PROBE", "KIND", "MODE", "STATUS", "FAILING SINCE", "DETAIL"],
            [
                .. one.Probes.Select(probe => (IReadOnlyList<string>)
                [
                    probe.Name, probe.Kind, probe.Mode, Probe(probe.Status), probe.FailingSince ?? "-",
                    Screen.Clean(probe.Detail ?? ""),
                ]),
            ]))
        {
            yield return line;
        }
    }

    public static string Probe(string status) => status switch
    {
        "passing" => Screen.Green(status),
        "failing" => Screen.Red(status),
        _ => Screen.Yellow(status),
    };

    /// <summary>Enough of a digest to tell releases apart.</summary>
    public static string Release(string release) =>
        release.StartsWith("sha256:", StringComparison.Ordinal) && release.Length > 19 ? release[..19] : release;

    public static string State(string state) => state switch
    {
        "converged" => Screen.Green(state),
        "reverted" => Screen.Red(state),
        "ready" or "running" or "ok" => Screen.Green(state),
        "failed" or "degraded" or "error" or "fail" => Screen.Red(state),
        _ => Screen.Yellow(state),
    };

    /// <summary>The exit code with which a command passes a process's end on: its own, or 128 and the signal.</summary>
    public static int CodeOf(ExitInfo exit) => exit.Code ?? (exit.Signal is { } signal ? 128 + signal : ExitCodes.Failed);

    private static string Said(string line) => Screen.Dim($"    | {Screen.Clean(line)}");

    private static IReadOnlyList<string> Row(ProcessInfo one) =>
    [
        one.Id, Screen.Clean(one.Label), one.Kind, State(one.CrashLooping ? one.Phase + " (crash-looping)" : one.Phase),
        one.Pid?.ToString(CultureInfo.InvariantCulture) ?? "-", Screen.Age(one.AgeMs), Screen.Number(one.Restarts),
        one.Exit is { } exit ? Exit(exit) : Screen.Clean(one.Detail ?? "-"),
    ];
}
