using System;
using System.Buffers.Binary;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Agent.Core.Model;

namespace Agent.Shell.Linux;

/// <summary>Who is at the other end of a Unix socket: what the kernel noted when the peer connected.</summary>
internal static class PeerCredentials
{
    private const int SolSocket = 1;
    private const int SoPeerCred = 17;

    // struct ucred { pid_t pid; uid_t uid; gid_t gid; }
    private const int CredentialsLength = 12;
    private const int UidOffset = 4;

    public static Principal Of(Socket socket) => new(Read(socket, UidOffset));

    /// <summary>The process that listens where this socket connected.</summary>
    public static int ProcessOf(Socket socket) => (int)Read(socket, 0);

    private static uint Read(Socket socket, int offset)
    {
        Span<byte> credentials = stackalloc byte[CredentialsLength];
        var length = socket.GetRawSocketOption(SolSocket, SoPeerCred, credentials);
        if (length != CredentialsLength) throw new SocketException((int)SocketError.ProtocolOption);
        return MemoryMarshal.Read<uint>(credentials[offset..]);
    }
}
