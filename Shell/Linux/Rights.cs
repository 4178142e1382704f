using System;
using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Threading;

namespace Agent.Shell.Linux;

/// <summary>
/// Looks at the host with another user's rights: what he may not reach is not there. They are the rights of a thread of its
/// own, which ends with the look; the process keeps its own. Only root can take another's.
/// </summary>
internal static partial class Rights
{
    private const int StackBytes = 256 << 10;

    // Of a disk under load; what takes longer is a server that is gone, and everybody waits for this look.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    // _LINUX_CAPABILITY_VERSION_3
    private const uint CapabilityVersion = 0x20080522;

    /// <exception cref="Win32Exception">The kernel does not give them.</exception>
    [SuppressMessage("Design", "CA1031", Justification = "whatever it was, it is thrown again on the caller's thread")]
    public static T Of<T>(uint uid, uint gid, uint[] groups, Func<T> look)
    {
        var (seen, failure) = (default(T), (Exception?)null);
        var thread = new Thread(
            () =>
            {
                try
                {
                    Take(uid, gid, groups);
                    seen = look();
                }
                catch (Exception thrown)
                {
                    failure = thrown;
                }
            },
            StackBytes);
        thread.IsBackground = true;
        thread.Start();
        if (!thread.Join(Patience)) throw new Win32Exception("the file system does not answer");
        if (failure is not null) ExceptionDispatchInfo.Throw(failure);
        return seen!;
    }

    /// <summary>
    /// The kernel keeps rights by thread; it is glibc that carries a change of groups to all of them, so that call is made
    /// without it. Of its two others only a second call tells whether they had an effect. With the file system's user goes
    /// root's right to every file, and with the capabilities the one to look into everybody's processes, whose directories
    /// /proc leads to.
    /// </summary>
    private static unsafe void Take(uint uid, uint gid, uint[] groups)
    {
        fixed (uint* first = groups)
        {
            if (syscall(SetGroups, groups.Length, first) != 0) throw Errno.Failure("setgroups");
        }

        _ = setfsgid(gid);
        _ = setfsuid(uid);
        if (setfsgid(gid) != gid || setfsuid(uid) != uid) throw new Win32Exception($"the kernel does not give the rights of user {uid}");

        // The header asks for this thread; what follows is effective, permitted and inheritable, in two halves: none.
        ReadOnlySpan<uint> capabilities = [CapabilityVersion, 0, 0, 0, 0, 0, 0, 0];
        fixed (uint* header = capabilities)
        {
            if (syscall(SetCapabilities, (nint)header, header + 2) != 0) throw Errno.Failure("capset");
        }
    }

    private static nint SetGroups => Number(116, 159);

    private static nint SetCapabilities => Number(126, 91);

    private static nint Number(nint x64, nint arm64) => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => x64,
        Architecture.Arm64 => arm64,
        var other => throw new Win32Exception($"the numbers of the kernel's calls are not known for {other}"),
    };

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial nint syscall(nint number, nint first, uint* second);

    [LibraryImport("libc")]
    private static partial uint setfsuid(uint uid);

    [LibraryImport("libc")]
    private static partial uint setfsgid(uint gid);
}
