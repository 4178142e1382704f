using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Agent.Shell.Api;

/// <summary>Builds Prometheus' text format, version 0.0.4.</summary>
internal sealed class MetricsText
{
    private static readonly string[] RuntimeStates = ["notStarted", "starting", "ready", "degraded", "failed"];

    private readonly StringBuilder _text = new();

    public MetricsText Counter(string name, string help, long value) =>
        Head(name, help, "counter").Line(name, "", value);

    public MetricsText Gauge(string name, string help, long value) =>
        Head(name, help, "gauge").Line(name, "", value);

    public MetricsText Processes(ProcessCounts counts) => Head("agent_processes", "Known processes by phase.", "gauge")
        .Line("agent_processes", "{phase=\"starting\"}", counts.Starting)
        .Line("agent_processes", "{phase=\"running\"}", counts.Running)
        .Line("agent_processes", "{phase=\"stopping\"}", counts.Stopping)
        .Line("agent_processes", "{phase=\"backoff\"}", counts.Backoff)
        .Line("agent_processes", "{phase=\"exited\"}", counts.Exited);

    /// <summary>A gauge each: one container may count in several, so a sum over a label would mean nothing.</summary>
    public MetricsText Containers(ContainerCounts counts) =>
        Gauge("agent_containers_declared", "Containers that are declared.", counts.Declared)
        .Gauge("agent_containers_running", "Containers seen running.", counts.Running)
        .Gauge("agent_containers_failing", "Containers reported as failed.", counts.Failing)
        .Gauge("agent_containers_circuit_open", "Containers made anew too often, left for a while.", counts.CircuitOpen)
        .Gauge("agent_containers_stopped", "Containers stopped by their user.", counts.Stopped);

    /// <summary>One line a state, 1 for the one it is in.</summary>
    public MetricsText Runtime(string current)
    {
        Head("agent_runtime_state", "The container runtime's state.", "gauge");
        foreach (var state in RuntimeStates)
        {
            Line("agent_runtime_state", $"{{state=\"{state}\"}}", state == current ? 1 : 0);
        }

        return this;
    }

    /// <summary>One line for the newest rollout of each channel, with its state as a label.</summary>
    public MetricsText Rollouts(IReadOnlyList<RolloutInfo> newest)
    {
        Head("agent_rollout_version", "The version of each channel's newest rollout, by its state.", "gauge");
        foreach (var one in newest)
        {
            Line("agent_rollout_version", $"{{channel=\"{one.Channel}\",state=\"{one.State}\"}}", one.Version);
        }

        return this;
    }

    public byte[] ToBytes() => Encoding.UTF8.GetBytes(_text.ToString());

    private MetricsText Head(string name, string help, string type)
    {
        _text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n");
        return this;
    }

    private MetricsText Line(string name, string labels, long value)
    {
        _text.Append(CultureInfo.InvariantCulture, $"{name}{labels} {value}\n");
        return this;
    }
}
