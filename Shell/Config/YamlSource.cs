using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Agent.Shell.Config;

/// <summary>
/// One file's YAML as a tree with places, read strictly, and the list of what was found wrong in it. Nothing stops at
/// the first mistake: an operator wants to mend them all at once.
/// </summary>
internal sealed class YamlSource(string file, List<string> mistakes)
{
    /// <summary>A host's configuration is some hundred lines; a MiB is somebody's mistake.</summary>
    private const int MaxBytes = 1 << 20;

    /// <summary>Beyond this the list helps nobody.</summary>
    private const int MaxMistakes = 100;

    /// <summary>The document's root map; nothing for an empty file or one that is no YAML.</summary>
    public YamlMappingNode? Read()
    {
        try
        {
            if (new FileInfo(file).Length > MaxBytes)
            {
                mistakes.Add($"{file}: larger than {MaxBytes} bytes");
                return null;
            }

            using var text = new StreamReader(file);
            var stream = new YamlStream();
            stream.Load(text);
            if (stream.Documents.Count == 0) return null;
            if (stream.Documents.Count > 1) mistakes.Add($"{file}: more than one document");
            return Map(stream.Documents[0].RootNode, "the configuration");
        }
        catch (YamlException failure)
        {
            mistakes.Add($"{file}:{failure.Start.Line}:{failure.Start.Column}: {failure.Message}");
        }
        catch (IOException failure)
        {
            mistakes.Add($"{file}: {failure.Message}");
        }

        return null;
    }

    public void Wrong(YamlNode node, string what)
    {
        if (mistakes.Count < MaxMistakes)
        {
            mistakes.Add(string.Create(CultureInfo.InvariantCulture, $"{file}:{node.Start.Line}:{node.Start.Column}: {what}"));
        }
    }

    public YamlMappingNode? Map(YamlNode node, string what)
    {
        if (node is YamlMappingNode map) return map;
        if (node is YamlScalarNode { Value: null or "" or "~" or "null" }) return null;
        Wrong(node, $"{what} is a map of keys");
        return null;
    }

    /// <summary>The entries of a map with their known keys; an unknown key is a mistake that names the known ones.</summary>
    public IEnumerable<(string Key, YamlNode Value)> Entries(YamlMappingNode map, params string[] known)
    {
        foreach (var (key, value) in map.Children)
        {
            var name = (key as YamlScalarNode)?.Value ?? "";
            if (known.Length == 0 || known.Contains(name, StringComparer.Ordinal)) yield return (name, value);
            else Wrong(key, $"unknown key \"{name}\", known here: {string.Join(", ", known)}");
        }
    }

    public string? Text(YamlNode node, string what)
    {
        if (node is YamlScalarNode { Value: { } value }) return value;
        Wrong(node, $"{what} is a text");
        return null;
    }

    public IReadOnlyList<string> Texts(YamlNode node, string what)
    {
        if (node is YamlSequenceNode list) return [.. list.Select(one => Text(one, $"each item of {what}")).OfType<string>()];
        Wrong(node, $"{what} is a list of texts, such as [a, b]");
        return [];
    }

    public int? Choice(YamlNode node, string what, params string[] choices)
    {
        var place = Array.IndexOf(choices, (node as YamlScalarNode)?.Value);
        if (place < 0) Wrong(node, $"{what} is one of {string.Join(", ", choices)}");
        return place < 0 ? null : place;
    }

    public TimeSpan? Duration(YamlNode node, string what, TimeSpan least, TimeSpan most)
    {
        var value = Durations.Parse((node as YamlScalarNode)?.Value ?? "");
        if (value is { } span && span >= least && span <= most) return span;
        Wrong(node, $"{what} is a duration such as 10s or 5m, from {Durations.Show(least)} to {Durations.Show(most)}");
        return null;
    }

    public int? Size(YamlNode node, string what, int least, int most)
    {
        var value = Sizes.Parse((node as YamlScalarNode)?.Value ?? "");
        if (value is { } size && size >= least && size <= most) return (int)size;
        Wrong(node, $"{what} is a size such as 64KiB or 1MiB, from {least} to {most} bytes");
        return null;
    }
}
