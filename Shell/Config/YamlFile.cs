using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Agent.Shell.Config;

/// <summary>
/// Reads one file into a tree, strictly: one document of maps, lists and plain values. Anchors, aliases and tags are
/// refused because they make a file mean something else than it says; so are keys that stand twice.
/// </summary>
internal sealed class YamlFile
{
    /// <summary>A host's configuration is some hundred lines; a MiB is somebody's mistake.</summary>
    public const int MaxBytes = 1 << 20;

    /// <summary>The configuration needs five; the bound keeps a hostile file from filling the stack.</summary>
    public const int MaxDepth = 16;

    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private readonly string _file;
    private readonly Mistakes _mistakes;
    private readonly Parser _events;

    private YamlFile(string file, string text, Mistakes mistakes)
    {
        _file = file;
        _mistakes = mistakes;
        _events = new Parser(new StringReader(text));
    }

    /// <summary>The root of the file's document; null if it is empty or what is wrong with it was told.</summary>
    public static YamlNode? Read(string file, Mistakes mistakes)
    {
        try
        {
            return Text(file, mistakes) is { } text ? new YamlFile(file, text, mistakes).Document() : null;
        }
        catch (YamlException failure)
        {
            mistakes.Add(new(file, failure.Start.Line, failure.Start.Column), failure.Message);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            mistakes.Add($"{file}: {failure.Message}");
        }

        return null;
    }

    private static string? Text(string file, Mistakes mistakes)
    {
        using var stream = File.OpenRead(file);
        var bytes = new byte[MaxBytes + 1];
        var length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        if (length > MaxBytes)
        {
            mistakes.Add($"{file}: larger than {MaxBytes} bytes");
            return null;
        }

        // For the parser a NUL would be the end of the file, and what stands behind it would go unseen.
        var nul = Array.IndexOf(bytes, (byte)0, 0, length);
        if (nul >= 0)
        {
            mistakes.Add($"{file}: holds a NUL at byte {nul}");
            return null;
        }

        try
        {
            return Strict.GetString(bytes, 0, length);
        }
        catch (DecoderFallbackException failure)
        {
            mistakes.Add($"{file}: is no UTF-8 at byte {failure.Index}");
            return null;
        }
    }

    private YamlNode? Document()
    {
        Next();
        if (Next() is StreamEnd) return null;
        var root = Node(Next(), depth: 1);
        Next();
        if (Next() is DocumentStart more) _mistakes.Add(PlaceOf(more), "a second document; there may be only one");
        return root;
    }

    private YamlNode Node(ParsingEvent first, int depth)
    {
        var at = PlaceOf(first);
        if (depth > MaxDepth) throw Fail(first, $"nested deeper than {MaxDepth} levels");
        if (first is AnchorAlias) return Refuse(at, "an alias; write the value itself");
        if (first is NodeEvent { Anchor.IsEmpty: false }) _mistakes.Add(at, "an anchor; aliases are refused, too");
        if (first is NodeEvent { Tag.IsEmpty: false }) _mistakes.Add(at, "a tag; every value is what its key says");
        return first switch
        {
            Scalar { Style: ScalarStyle.Plain, Value: "" or "~" or "null" } => new YamlNode.Nothing(at),
            Scalar scalar => new YamlNode.Text(at, scalar.Value),
            SequenceStart => new YamlNode.List(at, Items(depth)),
            MappingStart => new YamlNode.Map(at, Entries(depth)),
            _ => throw Fail(first, "there is no value"),
        };
    }

    private List<YamlNode> Items(int depth)
    {
        var items = new List<YamlNode>();
        for (var next = Next(); next is not SequenceEnd; next = Next()) items.Add(Node(next, depth + 1));
        return items;
    }

    private List<YamlEntry> Entries(int depth)
    {
        var entries = new List<YamlEntry>();
        var places = new Dictionary<string, Place>(StringComparer.Ordinal);
        for (var next = Next(); next is not MappingEnd; next = Next())
        {
            var key = Node(next, depth + 1);
            var value = Node(Next(), depth + 1);
            if (key is not YamlNode.Text(var at, var name))
            {
                if (key is not YamlNode.Refused) _mistakes.Add(key.At, "a key is a text");
            }
            else if (!places.TryAdd(name, at))
            {
                _mistakes.Add(at, $"{name} was given at {places[name]} already");
            }
            else
            {
                entries.Add(new(name, at, value));
            }
        }

        return entries;
    }

    private YamlNode.Refused Refuse(Place at, string why)
    {
        _mistakes.Add(at, why);
        return new(at);
    }

    private static SemanticErrorException Fail(ParsingEvent at, string why) => new(at.Start, at.End, why);

    private ParsingEvent Next()
    {
        try
        {
            return _events.MoveNext() && _events.Current is { } next
                ? next
                : throw new SemanticErrorException("the file ends too early");
        }
        catch (Exception failure) when (failure is not YamlException)
        {
            // The parser stumbles over some files that are no YAML, where it should only refuse them.
            var at = _events.Current?.End ?? Mark.Empty;
            throw new YamlException(at, at, $"behind this it is no YAML ({failure.Message})", failure);
        }
    }

    private Place PlaceOf(ParsingEvent at) => new(_file, at.Start.Line, at.Start.Column);
}
