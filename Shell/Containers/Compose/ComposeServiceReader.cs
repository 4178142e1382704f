using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Agent.Core.Container;
using Agent.Core.Model;
using Agent.Shell.Config;

namespace Agent.Shell.Containers.Compose;

/// <summary>One service as it is declared, with the place that its dependencies are told by.</summary>
internal sealed record ComposeService(ContainerDefinition Definition, Place DependsAt);

/// <summary>Reads one service of a Compose file.</summary>
internal sealed class ComposeServiceReader(
    Mistakes mistakes, ComposeValues values, MountReader mounts, string directory, Func<string, string?> variable)
{
    /// <summary>The engine's own minimum.</summary>
    private const long LeastMemory = 6 << 20;

    private const int MostCpuThousandths = 1024 * 1000;

    private const int MostPids = 4 << 20;

    private static readonly string[] Known =
    [
        "image", "command", "entrypoint", "environment", "env_file", "ports", "volumes", "tmpfs", "secrets", "restart",
        "healthcheck", "depends_on", "labels", "deploy", "mem_limit", "cpus", "pids_limit", "user", "working_dir",
        "hostname", "network_mode", "extra_hosts", "cap_add", "cap_drop", "read_only", "init", "pull_policy",
        "stop_signal", "stop_grace_period",
    ];

    private static readonly Dictionary<string, string> Refused = new(StringComparer.Ordinal)
    {
        ["build"] = "an image is built elsewhere, and pulled or imported here",
        ["container_name"] = "a container's name carries this agent's instance and the service's name",
        ["networks"] = "the containers share one network and find each other by name; see network_mode",
        ["links"] = "the containers share one network and find each other by name",
        ["expose"] = "the containers reach all of each other's ports; leave it out",
        ["privileged"] = "name the capabilities that it needs in cap_add",
        ["extends"] = "write the values themselves",
        ["profiles"] = "what is declared is wanted",
        ["scale"] = "a service is one container",
        ["tty"] = "its output is a log",
        ["stdin_open"] = "nobody types into it",
    };

    private static readonly Dictionary<string, string> RefusedOfDeploy = new(StringComparer.Ordinal)
    {
        ["replicas"] = "a service is one container",
        ["restart_policy"] = "see restart",
        ["reservations"] = "nothing else competes for this host; see limits",
    };

    private readonly PortReader _ports = new(values);
    private readonly ComposeHealthReader _health = new(values);
    private readonly List<(string Name, string? Value)> _fromFiles = [];
    private readonly List<(string Name, string? Value)> _own = [];

    /// <summary>Null where it cannot be made out at all.</summary>
    public ComposeService? Read(ContainerUid uid, Place at, YamlNode node)
    {
        _fromFiles.Clear();
        _own.Clear();
        var one = new ContainerDefinition(uid, "");
        var dependsAt = at;
        foreach (var (key, place, value) in values.Entries(node, $"the service {uid}", Refused, Known))
        {
            if (key == "depends_on") dependsAt = place;
            one = With(one, key, value);
        }

        if (one.Image.Length == 0 && node is not YamlNode.Refused)
        {
            values.Wrong(at, $"the service {uid} needs an image");
            return null;
        }

        if (one is { NetworkMode: "host" or "none", Ports.Count: > 0 })
        {
            values.Wrong(at, $"the service {uid} publishes ports and has network_mode {one.NetworkMode}, which has none to publish");
        }

        return new(one with { Environment = Environment() }, dependsAt);
    }

    private ContainerDefinition With(ContainerDefinition one, string key, YamlNode value) => key switch
    {
        "image" => one with { Image = ReadImage(value) },
        "command" => one with { Command = value is YamlNode.Nothing ? null : values.Command(value, key) },
        "entrypoint" => one with { Entrypoint = value is YamlNode.Nothing ? null : values.Command(value, key) },
        "environment" => Reading(one, () => ReadEnvironment(value)),
        "env_file" => Reading(one, () => ReadFiles(value)),
        "ports" => one with { Ports = _ports.Read(value) },
        "volumes" => one with { Mounts = [.. one.Mounts, .. mounts.Volumes(value)] },
        "tmpfs" => one with { Mounts = [.. one.Mounts, .. mounts.Tmpfs(value)] },
        "secrets" => one with { Mounts = [.. one.Mounts, .. mounts.Secrets(value)] },
        "restart" => one with { Restart = ReadRestart(value) },
        "healthcheck" => one with { Healthcheck = _health.Read(value) },
        "depends_on" => one with { DependsOn = [.. ReadDependencies(value)] },
        "labels" => one with { Labels = ReadLabels(value) },
        "deploy" => one with { Limits = ReadDeploy(value, one.Limits) },
        "mem_limit" or "cpus" or "pids_limit" => one with { Limits = ReadLimit(one.Limits, key, value) },
        "extra_hosts" => one with { ExtraHosts = [.. ReadHosts(value)] },
        "cap_add" => one with { AddedCapabilities = ReadCapabilities(value, key) },
        "cap_drop" => one with { DroppedCapabilities = ReadCapabilities(value, key) },
        "read_only" => one with { ReadOnlyRoot = values.Flag(value, key) ?? false },
        "init" => one with { Init = values.Flag(value, key) ?? false },
        _ => WithWord(one, key, value),
    };

    private ContainerDefinition WithWord(ContainerDefinition one, string key, YamlNode value) => key switch
    {
        "user" => one with { User = values.Word(value, key, "-_.:") },
        "hostname" => one with { Hostname = values.Word(value, key, "-.") },
        "working_dir" => one with { WorkingDirectory = values.Plain.AbsolutePath(value, key) },
        "network_mode" => one with { NetworkMode = values.Plain.Choice(value, key, "none", "host", "bridge") },
        "pull_policy" => one with { Pull = ReadPull(value) },
        "stop_signal" => one with { StopSignal = values.Word(value, key, "+-") },
        "stop_grace_period" => one with
        {
            StopGrace = values.Plain.Duration(value, key, TimeSpan.Zero, ContainerSpec.LongestStopGrace) ?? one.StopGrace,
        },
        _ => one,
    };

    private static ContainerDefinition Reading(ContainerDefinition one, Action read)
    {
        read();
        return one;
    }

    private string ReadImage(YamlNode node)
    {
        if (values.Text(node, "image") is not { } image) return "?";
        if (ImageReference.Parse(image) is null) values.Wrong(node.At, $"\"{image}\" is no name of an image");
        return image;
    }

    private void ReadEnvironment(YamlNode node)
    {
        foreach (var (name, value, at) in values.Pairs(node, "environment"))
        {
            // The kernel's own rule; a shell's names are narrower, and programs use others.
            if (name.Length == 0 || name.Contains('=', StringComparison.Ordinal) || name.Contains('\0', StringComparison.Ordinal))
            {
                values.Wrong(at, $"\"{name}\" is no name of a variable");
            }
            else if ((value ?? variable(name)) is { } text)
            {
                _own.Add((name, text));
            }
        }
    }

    private void ReadFiles(YamlNode node)
    {
        var files = node is YamlNode.Text ? values.Text(node, "env_file") is { } one ? [(one, node.At)] : []
            : values.Texts(node, "env_file");
        foreach (var (file, at) in files)
        {
            var path = MountReader.PathOf(directory, file);
            if (!File.Exists(path)) values.Wrong(at, $"there is no file {file}");
            else foreach (var (name, value) in DotEnv.Read(path, variable, mistakes)) _fromFiles.Add((name, value));
        }
    }

    /// <summary>What the service sets itself comes before what its files set, and a later file before an earlier one.</summary>
    private Dictionary<string, string> Environment()
    {
        var all = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in _fromFiles.Concat(_own)) all[name] = value ?? "";
        return all;
    }

    /// <summary>A user's stop is durable here, so `unless-stopped` is what `always` is.</summary>
    private ContainerRestart ReadRestart(YamlNode node) =>
        values.Plain.Choice(node, "restart", "no", "always", "on-failure", "unless-stopped") switch
        {
            "always" or "unless-stopped" => ContainerRestart.Always,
            "on-failure" => ContainerRestart.OnFailure,
            _ => ContainerRestart.Never,
        };

    private PullPolicy ReadPull(YamlNode node) =>
        values.Plain.Choice(node, "pull_policy", "missing", "if_not_present", "always", "never") switch
        {
            "always" => PullPolicy.Always,
            "never" => PullPolicy.Never,
            _ => PullPolicy.Missing,
        };

    private IEnumerable<ContainerDependency> ReadDependencies(YamlNode node)
    {
        if (node is YamlNode.List)
        {
            foreach (var (text, at) in values.Texts(node, "depends_on"))
            {
                if (Dependency(text, at, DependencyCondition.Started) is { } one) yield return one;
            }

            yield break;
        }

        var none = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["restart"] = "a container is restarted for its own sake",
            ["required"] = "what is declared is wanted",
        };
        foreach (var (name, at, value) in values.Plain.Map(node, "depends_on"))
        {
            var condition = DependencyCondition.Started;
            foreach (var (_, _, word) in values.Entries(value, $"depends_on {name}", none, "condition"))
            {
                condition = values.Plain.Choice(
                    word, "condition", "service_started", "service_healthy", "service_completed_successfully") switch
                {
                    "service_healthy" => DependencyCondition.Healthy,
                    "service_completed_successfully" => DependencyCondition.Completed,
                    _ => DependencyCondition.Started,
                };
            }

            if (Dependency(name, at, condition) is { } one) yield return one;
        }
    }

    private ContainerDependency? Dependency(string name, Place at, DependencyCondition condition)
    {
        if (ContainerUid.Parse(name).TryGet(out var uid)) return new(uid, condition);
        values.Wrong(at, $"\"{name}\" is no name of a service");
        return null;
    }

    private Dictionary<string, string> ReadLabels(YamlNode node)
    {
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value, at) in values.Pairs(node, "labels"))
        {
            if (name.Length == 0) values.Wrong(at, "a label needs a name");
            else if (name.StartsWith("agent.", StringComparison.Ordinal)) values.Wrong(at, $"the label {name} is this agent's own");
            else labels[name] = value ?? "";
        }

        return labels;
    }

    private ContainerLimits ReadDeploy(YamlNode node, ContainerLimits limits)
    {
        foreach (var (_, _, resources) in values.Entries(node, "deploy", RefusedOfDeploy, "resources"))
        {
            foreach (var (_, _, bounds) in values.Entries(resources, "resources", RefusedOfDeploy, "limits"))
            {
                foreach (var (key, _, value) in values.Entries(bounds, "limits", RefusedOfDeploy, "memory", "cpus", "pids"))
                {
                    limits = ReadLimit(limits, key, value);
                }
            }
        }

        return limits;
    }

    private ContainerLimits ReadLimit(ContainerLimits limits, string key, YamlNode value) => key switch
    {
        "memory" or "mem_limit" => limits with { MemoryBytes = values.Bytes(value, key, LeastMemory) },
        "cpus" => limits with { CpuThousandths = values.Plain.Thousandths(value, key, MostCpuThousandths) },
        _ => limits with { Pids = values.Plain.Number(value, key, 1, MostPids) },
    };

    private IEnumerable<KeyValuePair<string, string>> ReadHosts(YamlNode node)
    {
        var parting = node is YamlNode.List { Items: [YamlNode.Text { Value: var first }, ..] }
            && first.Contains('=', StringComparison.Ordinal) ? '=' : ':';
        foreach (var (name, value, at) in values.Pairs(node, "extra_hosts", parting))
        {
            var address = value?.Trim('[', ']');
            if (name.Length > 0 && (address == "host-gateway" || System.Net.IPAddress.TryParse(address, out _)))
            {
                yield return new(name, address!);
            }
            else
            {
                values.Wrong(at, $"extra_hosts has entries such as name:10.0.0.1, \"{name}\" has no address");
            }
        }
    }

    private IReadOnlyList<string> ReadCapabilities(YamlNode node, string key) =>
        [.. values.Items(node, key).Select(one => values.Word(one, $"each item of {key}", "_")).OfType<string>()];
}
