using System.IO;
using System.Net;
using System.Net.Sockets;
using Agent.Shell.Linux;
using Microsoft.Win32.SafeHandles;

namespace Agent.Shell.Api;

/// <summary>The API's socket in the file system.</summary>
internal static class SocketFile
{
    private const UnixFileMode OwnerAndGroup =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    /// <summary>Makes way for a new socket. Refuses if somebody answers at the path, or if it is no socket.</summary>
    public static void Clear(string path)
    {
        if (FileKind.IsSocket(path) is not { } isSocket) return;
        if (!isSocket) throw new IOException($"{path}: is not a socket; remove it or choose another path");
        if (Answers(path)) throw new IOException($"{path}: another agent answers on this socket; stop it first");
        File.Delete(path);
    }

    /// <summary>
    /// A bound socket that nobody but owner and group could open at any instant: the kernel gives the file the mode
    /// that the socket has when it is bound.
    /// </summary>
    public static Socket Bind(EndPoint endpoint)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            using (var handle = new SafeFileHandle(socket.Handle, ownsHandle: false))
            {
                File.SetUnixFileMode(handle, OwnerAndGroup);
            }

            socket.Bind(endpoint);

            // The umask may have taken the group's bits.
            File.SetUnixFileMode(endpoint.ToString()!, OwnerAndGroup);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static bool Answers(string path)
    {
        using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        client.Blocking = false;
        try
        {
            client.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return false;
        }
        catch (SocketException busy) when (busy.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
        {
            // Its queue of connections is full: somebody listens.
            return true;
        }
    }
}
