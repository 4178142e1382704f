using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Agent.Core.Container;
using Agent.Core.Model;
using Agent.Shell.Config;

namespace Agent.Shell.Containers.Compose;

/// <summary>
/// Reads a Compose file into the definitions it declares (CT-9), strictly: a key that would have no effect is a mistake
/// with its file, line and name, and all mistakes are told at once. Variables come from the environment given, then from
/// `.env` beside the file.
/// </summary>
internal sealed class ComposeReader
{
    /// <summary>A host with more containers than this is managed by something else.</summary>
    public const int MaxServices = 256;

    private static readonly Dictionary<string, string> RefusedAtTop = new(StringComparer.Ordinal)
    {
        ["networks"] = "the containers share one network and find each other by name; see network_mode",
        ["configs"] = "mount a file as a volume, read-only",
        ["include"] = "one file declares the whole set",
    };

    private static readonly Dictionary<string, string> RefusedOfVolume = new(StringComparer.Ordinal)
    {
        ["driver"] = "make such a volume yourself and declare it external",
        ["driver_opts"] = "make such a volume yourself and declare it external",
        ["labels"] = "a volume is labelled as this agent's",
    };

    private static readonly Dictionary<string, string> RefusedOfSecret = new(StringComparer.Ordinal)
    {
        ["external"] = "a secret is a file of this host",
        ["environment"] = "a secret is a file of this host",
    };

    private readonly string _file;
    private readonly string _directory;
    private readonly Mistakes _mistakes;
    private readonly ComposeValues _values;
    private readonly IReadOnlyDictionary<string, string> _environment;
    private readonly Dictionary<string, (string Name, bool External)> _volumes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _secrets = new(StringComparer.Ordinal);
    private IReadOnlyDictionary<string, string> _dotEnv = new Dictionary<string, string>();

    private ComposeReader(string file, IReadOnlyDictionary<string, string> environment, Mistakes mistakes)
    {
        (_file, _mistakes, _environment) = (Path.GetFullPath(file), mistakes, environment);
        _directory = Path.GetDirectoryName(_file)!;
        _values = new(mistakes);
    }

    /// <summary>
    /// What the file declares, in its order. Only good for use while no mistake was told. Throws nothing: a file that
    /// cannot be read is a mistake, too.
    /// </summary>
    public static IReadOnlyList<ContainerDefinition> Read(
        string file, IReadOnlyDictionary<string, string> environment, Mistakes mistakes) =>
        new ComposeReader(file, environment, mistakes).Read();

    private IReadOnlyList<ContainerDefinition> Read()
    {
        var beside = Path.Combine(_directory, ".env");
        if (File.Exists(beside)) _dotEnv = DotEnv.Read(beside, _environment.GetValueOrDefault, _mistakes);
        if (YamlFile.Read(_file, _mistakes) is not { } root) return [];
        var top = _values.Entries(
            root, "a Compose file", RefusedAtTop, "services", "volumes", "secrets", "name", "version").ToList();

        // What services refer to is read before them, wherever it stands.
        foreach (var (key, _, value) in top)
        {
            if (key == "volumes") ReadVolumes(value);
            else if (key == "secrets") ReadSecrets(value);
        }

        var services = top.Where(entry => entry.Key == "services").SelectMany(entry => ReadServices(entry.Value)).ToList();
        CheckOrder(services);
        return [.. services.Select(service => service.Definition)];
    }

    private IEnumerable<ComposeService> ReadServices(YamlNode node)
    {
        var mounts = new MountReader(_values, _directory, _volumes, _secrets);
        var reader = new ComposeServiceReader(_mistakes, _values, mounts, _directory, Variable);
        var entries = _values.Plain.Map(node, "services");
        if (entries.Count > MaxServices) _values.Wrong(node.At, $"more than {MaxServices} services");
        foreach (var (name, at, value) in entries.Take(MaxServices))
        {
            if (name.StartsWith("x-", StringComparison.Ordinal)) continue;
            if (!ContainerUid.Parse(name).TryGet(out var uid))
            {
                _values.Wrong(at, $"\"{name}\" is no name of a service: letters, digits, -, _ and ., at most {ContainerUid.MaxLength}");
                continue;
            }

            if (reader.Read(uid, at, Interpolated(value)) is { } service) yield return service;
        }
    }

    private void ReadVolumes(YamlNode node)
    {
        foreach (var (name, at, value) in _values.Plain.Map(node, "volumes"))
        {
            if (!ContainerUid.Parse(name).TryGet(out _)) _values.Wrong(at, $"\"{name}\" is no name of a volume");
            else _volumes[name] = ReadVolume(name, Interpolated(value));
        }
    }

    private (string Name, bool External) ReadVolume(string name, YamlNode node)
    {
        var external = false;
        string? called = null;
        foreach (var (key, at, value) in _values.Entries(node, $"the volume {name}", RefusedOfVolume, "external", "name"))
        {
            if (key == "external") external = _values.Flag(value, key) ?? false;
            else if ((called = _values.Word(value, key, "-_.")) is null) _values.Wrong(at, "it names a volume of the engine");
        }

        if (called is not null && !external)
        {
            _values.Wrong(node.At, $"the volume {name} has its name from this agent; only an external one has its own");
        }

        return (called ?? name, external);
    }

    private void ReadSecrets(YamlNode node)
    {
        foreach (var (name, at, value) in _values.Plain.Map(node, "secrets"))
        {
            string? file = null;
            foreach (var (key, _, path) in _values.Entries(
                Interpolated(value), $"the secret {name}", RefusedOfSecret, "file"))
            {
                file = _values.Text(path, key);
            }

            if (file is null) _values.Wrong(at, $"the secret {name} needs a file");
            else if (!File.Exists(MountReader.PathOf(_directory, file))) _values.Wrong(at, $"there is no file {file}");
            else _secrets[name] = MountReader.PathOf(_directory, file);
        }
    }

    /// <summary>The same tree with the values of the variables in its texts. Keys stay as they are.</summary>
    private YamlNode Interpolated(YamlNode node) => node switch
    {
        YamlNode.Text text => Expanded(text) is { } value ? text with { Value = value } : new YamlNode.Refused(text.At),
        YamlNode.List list => new YamlNode.List(list.At, [.. list.Items.Select(Interpolated)]),
        YamlNode.Map map => new YamlNode.Map(
            map.At, [.. map.Entries.Select(one => one with { Value = Interpolated(one.Value) })]),
        YamlNode.Nothing or YamlNode.Refused => node,
    };

    /// <summary>Null, and a mistake told, where a variable has no value.</summary>
    private string? Expanded(YamlNode.Text text)
    {
        var (value, fault) = Interpolation.Of(text.Value, Variable);
        if (fault is null) return value;
        _mistakes.Add(text.At, fault);
        return null;
    }

    private string? Variable(string name) =>
        _environment.GetValueOrDefault(name) ?? _dotEnv.GetValueOrDefault(name);

    /// <summary>Every dependency is a service of the file, and following them never comes back to where it began.</summary>
    private void CheckOrder(List<ComposeService> services)
    {
        var after = services.ToDictionary(
            one => one.Definition.Uid.Value,
            one => one.Definition.DependsOn.Select(on => on.On.Value).ToList(),
            StringComparer.Ordinal);
        foreach (var service in services)
        {
            var name = service.Definition.Uid.Value;
            foreach (var on in after[name].Where(on => !after.ContainsKey(on)))
            {
                _values.Wrong(service.DependsAt, $"{name} depends on {on}, which is no service");
            }

            if (Reaches(after, name)) _values.Wrong(service.DependsAt, $"{name} would have to wait for itself");
        }
    }

    private static bool Reaches(Dictionary<string, List<string>> after, string name)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var open = new Queue<string>(after[name]);
        while (open.TryDequeue(out var next))
        {
            if (next == name) return true;
            if (!seen.Add(next) || !after.TryGetValue(next, out var further)) continue;
            foreach (var one in further) open.Enqueue(one);
        }

        return false;
    }
}
