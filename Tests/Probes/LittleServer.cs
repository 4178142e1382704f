using System;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

namespace Agent.Tests.Probes;

/// <summary>
/// A server of a few lines that says exactly what the test wants. It takes one connection after the other, and each
/// ends when its answer does or when the server goes.
/// </summary>
internal sealed class LittleServer : IAsyncDisposable
{
    private readonly CancellationTokenSource _ending = new();
    private readonly Socket _listener;
    private readonly Func<Stream, CancellationToken, Task> _serve;
    private readonly Task _serving;

    public LittleServer(EndPoint at, Func<Stream, CancellationToken, Task> serve)
    {
        _serve = serve;
        var tcp = at is IPEndPoint;
        _listener = new Socket(at.AddressFamily, SocketType.Stream, tcp ? ProtocolType.Tcp : ProtocolType.Unspecified);
        _listener.Bind(at);
        _listener.Listen(8);
        _serving = ServeAsync();
    }

    public static EndPoint AnyPort => new IPEndPoint(IPAddress.Loopback, 0);

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    /// <summary>The head of the newest request.</summary>
    public string Asked { get; private set; } = "";

    public int Connections { get; private set; }

    /// <summary>Reads a request and says these bytes.</summary>
    public static LittleServer Saying(string answer) => Http((to, stop) => SayAsync(to, answer, stop));

    /// <summary>Reads a request and goes on as told.</summary>
    public static LittleServer Http(Func<Stream, CancellationToken, Task> answer) => On(AnyPort, answer);

    public static LittleServer On(EndPoint at, Func<Stream, CancellationToken, Task> answer)
    {
        LittleServer? server = null;
        server = new LittleServer(at, async (stream, stop) =>
        {
            var head = await HeadAsync(stream, stop);
            server!.Asked = head;
            await answer(stream, stop);
        });
        return server;
    }

    public static Task SayAsync(Stream to, string text, CancellationToken stop) =>
        to.WriteAsync(Encoding.UTF8.GetBytes(text), stop).AsTask();

    public static Task HangAsync(CancellationToken stop) => Task.Delay(Timeout.Infinite, stop);

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _serving;
        _listener.Dispose();
        _ending.Dispose();
    }

    private static async Task<string> HeadAsync(Stream from, CancellationToken stop)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await from.ReadAsync(one, stop) == 0) break;
            head.Append((char)one[0]);
        }

        return head.ToString();
    }

    private async Task ServeAsync()
    {
        while (!_ending.IsCancellationRequested)
        {
            try
            {
                using var connection = await _listener.AcceptAsync(_ending.Token);
                Connections++;
                await using var stream = new NetworkStream(connection);
                await _serve(stream, _ending.Token);
                connection.Shutdown(SocketShutdown.Send);
            }
            catch (Exception end) when (end is IOException or SocketException or OperationCanceledException)
            {
                // The client has heard enough, or the test is over.
            }
        }
    }
}
