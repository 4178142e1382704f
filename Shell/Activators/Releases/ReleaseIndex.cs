using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Security.Cryptography;
using System.Text;
using Agent.Shell.Linux;

namespace Agent.Shell.Activators.Releases;

/// <summary>One thing in a release's tree.</summary>
/// <param name="Path">From the tree's root; the root itself is <see cref="Folder.Here"/>.</param>
/// <param name="Mode">Permission bits; 0 for a link.</param>
/// <param name="Size">Of a file, otherwise 0.</param>
/// <param name="Proof">SHA-256 of a file's content, or a link's target; empty for a directory.</param>
internal sealed record IndexEntry(NodeKind Kind, string Path, uint Mode, long Size, string Proof);

/// <summary>
/// What a release's tree consists of, as text: a line for each thing (kind, mode, size, proof, path, with tabs between
/// them), by path, then a line with their number and the SHA-256 of all lines before it, which proves the text whole.
/// </summary>
internal sealed class ReleaseIndex
{
    private const string End = "end";

    private readonly List<IndexEntry> _entries;

    public ReleaseIndex(IEnumerable<IndexEntry> entries) =>
        _entries = [.. entries.OrderBy(entry => entry.Path, StringComparer.Ordinal)];

    public IReadOnlyList<IndexEntry> Entries => _entries;

    /// <summary>The index in a text; null unless the text is whole and understood to its last line.</summary>
    public static ReleaseIndex? Parse(ReadOnlySpan<byte> text)
    {
        var lastLine = text.Length > 0 ? text[..^1].LastIndexOf((byte)'\n') + 1 : 0;
        var lines = Encoding.UTF8.GetString(text[..lastLine]).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (Encoding.UTF8.GetString(text[lastLine..]) != EndLine(lines.Length, text[..lastLine])) return null;
        var entries = new List<IndexEntry>(lines.Length);
        foreach (var line in lines)
        {
            if (ParseLine(line) is not { } entry) return null;
            entries.Add(entry);
        }

        return new ReleaseIndex(entries);
    }

    public byte[] ToBytes()
    {
        var text = new StringBuilder();
        foreach (var (kind, path, mode, size, proof) in _entries)
        {
            var octal = Convert.ToString(mode, 8);
            text.Append(CultureInfo.InvariantCulture, $"{Word(kind)}\t{octal}\t{size}\t{proof}\t{path}\n");
        }

        var lines = Encoding.UTF8.GetBytes(text.ToString());
        return [.. lines, .. Encoding.UTF8.GetBytes(EndLine(_entries.Count, lines))];
    }

    private static string EndLine(int count, ReadOnlySpan<byte> lines)
    {
        var proof = Convert.ToHexStringLower(SHA256.HashData(lines));
        return string.Create(CultureInfo.InvariantCulture, $"{End}\t{count}\t{proof}\n");
    }

    private static IndexEntry? ParseLine(string line)
    {
        if (line.Split('\t') is not [var word, var mode, var size, var proof, var path]) return null;
        if (!long.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes)) return null;
        if (mode.Length is 0 or > 4 || mode.AsSpan().ContainsAnyExceptInRange('0', '7')) return null;
        NodeKind? kind = word switch
        {
            "file" => NodeKind.File,
            "directory" => NodeKind.Directory,
            "link" => NodeKind.Link,
            _ => null,
        };
        return kind is { } known ? new IndexEntry(known, path, Convert.ToUInt32(mode, 8), bytes, proof) : null;
    }

    private static string Word(NodeKind kind) => kind switch
    {
        NodeKind.File => "file",
        NodeKind.Directory => "directory",
        NodeKind.Link => "link",
        NodeKind.Other => throw new ArgumentOutOfRangeException(nameof(kind)),
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}
