using System;
using System.Buffers;
using System.IO;
using System.Linq;
using System.Security.Cryptography;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Linux;
using Microsoft.Win32.SafeHandles;

namespace Agent.Shell.Activators.Releases;

/// <summary>How an archive becomes a release.</summary>
internal sealed partial class ReleaseStore
{
    private const string ArchiveName = "archive";
    private const string TreeName = "tree";
    private const string IndexName = "index";
    private const int CopyBytes = 128 << 10;

    public async Task ImportAsync(string path, string sha256, long length, CancellationToken stop)
    {
        await using var archive = File.OpenRead(path);
        await ImportAsync(archive, sha256, length, stop);
    }

    /// <summary>
    /// Takes an archive into the store. Its bytes are copied into staging, where their number and hash are compared
    /// with what was promised; then every entry is judged; only then is anything unpacked, moved into the store, and
    /// checked there.
    /// A release that is there and whole is left as it is, and the archive unread; one that is damaged is replaced.
    /// Reading the archive waits; the rest is work for the disk on the caller's thread.
    /// </summary>
    /// <exception cref="ReleaseRefused">Nothing of it is in the store, and nothing is left in staging.</exception>
    /// <exception cref="FileFailure">The disk failed. What is left in staging is <see cref="Sweep"/>'s.</exception>
    public async Task ImportAsync(Stream archive, string sha256, long length, CancellationToken stop)
    {
        Known(sha256);
        Bound(length);
        if (Verify(sha256, stop) is null) return;
        var name = NewName();
        try
        {
            _staging.Make(name);
            using var work = _staging.Enter(name);
            using var copied = await CopyAsync(archive, work, sha256, length, stop);
            Publish(work, sha256, Unpack(copied, work, length, stop), stop);
        }
        catch (FileFailure failure) when (Refusal(failure) is { } refusal)
        {
            throw refusal;
        }
        finally
        {
            Discard(name);
        }
    }

    /// <summary>
    /// Whether an archive of this size is worth fetching: it is on the disk twice while it is taken in, and a full disk would
    /// end the journal too.
    /// </summary>
    /// <exception cref="ReleaseRefused">It is too large, or there is no room for it.</exception>
    public void Expect(long length)
    {
        Bound(length);
        RequireRoom(new Room(2 * length, 2));
    }

    private void Bound(long length)
    {
        if (length <= _limits.ArchiveBytes) return;
        throw new ReleaseRefused(ReleaseCode.TooLarge, $"the archive has {length} bytes, more than {_limits.ArchiveBytes}");
    }

    private async Task<SafeFileHandle> CopyAsync(
        Stream archive, Folder work, string sha256, long length, CancellationToken stop)
    {
        RequireRoom(new Room(length, 1));
        var file = work.Create(ArchiveName);
        var buffer = ArrayPool<byte>.Shared.Rent(CopyBytes);
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            long offset = 0;
            for (int got; (got = await archive.ReadAsync(buffer.AsMemory(), stop)) > 0; offset += got)
            {
                if (got > length - offset)
                {
                    throw new ReleaseRefused(ReleaseCode.Length, $"there are more than the {length} bytes promised");
                }

                hash.AppendData(buffer, 0, got);
                work.Write(file, ArchiveName, buffer.AsSpan(0, got), offset);
            }

            if (offset != length)
            {
                throw new ReleaseRefused(ReleaseCode.Length, $"there are {offset} bytes, and {length} were promised");
            }

            var found = Convert.ToHexStringLower(hash.GetHashAndReset());
            if (found != sha256) throw new ReleaseRefused(ReleaseCode.Hash, $"the archive is {found}, not {sha256}");
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>
    /// Leaves the tree and its index in the working directory, durable. Each file is synced by itself: a sync of the whole
    /// file system would wait for what everybody else has written.
    /// </summary>
    /// <returns>Which tree and which index that are.</returns>
    private (ulong Tree, ulong Index) Unpack(SafeFileHandle copied, Folder work, long length, CancellationToken stop)
    {
        using var archive = new Archive(copied, length, _limits);
        RequireRoom(archive.Check(stop));
        work.Make(TreeName);
        using var tree = work.Enter(TreeName);
        var index = archive.Unpack(tree, stop);
        foreach (var directory in index.Entries.Where(entry => entry.Kind == NodeKind.Directory))
        {
            using var folder = tree.Enter(directory.Path);
            folder.Sync();
        }

        using var file = work.Create(IndexName);
        work.Write(file, IndexName, index.ToBytes(), 0);
        work.SyncFile(file, IndexName);
        work.Sync();
        return (tree.Look(Folder.Here)!.Value.Inode, work.Look(IndexName)?.Inode ?? 0);
    }

    /// <summary>
    /// The index first: a tree in the store always has one. A damaged tree changes places with it. It is compared with its
    /// index there: before the move somebody who is at work in staging may still change what was found good.
    /// </summary>
    private void Publish(Folder work, string sha256, (ulong Tree, ulong Index) made, CancellationToken stop)
    {
        lock (_gate)
        {
            var there = _store.Look(sha256) is not null;
            if (there && Verify(sha256, stop) is null) return;
            Move(work, IndexName, made.Index, sha256 + IndexSuffix, Replacing.Old);
            Move(work, TreeName, made.Tree, sha256, there ? Replacing.Exchange : Replacing.Nothing);
            if ((Verify(sha256, stop) ?? Stranger(sha256, stop)) is not { } difference) return;
            _store.Remove(sha256);
            _store.Remove(sha256 + IndexSuffix);
            throw Changed($"somebody changed it while it was unpacked: {difference}");
        }
    }

    /// <summary>
    /// Moves into the store, durably. A rename goes by name: that it took what was made, and not what somebody put
    /// in its place, shows only afterwards.
    /// </summary>
    private void Move(Folder work, string name, ulong inode, string newName, Replacing replacing)
    {
        work.Rename(name, _store, newName, replacing);
        if (_store.Look(newName)?.Inode != inode)
        {
            _store.Remove(newName);
            throw Changed($"{name} was replaced by something else");
        }

        _store.Sync();
    }

    private void RequireRoom(Room needed)
    {
        var free = _staging.Room();
        if (free.Bytes - _limits.ReserveBytes >= needed.Bytes && free.Names >= needed.Names) return;
        throw new ReleaseRefused(
            ReleaseCode.NoSpace,
            $"it needs {needed.Bytes} bytes and {needed.Names} names; {free.Bytes} bytes and {free.Names} names are "
            + $"free, of which {_limits.ReserveBytes} bytes are kept for the host");
    }

    /// <summary>What the failure of a call in staging means: a full disk, or somebody else at work there.</summary>
    private static ReleaseRefused? Refusal(FileFailure failure) => failure.Errno switch
    {
        Errno.NoSpace or Errno.Quota => new ReleaseRefused(ReleaseCode.NoSpace, failure.Message, failure),
        Errno.NoEntry or Errno.Exists or Errno.NotDirectory or Errno.Loop or Errno.OtherDevice =>
            new ReleaseRefused(ReleaseCode.StagingChanged, failure.Message, failure),
        _ => null,
    };

    private static ReleaseRefused Changed(string what) => new(ReleaseCode.StagingChanged, what);

    /// <summary>
    /// Whether the import succeeded is decided by then: what cannot be removed is left to <see cref="Sweep"/>, and a
    /// disk that fails is met again by whoever writes next.
    /// </summary>
    private void Discard(string name)
    {
        try
        {
            _staging.Remove(name);
        }
        catch (FileFailure)
        {
            // Of the two failures, the import's own says more.
        }
    }
}
