using System;
using System.Collections.Generic;
using System.IO;
using Agent.Shell.Config;

namespace Agent.Shell.Containers.Compose;

/// <summary>
/// Reads `volumes`, `tmpfs` and `secrets` of a service. A path that begins with a dot is taken from the file's own
/// directory; a name is one of the volumes that the file declares.
/// </summary>
/// <param name="directory">Where the Compose file lies.</param>
/// <param name="volumes">The declared volumes; true for one that somebody else made.</param>
/// <param name="secrets">The declared secrets and their files.</param>
internal sealed class MountReader(
    ComposeValues values, string directory, IReadOnlyDictionary<string, (string Name, bool External)> volumes,
    IReadOnlyDictionary<string, string> secrets)
{
    private const long LeastTmpfs = 4 << 10;

    private static readonly Dictionary<string, string> Refused = new(StringComparer.Ordinal)
    {
        ["bind"] = "a path must exist, and is mounted as the engine does by itself",
        ["volume"] = "a volume is mounted as the engine does by itself",
        ["consistency"] = "it means nothing on Linux",
    };

    private static readonly Dictionary<string, string> RefusedSecret = new(StringComparer.Ordinal)
    {
        ["uid"] = "a secret has its file's own owner",
        ["gid"] = "a secret has its file's own group",
        ["mode"] = "a secret has its file's own mode",
    };

    public IEnumerable<ContainerMount> Volumes(YamlNode node)
    {
        foreach (var item in values.Items(node, "volumes"))
        {
            var mount = item is YamlNode.Map ? ReadMap(item)
                : values.Text(item, "each item of volumes") is { } text ? ReadText(item.At, text)
                : null;
            if (mount is not null) yield return mount;
        }
    }

    public IEnumerable<ContainerMount> Tmpfs(YamlNode node)
    {
        var one = node is YamlNode.Text ? values.Text(node, "tmpfs") : null;
        foreach (var (target, at) in one is null ? values.Texts(node, "tmpfs") : [(one, node.At)])
        {
            if (IsTarget(at, target)) yield return new(MountKind.Tmpfs, "", target, ReadOnly: false);
        }
    }

    public IEnumerable<ContainerMount> Secrets(YamlNode node)
    {
        foreach (var item in values.Items(node, "secrets"))
        {
            var (source, target) = item is YamlNode.Map ? ReadSecret(item) : (values.Text(item, "each item of secrets"), null);
            if (source is null) continue;
            if (secrets.GetValueOrDefault(source) is not { } file) values.Wrong(item.At, $"there is no secret {source}");
            else if (IsTarget(item.At, Inside(target ?? source))) yield return new(MountKind.Bind, file, Inside(target ?? source), true);
        }
    }

    /// <summary>The absolute path of what a file names.</summary>
    public static string PathOf(string directory, string path) => Path.GetFullPath(Path.Combine(directory, path));

    private static string Inside(string target) => target.StartsWith('/') ? target : $"/run/secrets/{target}";

    private (string? Source, string? Target) ReadSecret(YamlNode node)
    {
        string? source = null, target = null;
        foreach (var (key, _, value) in values.Entries(node, "a secret", RefusedSecret, "source", "target"))
        {
            if (key == "source") source = values.Text(value, key);
            else target = values.Text(value, key);
        }

        if (source is null) values.Wrong(node.At, "a secret needs a source");
        return (source, target);
    }

    private ContainerMount? ReadText(Place at, string text)
    {
        var parts = text.Split(':');
        if (parts.Length > 3 || (parts.Length == 3 && parts[2] is not ("ro" or "rw")))
        {
            values.Wrong(at, $"a volume is written as source:target, with :ro or :rw behind it, \"{text}\" is not");
            return null;
        }

        var readOnly = parts.Length == 3 && parts[2] == "ro";
        if (parts.Length == 1) return IsTarget(at, text) ? new(MountKind.Volume, "", text, readOnly) : null;
        return parts[0].StartsWith('/') || parts[0].StartsWith('.')
            ? Bind(at, parts[0], parts[1], readOnly)
            : Volume(at, parts[0], parts[1], readOnly);
    }

    private ContainerMount? ReadMap(YamlNode node)
    {
        string? type = null, source = null, target = null;
        var readOnly = false;
        long? size = null;
        foreach (var (key, _, value) in values.Entries(
            node, "a volume", Refused, "type", "source", "target", "read_only", "tmpfs"))
        {
            if (key == "type") type = values.Plain.Choice(value, key, "bind", "volume", "tmpfs");
            else if (key == "source") source = values.Text(value, key);
            else if (key == "target") target = values.Text(value, key);
            else if (key == "read_only") readOnly = values.Flag(value, key) ?? false;
            else size = ReadSize(value);
        }

        if (target is null || type is null || (type == "bind" && source is null))
        {
            values.Wrong(node.At, "a volume needs a type and a target, and a path a source");
            return null;
        }

        if (type == "bind") return Bind(node.At, source!, target, readOnly);
        if (type == "volume" && source is not null) return Volume(node.At, source, target, readOnly);
        if (!IsTarget(node.At, target)) return null;
        return type == "volume"
            ? new(MountKind.Volume, "", target, readOnly)
            : new(MountKind.Tmpfs, "", target, readOnly, size);
    }

    private long? ReadSize(YamlNode node)
    {
        long? size = null;
        var none = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (_, _, value) in values.Entries(node, "tmpfs", none, "size")) size = values.Bytes(value, "size", LeastTmpfs);
        return size;
    }

    private ContainerMount? Bind(Place at, string source, string target, bool readOnly) =>
        IsTarget(at, target) ? new(MountKind.Bind, PathOf(directory, source), target, readOnly) : null;

    private ContainerMount? Volume(Place at, string source, string target, bool readOnly)
    {
        if (!volumes.TryGetValue(source, out var declared))
        {
            values.Wrong(at, $"there is no volume {source}; declare it in volumes, or begin a path with / or ./");
            return null;
        }

        var kind = declared.External ? MountKind.External : MountKind.Volume;
        return IsTarget(at, target) ? new(kind, declared.Name, target, readOnly) : null;
    }

    private bool IsTarget(Place at, string target)
    {
        if (target.StartsWith('/') && target.Trim('/').Length > 0) return true;
        values.Wrong(at, $"\"{target}\" is no absolute path inside the container");
        return false;
    }
}
