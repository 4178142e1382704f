using System;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Rollout;

namespace Agent.Shell.Probes;

/// <summary>The port takes a connection, which is closed at once.</summary>
internal static class TcpProbe
{
    public static async Task<ProbeResult> RunAsync(ProbeCheck.Tcp check, CancellationToken limit)
    {
        if (Uri.CheckHostName(check.Host) == UriHostNameType.Unknown)
        {
            return ProbeResult.Inconclusive("its host is no name and no address");
        }

        if (check.Port is < 1 or > ushort.MaxValue) return ProbeResult.Inconclusive("its port is none");
        try
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(check.Host, check.Port, limit).ConfigureAwait(false);

            // A connection to a port of this host's own range may be given that very port, and then meets itself.
            return Equals(socket.LocalEndPoint, socket.RemoteEndPoint)
                ? ProbeResult.Failed("connection refused")
                : ProbeResult.Passed("connected");
        }
        catch (SocketException failure) when (!limit.IsCancellationRequested)
        {
            return BrokenConnection.Judge(failure);
        }
    }
}
