using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace Agent.Shell.Config;

/// <summary>What a node must be, read; null, and a mistake told, if it is something else.</summary>
internal sealed class Values(Mistakes mistakes)
{
    /// <summary>The entries of a map with these keys; any other key is a mistake that names the known ones.</summary>
    public IEnumerable<YamlEntry> Entries(YamlNode node, string what, params string[] known)
    {
        foreach (var entry in Map(node, what))
        {
            if (known.Contains(entry.Key, StringComparer.Ordinal)) yield return entry;
            else mistakes.Add(entry.At, $"unknown key \"{entry.Key}\", known here: {string.Join(", ", known)}");
        }
    }

    /// <summary>The entries of a map whose keys are free; none for one that is left empty.</summary>
    public IReadOnlyList<YamlEntry> Map(YamlNode node, string what) => node switch
    {
        YamlNode.Map map => map.Entries,
        YamlNode.Nothing or YamlNode.Refused => [],
        YamlNode.Text or YamlNode.List => Wrong<YamlEntry[]>(node, $"{what} is a map of keys") ?? [],
    };

    public string? Text(YamlNode node, string what) => node switch
    {
        YamlNode.Text text => text.Value,
        YamlNode.Refused => null,
        YamlNode.Nothing or YamlNode.Map or YamlNode.List => Wrong<string>(node, $"{what} is a text"),
    };

    public IReadOnlyList<string> Texts(YamlNode node, string what) => node switch
    {
        YamlNode.List list => [.. list.Items.Select(one => Text(one, $"each item of {what}")).OfType<string>()],
        YamlNode.Refused => [],
        YamlNode.Text or YamlNode.Nothing or YamlNode.Map =>
            Wrong<string[]>(node, $"{what} is a list of texts, such as [a, b]") ?? [],
    };

    public string? AbsolutePath(YamlNode node, string what) =>
        Text(node, what) is not { } path ? null
        : path.StartsWith('/') ? path
        : Wrong<string>(node, $"{what} is an absolute path, \"{path}\" is not");

    public string? Choice(YamlNode node, string what, params string[] choices) =>
        node is YamlNode.Refused ? null
        : node is YamlNode.Text text && choices.Contains(text.Value, StringComparer.Ordinal) ? text.Value
        : Wrong<string>(node, $"{what} is one of {string.Join(", ", choices)}");

    public TimeSpan? Duration(YamlNode node, string what, TimeSpan least, TimeSpan most)
    {
        if (node is YamlNode.Refused) return null;
        var span = node is YamlNode.Text text ? Durations.Parse(text.Value) : null;
        if (span >= least && span <= most) return span;
        var bounds = $"from {Durations.Show(least)} to {Durations.Show(most)}";
        mistakes.Add(node.At, $"{what} is a duration such as 10s or 1h30m, {bounds}");
        return null;
    }

    public long? LongSize(YamlNode node, string what, long least, long most)
    {
        if (node is YamlNode.Refused) return null;
        var size = node is YamlNode.Text text ? Sizes.Parse(text.Value) : null;
        if (size >= least && size <= most) return size;
        var bounds = most == long.MaxValue ? $"at least {Sizes.Show(least)}" : $"from {Sizes.Show(least)} to {Sizes.Show(most)}";
        mistakes.Add(node.At, $"{what} is a size such as 64KiB or 1MiB, {bounds}");
        return null;
    }

    /// <summary>A decimal number, as thousandths.</summary>
    public int? Thousandths(YamlNode node, string what, int most)
    {
        if (node is YamlNode.Refused) return null;
        if (node is YamlNode.Text text
            && decimal.TryParse(text.Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            && number * 1000 is var thousandths && thousandths >= 1 && thousandths <= most)
        {
            return (int)thousandths;
        }

        mistakes.Add(node.At, $"{what} is a number such as 0.5 or 2, from 0.001 to {most / 1000}");
        return null;
    }

    public int? Size(YamlNode node, string what, int least, int most) => (int?)LongSize(node, what, least, most);

    public int? Number(YamlNode node, string what, int least, int most)
    {
        if (node is YamlNode.Refused) return null;
        if (node is YamlNode.Text text
            && int.TryParse(text.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number >= least && number <= most)
        {
            return number;
        }

        mistakes.Add(node.At, $"{what} is a whole number from {least} to {most}");
        return null;
    }

    private T? Wrong<T>(YamlNode node, string what)
        where T : class
    {
        mistakes.Add(node.At, what);
        return null;
    }
}
