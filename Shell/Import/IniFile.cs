using System;
using System.Collections.Generic;
using System.Linq;
using Agent.Shell.Config;

namespace Agent.Shell.Import;

/// <summary>One `key = value` of a section, with the line it begins on.</summary>
internal sealed record IniEntry(string Key, string Value, Place At);

/// <summary>One section; a name that stands twice is one section, and the last of a key's values counts.</summary>
internal sealed record IniSection(string Name, Place At, IReadOnlyList<IniEntry> Entries)
{
    public IniEntry? Find(string key) => Entries.FirstOrDefault(one => one.Key == key);
}

/// <summary>
/// An ini file as supervisord reads it: keys in any case, `=` or `:`, comments in lines of their own and behind a blank,
/// values that go on in lines that are indented deeper than their key.
/// </summary>
internal sealed class IniFile
{
    private const int MostSections = 4096;

    private readonly Mistakes _mistakes;
    private readonly List<(string Name, Place At, List<IniEntry> Entries)> _sections = [];
    private int _indent;
    private IniEntry? _open;

    private IniFile(Mistakes mistakes) => _mistakes = mistakes;

    public static IReadOnlyList<IniSection> Read(string file, Mistakes mistakes)
    {
        if (ImportFile.Lines(file, mistakes) is not { } lines) return [];
        var reader = new IniFile(mistakes);
        for (var i = 0; i < lines.Count; i++) reader.Take(lines[i], new(file, i + 1, 1));
        return
        [
            .. reader._sections.Select(one => new IniSection(
                one.Name, one.At, [.. one.Entries.Select(entry => entry with { Value = entry.Value.TrimEnd() })])),
        ];
    }

    private void Take(string whole, Place at)
    {
        var line = WithoutComment(whole).TrimEnd();
        var text = line.TrimStart();
        if (text.Length == 0)
        {
            // An empty line within a value is part of it, unless a comment made it empty.
            if (_open is not null && whole.Trim().Length == 0) Continue("");
            return;
        }

        var indent = line.Length - text.Length;
        if (_open is not null && indent > _indent) Continue(text);
        else if (text[0] == '[') Open(text, at);
        else Entry(text, indent, at);
    }

    private void Open(string text, Place at)
    {
        _open = null;
        if (text.Length < 3 || text[^1] != ']')
        {
            _mistakes.Add(at, $"\"{Short(text)}\" begins like a section; write [name]");
            return;
        }

        var name = text[1..^1];
        if (_sections.Any(one => one.Name == name)) Move(name);
        else if (_sections.Count == MostSections) _mistakes.Add(at, $"more than {MostSections} sections");
        else _sections.Add((name, at, []));
    }

    /// <summary>A section that is opened again is the one that is written to; its place stays the first.</summary>
    private void Move(string name)
    {
        var at = _sections.FindIndex(one => one.Name == name);
        var section = _sections[at];
        _sections.RemoveAt(at);
        _sections.Add(section);
    }

    private void Entry(string text, int indent, Place at)
    {
        var delimiter = text.AsSpan().IndexOfAny('=', ':');
        if (_sections.Count == 0)
        {
            _mistakes.Add(at, "stands before the first section; is this a supervisord.conf?");
            return;
        }

        if (delimiter <= 0)
        {
            _open = null;
            _mistakes.Add(at, $"\"{Short(text)}\" is no key = value");
            return;
        }

        (_indent, _open) = (indent, new(text[..delimiter].Trim().ToLowerInvariant(), text[(delimiter + 1)..].TrimStart(), at));
        var entries = _sections[^1].Entries;
        entries.RemoveAll(one => one.Key == _open.Key);
        entries.Add(_open);
    }

    private void Continue(string text)
    {
        var entries = _sections[^1].Entries;
        _open = _open! with { Value = $"{_open.Value}\n{text}" };
        entries[^1] = _open;
    }

    private static string WithoutComment(string line)
    {
        var text = line.TrimStart();
        if (text.Length > 0 && text[0] is '#' or ';') return "";
        for (var i = 1; i < line.Length; i++)
        {
            if (line[i] is '#' or ';' && char.IsWhiteSpace(line[i - 1])) return line[..i];
        }

        return line;
    }

    private static string Short(string text) => text.Length <= 40 ? text : text[..40] + "…";
}
