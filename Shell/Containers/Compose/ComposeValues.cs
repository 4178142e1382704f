using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Agent.Shell.Config;
using Agent.Shell.Import;

namespace Agent.Shell.Containers.Compose;

/// <summary>Values as the Compose Specification spells them; null, and a mistake told, for what is none.</summary>
internal sealed class ComposeValues(Mistakes mistakes)
{
    /// <summary>A kernel allows 128 KiB for one argument or variable.</summary>
    private const int MaxTextLength = 64 << 10;

    private readonly Values _values = new(mistakes);

    public Values Plain => _values;

    /// <summary>The entries of a map with these keys; any other is told with its place, and why if that is known.</summary>
    public IEnumerable<YamlEntry> Entries(
        YamlNode node, string what, IReadOnlyDictionary<string, string> refused, params string[] known)
    {
        foreach (var entry in _values.Map(node, what))
        {
            if (known.Contains(entry.Key, StringComparer.Ordinal)) yield return entry;
            else if (entry.Key.StartsWith("x-", StringComparison.Ordinal)) continue;
            else if (refused.GetValueOrDefault(entry.Key) is { } why) Wrong(entry.At, $"{entry.Key} is not supported: {why}");
            else Wrong(entry.At, $"unsupported key \"{entry.Key}\", known here: {string.Join(", ", known)}");
        }
    }

    public string? Text(YamlNode node, string what)
    {
        if (_values.Text(node, what) is not { } text) return null;
        if (text.Contains('\0', StringComparison.Ordinal)) return Wrong(node.At, $"{what} holds a NUL character");
        return text.Length <= MaxTextLength ? text : Wrong(node.At, $"{what} is longer than {MaxTextLength} characters");
    }

    /// <summary>A text that is not empty and has nothing but these and letters and digits.</summary>
    public string? Word(YamlNode node, string what, string others)
    {
        if (Text(node, what) is not { } text) return null;
        return text.Length > 0 && text.All(c => char.IsAsciiLetterOrDigit(c) || others.Contains(c, StringComparison.Ordinal))
            ? text
            : Wrong(node.At, $"{what} is a word of letters, digits and {others}, \"{text}\" is not");
    }

    /// <summary>The items of a list, whatever they are.</summary>
    public IReadOnlyList<YamlNode> Items(YamlNode node, string what)
    {
        if (node is YamlNode.List list) return list.Items;
        _ = _values.Texts(node, what);
        return [];
    }

    public IReadOnlyList<(string Text, Place At)> Texts(YamlNode node, string what) =>
    [
        .. Items(node, what).Select(item => (Text: Text(item, $"each item of {what}"), item.At))
            .Where(one => one.Text is not null)!,
    ];

    public bool? Flag(YamlNode node, string what) => _values.Choice(node, what, "true", "false") switch
    {
        "true" => true,
        "false" => false,
        _ => null,
    };

    /// <summary>A list of words, or one line that is split as a shell would; no shell is asked.</summary>
    public IReadOnlyList<string>? Command(YamlNode node, string what)
    {
        if (node is YamlNode.List) return [.. Texts(node, what).Select(one => one.Text)];
        if (Text(node, what) is not { } line) return null;
        var (words, fault) = ShellWords.Split(line);
        if (fault is null) return words;
        Wrong(node.At, $"{what}: {fault}");
        return null;
    }

    /// <summary>`NAME: value` as a map, or `NAME=value` as a list. A value that is left out is null.</summary>
    public IEnumerable<(string Name, string? Value, Place At)> Pairs(YamlNode node, string what, char parting = '=')
    {
        if (node is not YamlNode.List)
        {
            foreach (var (name, at, value) in _values.Map(node, what))
            {
                if (value is YamlNode.Nothing) yield return (name, null, at);
                else if (Text(value, $"{what} {name}") is { } text) yield return (name, text, at);
            }

            yield break;
        }

        foreach (var (text, at) in Texts(node, what))
        {
            var mark = text.IndexOf(parting, StringComparison.Ordinal);
            if (mark < 0) yield return (text, null, at);
            else yield return (text[..mark], text[(mark + 1)..], at);
        }
    }

    /// <summary>Bytes, or with b, k, m, g and a b behind them, each 1024 times the one before.</summary>
    public long? Bytes(YamlNode node, string what, long least)
    {
        if (Text(node, what) is not { } text) return null;
        var digits = text.AsSpan().IndexOfAnyExceptInRange('0', '9');
        if (digits < 0) digits = text.Length;
        long? unit = text[digits..].ToUpperInvariant() switch
        {
            "" or "B" => 1,
            "K" or "KB" => 1L << 10,
            "M" or "MB" => 1L << 20,
            "G" or "GB" => 1L << 30,
            _ => null,
        };
        if (unit is { } one && long.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number <= long.MaxValue / one && number * one >= least)
        {
            return number * one;
        }

        Wrong(node.At, $"{what} is a size such as 512m or 1g, at least {Sizes.Show(least)}");
        return null;
    }

    public string? Wrong(Place at, string what)
    {
        mistakes.Add(at, what);
        return null;
    }
}
