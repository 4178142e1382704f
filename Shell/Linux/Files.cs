using System;
using System.Globalization;
using System.IO;
using System.Runtime.InteropServices;

namespace Agent.Shell.Linux;

/// <summary>
/// Files by the kernel's own calls, for what must be durable: the BCL reports success when a sync failed. Each call
/// answers 0 or a positive number, or throws <see cref="FileFailure"/> with the call, the path and errno.
/// </summary>
internal static partial class Files
{
    private const int ReadWrite = 2;
    private const int Create = 0x40;
    private const int Exclusive = 0x80;
    private const int Truncate = 0x200;
    private const int CloseOnExec = 0x80000;
    private const int NoFollow = 0x20000;
    private const int DirectoryOnly = 0x10000;
    private const int Interrupted = 4;
    private const int WouldBlock = 11;
    private const int LockExclusiveNow = 2 | 4;

    /// <summary>Opens for reading and writing, 0600; a symbolic link is refused.</summary>
    public static int Open(string path, bool create, bool truncate = false) => Check("open", path, Retry(() => open(
        path, ReadWrite | CloseOnExec | NoFollow | (create ? Create : 0) | (truncate ? Truncate : 0), 0x180)));

    public static int CreateNew(string path) => Check("open", path, Retry(() => open(
        path, ReadWrite | CloseOnExec | NoFollow | Create | Exclusive, 0x180)));

    /// <summary>Writes all of it at the offset, however often the kernel takes only a part.</summary>
    public static unsafe void Write(int fd, string path, ReadOnlySpan<byte> bytes, long offset)
    {
        fixed (byte* start = bytes)
        {
            var done = 0;
            while (done < bytes.Length)
            {
                var written = pwrite(fd, start + done, (nuint)(bytes.Length - done), offset + done);
                if (written < 0 && Marshal.GetLastPInvokeError() == Interrupted) continue;
                if (written <= 0) throw Failure("pwrite", path);
                done += (int)written;
            }
        }
    }

    public static void SyncData(int fd, string path) => Check("fdatasync", path, Retry(() => fdatasync(fd)));

    public static void Resize(int fd, string path, long length) => Check("ftruncate", path, Retry(() => ftruncate(fd, length)));

    /// <summary>
    /// Makes names in a directory durable: without it, a created or renamed file may be gone after a power cut.
    /// </summary>
    public static void SyncDirectory(string path)
    {
        var fd = Check("open", path, Retry(() => open(path, DirectoryOnly | CloseOnExec, 0)));
        try
        {
            Check("fsync", path, Retry(() => fsync(fd)));
        }
        finally
        {
            Close(fd);
        }
    }

    public static void Rename(string from, string to) => Check("rename", to, Retry(() => rename(from, to)));

    /// <summary>Puts these bytes in the place of a file: whole and durable, or it is as it was.</summary>
    public static void Replace(string path, ReadOnlySpan<byte> bytes)
    {
        var next = path + ".new";
        var fd = Open(next, create: true, truncate: true);
        try
        {
            Write(fd, next, bytes, 0);
            SyncData(fd, next);
        }
        finally
        {
            Close(fd);
        }

        Rename(next, path);
        SyncDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>Takes the advisory lock of an open file, at once or not at all.</summary>
    public static bool TryLock(int fd, string path)
    {
        if (Retry(() => flock(fd, LockExclusiveNow)) == 0) return true;
        return Marshal.GetLastPInvokeError() == WouldBlock ? false : throw Failure("flock", path);
    }

    public static void Close(int fd) => _ = close(fd);

    private static int Retry(Func<int> call)
    {
        int result;
        do
        {
            result = call();
        }
        while (result < 0 && Marshal.GetLastPInvokeError() == Interrupted);
        return result;
    }

    private static int Check(string call, string path, int result) => result >= 0 ? result : throw Failure(call, path);

    private static FileFailure Failure(string call, string path) => new(call, path, Marshal.GetLastPInvokeError());

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial nint pwrite(int fd, byte* bytes, nuint count, long offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fdatasync(int fd);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(int fd);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ftruncate(int fd, long length);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int rename(string from, string to);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int flock(int fd, int operation);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int fd);
}

/// <summary>A file call that failed, with everything an operator needs to see.</summary>
internal sealed class FileFailure : Exception
{
    public FileFailure()
    {
    }

    public FileFailure(string message)
        : base(message)
    {
    }

    public FileFailure(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    public FileFailure(string call, string path, int errno)
        : this(string.Create(
            CultureInfo.InvariantCulture, $"{call} of {path} failed: {Name(errno)} ({Marshal.GetPInvokeErrorMessage(errno)})")) =>
        Errno = errno;

    public int Errno { get; }

    /// <summary>The symbolic name of the errors that a disk can have.</summary>
    public static string Name(int errno) => errno switch
    {
        1 => "EPERM",
        2 => "ENOENT",
        5 => "EIO",
        13 => "EACCES",
        17 => "EEXIST",
        18 => "EXDEV",
        20 => "ENOTDIR",
        22 => "EINVAL",
        24 => "EMFILE",
        27 => "EFBIG",
        28 => "ENOSPC",
        30 => "EROFS",
        40 => "ELOOP",
        122 => "EDQUOT",
        _ => string.Create(CultureInfo.InvariantCulture, $"errno {errno}"),
    };
}
