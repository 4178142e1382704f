using System.Collections.Generic;

namespace Agent.Shell.Config;

/// <summary>One node of a YAML file, with the place where it begins.</summary>
internal abstract record YamlNode
{
    private YamlNode(Place at) => At = at;

    public Place At { get; }

    /// <summary>
    /// A value as it is written: `8080` and `"8080"` are the same text, nothing is guessed from its looks.
    /// </summary>
    public sealed record Text(Place Place, string Value) : YamlNode(Place);

    /// <summary>No value: nothing behind the colon, `~` or `null`.</summary>
    public sealed record Nothing(Place Place) : YamlNode(Place);

    public sealed record List(Place Place, IReadOnlyList<YamlNode> Items) : YamlNode(Place);

    /// <summary>Entries in the order of the file; no key stands twice.</summary>
    public sealed record Map(Place Place, IReadOnlyList<YamlEntry> Entries) : YamlNode(Place);

    /// <summary>Something that was told as a mistake already and is passed over by whoever reads on.</summary>
    public sealed record Refused(Place Place) : YamlNode(Place);
}

internal sealed record YamlEntry(string Key, Place At, YamlNode Value);
