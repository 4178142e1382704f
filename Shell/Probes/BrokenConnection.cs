using System.Net.Http;
using System.Net.Sockets;

namespace Agent.Shell.Probes;

/// <summary>
/// What a connection that failed says of the other side. The words are the same for the same failure, so that one
/// that lasts reads as one.
/// </summary>
internal static class BrokenConnection
{
    public static ProbeResult Judge(SocketException failure) => failure.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => ProbeResult.Failed("connection refused"),
        SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown =>
            ProbeResult.Failed("connection reset"),
        SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.HostDown
            or SocketError.NetworkDown => ProbeResult.Failed("host unreachable"),
        SocketError.TimedOut => ProbeResult.Failed(ProbeRunner.TimedOut),

        // A release that breaks name resolution has failed like one that breaks the network.
        SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain or SocketError.NoRecovery =>
            ProbeResult.Failed("the name does not resolve"),

        // It is this process that has no descriptor, memory or address left.
        SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable or SocketError.AddressNotAvailable =>
            ProbeResult.Inconclusive($"no connection can be made from here ({failure.SocketErrorCode})"),
        _ => ProbeResult.Failed($"the connection failed ({failure.SocketErrorCode})"),
    };

    public static ProbeResult Judge(HttpRequestException failure) => failure switch
    {
        { InnerException: SocketException socket } => Judge(socket),
        { HttpRequestError: HttpRequestError.SecureConnectionError } =>
            ProbeResult.Failed($"TLS failed: {(failure.InnerException ?? failure).Message}"),
        { HttpRequestError: HttpRequestError.ResponseEnded } =>
            ProbeResult.Failed("the connection ended before an answer"),
        { HttpRequestError: HttpRequestError.InvalidResponse } => ProbeResult.Failed("the answer is not HTTP"),
        { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded } =>
            ProbeResult.Failed("the answer's head is too long"),
        _ => ProbeResult.Failed("the connection broke"),
    };
}
