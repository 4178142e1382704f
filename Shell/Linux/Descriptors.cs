using System;
using System.Globalization;
using System.IO;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Agent.Shell.Linux;

/// <summary>FIFOs and the plain calls on descriptors.</summary>
internal static partial class Descriptors
{
    /// <summary>A pipe of output: hours of a quiet daemon's talk, and a bound on the kernel memory of some hundred.</summary>
    public const int PipeBytes = 256 << 10;

    public const int ReadOnly = 0;
    public const int WriteOnly = 1;
    public const int ReadWrite = 2;

    private const int PathOnly = 0x200000;
    private const int NonBlocking = 0x800;
    private const int CloseOnExec = 0x80000;
    private const int SetPipeSize = 1031;
    private const int SetDescriptorFlags = 2;
    private const int BytesReadable = 0x541B;

    /// <summary>Opens without waiting for the other side, closed in children. Negative: errno.</summary>
    public static int Open(string path, int mode)
    {
        var fd = open(path, mode | NonBlocking | CloseOnExec, 0);
        return fd >= 0 ? fd : -Errno.Last;
    }

    /// <summary>Opens a directory that may be entered, or nothing.</summary>
    public static SafeFileHandle? OpenToEnter(string directory)
    {
        // What lies within is looked up, and be it itself, only by who may enter it.
        var fd = Open($"{directory}/.", PathOnly);
        return fd < 0 ? null : new SafeFileHandle(fd, ownsHandle: true);
    }

    /// <summary>Where a path leads, with every link in it followed; null if to nothing.</summary>
    public static string? Real(string path)
    {
        var fd = Open(path, PathOnly);
        if (fd < 0) return null;
        using var handle = new SafeFileHandle(fd, ownsHandle: true);
        return new FileInfo(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{fd}")).LinkTarget;
    }

    /// <summary>Makes a FIFO, 0600 and owned as asked; one that is there already is taken as it is.</summary>
    public static void MakeFifo(string path, uint uid, uint gid)
    {
        if (mkfifo(path, 0x180) != 0 && Errno.Last != Errno.Exists) throw Errno.Failure($"mkfifo {path}");
        if (uid != 0 && chown(path, uid, gid) != 0) throw Errno.Failure($"chown {path}");
    }

    /// <summary>Best effort: a smaller pipe only makes its writer wait sooner.</summary>
    public static void SizePipe(int fd, int bytes = PipeBytes) => _ = fcntl(fd, SetPipeSize, bytes);

    /// <summary>How many bytes a read would find.</summary>
    public static int Readable(int fd)
    {
        var count = 0;
        return ioctl(fd, BytesReadable, ref count) == 0 ? count : 0;
    }

    /// <summary>Bytes read, 0 at end of file, or the negative errno.</summary>
    public static unsafe int Read(int fd, byte* to, int count)
    {
        while (true)
        {
            var got = read(fd, to, (nuint)count);
            if (got >= 0) return (int)got;
            if (Errno.Last != Errno.Interrupted) return -Errno.Last;
        }
    }

    /// <summary>Bytes written, or the negative errno.</summary>
    public static unsafe int Write(int fd, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* from = bytes)
        {
            while (true)
            {
                var put = write(fd, from, (nuint)bytes.Length);
                if (put >= 0) return (int)put;
                if (Errno.Last != Errno.Interrupted) return -Errno.Last;
            }
        }
    }

    /// <summary>
    /// Copies what a pipe holds into another without taking it out. Bytes copied, or the negative errno.
    /// </summary>
    public static int Tee(int from, int to, int count)
    {
        var copied = tee(from, to, (nuint)count, 2);
        return copied >= 0 ? (int)copied : -Errno.Last;
    }

    public static (int Read, int Write) Pipe()
    {
        Span<int> ends = stackalloc int[2];
        return pipe2(ref MemoryMarshal.GetReference(ends), CloseOnExec | NonBlocking) == 0
            ? (ends[0], ends[1])
            : throw Errno.Failure("pipe2");
    }

    /// <summary>A file without a name, in memory, open until its last descriptor is closed; inheritable.</summary>
    public static int Memory(string label)
    {
        var fd = memfd_create(label, 0);
        return fd >= 0 ? fd : throw Errno.Failure("memfd_create");
    }

    /// <summary>Whether the next program in this process has the descriptor too.</summary>
    public static void Inherit(int fd, bool inherited)
    {
        const int CloseOnExecFlag = 1;
        if (fcntl(fd, SetDescriptorFlags, inherited ? 0 : CloseOnExecFlag) != 0) throw Errno.Failure("fcntl(F_SETFD)");
    }

    public static void Close(int fd) => _ = close(fd);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mkfifo(string path, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int chown(string path, uint uid, uint gid);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(int fd, int command, int argument);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(int fd, nuint request, ref int value);

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial nint read(int fd, byte* to, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial nint write(int fd, byte* from, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint tee(int from, int to, nuint count, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int pipe2(ref int ends, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int memfd_create(string name, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int fd);
}
