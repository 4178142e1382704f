using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Security.Cryptography;
using System.Threading;
using Agent.Shell.Linux;

namespace Agent.Shell.Activators.Releases;

/// <summary>
/// The releases of a host: <c>store/SHA256/</c> is an unpacked tree that never changes, <c>store/SHA256.index</c>
/// what it consists of, <c>store/SHA256.signed</c> who vouches for it, <c>channels/CHANNEL/current</c> the link to the one
/// in use, <c>staging/</c> the work in progress. At every moment, also after a power cut, a release in the store is whole
/// or absent and a channel's link is the old or the new one. One process writes to it at a time; within it, any thread may
/// call. A failure of the disk is a <see cref="FileFailure"/>.
/// </summary>
internal sealed partial class ReleaseStore : IDisposable
{
    private const string IndexSuffix = ".index";
    private const string CurrentLink = "current";
    private const string NewLink = "current.new";
    private const string LinkPrefix = "../../store/";

    /// <summary>Of an index: all names, and a hundred bytes for each entry.</summary>
    private const int IndexBytes = 128 << 20;

    /// <summary>0711: a service of any user runs its release, which has modes of its own; none can list them.</summary>
    private const uint Passable = 0x1C9;

    private readonly Lock _gate = new();
    private readonly ReleaseLimits _limits;
    private readonly string _path;
    private readonly Folder _root;
    private readonly Folder _store;
    private readonly Folder _staging;
    private readonly Folder _channels;

    /// <summary>Opens the store below a directory, which is made if it is not there.</summary>
    public ReleaseStore(string root, ReleaseLimits? limits = null)
    {
        _limits = limits ?? ReleaseLimits.Default;
        _path = Path.GetFullPath(root);
        Directory.CreateDirectory(_path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Files.SyncDirectory(Path.GetDirectoryName(_path) ?? _path);
        _root = Folder.Open(_path);
        _root.SetMode(Passable);
        _store = _root.EnterOrMake("store");
        _store.SetMode(Passable);
        _staging = _root.EnterOrMake("staging");
        _channels = _root.EnterOrMake("channels");
        _channels.SetMode(Passable);
    }

    /// <summary>Where a release's tree is, or would be.</summary>
    public string PathOf(string sha256) => Path.Combine(_path, "store", Known(sha256));

    /// <summary>Where a channel's link is, or would be.</summary>
    public string PathOfCurrent(string channel) => Path.Combine(_path, "channels", KnownChannel(channel), CurrentLink);

    /// <summary>
    /// What keeps a release from being used, or null: its index is whole and all that it names is in its tree, to the last
    /// byte. What else is there is <see cref="Stranger"/>'s to tell.
    /// </summary>
    public string? Verify(string sha256, CancellationToken stop = default) => Look(sha256, TreeCheck.Difference, stop) is { } problem
        ? $"release {sha256} {problem}; apply its manifest again with the archive, which replaces it"
        : null;

    /// <summary>A name in a release's tree that its archive did not have, as a service or a hook may leave one; or null.</summary>
    public string? Stranger(string sha256, CancellationToken stop = default) =>
        Look(sha256, TreeCheck.Stranger, stop) is { } problem ? $"release {sha256} {problem}" : null;

    /// <summary>All releases in the store, the one imported last first.</summary>
    public IReadOnlyList<string> List()
    {
        var ages = _store.List().Where(IsSha256)
            .Select(name => (Name: name, At: _store.Look(name + IndexSuffix)?.ModifiedNanoseconds ?? 0));
        var ordered = ages.OrderByDescending(one => one.At).ThenBy(one => one.Name, StringComparer.Ordinal);
        return [.. ordered.Select(one => one.Name)];
    }

    /// <summary>Removes what a crash left behind: at the start, and never while a release is imported.</summary>
    public void Sweep()
    {
        lock (_gate)
        {
            foreach (var name in _staging.List()) _staging.Remove(name);
            foreach (var beside in _store.List().Where(name => Path.GetExtension(name) is IndexSuffix or SignedSuffix))
            {
                if (_store.Look(Path.GetFileNameWithoutExtension(beside)) is null) _store.Remove(beside);
            }

            foreach (var name in _channels.List().Where(IsChannel))
            {
                using var channel = _channels.Enter(name);
                channel.Remove(NewLink);
            }
        }
    }

    /// <summary>
    /// Removes releases beyond the newest <paramref name="keep"/>, by when they were imported; never one that is a
    /// channel's current or <paramref name="pinned"/>. A channel whose link leads elsewhere uses none of them. A tree leaves the store by one rename before it is deleted.
    /// </summary>
    /// <returns>What was removed.</returns>
    public IReadOnlyList<string> Collect(int keep, IReadOnlySet<string> pinned)
    {
        List<string> gone = [];
        var junk = NewName();
        lock (_gate)
        {
            var used = _channels.List().Where(IsChannel).Select(InStore).ToHashSet(StringComparer.Ordinal);
            gone.AddRange(List().Skip(keep).Where(sha256 => !used.Contains(sha256) && !pinned.Contains(sha256)));
            if (gone.Count == 0) return gone;
            _staging.Make(junk);
            using var away = _staging.Enter(junk);
            foreach (var sha256 in gone) _store.Rename(sha256, away, sha256, Replacing.Nothing);
            _store.Sync();
            foreach (var sha256 in gone)
            {
                _store.Remove(sha256 + SignedSuffix);
                _store.Remove(sha256 + IndexSuffix);
            }

            _store.Sync();
        }

        _staging.Remove(junk);
        return gone;
    }

    public void Dispose()
    {
        _channels.Dispose();
        _staging.Dispose();
        _store.Dispose();
        _root.Dispose();
    }

    private string? Look(string sha256, Func<Folder, ReleaseIndex, CancellationToken, string?> compare, CancellationToken stop)
    {
        Known(sha256);
        try
        {
            return Problem(sha256, compare, stop);
        }
        catch (Exception failure) when (failure is FileFailure or IOException)
        {
            return $"cannot be read: {failure.Message}";
        }
    }

    private string? Problem(string sha256, Func<Folder, ReleaseIndex, CancellationToken, string?> compare, CancellationToken stop)
    {
        if (_store.Look(sha256)?.Kind != NodeKind.Directory) return "is not in the store";
        if (_store.Look(sha256 + IndexSuffix) is not { Kind: NodeKind.File } file) return "has no index";
        if (file.Size > IndexBytes) return "has an index that is too large";
        if (ReleaseIndex.Parse(ReadIndex(sha256)) is not { } index) return "has an index that is not whole";
        using var tree = _store.Enter(sha256);
        return compare(tree, index, stop) is { } difference ? $"is not as it was imported: {difference}" : null;
    }

    private byte[] ReadIndex(string sha256)
    {
        using var handle = _store.OpenFile(sha256 + IndexSuffix);
        var bytes = new byte[(int)Math.Min(RandomAccess.GetLength(handle), IndexBytes)];
        for (var done = 0; done < bytes.Length;)
        {
            var got = RandomAccess.Read(handle, bytes.AsSpan(done), done);
            if (got == 0) return bytes[..done];
            done += got;
        }

        return bytes;
    }

    private static string NewName() => RandomNumberGenerator.GetHexString(32, lowercase: true);

    private static string Known(string sha256) => IsSha256(sha256)
        ? sha256
        : throw new ReleaseRefused(ReleaseCode.Hash, "a release is named by 64 lower-case hexadecimal digits");

    private static bool IsSha256(string name) => name.Length == 64 && name.All(char.IsAsciiHexDigitLower);
}
