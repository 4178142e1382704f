using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Core.Runtime;
using Agent.Shell.Api;
using Agent.Shell.Docker;
using Agent.Shell.Loop;
using LanguageExt;
using YamlDotNet.RepresentationModel;

namespace Agent.Shell.Config;

/// <summary>
/// Reads the configuration: the file, then `conf.d/*.yaml` beside it in the order of their names. Services of all
/// files add up; any other key may be given once. All mistakes are told together.
/// </summary>
internal sealed class ConfigReader
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly List<string> _mistakes = [];
    private readonly Dictionary<string, (ServiceConfig Service, YamlSource Source, YamlNode Place)> _services =
        new(StringComparer.Ordinal);

    private readonly AgentPaths _paths;
    private RuntimePolicy _policy = RuntimePolicy.Default;
    private RuntimeSettings _runtime;
    private string? _runtimeIn;

    private ConfigReader(AgentPaths paths)
    {
        _paths = paths;
        _runtime = RuntimeSettings.Default(paths);
    }

    /// <summary>The configuration that these paths name; the empty one if there is no file and nobody named one.</summary>
    /// <exception cref="ConfigException">All that is wrong with it, by file and line.</exception>
    public static AgentConfig Read(AgentPaths paths, bool mayBeMissing)
    {
        var reader = new ConfigReader(paths);
        if (File.Exists(paths.Config)) reader.ReadFile(paths.Config);
        else if (!mayBeMissing) reader._mistakes.Add($"{paths.Config}: there is no such file");
        var more = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(paths.Config))!, "conf.d");
        if (Directory.Exists(more))
        {
            foreach (var file in Directory.EnumerateFiles(more, "*.yaml").Order(StringComparer.Ordinal)) reader.ReadFile(file);
        }

        reader.CheckOrder();
        if (reader._mistakes.Count > 0) throw new ConfigException(reader._mistakes);
        return new(reader._policy, reader._runtime, [.. reader._services.Values.Select(one => one.Service)]);
    }

    private void ReadFile(string file)
    {
        var source = new YamlSource(file, _mistakes);
        if (source.Read() is not { } root) return;
        foreach (var (key, value) in source.Entries(root, "runtime", "services"))
        {
            if (source.Map(value, key) is not { } map) continue;
            if (key == "runtime") ReadRuntime(source, file, map);
            else ReadServices(source, map);
        }
    }

    private void ReadRuntime(YamlSource source, string file, YamlMappingNode map)
    {
        if (_runtimeIn is not null) source.Wrong(map, $"runtime was given in {_runtimeIn} already");
        _runtimeIn = file;
        foreach (var (key, value) in source.Entries(
            map, "keep", "searchPath", "dataRoot", "socket", "containerdSocket", "startTimeout"))
        {
            switch (key)
            {
                case "keep" when source.Choice(value, key, "onDemand", "always") is { } keep:
                    _policy = _policy with { Keep = (Keep)keep };
                    break;
                case "startTimeout" when source.Duration(value, key, Second, TimeSpan.FromHours(1)) is { } timeout:
                    _policy = _policy with { StartTimeout = timeout };
                    break;
                case "searchPath": _runtime = _runtime with { SearchPath = source.Texts(value, key) }; break;
                case "dataRoot" when AbsolutePath(source, value, key) is { } path: _runtime = _runtime with { DataRoot = path }; break;
                case "socket" when AbsolutePath(source, value, key) is { } path: _runtime = _runtime with { Socket = path }; break;
                case "containerdSocket" when AbsolutePath(source, value, key) is { } path:
                    _runtime = _runtime with { ContainerdSocket = path };
                    break;
                default: break;
            }
        }
    }

    private void ReadServices(YamlSource source, YamlMappingNode services)
    {
        foreach (var (key, value) in services.Children)
        {
            var name = (key as YamlScalarNode)?.Value ?? "";
            if (!IsName(name)) source.Wrong(key, $"\"{name}\" is no name of a service: letters, digits, - and _, at most 64");
            else if (_services.ContainsKey(name)) source.Wrong(key, $"the service {name} is declared twice");
            else if (_services.Count >= Registry.MaxServices) source.Wrong(key, $"more than {Registry.MaxServices} services");
            else if (source.Map(value, name) is { } map) _services[name] = (ReadService(source, name, map), source, key);
            else source.Wrong(value, $"the service {name} needs a command");
        }
    }

    private static ServiceConfig ReadService(YamlSource source, string name, YamlMappingNode map)
    {
        var spec = ServiceDefaults(name);
        IReadOnlyDictionary<string, string> environment = Environments.Inherited();
        foreach (var (key, value) in source.Entries(
            map, "command", "env", "cwd", "user", "restart", "after", "stdin", "overflow", "ringBytes", "stopSignal", "grace"))
        {
            if (key == "env") environment = Environment(source, value);
            else spec = With(source, spec, key, value);
        }

        if (spec.Command.IsEmpty) source.Wrong(map, $"the service {name} needs a command, such as [/usr/bin/program, argument]");
        return new(spec, environment);
    }

    private static ProcessSpec With(YamlSource source, ProcessSpec spec, string key, YamlNode value) => key switch
    {
        "command" => spec with { Command = source.Texts(value, key).ToArray().ToSeq() },
        "after" => spec with { After = source.Texts(value, key).ToArray().ToSeq() },
        "cwd" => AbsolutePath(source, value, key) is { } path ? spec with { WorkingDirectory = path } : spec,
        "user" => source.Text(value, key) is { } user ? spec with { User = user } : spec,
        "restart" => source.Choice(value, key, "never", "onFailure", "always") is { } policy
            ? spec with { Restart = (RestartPolicy)policy }
            : spec,
        "stdin" => source.Choice(value, key, "none", "open") is { } mode
            ? spec with { Stdin = mode == 0 ? StdinMode.None : StdinMode.Open }
            : spec,
        "overflow" => source.Choice(value, key, "dropOldest", "backpressure") is { } overflow
            ? spec with { Overflow = (Overflow)overflow }
            : spec,
        "ringBytes" => source.Size(value, key, ProcessSpec.MinRingBytes, ProcessSpec.MaxRingBytes) is { } bytes
            ? spec with { RingBytes = bytes }
            : spec,
        "grace" => source.Duration(value, key, TimeSpan.Zero, ProcessSpec.MaxGrace) is { } grace
            ? spec with { Grace = grace }
            : spec,
        "stopSignal" => source.Choice(value, key, [.. Signals.Names]) is { } signal
            ? spec with { StopSignal = Signals.All[signal] }
            : spec,
        _ => spec,
    };

    private static ProcessSpec ServiceDefaults(string name) => new(
        ProcessKind.Service, Principal.Root, name, Seq<string>.Empty, Option<string>.None, Option<string>.None, "",
        StdinMode.None, Overflow.DropOldest, ProcessSpec.DefaultRingBytes, Option<TimeSpan>.None, Option<TimeSpan>.None,
        ProcessSpec.DefaultRetention, Signal.Term, ProcessSpec.DefaultGrace, RestartPolicy.Always, Seq<string>.Empty);

    private static Dictionary<string, string> Environment(YamlSource source, YamlNode node)
    {
        var environment = Environments.Inherited();
        if (source.Map(node, "env") is not { } map) return environment;
        var given = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (var (key, value) in source.Entries(map)) given[key] = source.Text(value, key);
        if (EnvironmentRules.Fault(given) is var (name, reason)) source.Wrong(node, $"env {name} {reason}");
        foreach (var (key, value) in given) environment[key] = value ?? "";
        return environment;
    }

    /// <summary>Every service named in `after` exists, and following them never comes back to where it began.</summary>
    private void CheckOrder()
    {
        foreach (var (name, (service, source, place)) in _services)
        {
            foreach (var other in service.Spec.After)
            {
                if (!_services.ContainsKey(other)) source.Wrong(place, $"{name} comes after {other}, which is no service");
            }

            if (Precedes(name, name, [])) source.Wrong(place, $"{name} would have to come after itself");
        }
    }

    private bool Precedes(string sought, string name, System.Collections.Generic.HashSet<string> seen) =>
        _services.TryGetValue(name, out var one) && one.Service.Spec.After.Exists(
            other => other == sought || (seen.Add(other) && Precedes(sought, other, seen)));

    private static string? AbsolutePath(YamlSource source, YamlNode node, string what)
    {
        if (source.Text(node, what) is not { } path) return null;
        if (path.StartsWith('/')) return path;
        source.Wrong(node, $"{what} is an absolute path");
        return null;
    }

    private static bool IsName(string name) => name.Length is > 0 and <= 64
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
}
