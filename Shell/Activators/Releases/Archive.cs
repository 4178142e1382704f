using System;
using System.Collections.Generic;
using System.IO;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Threading;
using Agent.Shell.Linux;
using Microsoft.Win32.SafeHandles;

namespace Agent.Shell.Activators.Releases;

/// <summary>
/// An archive that lies in staging and has the right hash. It is read twice: once to judge every entry, and once, by
/// the same rules, to unpack what was found good.
/// </summary>
internal sealed class Archive(SafeFileHandle handle, long length, ReleaseLimits limits) : IDisposable
{
    private const int BufferBytes = 128 << 10;
    private const uint ImpliedMode = 0x1ED;

    private readonly FileStream _file = new(handle, FileAccess.Read, BufferBytes);

    /// <summary>Reads all of it and writes nothing. What unpacking will need.</summary>
    /// <exception cref="ReleaseRefused">Any entry is not allowed, or the archive is damaged.</exception>
    public Room Check(CancellationToken stop)
    {
        var rules = new EntryRules(limits);
        ForEach(rules, (_, _) => { }, stop);
        return rules.Count > 0
            ? new Room(rules.DiskBytes, rules.Count)
            : throw new ReleaseRefused(ReleaseCode.Garbage, "there is nothing in the archive");
    }

    /// <summary>
    /// Unpacks into an empty directory; each file is durable when the next one begins, the directories are not.
    /// Owners and times of the archive are not taken over; of the modes, what the owner needs is added and what the
    /// group could write is taken away.
    /// </summary>
    public ReleaseIndex Unpack(Folder tree, CancellationToken stop)
    {
        var made = new Dictionary<string, IndexEntry>(StringComparer.Ordinal);
        MakeDirectory(tree, "", ImpliedMode, made);
        ForEach(new EntryRules(limits), (reader, entry) => Unpack(reader, entry, tree, made, stop), stop);
        return new ReleaseIndex(made.Values);
    }

    public void Dispose() => _file.Dispose();

    private void ForEach(EntryRules rules, Action<TarReader, TarEntry> take, CancellationToken stop)
    {
        Span<byte> magic = stackalloc byte[2];
        _file.Position = 0;
        var compressed = _file.ReadAtLeast(magic, 2, throwOnEndOfStream: false) == 2 && magic is [0x1F, 0x8B];
        _file.Position = 0;
        using var expanded = compressed ? new GZipStream(_file, CompressionMode.Decompress, leaveOpen: true) : null;
        var reader = expanded is not null
            ? new TarReader(expanded, limits.ExpandedBytesOf(length), long.MaxValue, limits.HeaderBytes)
            : new TarReader(_file, limits.ExpandedBytes, length, limits.HeaderBytes);
        while (reader.Next() is { } entry)
        {
            stop.ThrowIfCancellationRequested();
            take(reader, rules.Accept(entry));
        }
    }

    private static void Unpack(
        TarReader reader, TarEntry entry, Folder tree, Dictionary<string, IndexEntry> made, CancellationToken stop)
    {
        var slash = entry.Name.LastIndexOf('/');
        var name = entry.Name[(slash + 1)..];
        MakeParents(tree, entry.Name, made);
        if (entry.Kind == TarKind.Directory)
        {
            MakeDirectory(tree, entry.Name, (entry.Mode & 0x1ED) | 0x1C0, made);
            return;
        }

        using var parent = tree.Enter(slash < 0 ? Folder.Here : entry.Name[..slash]);
        if (entry.Kind == TarKind.Link)
        {
            parent.Link(name, entry.Target);
            made.Add(entry.Name, new IndexEntry(NodeKind.Link, entry.Name, 0, 0, entry.Target));
            return;
        }

        var mode = (entry.Mode & 0x1ED) | 0x100;
        var hash = WriteFile(reader, parent, name, mode, stop);
        made.Add(entry.Name, new IndexEntry(NodeKind.File, entry.Name, mode, entry.Size, hash));
    }

    private static void MakeParents(Folder tree, string path, Dictionary<string, IndexEntry> made)
    {
        for (var end = path.IndexOf('/', StringComparison.Ordinal); end >= 0; end = path.IndexOf('/', end + 1))
        {
            if (!made.ContainsKey(path[..end])) MakeDirectory(tree, path[..end], ImpliedMode, made);
        }
    }

    /// <summary>Makes a directory, or gives one that an earlier entry implied its own mode.</summary>
    private static void MakeDirectory(Folder tree, string path, uint mode, Dictionary<string, IndexEntry> made)
    {
        var key = path.Length == 0 ? Folder.Here : path;
        if (path.Length > 0 && !made.ContainsKey(key))
        {
            var slash = path.LastIndexOf('/');
            using var parent = tree.Enter(slash < 0 ? Folder.Here : path[..slash]);
            parent.Make(path[(slash + 1)..]);
        }

        using var folder = tree.Enter(key);
        folder.SetMode(mode);
        made[key] = new IndexEntry(NodeKind.Directory, key, mode, 0, "");
    }

    private static string WriteFile(TarReader reader, Folder parent, string name, uint mode, CancellationToken stop)
    {
        using var file = parent.Create(name);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            long offset = 0;
            for (int got; (got = reader.Read(buffer)) > 0; offset += got)
            {
                stop.ThrowIfCancellationRequested();
                hash.AppendData(buffer, 0, got);
                parent.Write(file, name, buffer.AsSpan(0, got), offset);
            }

            parent.SetMode(file, name, mode);
            parent.SyncFile(file, name);
            return Convert.ToHexStringLower(hash.GetHashAndReset());
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
