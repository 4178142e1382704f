using System;
using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

namespace Agent.Shell.Docker;

/// <summary>
/// Asks over a Unix socket whether a daemon serves. Every call is bounded in time and never throws; a call given up
/// through its token answers NotYet. One request of fixed bytes needs no HTTP client.
/// </summary>
internal static class EnginePing
{
    /// <summary>A ping's answer takes some 300 bytes, a version's some 1200; more is not an engine.</summary>
    private const int MaxAnswerBytes = 4096;

    private const int MaxVersionLength = 64;

    /// <summary>A Unix connect takes microseconds; this long only when the backlog is full.</summary>
    public static readonly TimeSpan ConnectLimit = TimeSpan.FromMilliseconds(500);

    /// <summary>An engine under load answers late; one that takes longer is as good as silent.</summary>
    public static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(3);

    private static ReadOnlySpan<byte> HeadEnd => "\r\n\r\n"u8;

    /// <summary>Does the engine answer `GET /_ping` with 200? That it can be connected to is not enough.</summary>
    public static Task<PingAnswer> PingAsync(string socketPath, CancellationToken stop) =>
        AskAsync(socketPath, "/_ping", whole: false, Read, stop);

    /// <summary>
    /// Does it say of itself that it does not reach its containerd? It answers pings without one and takes seconds to
    /// find one that came up again; `GET /version` lists containerd among the components only while it is reached.
    /// </summary>
    public static async Task<bool> HasLostContainerdAsync(string socketPath, CancellationToken stop) =>
        await AskAsync(socketPath, "/version", whole: true, ReadLoss, stop) is PingAnswer.NotYet;

    /// <summary>Does anybody accept connections? All there is to ask of containerd without gRPC.</summary>
    public static async Task<PingAnswer> ConnectAsync(string socketPath, CancellationToken stop)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        return await ConnectAsync(socket, socketPath, stop) ?? new PingAnswer.Answered(null, Listener(socket));
    }

    /// <summary>Null once connected.</summary>
    private static async Task<PingAnswer?> ConnectAsync(Socket socket, string path, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(ConnectLimit);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), limit.Token);
            return null;
        }
        catch (OperationCanceledException)
        {
            return new PingAnswer.NotYet($"{path} does not accept connections", Listening: true);
        }
        catch (SocketException error)
        {
            return error.SocketErrorCode switch
            {
                SocketError.AddressNotAvailable => new PingAnswer.NotYet($"{path} does not exist", Listening: false),
                SocketError.WouldBlock or SocketError.TryAgain =>
                    new PingAnswer.NotYet($"{path} has a full backlog", Listening: true),
                SocketError.ConnectionRefused => new PingAnswer.Refused($"nobody listens on {path}"),
                _ => new PingAnswer.Refused($"{path}: {error.Message}"),
            };
        }
        catch (ArgumentException error)
        {
            return new PingAnswer.Refused($"{path} is no socket path: {error.Message}");
        }
    }

    /// <summary>One request; its answer is read to the end of the head or as a whole. HTTP/1.0 has no chunks.</summary>
    private static async Task<PingAnswer> AskAsync(
        string path, string target, bool whole, Func<string, int?, PingAnswer> read, CancellationToken stop)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        if (await ConnectAsync(socket, path, stop) is { } failure) return failure;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(AnswerLimit);
        var answer = new byte[MaxAnswerBytes];
        var length = 0;
        try
        {
            var request = Encoding.ASCII.GetBytes($"GET {target} HTTP/1.0\r\nHost: engine\r\n\r\n");
            await socket.SendAsync(request, limit.Token);
            while (length < answer.Length && (whole || answer.AsSpan(0, length).IndexOf(HeadEnd) < 0))
            {
                var count = await socket.ReceiveAsync(answer.AsMemory(length), limit.Token);
                if (count == 0) break;
                length += count;
            }

            return read(Encoding.Latin1.GetString(answer, 0, length), Listener(socket));
        }
        catch (OperationCanceledException)
        {
            return new PingAnswer.NotYet("it accepts connections but does not answer", Listening: true);
        }
        catch (SocketException error)
        {
            return new PingAnswer.NotYet($"it broke the connection: {error.Message}", Listening: true);
        }
    }

    private static PingAnswer ReadLoss(string answer, int? pid) =>
        answer.Contains("\"Components\"", StringComparison.Ordinal)
            && !answer.Contains("\"containerd\"", StringComparison.Ordinal)
            ? new PingAnswer.NotYet("containerd is not among its components", Listening: true)
            : new PingAnswer.Answered(null, pid);

    private static PingAnswer Read(string head, int? pid)
    {
        var lines = head.Split("\r\n");
        var status = lines[0].Split(' ');
        if (status.Length < 2 || !status[0].StartsWith("HTTP/1.", StringComparison.Ordinal)
            || !int.TryParse(status[1], NumberStyles.None, CultureInfo.InvariantCulture, out var code))
        {
            return new PingAnswer.NotYet(
                head.Length == 0 ? "it closed the connection without an answer" : "its answer is not HTTP",
                Listening: true);
        }

        return code == 200
            ? new PingAnswer.Answered(Header(lines, "Server"), pid)
            : new PingAnswer.NotYet($"it answers with status {code}", Listening: true);
    }

    private static string? Header(string[] lines, string name)
    {
        foreach (var line in lines)
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon != name.Length || !line.StartsWith(name, StringComparison.OrdinalIgnoreCase)) continue;
            var value = line[(colon + 1)..].Trim();
            return value.Length <= MaxVersionLength ? value : value[..MaxVersionLength];
        }

        return null;
    }

    /// <summary>The process that called listen, by SO_PEERCRED. Pid 1 holds sockets for others: no answer.</summary>
    private static int? Listener(Socket socket)
    {
        const int SolSocket = 1;
        const int SoPeerCred = 17;
        Span<byte> credentials = stackalloc byte[12];
        try
        {
            if (socket.GetRawSocketOption(SolSocket, SoPeerCred, credentials) < sizeof(int)) return null;
        }
        catch (SocketException)
        {
            return null;
        }

        var pid = BitConverter.IsLittleEndian
            ? BinaryPrimitives.ReadInt32LittleEndian(credentials)
            : BinaryPrimitives.ReadInt32BigEndian(credentials);
        return pid > 1 ? pid : null;
    }
}
