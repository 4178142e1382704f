using System;
using System.Collections.Concurrent;
using System.IO;
using System.Net.Sockets;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

namespace Agent.Tests.Containers;

/// <summary>A Unix socket that says what the test wants to each request, and serves many at once as engines do.</summary>
internal sealed class LittleEngine : IAsyncDisposable
{
    private readonly CancellationTokenSource _ending = new();
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly Func<Stream, string, CancellationToken, Task> _answer;
    private readonly ConcurrentBag<Task> _serving = [];
    private readonly Task _accepting;

    /// <param name="answer">Told the request's line; the connection ends with it.</param>
    public LittleEngine(string path, Func<Stream, string, CancellationToken, Task> answer)
    {
        _answer = answer;
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        _listener.Listen(64);
        _accepting = AcceptAsync();
    }

    /// <summary>The head of the newest request.</summary>
    public string Head { get; private set; } = "";

    /// <summary>The lines of all requests.</summary>
    public ConcurrentQueue<string> Lines { get; } = new();

    /// <summary>The line of the newest request.</summary>
    public string Asked { get; private set; } = "";

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _accepting;
        await Task.WhenAll(_serving);
        _listener.Dispose();
        _ending.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _serving.Add(ServeAsync(await _listener.AcceptAsync(_ending.Token)));
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(Socket connection)
    {
        try
        {
            using (connection)
            {
                await using var stream = new NetworkStream(connection);
                var head = new byte[16 << 10];
                var length = 0;
                while (!Encoding.ASCII.GetString(head, 0, length).Contains("\r\n\r\n", StringComparison.Ordinal))
                {
                    var count = await stream.ReadAsync(head.AsMemory(length), _ending.Token);
                    if (count == 0) return;
                    length += count;
                }

                Head = Encoding.ASCII.GetString(head, 0, length);
                Asked = Head.Split("\r\n")[0];
                Lines.Enqueue(Asked);
                await _answer(stream, Asked, _ending.Token);
            }
        }
        catch (Exception end) when (end is IOException or SocketException or OperationCanceledException)
        {
            // The client has heard enough, or the test is over.
        }
    }
}
