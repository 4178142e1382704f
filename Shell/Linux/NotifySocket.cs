using System;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Agent.Shell.Linux;

/// <summary>
/// The receiving end of sd_notify: a datagram socket with an abstract name, on which the kernel tells who sends.
/// </summary>
internal sealed unsafe partial class NotifySocket : IDisposable
{
    private const int Unix = 1;
    private const int Datagram = 2;
    private const int NonBlocking = 0x800;
    private const int CloseOnExec = 0x80000;
    private const int SocketLevel = 1;
    private const int PassCredentials = 16;
    private const int CredentialsMessage = 2;

    // sun_family, the NUL that makes the name abstract, and as much of the name as the kernel's struct has room for.
    private const int MostName = 107;

    // The protocol's messages are a few short lines; what is longer is cut, and says nothing to us behind the cut.
    private const int MostBytes = 4096;

    /// <summary>One that is bound already, by the program before in this process.</summary>
    public NotifySocket(int fd) => Fd = fd;

    public int Fd { get; }

    /// <summary>Throws where the name is taken or too long.</summary>
    public static NotifySocket Bind(string name)
    {
        var bytes = Encoding.UTF8.GetBytes(name);
        if (bytes.Length > MostName) throw new ArgumentException($"longer than {MostName} bytes", nameof(name));
        var fd = socket(Unix, Datagram | NonBlocking | CloseOnExec, 0);
        if (fd < 0) throw Errno.Failure("socket");
        Span<byte> address = stackalloc byte[3 + MostName];
        address.Clear();
        address[0] = Unix;
        bytes.CopyTo(address[3..]);
        var yes = 1;
        fixed (byte* start = address)
        {
            if (setsockopt(fd, SocketLevel, PassCredentials, &yes, sizeof(int)) == 0 && bind(fd, start, 3 + bytes.Length) == 0)
            {
                return new(fd);
            }
        }

        var failure = Errno.Failure(string.Create(CultureInfo.InvariantCulture, $"bind of @{name}"));
        Descriptors.Close(fd);
        throw failure;
    }

    /// <summary>The next message and its sender's user; nothing if there is none. Descriptors sent along are not taken.</summary>
    public (string Text, uint Uid)? Receive()
    {
        var bytes = stackalloc byte[MostBytes];

        // Room for the credentials, which come first, and for nothing behind them.
        var control = stackalloc byte[32];
        var part = new Part { Start = bytes, Length = MostBytes };
        var message = new Message { Parts = &part, PartCount = 1, Control = control, ControlLength = 32 };
        nint got;
        do
        {
            got = recvmsg(Fd, &message, CloseOnReceive);
        }
        while (got < 0 && Errno.Last == Errno.Interrupted);
        if (got < 0) return null;
        var isKnown = message.ControlLength >= 28 && *(int*)(control + 8) == SocketLevel && *(int*)(control + 12) == CredentialsMessage;
        return (Encoding.UTF8.GetString(bytes, (int)got), isKnown ? *(uint*)(control + 20) : uint.MaxValue);
    }

    public void Dispose() => Descriptors.Close(Fd);

    // MSG_CMSG_CLOEXEC
    private const int CloseOnReceive = 0x40000000;

    [StructLayout(LayoutKind.Sequential)]
    private struct Part
    {
        public byte* Start;
        public nuint Length;
    }

    /// <summary>The kernel's struct msghdr, as on 64 bits.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Message
    {
        public byte* Name;
        public uint NameLength;
        public Part* Parts;
        public nuint PartCount;
        public byte* Control;
        public nuint ControlLength;
        public int Flags;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int socket(int domain, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int bind(int fd, byte* address, int length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setsockopt(int fd, int level, int option, int* value, int length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recvmsg(int fd, Message* message, int flags);
}
