using System.Collections.Generic;

namespace Agent.Shell.Api;

/// <summary>Every call of the API, with the limit of its body and the query parameters it knows.</summary>
internal static class ApiRoutes
{
    // The largest is a spawn: a prelude of 4 MiB is 5.4 MiB in base 64, the rest is arguments and environment.
    private const int SpawnBody = 6 << 20;

    // A manifest of 2 MiB, its signatures and a descriptor, in base 64.
    private const int ApplyBody = 3 << 20;

    // What fits nowhere near 64 KiB is no request of the other kinds; a thousand ids do.
    private const int SmallBody = 64 << 10;

    // More than a pipe holds by far; a caller with more sends it in pieces.
    private const int StdinBody = 1 << 20;

    public static IReadOnlyList<Route> Of(ApiParts parts)
    {
        var host = new HostCalls(parts);
        var runtime = new RuntimeCalls(parts);
        var processes = new ProcessCalls(parts);
        var controls = new ControlCalls(parts);
        var usage = new UsageCalls(parts);
        var output = new OutputCalls(parts);
        var journal = new JournalCalls(parts);
        var rollouts = new RolloutCalls(parts);
        var plane = new PlaneCalls(parts);
        var upgrade = new UpgradeCalls(parts);
        var companions = new CompanionCalls(parts);
        var containers = new ContainerCalls(parts);
        return
        [
            new("GET", "/healthz", HostCalls.HealthAsync),
            new("GET", "/metrics", host.MetricsAsync),
            new("GET", "/openapi.json", HostCalls.DocumentAsync),
            new("GET", "/v1/status", host.StatusAsync),
            new("POST", "/v1/runtime/ensure", runtime.EnsureAsync, SmallBody),
            new("GET", "/v1/runtime", runtime.ReadAsync),
            new("GET", "/v1/runtime/watch", runtime.WatchAsync),
            new("POST", "/v1/runtime/stop", runtime.StopAsync, SmallBody),
            new("POST", "/v1/processes", processes.SpawnAsync, SpawnBody),
            new("GET", "/v1/processes", processes.ListAsync, 0, "label"),
            new("POST", "/v1/processes/status", processes.SelectAsync, SmallBody),
            new("GET", "/v1/processes/usage", usage.UsageAsync),
            new("GET", "/v1/processes/{id}", processes.ReadAsync),
            new("GET", "/v1/processes/{id}/tree", usage.TreeAsync),
            new("DELETE", "/v1/processes/{id}", controls.ReleaseAsync),
            new(
                "GET", "/v1/processes/{id}/logs/{stream}", output.ReadAsync, 0,
                "cursor", "max", "tail", "since", "timestamps", "follow", "drain"),
            new("POST", "/v1/processes/{id}/logs/{stream}/ack", output.AckAsync, SmallBody, "cursor"),
            new("POST", "/v1/processes/{id}/stdin", output.WriteAsync, StdinBody, "timeoutMs"),
            new("DELETE", "/v1/processes/{id}/stdin", output.CloseAsync),
            new("POST", "/v1/processes/{id}/signal", controls.SignalAsync, SmallBody),
            new("POST", "/v1/processes/{id}/wait", controls.WaitAsync, SmallBody),
            new("POST", "/v1/processes/{id}/stop", controls.StopAsync, SmallBody),
            new("POST", "/v1/processes/{id}/start", controls.StartAsync, SmallBody),
            new("POST", "/v1/processes/{id}/restart", controls.RestartAsync, SmallBody),
            new("POST", "/v1/rollouts", rollouts.ApplyAsync, ApplyBody),
            new("GET", "/v1/rollouts", rollouts.ListAsync),
            new("GET", "/v1/rollouts/{id}", rollouts.ReadAsync),
            new("GET", "/v1/rollouts/{id}/watch", rollouts.WatchAsync),
            new("POST", "/v1/rollouts/{id}/halt", rollouts.HaltAsync, SmallBody),
            new("POST", "/v1/rollouts/{id}/retry", rollouts.RetryAsync, SmallBody),
            new("POST", "/v1/rollouts/{id}/rollback", rollouts.RollbackAsync, SmallBody),
            new("GET", "/v1/containers", containers.ListAsync),
            new("POST", "/v1/containers/reconcile", containers.ReconcileAsync, SmallBody),
            new("POST", "/v1/containers/up", containers.UpAsync, SmallBody),
            new("POST", "/v1/containers/down", containers.DownAsync, SmallBody),
            new("POST", "/v1/containers/{uid}/start", containers.StartAsync, SmallBody),
            new("POST", "/v1/containers/{uid}/stop", containers.StopAsync, SmallBody),
            new("GET", "/v1/companions", companions.ListAsync),
            new("POST", "/v1/companions/reconcile", companions.ReconcileAsync, SmallBody),
            new("POST", "/v1/companions/{name}/retry", companions.RetryAsync, SmallBody),
            new("GET", "/v1/plane", plane.ReadAsync),
            new("POST", "/v1/plane/attach", plane.AttachAsync),
            new("POST", "/v1/outbox/flush", plane.FlushAsync),
            new("POST", "/v1/outbox/dead/{position}/retry", plane.RetryAsync),
            new("DELETE", "/v1/outbox/dead/{position}", plane.DropAsync),
            new("POST", "/v1/agent/upgrade", upgrade.BeginAsync, SmallBody),
            new("GET", "/v1/events", journal.EventsAsync, 0, "since", "follow"),
            new("GET", "/v1/explain/{kind}/{id}", journal.ExplainAsync),
        ];
    }
}
