using System.Collections.Generic;
using System.Runtime.InteropServices;

namespace Agent.Shell.Linux;

/// <summary>
/// Goes on as another program in the same process: its pid, its children, what it ignores and the descriptors that were
/// made inheritable stay; all else of this program is gone.
/// </summary>
internal static unsafe partial class Execution
{
    // Larger than glibc's sigset_t (128 bytes).
    private const int SignalSetBytes = 1024;

    private const int SetMask = 2;

    /// <summary>Returns only where it was refused, with the errno; nothing has changed then.</summary>
    public static int Replace(string program, IReadOnlyList<string> arguments, IReadOnlyList<string> environment)
    {
        using var words = new NativeStrings(arguments);
        using var variables = new NativeStrings(environment);

        // The mask outlives the call, and the next program expects that nothing is blocked.
        var none = stackalloc byte[SignalSetBytes];
        _ = sigemptyset(none);
        _ = pthread_sigmask(SetMask, none, null);
        _ = execve(program, words.Pointer, variables.Pointer);
        return Errno.Last;
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int execve(string path, byte** arguments, byte** environment);

    [LibraryImport("libc")]
    private static partial int sigemptyset(byte* signals);

    [LibraryImport("libc")]
    private static partial int pthread_sigmask(int how, byte* signals, byte* old);
}
