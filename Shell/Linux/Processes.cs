using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Runtime.InteropServices;

namespace Agent.Shell.Linux;

/// <summary>How a process ended, as the kernel accounts for it.</summary>
internal readonly record struct Reaped(int Code, int Signal, long CpuMilliseconds, long PeakMemoryBytes)
{
    /// <summary>
    /// Reads the kernel's wait status: a signal in the low seven bits, otherwise a code in the next eight.
    /// </summary>
    public static Reaped From(int status, long cpu = 0, long peak = 0) =>
        (status & 0x7f) == 0 ? new((status >> 8) & 0xff, 0, cpu, peak) : new(0, status & 0x7f, cpu, peak);
}

/// <summary>Processes by pidfd and /proc: opened, signalled, waited for, told apart by their start time.</summary>
internal static partial class Processes
{
    public const int Kill = 9;

    private const nint PidfdOpen = 434;
    private const nint PidfdSendSignal = 424;
    private const int NoHang = 1;
    private const int SetChildSubreaper = 36;

    // _IOWR(0xFF, 11, struct pidfd_info), which since Linux 6.15 tells a reaped process's exit to anyone who holds it.
    private const nuint PidfdGetInfo = 0xC040FF0B;
    private const ulong InfoExit = 1 << 3;
    private const int InfoExitAt = 60;

    public static string BootId { get; } = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();

    public static uint EffectiveUser { get; } = geteuid();

    /// <summary>A descriptor that stays with this very process. Negative: errno.</summary>
    public static int Open(int pid)
    {
        var fd = syscall(PidfdOpen, pid, 0, 0, 0);
        return fd >= 0 ? (int)fd : -Errno.Last;
    }

    /// <summary>Signals the process behind the pidfd; false if it is gone.</summary>
    public static bool Signal(int pidfd, int signal) => syscall(PidfdSendSignal, pidfd, signal, 0, 0) == 0;

    /// <summary>Signals a process group. Only for a group whose leader is known not to be reaped.</summary>
    public static bool SignalGroup(int leader, int signal) => leader > 1 && kill(-leader, signal) == 0;

    /// <summary>Takes the exit of an own child that has ended; nothing if it has not, or is no child.</summary>
    public static unsafe Reaped? TryReap(int pid)
    {
        var usage = stackalloc long[18];
        int got;
        int status;
        do
        {
            got = wait4(pid, out status, NoHang, usage);
        }
        while (got < 0 && Errno.Last == Errno.Interrupted);
        if (got != pid) return null;
        var cpu = (usage[0] + usage[2]) * 1000 + (usage[1] + usage[3]) / 1000;
        return Reaped.From(status, cpu, usage[4] * 1024);
    }

    /// <summary>
    /// An ended child, whichever it is, left where it is. 0: none. A siginfo_t's union begins after 16 bytes where words
    /// have eight.
    /// </summary>
    public static unsafe int PeekEnded()
    {
        const int ChildAt = 4;
        var info = stackalloc int[32];
        info[ChildAt] = 0;
        const int AnyChild = 0;
        const int ExitedNoHangNoWait = 4 | 1 | 0x01000000;
        return waitid(AnyChild, 0, info, ExitedNoHangNoWait) == 0 ? info[ChildAt] : 0;
    }

    /// <summary>Takes the exits of all children that have ended, where nobody asks how.</summary>
    public static void ReapAll()
    {
        while (PeekEnded() is > 0 and var pid) TryReap(pid);
    }

    /// <summary>The exit of a process that is no child of ours, where this kernel tells it.</summary>
    public static unsafe Reaped? TryExitOfStranger(int pid, int pidfd)
    {
        // A zombie that its parent has not taken yet shows its status as the last field of its stat.
        if (Fields(pid) is ["Z", .., var last]
            && int.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out var status))
        {
            return Reaped.From(status);
        }

        var info = stackalloc byte[64];
        new Span<byte>(info, 64).Clear();
        *(ulong*)info = InfoExit;
        if (ioctl(pidfd, PidfdGetInfo, info) != 0 || (*(ulong*)info & InfoExit) == 0) return null;
        return Reaped.From(*(int*)(info + InfoExitAt));
    }

    /// <summary>Clock ticks since boot at which the process started; nothing if there is none.</summary>
    public static long? StartTime(int pid)
    {
        const int TwentySecond = 19;
        return Fields(pid) is { } fields && fields[0] is not ("Z" or "X")
            ? long.Parse(fields[TwentySecond], CultureInfo.InvariantCulture)
            : null;
    }

    /// <summary>
    /// There is no such process, or it has ended and nobody took its exit. One that hides from this agent is there: the
    /// kernel then refuses a signal, rather than finding nobody to give it to.
    /// </summary>
    public static bool IsGone(int pid)
    {
        try
        {
            if (Fields(pid) is { } fields) return fields[0] is "Z" or "X";
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }

        return kill(pid, 0) != 0 && Errno.Last == Errno.NoSuchProcess;
    }

    /// <summary>Is it in a control group of this name, such as a container's, by its id? No where it cannot be told.</summary>
    public static bool IsInGroupOf(int pid, string id)
    {
        try
        {
            var path = string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/cgroup");
            return File.ReadAllText(path).Contains(id, StringComparison.Ordinal);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Does it wait in the kernel for something that no signal breaks off, such as a disk or a mount?</summary>
    public static bool IsUninterruptible(int pid) => Fields(pid) is ["D", ..];

    /// <summary>
    /// Has it no memory at the moment, and so no environment: it is about to end, or to become another program? The address
    /// of its code is 0 then, and 1 where it is not for us to know.
    /// </summary>
    public static bool IsFading(int pid)
    {
        const int TwentySixth = 23;
        return Fields(pid) is { Length: > TwentySixth } fields && fields[0] is not ("Z" or "X") && fields[TwentySixth] == "0";
    }

    /// <summary>The parent and the session of a process.</summary>
    public static (int Parent, int Session)? Family(int pid)
    {
        if (Fields(pid) is not { } fields) return null;
        return (int.Parse(fields[1], CultureInfo.InvariantCulture), int.Parse(fields[3], CultureInfo.InvariantCulture));
    }

    /// <summary>Does that process number processes as this one does? No where it cannot be told.</summary>
    public static bool SharesIds(int pid)
    {
        const string Own = "/proc/self/ns/pid";
        try
        {
            var other = string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/ns/pid");
            return pid > 0 && new FileInfo(other).LinkTarget is { } theirs && theirs == new FileInfo(Own).LinkTarget;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>The real user of a process; nothing if there is none.</summary>
    public static uint? UserOf(int pid)
    {
        try
        {
            foreach (var line in File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/status")))
            {
                if (line.StartsWith("Uid:\t", StringComparison.Ordinal)) return uint.Parse(line.Split('\t')[1], CultureInfo.InvariantCulture);
            }
        }
        catch (IOException)
        {
            // It is gone.
        }

        return null;
    }

    /// <summary>Every process that is visible here.</summary>
    public static IEnumerable<int> All()
    {
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out var pid)) yield return pid;
        }
    }

    /// <summary>The children of a process, orphans that it was given among them; none if it is gone.</summary>
    public static IReadOnlyList<int> ChildrenOf(int pid)
    {
        var children = new List<int>();
        try
        {
            foreach (var thread in Directory.EnumerateDirectories(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/task")))
            {
                AddChildren(thread, children);
            }
        }
        catch (IOException)
        {
            // It ended while we looked, or one of its threads did; whoever is left of its children is given to its reaper.
        }

        return children;
    }

    /// <summary>The children of its first thread: to that one orphans are given, and it costs a fraction of asking for all.</summary>
    public static IReadOnlyList<int> GivenTo(int pid)
    {
        var children = new List<int>();
        try
        {
            AddChildren(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/task/{pid}"), children);
        }
        catch (IOException)
        {
            // It is gone.
        }

        return children;
    }

    /// <summary>From here on, orphaned descendants become children of this process.</summary>
    public static void BecomeSubreaper()
    {
        if (prctl(SetChildSubreaper, 1, 0, 0, 0) != 0) throw Errno.Failure("prctl(PR_SET_CHILD_SUBREAPER)");
    }

    /// <summary>Lets a signal pass without effect.</summary>
    public static void Ignore(int signal) => _ = signal_(signal, 1);

    private static void AddChildren(string thread, List<int> children)
    {
        foreach (var child in File.ReadAllText(Path.Combine(thread, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            children.Add(int.Parse(child, CultureInfo.InvariantCulture));
        }
    }

    /// <summary>Of a process's stat what comes behind its name, which is in parentheses and may hold anything: its state first.</summary>
    private static string[]? Fields(int pid)
    {
        try
        {
            var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            return stat[(stat.LastIndexOf(')') + 2)..].TrimEnd().Split(' ');
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, nint a, nint b, nint c, nint d);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int pid, int signal);

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial int wait4(int pid, out int status, int options, long* usage);

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial int waitid(int kind, int id, int* info, int options);

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial int ioctl(int fd, nuint request, byte* value);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int prctl(int option, nuint a, nuint b, nuint c, nuint d);

    [LibraryImport("libc")]
    private static partial uint geteuid();

    [LibraryImport("libc", EntryPoint = "signal", SetLastError = true)]
    private static partial nint signal_(int number, nint handler);
}
