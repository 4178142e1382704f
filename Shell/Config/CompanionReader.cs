using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using Agent.Core.Companion;
using Agent.Core.Model;
using Agent.Shell.Companions;
using LanguageExt;

namespace Agent.Shell.Config;

/// <summary>Reads the declared companions. Their unit files are read here too, so that a missing one is a mistake.</summary>
internal sealed class CompanionReader(Mistakes mistakes)
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private readonly Values _values = new(mistakes);
    private readonly Dictionary<string, (CompanionDefinition Definition, Place At)> _declared = new(StringComparer.Ordinal);
    private readonly Dictionary<string, IReadOnlyList<(string Name, Place At)>> _after = new(StringComparer.Ordinal);

    /// <summary>The folder of the units; null: the usual one.</summary>
    public string? Units { private get; set; }

    public CompanionSettings Settings
    {
        get
        {
            new Order("companion", _after).Check(mistakes);
            return new(Units ?? CompanionSettings.DefaultUnits, [.. _declared.Values.Select(one => one.Definition)]);
        }
    }

    public void Read(YamlNode node)
    {
        foreach (var (name, at, value) in _values.Map(node, "companions"))
        {
            if (WhyNot(name) is { } why) mistakes.Add(at, why);
            else ReadOne(Name(name)!, at, value);
        }
    }

    private string? WhyNot(string name) =>
        Name(name) is null ? $"\"{name}\" is no name of a companion: letters, digits, -, _, . and :, at most "
            + $"{CompanionName.MaxLength}, with {string.Join(", ", CompanionName.Kinds)} at its end"
        : IsOwn(name) ? $"{name} is the agent's own unit"
        : _declared.TryGetValue(name, out var first) ? $"{name} was given at {first.At} already"
        : _declared.Count == Core.Companion.Companions.MaxCompanions
            ? $"more than {Core.Companion.Companions.MaxCompanions} companions"
        : null;

    private void ReadOne(CompanionName name, Place at, YamlNode node)
    {
        string? text = null;
        var (given, start, restart) = (0, true, true);
        List<(string Name, Place At)> after = [];
        foreach (var (key, keyAt, value) in _values.Entries(node, name.Value, "unit", "content", "start", "restart", "after"))
        {
            if (key is "unit" or "content")
            {
                given++;
                text = key == "unit" ? ReadFile(value) : Checked(_values.Text(value, key), keyAt, key);
            }
            else if (key == "after") after = ReadAfter(value);
            else if (key == "start") start = _values.Choice(value, key, "true", "false") != "false";
            else restart = _values.Choice(value, key, "true", "false") != "false";
        }

        if (given != 1 && node is not YamlNode.Refused)
        {
            mistakes.Add(at, $"{name} needs either unit, the path of its unit file, or content, that file's text");
        }

        var names = after.Select(one => Name(one.Name)).OfType<CompanionName>();
        _declared[name.Value] = (new(name, text ?? "", start, restart, [.. names]), at);
        _after[name.Value] = after;
    }

    private List<(string Name, Place At)> ReadAfter(YamlNode node)
    {
        var after = new List<(string Name, Place At)>();
        foreach (var item in node is YamlNode.List list ? list.Items : [node])
        {
            if (_values.Text(item, "each item of after") is { } name) after.Add((name, item.At));
        }

        return after;
    }

    private string? ReadFile(YamlNode node)
    {
        if (_values.AbsolutePath(node, "unit") is not { } path) return null;
        try
        {
            using var stream = File.OpenRead(path);
            var bytes = new byte[CompanionDefinition.MaxBytes + 1];
            var length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return Checked(Strict.GetString(bytes, 0, Math.Min(length, bytes.Length)), node.At, path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            mistakes.Add(node.At, failure.Message);
        }
        catch (DecoderFallbackException)
        {
            mistakes.Add(node.At, $"{path} is no UTF-8, or larger than {CompanionDefinition.MaxBytes} bytes");
        }

        return null;
    }

    private string? Checked(string? text, Place at, string what)
    {
        var why = text is null ? null
            : Strict.GetByteCount(text) > CompanionDefinition.MaxBytes ? $"larger than {CompanionDefinition.MaxBytes} bytes"
            : text.Contains('\0', StringComparison.Ordinal) ? "holds a NUL"
            : string.IsNullOrWhiteSpace(text) ? "empty"
            : null;
        if (why is null) return text;
        mistakes.Add(at, $"{what} is no unit file: {why}");
        return null;
    }

    private static CompanionName? Name(string text) => CompanionName.Parse(text).TryGet(out var name) ? name : null;

    /// <summary>The packaged one, and the one that this process runs in, whatever it is called.</summary>
    private static bool IsOwn(string name) => name == "agent.service"
        || File.ReadLines("/proc/self/cgroup").Any(line => line.Split('/').Contains(name, StringComparer.Ordinal));
}
