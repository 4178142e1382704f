using System;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Process;
using Agent.Core.Rollout;
using Agent.Shell.Loop;
using State = Agent.Core.Process.ProcessState;

namespace Agent.Shell.Api;

/// <summary>The agent itself: is it well, what does it know, what does its API look like.</summary>
internal sealed class HostCalls(ApiParts parts)
{
    private const string Document = "Agent.Shell.Api.openapi.json";

    private readonly long _startedAt = Stopwatch.GetTimestamp();
    private readonly long _startedAfter = parts.Host.Current.Seq;
    private Digested? _digested;

    public static Task<Answer> HealthAsync(Call call) =>
        Task.FromResult(Answer.Json(new HealthAnswer("ok"), WireJson.Default.HealthAnswer));

    public Task<Answer> StatusAsync(Call call)
    {
        var published = parts.Host.Current;
        return Task.FromResult(Answer.Json(
            new(
                parts.Version,
                parts.Instance,
                published.State.Boot.Value,
                (long)Uptime.TotalMilliseconds,
                parts.KeeperConnected(),
                new(published.Seq, Digest(published)),
                MappingRuntime.Of(published.State.Runtime),
                Count(published.State.Processes, state => call.Principal.MayTouch(state.Profile.Spec.Owner)),
                published.State.Containers.All.IsEmpty
                    ? null
                    : MappingContainer.Count(published.State.Containers, parts.Host.Now),
                Newest(published.State.Rollouts),
                PlaneCalls.Of(parts.Plane, published.State.Outbox),
                parts.Wall.Suspect,
                parts.Upgrade.Program,
                parts.Upgrade.KeeperProgram,
                parts.Upgrade.Failure),
            WireJson.Default.StatusInfo));
    }

    public Task<Answer> MetricsAsync(Call call)
    {
        var published = parts.Host.Current;
        var text = new MetricsText()
            .Counter("agent_events_total", "Events stepped since this agent started.", published.Seq - _startedAfter)
            .Gauge("agent_journal_seq", "The newest durable record.", published.Seq)
            .Processes(Count(published.State.Processes, _ => true))
            .Containers(MappingContainer.Count(published.State.Containers, parts.Host.Now))
            .Counter("agent_restarts_total", "Processes started again since it started.", parts.Counters.Restarts)
            .Runtime(MappingRuntime.Of(published.State.Runtime).State)
            .Rollouts(Newest(published.State.Rollouts))
            .Counter("agent_runtime_attempts_total", "Starts of the runtime.", published.State.Runtime.History.Attempt)
            .Counter("agent_ring_bytes_dropped_total", "Output lost to full rings.", parts.Output.BytesDroppedInAll)
            .Counter(
                "agent_log_bytes_lost_total", "Output of services that their log files lack.", parts.Output.LogBytesLostInAll)
            .Counter("agent_api_requests_total", "Requests to the local API.", parts.Counters.Requests)
            .Counter("agent_api_refusals_total", "Requests answered with an error.", parts.Counters.Refusals)
            .Gauge("agent_outbox_queued", "Events that the plane has yet to learn.", published.State.Outbox.Queue.Items.Count)
            .Gauge("agent_outbox_dead", "Events that the plane refused.", published.State.Outbox.Queue.Dead.Count)
            .Counter("agent_outbox_shed_total", "Observations given up for want of room.", published.State.Outbox.Queue.Shed)
            .Gauge("agent_keeper_connected", "1 while the keeper answers.", parts.KeeperConnected() ? 1 : 0)
            .Gauge("agent_clock_suspect", "1 while the clocks have parted.", parts.Wall.Suspect is null ? 0 : 1)
            .Gauge("process_open_fds", "Open file descriptors.", Directory.GetFileSystemEntries("/proc/self/fd").Length)
            .Gauge("process_resident_memory_bytes", "Resident memory.", Environment.WorkingSet)
            .Gauge("agent_uptime_seconds", "Since the agent started.", (long)Uptime.TotalSeconds)
            .ToBytes();
        return Task.FromResult<Answer>(new Answer.Content(200, "text/plain; version=0.0.4; charset=utf-8", text, []));
    }

    public static async Task<Answer> DocumentAsync(Call call)
    {
        await using var resource = typeof(HostCalls).Assembly.GetManifestResourceStream(Document)
            ?? throw new InvalidOperationException($"{Document} is not part of this build");
        var bytes = new byte[resource.Length];
        await resource.ReadExactlyAsync(bytes, call.Stop);
        return new Answer.Content(200, "application/json", bytes, []);
    }

    /// <summary>What a channel of this host is about: its newest rollout.</summary>
    private static RolloutInfo[] Newest(Rollouts rollouts) =>
        [.. rollouts.All.Values.GroupBy(state => state.Profile.Order.Channel.Value, StringComparer.Ordinal)
            .Select(channel => MappingRollout.Of(channel.MaxBy(state => state.Profile.Order.Version)!))];

    private TimeSpan Uptime => Stopwatch.GetElapsedTime(_startedAt);

    /// <summary>A digest of a full registry takes a millisecond, so a state has one made, however many ask.</summary>
    private string Digest(Published<HostState> published)
    {
        if (_digested is { } known && ReferenceEquals(known.Of, published)) return known.Digest;
        var digest = parts.Digest.Of(published.State);
        _digested = new(published, digest);
        return digest;
    }

    private static ProcessCounts Count(Registry processes, Func<State, bool> visible)
    {
        var counts = new ProcessCounts(0, 0, 0, 0, 0);
        foreach (var state in processes.All.Values)
        {
            if (!visible(state)) continue;
            counts = state switch
            {
                State.Waiting or State.Starting => counts with { Starting = counts.Starting + 1 },
                State.Running => counts with { Running = counts.Running + 1 },
                State.Stopping => counts with { Stopping = counts.Stopping + 1 },
                State.Backoff => counts with { Backoff = counts.Backoff + 1 },
                State.Exited or State.Reaped => counts with { Exited = counts.Exited + 1 },
            };
        }

        return counts;
    }

    private sealed record Digested(Published<HostState> Of, string Digest);
}
