using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Agent.Core.Process;
using Agent.Core.Runtime;
using Agent.Shell.Containers;
using Agent.Shell.Containers.Compose;
using Agent.Shell.Docker;
using Agent.Shell.Loop;

namespace Agent.Shell.Config;

/// <summary>
/// Reads the configuration: the file, then `conf.d/*.yaml` beside it in the order of their names. The maps of all
/// files add up; a key may be given once. All mistakes are told together.
/// </summary>
internal sealed class ConfigReader
{
    /// <summary>More than this is no directory of drop-ins any more.</summary>
    public const int MaxFiles = 256;

    private static readonly TimeSpan LeastTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MostTimeout = TimeSpan.FromHours(1);

    private readonly Mistakes _mistakes = new();
    private readonly Values _values;
    private readonly ServiceReader _service;
    private readonly RolloutReader _rolloutReader;
    private readonly CompanionReader _companions;
    private readonly Dictionary<string, Place> _keys = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DeclaredService> _services = new(StringComparer.Ordinal);
    private RuntimePolicy _policy = RuntimePolicy.Default;
    private RuntimeSettings _runtime;
    private ContainerSettings _containers = ContainerSettings.None;
    private RolloutSettings _rollout = RolloutSettings.Default;

    private ConfigReader(AgentPaths paths)
    {
        _values = new(_mistakes);
        _service = new(_mistakes);
        _rolloutReader = new(_mistakes);
        _companions = new(_mistakes);
        _runtime = RuntimeSettings.Default(paths);
    }

    /// <summary>
    /// The configuration that these paths name; the empty one if there is no file and nobody named one.
    /// </summary>
    /// <exception cref="ConfigException">All that is wrong with it, by file and line.</exception>
    public static AgentConfig Read(AgentPaths paths, bool mayBeMissing)
    {
        var reader = new ConfigReader(paths);
        reader.ReadFiles(paths.Config, mayBeMissing);
        new Order(
            "service", reader._services.ToDictionary(one => one.Key, one => one.Value.After, StringComparer.Ordinal))
            .Check(reader._mistakes);
        var definitions = reader.ReadCompose();
        var companions = reader._companions.Settings;
        if (reader._mistakes.Told.Count > 0) throw new ConfigException(reader._mistakes.Told);
        return new(reader._policy, reader._runtime, reader._rollout, [.. reader._services.Values.Select(one => one.Config)])
        {
            Containers = reader._containers with { Definitions = definitions },
            Companions = companions,
        };
    }

    private void ReadFiles(string config, bool mayBeMissing)
    {
        if (File.Exists(config)) ReadFile(config);
        else if (!mayBeMissing) _mistakes.Add($"{config}: there is no such file");
        var dropIns = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(config))!, "conf.d");
        if (!Directory.Exists(dropIns)) return;
        var files = Directory.EnumerateFiles(dropIns, "*.yaml").Take(MaxFiles + 1).ToList();
        if (files.Count > MaxFiles) _mistakes.Add($"{dropIns}: more than {MaxFiles} files");
        foreach (var file in files.Take(MaxFiles).Order(StringComparer.Ordinal)) ReadFile(file);
    }

    private void ReadFile(string file)
    {
        if (YamlFile.Read(file, _mistakes) is not { } root) return;
        foreach (var (key, _, value) in _values.Entries(
            root, "the configuration", "runtime", "host", "rollout", "nixos", "plane", "services", "containers", "companions",
            "systemd"))
        {
            if (key == "runtime") ReadRuntime(value);
            else if (key == "services") ReadServices(value);
            else if (key == "containers") ReadContainers(value);
            else if (key == "companions") _companions.Read(value);
            else if (key == "systemd") ReadSystemd(value);
            else ReadRollout(key, value);
        }
    }

    private void ReadRuntime(YamlNode node)
    {
        foreach (var (key, at, value) in _values.Entries(
            node, "runtime", "keep", "searchPath", "dataRoot", "socket", "containerdSocket", "startTimeout"))
        {
            if (!IsFirst("runtime", key, at)) continue;
            _policy = With(_policy, key, value);
            _runtime = With(_runtime, key, value);
        }
    }

    private void ReadContainers(YamlNode node)
    {
        foreach (var (key, at, value) in _values.Entries(
            node, "containers", "compose", "release", "socket", "command", "install", "dropped", "registryAuth"))
        {
            if (!IsFirst("containers", key, at)) continue;
            if (RivalOf(key) is { } rival && !IsOnly("containers", key, at, rival)) continue;
            _containers = key switch
            {
                "compose" => _containers with { Compose = _values.AbsolutePath(value, key) },
                "release" => _containers with { Release = ReadRelease(value) },
                "socket" => _containers with
                {
                    Engine = _values.AbsolutePath(value, key) is { } path ? new EngineAddress.Socket(path) : null,
                },
                "command" => _containers with
                {
                    Engine = _values.AbsolutePath(value, key) is { } path ? new EngineAddress.Command(path) : null,
                },
                "registryAuth" => _containers with { RegistryAuth = RegistryFile(value, key) },
                "dropped" => _containers with
                {
                    RemoveDropped = _values.Choice(value, key, "leave", "remove") == "remove",
                },
                _ => _values.Choice(value, key, "true", "false") is { } install
                    ? _containers with { Install = install == "true" }
                    : _containers,
            };
        }
    }

    /// <summary>It is read with each pull; that it cannot be is better told before one.</summary>
    private string? RegistryFile(YamlNode value, string key)
    {
        if (_values.AbsolutePath(value, key) is not { } path) return null;
        if (RegistryAuth.WhyNot(path) is { } why) _mistakes.Add(value.At, why);
        return path;
    }

    private void ReadSystemd(YamlNode node)
    {
        foreach (var (key, at, value) in _values.Entries(node, "systemd", "units"))
        {
            if (IsFirst("systemd", key, at)) _companions.Units = _values.AbsolutePath(value, key)?.TrimEnd('/');
        }
    }

    private static string? RivalOf(string key) => key switch
    {
        "compose" => "release",
        "release" => "compose",
        "socket" => "command",
        "command" => "socket",
        _ => null,
    };

    private ReleasedSet? ReadRelease(YamlNode node)
    {
        if (_values.Text(node, "release") is not { } text) return null;
        var set = ReleasedSet.Parse(text);
        if (set is null)
        {
            _mistakes.Add(
                node.At,
                $"release is a channel and a file of its releases, such as app/compose.yaml, \"{text}\" is not");
        }

        return set;
    }

    /// <summary>Its variables come from the agent's own environment; what is wrong with it is wrong with the configuration.</summary>
    private IReadOnlyList<ContainerDefinition> ReadCompose() => _containers.Compose is { } file
        ? ComposeReader.Read(file, Environments.Whole(), _mistakes)
        : [];

    private void ReadRollout(string section, YamlNode node)
    {
        foreach (var (key, at, value) in _values.Entries(node, section, [.. RolloutReader.Keys(section)]))
        {
            if (IsFirst(section, key, at)) _rollout = _rolloutReader.With(_rollout, section, key, value);
        }
    }

    private bool IsFirst(string section, string key, Place at)
    {
        if (_keys.TryAdd($"{section}.{key}", at)) return true;
        _mistakes.Add(at, $"{key} was given at {_keys[$"{section}.{key}"]} already");
        return false;
    }

    /// <summary>Of two keys that say the same in two ways there may be one.</summary>
    private bool IsOnly(string section, string key, Place at, string other)
    {
        if (!_keys.TryGetValue($"{section}.{other}", out var place)) return true;
        _mistakes.Add(at, $"{key} and {other} exclude each other, and {other} was given at {place} already");
        return false;
    }

    private RuntimePolicy With(RuntimePolicy policy, string key, YamlNode value) => key switch
    {
        "keep" => _values.Choice(value, key, "always", "onDemand") is { } keep
            ? policy with { Keep = keep == "always" ? Keep.Always : Keep.OnDemand }
            : policy,
        "startTimeout" => _values.Duration(value, key, LeastTimeout, MostTimeout) is { } timeout
            ? policy with { StartTimeout = timeout }
            : policy,
        _ => policy,
    };

    private RuntimeSettings With(RuntimeSettings runtime, string key, YamlNode value) => key switch
    {
        "searchPath" => runtime with { SearchPath = SearchPath(value) },
        "dataRoot" => runtime with { DataRoot = _values.AbsolutePath(value, key) ?? runtime.DataRoot },
        "socket" => runtime with { Socket = _values.AbsolutePath(value, key) ?? runtime.Socket },
        "containerdSocket" => runtime with { ContainerdSocket = _values.AbsolutePath(value, key) },
        _ => runtime,
    };

    private List<string> SearchPath(YamlNode node)
    {
        if (node is not YamlNode.List list) return [.. _values.Texts(node, "searchPath")];
        var paths = list.Items.Select(one => _values.AbsolutePath(one, "each item of searchPath"));
        return [.. paths.OfType<string>()];
    }

    private void ReadServices(YamlNode node)
    {
        foreach (var (name, at, value) in _values.Map(node, "services"))
        {
            if (WhyNot(name) is { } why) _mistakes.Add(at, why);
            else _services[name] = _service.Read(name, at, value);
        }
    }

    private string? WhyNot(string name) =>
        !IsName(name) ? $"\"{name}\" is no name of a service: letters, digits, - and _, at most 64"
        : _services.TryGetValue(name, out var first) ? $"{name} was given at {first.At} already"
        : _services.Count == Registry.MaxServices ? $"more than {Registry.MaxServices} services"
        : null;

    private static bool IsName(string name) => name.Length is > 0 and <= 64
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
}
