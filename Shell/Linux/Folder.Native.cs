using System;
using System.Runtime.InteropServices;

namespace Agent.Shell.Linux;

/// <summary>The kernel's calls relative to a directory.</summary>
internal sealed partial class Folder
{
    private const int ReadWrite = 2;
    private const int CreateNew = 0x40;
    private const int Exclusive = 0x80;
    private const int NonBlocking = 0x800;
    private const int DirectoryOnly = 0x10000;
    private const int NoFollow = 0x20000;
    private const int CloseOnExec = 0x80000;
    private const int PathOnly = 0x200000;

    private const int OpenAt2 = 437;
    private const ulong NoOtherFileSystem = 1;
    private const ulong NoMagicLinks = 2;
    private const ulong NoSymlinks = 4;
    private const ulong Beneath = 8;

    private const int RemoveDirectory = 0x200;
    private const int EmptyPath = 0x1000;
    private const uint BasicStatus = 0x7FF;
    private const int StatxLength = 256;

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct OpenHow(ulong Flags, ulong Mode, ulong Resolve);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, uint mode);

    // The C library has no wrapper for openat2.
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint syscall(nint number, nint directory, string path, in OpenHow how, nint size);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mkdirat(int directory, string path, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int symlinkat(string target, int directory, string path);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial nint readlinkat(int directory, string path, byte* target, nuint count);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int renameat2(int directory, string path, int newDirectory, string newPath, uint flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int unlinkat(int directory, string path, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int directory, string path, int flags, uint mask, Span<byte> status);

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial nint getdents64(int directory, byte* entries, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fchmod(int fd, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(int fd);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fstatvfs(int fd, Span<ulong> status);
}
