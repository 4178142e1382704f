using System.Collections.Generic;
using System.Linq;
using Agent.Core.Model;

namespace Agent.Shell.Containers;

/// <summary>
/// The operator's choices for containers. <paramref name="Engine"/> is theirs; null is the one that this agent supervises.
/// <paramref name="Install"/>: what is declared is wanted, without anybody asking for it.
/// </summary>
internal sealed record ContainerSettings(
    string? Compose, EngineAddress? Engine, bool Install, IReadOnlyList<ContainerDefinition> Definitions)
{
    /// <summary>Where the set is, if it is not in a file of the operator's.</summary>
    public ReleasedSet? Release { get; init; }

    /// <summary>The file with this host's logins at registries; null: none are given.</summary>
    public string? RegistryAuth { get; init; }

    /// <summary>What was declared and is so no more is to go; else it is left as it is, and told.</summary>
    public bool RemoveDropped { get; init; }

    public static ContainerSettings None { get; } = new(null, null, Install: true, []);
}

/// <summary>The Compose file of a channel's current release, by its path in the release's tree.</summary>
internal sealed record ReleasedSet(ChannelName Channel, string Path)
{
    /// <summary>`app/deploy/compose.yaml`; null for what is no channel and no path that stays in the tree.</summary>
    public static ReleasedSet? Parse(string text)
    {
        var names = text.Split('/');
        return names.Length > 1 && names.All(name => name is not ("" or "." or ".."))
            && ChannelName.Parse(names[0]).TryGet(out var channel)
            ? new(channel, string.Join('/', names.Skip(1)))
            : null;
    }
}
