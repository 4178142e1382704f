using System;
using System.IO;
using System.Runtime.InteropServices;

namespace Agent.Shell.Linux;

/// <summary>What kind of thing a path names; the BCL tells sockets from files nowhere.</summary>
internal static partial class FileKind
{
    private const int AtFdCwd = -100;
    private const int AtSymlinkNoFollow = 0x100;
    private const uint StatxType = 1;
    private const int StatxLength = 256;
    private const int ModeOffset = 28;
    private const int KindMask = 0xF000;
    private const int SocketKind = 0xC000;
    private const int Enoent = 2;

    /// <summary>Null if there is nothing at the path. A link counts as itself.</summary>
    public static bool? IsSocket(string path)
    {
        Span<byte> status = stackalloc byte[StatxLength];
        if (Statx(AtFdCwd, path, AtSymlinkNoFollow, StatxType, status) != 0)
        {
            var error = Marshal.GetLastPInvokeError();
            return error == Enoent ? null : throw new IOException($"{path}: {Marshal.GetPInvokeErrorMessage(error)}");
        }

        return (MemoryMarshal.Read<ushort>(status[ModeOffset..]) & KindMask) == SocketKind;
    }

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int directory, string path, int flags, uint mask, Span<byte> status);
}
