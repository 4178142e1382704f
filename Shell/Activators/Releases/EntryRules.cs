using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;

namespace Agent.Shell.Activators.Releases;

/// <summary>
/// Judges an archive's entries one after another, in the order in which they are to be unpacked, and knows all names
/// so far. What passes it, unpacked in that order into an empty directory, can neither leave that directory nor meet
/// anything there but what it made itself.
/// </summary>
internal sealed class EntryRules(ReleaseLimits limits)
{
    private const uint SpecialBits = 0xE00;
    private const uint WorldWrite = 2;
    private const int Block = 4096;

    private readonly Dictionary<string, Taken> _names = new(StringComparer.Ordinal) { [""] = Taken.ImpliedDirectory };
    private long _namesBytes;

    private enum Taken
    {
        /// <summary>It is the parent of an entry; an entry of its own may still follow.</summary>
        ImpliedDirectory,
        Directory,
        File,
        Link,
    }

    /// <summary>Files, directories and links so far, implied ones too; 0: the archive holds nothing.</summary>
    public int Count => _names.Count - 1;

    /// <summary>What the entries so far take on a disk: contents in whole blocks, and a block for each name.</summary>
    public long DiskBytes { get; private set; }

    /// <summary>The entry under its plain path: no dots, no slash at the end, "" for the root.</summary>
    /// <exception cref="ReleaseRefused">The entry is not allowed.</exception>
    public TarEntry Accept(TarEntry entry)
    {
        var path = PlainPath(entry);
        CheckMode(entry, path);
        if (entry.Kind == TarKind.Link) CheckTarget(path, entry.Target);
        TakeParents(path);
        var kind = entry.Kind switch
        {
            TarKind.File => Taken.File,
            TarKind.Directory => Taken.Directory,
            TarKind.Link => Taken.Link,
            _ => throw new ArgumentOutOfRangeException(nameof(entry)),
        };
        if (!_names.TryGetValue(path, out var taken)) TakeNew(path, kind);
        else if (taken == Taken.ImpliedDirectory && kind == Taken.Directory) _names[path] = kind;
        else throw new ReleaseRefused(ReleaseCode.Duplicate, $"{entry.Name} comes twice");

        CountBytes(entry.Target);
        DiskBytes += (entry.Size + Block - 1) / Block * Block;
        return entry with { Name = path };
    }

    /// <summary>The path as it is made, and nothing that could be read in another way.</summary>
    private string PlainPath(TarEntry entry)
    {
        var name = entry.Name;
        if (name.StartsWith('/')) throw new ReleaseRefused(ReleaseCode.AbsolutePath, $"{name} is an absolute path");
        CheckCharacters(name);
        var path = name;
        while (path.StartsWith("./", StringComparison.Ordinal)) path = path[2..];
        if (entry.Kind == TarKind.Directory)
        {
            if (path is "." or "") return "";
            if (path.EndsWith('/')) path = path[..^1];
        }

        CheckLength(path);
        var parts = path.Split('/');
        if (parts.Contains("..")) throw new ReleaseRefused(ReleaseCode.ParentPath, $"{name} goes up by '..'");
        if (parts.Any(part => part is "" or "."))
        {
            throw new ReleaseRefused(ReleaseCode.BadName, $"'{name}' has an empty part or a dot for one");
        }

        return parts.Length <= limits.Depth ? path : throw new ReleaseRefused(
            ReleaseCode.TooDeep, $"{name} is {parts.Length} names deep, more than {limits.Depth}");
    }

    private static void CheckMode(TarEntry entry, string path)
    {
        if (entry.Kind == TarKind.Link) return;
        if ((entry.Mode & SpecialBits) != 0)
        {
            throw new ReleaseRefused(ReleaseCode.Setuid, $"{path} is setuid, setgid or sticky");
        }

        if ((entry.Mode & WorldWrite) != 0)
        {
            throw new ReleaseRefused(ReleaseCode.WorldWritable, $"{path} may be written by everybody");
        }
    }

    /// <summary>
    /// A link may go up from its directory, which is a real one, as far as the root, and then only down: '..' behind a
    /// name would go up from wherever that name leads, if it is a link.
    /// </summary>
    private void CheckTarget(string path, string target)
    {
        CheckCharacters(target);
        CheckLength(target);
        if (target.Length == 0) throw new ReleaseRefused(ReleaseCode.BadName, $"the link {path} leads nowhere");
        var below = path.Count(one => one == '/');
        var down = false;
        foreach (var part in target.Split('/'))
        {
            if (part == ".." && (down || --below < 0)) throw Escape(path, target);
            down |= part is not ("" or "." or "..");
        }

        if (target.StartsWith('/')) throw Escape(path, target);
    }

    private static ReleaseRefused Escape(string path, string target) => new(
        ReleaseCode.SymlinkEscape, $"the link {path} leads out of the release, or may: {target}");

    private void TakeParents(string path)
    {
        for (var end = path.IndexOf('/', StringComparison.Ordinal); end >= 0; end = path.IndexOf('/', end + 1))
        {
            var parent = path[..end];
            if (!_names.TryGetValue(parent, out var taken)) TakeNew(parent, Taken.ImpliedDirectory);
            else if (taken == Taken.Link)
            {
                throw new ReleaseRefused(ReleaseCode.ThroughSymlink, $"{path} goes through the link {parent}");
            }
            else if (taken == Taken.File)
            {
                throw new ReleaseRefused(ReleaseCode.Duplicate, $"{parent} is both a file and the directory of {path}");
            }
        }
    }

    private void TakeNew(string path, Taken kind)
    {
        if (Count >= limits.Entries)
        {
            throw new ReleaseRefused(
                ReleaseCode.TooManyEntries, $"it has more than {limits.Entries} files and directories");
        }

        CountBytes(path);
        DiskBytes += Block;
        _names.Add(path, kind);
    }

    private void CountBytes(string name)
    {
        _namesBytes += Encoding.UTF8.GetByteCount(name);
        if (_namesBytes > limits.NamesBytes)
        {
            throw new ReleaseRefused(
                ReleaseCode.TooManyEntries, $"its names have more than {limits.NamesBytes} bytes in all");
        }
    }

    private static void CheckCharacters(string name)
    {
        if (name.Any(char.IsControl))
        {
            throw new ReleaseRefused(ReleaseCode.BadName, $"'{name}' has a control character");
        }
    }

    private void CheckLength(string path)
    {
        if (Encoding.UTF8.GetByteCount(path) > limits.PathBytes)
        {
            throw new ReleaseRefused(ReleaseCode.NameTooLong, $"{path} has more than {limits.PathBytes} bytes");
        }

        if (path.Split('/').Any(part => Encoding.UTF8.GetByteCount(part) > limits.ComponentBytes))
        {
            throw new ReleaseRefused(
                ReleaseCode.NameTooLong, $"{path} has a part of more than {limits.ComponentBytes} bytes");
        }
    }
}
