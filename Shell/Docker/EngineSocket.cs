using System.IO;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;

namespace Agent.Shell.Docker;

/// <summary>A connection to an engine's Unix socket, for HTTP to be spoken on.</summary>
internal static class EngineSocket
{
    /// <summary>Throws SocketException, or ArgumentException for a path that no socket can have.</summary>
    public static async ValueTask<Stream> ConnectAsync(string path, CancellationToken limit) =>
        new NetworkStream(await OpenAsync(path, limit).ConfigureAwait(false), ownsSocket: true);

    public static async ValueTask<Socket> OpenAsync(string path, CancellationToken limit)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), limit).ConfigureAwait(false);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
