using System;
using System.IO;
using System.Security.Cryptography;
using System.Text;
using Agent.Shell.Linux;

namespace Agent.Shell.Pki;

/// <summary>
/// A directory of keys: its owner's alone, and so is each file in it. A file is replaced as a whole and durably, so a
/// crash leaves the old one or the new one. Throws <see cref="PkiRefused"/> for what is unsafe and
/// <see cref="FileFailure"/> for what the disk refuses.
/// </summary>
/// <param name="step">Told the name of each step before it is done: where a test ends it.</param>
internal sealed class PkiFolder(Folder folder, Action<string>? step = null) : IDisposable
{
    /// <summary>A key and two certificates take 2 KiB.</summary>
    public const int MaxFileBytes = 64 << 10;

    private const uint OthersBits = 0x3F;
    private const uint OwnerOnly = 0x1C0;
    private const string Unfinished = ".new";

    public string Path => folder.Path;

    /// <summary>Opens it, if nobody else may look into it.</summary>
    public static PkiFolder Open(string path, Action<string>? step = null)
    {
        var folder = Folder.Open(path);
        var mode = folder.Look(Folder.Here)!.Value.Mode;
        if ((mode & OthersBits) == 0) return new PkiFolder(folder, step);
        folder.Dispose();
        throw new PkiRefused(PkiFault.UnsafeFile, $"{path}: others than its owner may use it; chmod 700 it");
    }

    /// <summary>Makes it, 0700 and durable, unless it is there. What is above it must be.</summary>
    public static PkiFolder OpenOrMake(string path, Action<string>? step = null)
    {
        var full = System.IO.Path.GetFullPath(path);
        if (Directory.Exists(full)) return Open(full, step);
        using var parent = Folder.Open(System.IO.Path.GetDirectoryName(full) ?? "/");
        parent.Make(System.IO.Path.GetFileName(full));
        parent.Sync();
        return Open(full, step);
    }

    /// <summary>The text of a file; null if there is none.</summary>
    public string? Read(string name)
    {
        if (folder.Look(name) is not { } node) return null;
        if (node.Kind != NodeKind.File) throw new PkiRefused(PkiFault.UnsafeFile, $"{At(name)}: it is no plain file");
        if ((node.Mode & OthersBits) != 0)
        {
            throw new PkiRefused(
                PkiFault.UnsafeFile,
                $"{At(name)}: others than its owner may use it; take it for known to them and make a new one");
        }

        if (node.Size > MaxFileBytes)
        {
            throw new PkiRefused(PkiFault.UnsafeFile, $"{At(name)}: it is longer than 64 KiB");
        }

        using var file = folder.OpenFile(name);
        var bytes = new byte[MaxFileBytes];
        var text = Encoding.Latin1.GetString(bytes, 0, RandomAccess.Read(file, bytes, 0));
        CryptographicOperations.ZeroMemory(bytes);
        return text;
    }

    /// <summary>Has it hold exactly this, 0600; on return that survives a power cut.</summary>
    public void Replace(string name, string text)
    {
        var unfinished = name + Unfinished;
        Step($"remove {unfinished}");
        folder.Remove(unfinished);
        Step($"create {unfinished}");
        using (var file = folder.Create(unfinished))
        {
            folder.SetMode(file, unfinished, 0x180);
            Step($"write {unfinished}");
            var bytes = Encoding.Latin1.GetBytes(text);
            folder.Write(file, unfinished, bytes, 0);
            CryptographicOperations.ZeroMemory(bytes);
            Step($"sync {unfinished}");
            folder.SyncFile(file, unfinished);
        }

        Step($"rename {name}");
        folder.Rename(unfinished, folder, name, Replacing.Old);
        Step("sync directory");
        folder.Sync();
        Step($"replaced {name}");
    }

    public void Remove(string name)
    {
        Step($"remove {name}");
        folder.Remove(name);
        Step("sync directory");
        folder.Sync();
    }

    /// <summary>
    /// Makes a directory beneath this one that appears whole or not at all: it is filled under another name first.
    /// False: there is something of that name.
    /// </summary>
    public bool TryMake(string name, Action<PkiFolder> fill)
    {
        if (folder.Look(name) is not null) return false;
        var unfinished = name + Unfinished;
        Step($"remove {unfinished}");
        folder.Remove(unfinished);
        Step($"make {unfinished}");
        folder.Make(unfinished);
        using (var inner = new PkiFolder(folder.Enter(unfinished), step))
        {
            inner.Own();
            fill(inner);
        }

        Step($"rename {name}");
        folder.Rename(unfinished, folder, name, Replacing.Nothing);
        Step("sync directory");
        folder.Sync();
        Step($"made {name}");
        return true;
    }

    public string At(string name) => System.IO.Path.Combine(folder.Path, name);

    public void Dispose() => folder.Dispose();

    private void Own() => folder.SetMode(OwnerOnly);

    private void Step(string what) => step?.Invoke(what);
}
