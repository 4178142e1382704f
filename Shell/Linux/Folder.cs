using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Agent.Shell.Linux;

/// <summary>
/// A directory held open. What lies in it is reached from its descriptor: beneath it, on the same file system and
/// through no symbolic link, so that whoever swaps a name meanwhile cannot lead a write elsewhere. A call that fails
/// throws <see cref="FileFailure"/>.
/// </summary>
internal sealed partial class Folder : IDisposable
{
    /// <summary>The directory itself, as a relative path.</summary>
    public const string Here = ".";

    /// <summary>Some hundred names a call.</summary>
    private const int ListingBytes = 32 << 10;

    private int _fd;

    private Folder(int fd, string path)
    {
        _fd = fd;
        Path = path;
    }

    /// <summary>Where it was when it was opened, for messages.</summary>
    public string Path { get; }

    /// <summary>Opens a directory by a path that is trusted but for its last name, which must not be a link.</summary>
    public static Folder Open(string path)
    {
        var fd = Retry(() => open(path, DirectoryOnly | NoFollow | CloseOnExec, 0));
        return new Folder(Check("open", path, fd), path);
    }

    /// <summary>Opens a directory below this one.</summary>
    public Folder Enter(string relative) =>
        new(OpenBeneath(relative, DirectoryOnly | NoFollow | CloseOnExec), Full(relative));

    /// <summary>Makes a directory of its own, 0700; one that is there is a failure.</summary>
    public void Make(string name) => Check("mkdir", Full(name), Retry(() => mkdirat(_fd, name, 0x1C0)));

    /// <summary>Opens a directory, which is made, 0700 and durable, unless it is there.</summary>
    public Folder EnterOrMake(string name)
    {
        if (Look(name) is null)
        {
            Make(name);
            Sync();
        }

        return Enter(name);
    }

    /// <summary>Makes a file for reading and writing, 0600; anything that is there is a failure.</summary>
    public SafeFileHandle Create(string name) =>
        new(OpenBeneath(name, ReadWrite | CreateNew | Exclusive | NoFollow | CloseOnExec, 0x180), ownsHandle: true);

    /// <summary>Opens a file for reading. It does not wait, should a FIFO have taken its place.</summary>
    public SafeFileHandle OpenFile(string relative) =>
        new(OpenBeneath(relative, NonBlocking | NoFollow | CloseOnExec), ownsHandle: true);

    /// <summary>Writes all of it to a file of this directory.</summary>
    public void Write(SafeFileHandle file, string name, ReadOnlySpan<byte> bytes, long offset) =>
        Files.Write((int)file.DangerousGetHandle(), Full(name), bytes, offset);

    public void SyncFile(SafeFileHandle file, string name) =>
        Check("fsync", Full(name), Retry(() => fsync((int)file.DangerousGetHandle())));

    /// <summary>Sets the permission bits of an open file, whatever the umask.</summary>
    public void SetMode(SafeFileHandle file, string name, uint mode) =>
        Check("fchmod", Full(name), Retry(() => fchmod((int)file.DangerousGetHandle(), mode)));

    /// <summary>Sets this directory's own permission bits.</summary>
    public void SetMode(uint mode) => Check("fchmod", Path, Retry(() => fchmod(_fd, mode)));

    public void Link(string name, string target) =>
        Check("symlink", Full(name), Retry(() => symlinkat(target, _fd, name)));

    /// <summary>Where a symbolic link of this directory leads, as it is written in it.</summary>
    public unsafe string ReadLink(string relative)
    {
        var link = OpenBeneath(relative, PathOnly | NoFollow | CloseOnExec);
        try
        {
            var target = stackalloc byte[4096];
            var length = readlinkat(link, "", target, 4096);
            if (length < 0) throw Failure("readlink", Full(relative));
            return Encoding.UTF8.GetString(target, (int)length);
        }
        finally
        {
            Files.Close(link);
        }
    }

    /// <summary>What a name stands for, a link for itself; null if there is nothing.</summary>
    public Node? Look(string relative)
    {
        var fd = TryOpenBeneath(relative, PathOnly | NoFollow | CloseOnExec, 0);
        if (fd < 0) return Errno.Last == Errno.NoEntry ? null : throw Failure("openat2", Full(relative));
        try
        {
            Span<byte> status = stackalloc byte[StatxLength];
            Check("statx", Full(relative), statx(fd, "", EmptyPath, BasicStatus, status));
            return Node.Of(status);
        }
        finally
        {
            Files.Close(fd);
        }
    }

    /// <summary>Gives a name to another directory of the same file system, in one step.</summary>
    public void Rename(string name, Folder to, string newName, Replacing replacing)
    {
        var result = Retry(() => renameat2(_fd, name, to._fd, newName, (uint)replacing));
        Check("renameat2", to.Full(newName), result);
    }

    /// <summary>Removes a name and, if it is a directory, all that is in it. A link is removed, not followed.</summary>
    public void Remove(string name)
    {
        if (Look(name) is not { } node) return;
        if (node.Kind == NodeKind.Directory)
        {
            using var folder = Enter(name);
            foreach (var inner in folder.List()) folder.Remove(inner);
        }

        var flags = node.Kind == NodeKind.Directory ? RemoveDirectory : 0;
        Check("unlink", Full(name), Retry(() => unlinkat(_fd, name, flags)));
    }

    /// <summary>The names in it, in no order. Bytes that are not UTF-8 show as U+FFFD.</summary>
    public unsafe List<string> List()
    {
        using var own = Enter(Here);
        var names = new List<string>();
        var buffer = new byte[ListingBytes];
        fixed (byte* start = buffer)
        {
            while (true)
            {
                var length = (int)getdents64(own._fd, start, ListingBytes);
                if (length < 0) throw Failure("getdents64", Path);
                if (length == 0) return names;
                for (var at = 0; at < length; at += MemoryMarshal.Read<ushort>(buffer.AsSpan(at + 16)))
                {
                    var name = Marshal.PtrToStringUTF8((nint)(start + at + 19))!;
                    if (name is not ("." or "..")) names.Add(name);
                }
            }
        }
    }

    /// <summary>Makes the names in it durable.</summary>
    public void Sync() => Check("fsync", Path, Retry(() => fsync(_fd)));

    /// <summary>What is left on its file system for programs without privilege.</summary>
    public Room Room()
    {
        Span<ulong> status = stackalloc ulong[16];
        Check("fstatvfs", Path, fstatvfs(_fd, status));
        const int fragment = 1, free = 4, inodes = 5, freeInodes = 7;
        return new Room(
            (long)UInt128.Min(long.MaxValue, (UInt128)status[fragment] * status[free]),
            status[inodes] == 0 ? long.MaxValue : (long)status[freeInodes]);
    }

    public void Dispose()
    {
        if (_fd >= 0) Files.Close(_fd);
        _fd = -1;
    }

    private string Full(string relative) => System.IO.Path.Combine(Path, relative);

    private int OpenBeneath(string relative, int flags, uint mode = 0) =>
        Check("openat2", Full(relative), TryOpenBeneath(relative, flags, mode));

    private unsafe int TryOpenBeneath(string relative, int flags, uint mode)
    {
        var how = new OpenHow((ulong)flags, mode, Beneath | NoSymlinks | NoMagicLinks | NoOtherFileSystem);
        return Retry(() => (int)syscall(OpenAt2, _fd, relative, in how, sizeof(OpenHow)));
    }

    private static int Retry(Func<int> call)
    {
        int result;
        do
        {
            result = call();
        }
        while (result < 0 && Errno.Last == Errno.Interrupted);
        return result;
    }

    private static int Check(string call, string path, int result) => result >= 0 ? result : throw Failure(call, path);

    private static FileFailure Failure(string call, string path) => new(call, path, Errno.Last);
}

/// <summary>What becomes of the thing that has the new name already.</summary>
internal enum Replacing : uint
{
    /// <summary>It is replaced.</summary>
    Old = 0,

    /// <summary>There must be none.</summary>
    Nothing = 1,

    /// <summary>The two change places.</summary>
    Exchange = 2,
}

/// <summary>What is free on a file system.</summary>
/// <param name="Bytes">For programs without privilege.</param>
/// <param name="Names">Files and directories that can still be made; no bound: <see cref="long.MaxValue"/>.</param>
internal readonly record struct Room(long Bytes, long Names);

internal enum NodeKind
{
    File,
    Directory,
    Link,

    /// <summary>A device, FIFO or socket.</summary>
    Other,
}

/// <summary>What a name in a directory stands for.</summary>
/// <param name="Mode">The twelve permission bits.</param>
/// <param name="Inode">Tells it from every other thing of its file system.</param>
/// <param name="ModifiedNanoseconds">Since 1970, by the wall clock.</param>
internal readonly record struct Node(NodeKind Kind, uint Mode, long Size, ulong Inode, long ModifiedNanoseconds)
{
    /// <summary>From a struct statx.</summary>
    public static Node Of(ReadOnlySpan<byte> status)
    {
        const int modeAt = 28, inodeAt = 32, sizeAt = 40, secondsAt = 112, nanosecondsAt = 120;
        var mode = MemoryMarshal.Read<ushort>(status[modeAt..]);
        var kind = (mode & 0xF000) switch
        {
            0x8000 => NodeKind.File,
            0x4000 => NodeKind.Directory,
            0xA000 => NodeKind.Link,
            _ => NodeKind.Other,
        };
        var seconds = MemoryMarshal.Read<long>(status[secondsAt..]);
        return new Node(
            kind,
            mode & 0xFFFu,
            MemoryMarshal.Read<long>(status[sizeAt..]),
            MemoryMarshal.Read<ulong>(status[inodeAt..]),
            (seconds * 1_000_000_000) + MemoryMarshal.Read<uint>(status[nanosecondsAt..]));
    }
}
