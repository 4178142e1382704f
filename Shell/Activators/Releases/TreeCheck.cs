using System;
using System.Buffers;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Security.Cryptography;
using System.Threading;
using Agent.Shell.Linux;

namespace Agent.Shell.Activators.Releases;

/// <summary>Compares a tree on the disk with its index, to the last byte and the last name.</summary>
internal static class TreeCheck
{
    private const int BufferBytes = 128 << 10;

    /// <summary>The first entry that is missing or is not what the index says, or null if there is none.</summary>
    public static string? Difference(Folder tree, ReleaseIndex index, CancellationToken stop)
    {
        foreach (var entry in index.Entries)
        {
            stop.ThrowIfCancellationRequested();
            if (Difference(tree, entry, stop) is { } difference) return difference;
        }

        return null;
    }

    /// <summary>
    /// The first name that is none of the index's, or null if there is none, in a tree that has no
    /// <see cref="Difference(Folder, ReleaseIndex, CancellationToken)"/>.
    /// </summary>
    public static string? Stranger(Folder tree, ReleaseIndex index, CancellationToken stop)
    {
        var paths = index.Entries.Select(entry => entry.Path).ToHashSet(StringComparer.Ordinal);
        var listed = 1;
        foreach (var entry in index.Entries)
        {
            stop.ThrowIfCancellationRequested();
            if (entry.Kind != NodeKind.Directory) continue;
            if (Stranger(tree, entry.Path, paths, ref listed) is { } stranger) return stranger;
        }

        // Two names that are read as one and the same, because they are not UTF-8, are found here.
        return listed == paths.Count && paths.Count == index.Entries.Count ? null : "it has other names than its index";
    }

    private static string? Difference(Folder tree, IndexEntry entry, CancellationToken stop)
    {
        if (tree.Look(entry.Path) is not { } node) return $"{entry.Path} is missing";
        if (node.Kind != entry.Kind) return $"{entry.Path} is of another kind";
        if (entry.Kind == NodeKind.Link)
        {
            return tree.ReadLink(entry.Path) == entry.Proof ? null : $"{entry.Path} leads elsewhere";
        }

        if (node.Mode != entry.Mode) return $"{entry.Path} has mode {Convert.ToString(node.Mode, 8)}";
        if (entry.Kind == NodeKind.Directory) return null;
        if (node.Size != entry.Size) return $"{entry.Path} has {node.Size} bytes";
        return HashOf(tree, entry.Path, stop) == entry.Proof ? null : $"{entry.Path} has other content";
    }

    private static string? Stranger(Folder tree, string path, HashSet<string> paths, ref int listed)
    {
        using var folder = tree.Enter(path);
        foreach (var name in folder.List())
        {
            var full = path == Folder.Here ? name : path + "/" + name;
            if (!paths.Contains(full)) return $"{full} does not belong to it";
            listed++;
        }

        return null;
    }

    private static string HashOf(Folder tree, string path, CancellationToken stop)
    {
        using var file = tree.OpenFile(path);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            long offset = 0;
            for (int got; (got = RandomAccess.Read(file, buffer, offset)) > 0; offset += got)
            {
                stop.ThrowIfCancellationRequested();
                hash.AppendData(buffer, 0, got);
            }

            return Convert.ToHexStringLower(hash.GetHashAndReset());
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
