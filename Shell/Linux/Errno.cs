using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Agent.Shell.Linux;

/// <summary>The kernel's error numbers that decisions depend on.</summary>
internal static class Errno
{
    public const int NoEntry = 2;
    public const int NoSuchProcess = 3;
    public const int Interrupted = 4;
    public const int NoChild = 10;
    public const int Again = 11;
    public const int Access = 13;
    public const int Exists = 17;
    public const int OtherDevice = 18;
    public const int NotDirectory = 20;
    public const int NoSpace = 28;
    public const int Pipe = 32;
    public const int Loop = 40;
    public const int Quota = 122;

    public static int Last => Marshal.GetLastPInvokeError();

    public static Win32Exception Failure(string call) => new(Last, $"{call}: {Marshal.GetPInvokeErrorMessage(Last)}");

    public static string Text(int errno) => $"{FileFailure.Name(errno)}, {Marshal.GetPInvokeErrorMessage(errno)}";
}
