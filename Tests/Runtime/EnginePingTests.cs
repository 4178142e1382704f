using System;
using System.Diagnostics;
using System.IO;
using System.Net.Sockets;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Docker;
using Xunit;

namespace Agent.Tests.Runtime;

public sealed class EnginePingTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("ping-").FullName;

    private string Path => System.IO.Path.Combine(_directory, "s");

    /// RT-4: ready is an engine that answers 200; it tells its version, and the kernel its pid.
    [Fact]
    public async Task An_engine_that_answers_200_is_ready()
    {
        var answer = await PingAsync("HTTP/1.1 200 OK\r\nServer: Docker/20.10.24 (linux)\r\n\r\nOK");
        Assert.Equal(new PingAnswer.Answered("Docker/20.10.24 (linux)", Environment.ProcessId), answer);
    }

    /// RT-4: nothing but 200 is readiness.
    [Theory]
    [InlineData("HTTP/1.1 503 Service Unavailable\r\n\r\n", "status 503")]
    [InlineData("HTTP/1.1 2000 OK\r\n\r\n", "status 2000")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n", "not HTTP")]
    [InlineData("", "without an answer")]
    public async Task Every_other_answer_is_none(string bytes, string detail)
    {
        var answer = Assert.IsType<PingAnswer.NotYet>(await PingAsync(bytes));
        Assert.Contains(detail, answer.Detail, StringComparison.Ordinal);
        Assert.True(answer.Listening);
    }

    /// RT-4: the answer is bounded, whatever it is.
    [Fact]
    public async Task An_endless_head_is_read_up_to_its_limit()
    {
        var answer = await PingAsync("HTTP/1.1 200 OK\r\nX: " + new string('x', 1 << 20));
        Assert.Equal(new PingAnswer.Answered(null, Environment.ProcessId), answer);
    }

    /// RT-4: a socket that connects is not readiness, and waiting for more is bounded.
    [Fact]
    public async Task A_socket_that_accepts_and_says_nothing_costs_its_limit()
    {
        using var listener = Listen();
        var clock = Stopwatch.StartNew();
        var answer = Assert.IsType<PingAnswer.NotYet>(await EnginePing.PingAsync(Path, CancellationToken.None));
        Assert.Equal("it accepts connections but does not answer", answer.Detail);
        Assert.InRange(clock.Elapsed.TotalSeconds, 2.9, 4);
        Assert.IsType<PingAnswer.Answered>(await EnginePing.ConnectAsync(Path, CancellationToken.None));
    }

    /// RT-4: a call given up by its caller ends at once and throws nothing.
    [Fact]
    public async Task A_ping_given_up_ends_at_once()
    {
        using var listener = Listen();
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
        var clock = Stopwatch.StartNew();
        Assert.IsType<PingAnswer.NotYet>(await EnginePing.PingAsync(Path, stop.Token));
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 2);
    }

    /// RT-4: a full backlog is somebody busy, not nobody.
    [Fact]
    public async Task A_full_backlog_is_not_yet()
    {
        using var listener = Listen(backlog: 0);
        using var first = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await first.ConnectAsync(new UnixDomainSocketEndPoint(Path));
        var answer = Assert.IsType<PingAnswer.NotYet>(await EnginePing.PingAsync(Path, CancellationToken.None));
        Assert.True(answer.Listening);
    }

    /// RT-9: a missing socket is not ready; one that nobody listens on is an error.
    [Fact]
    public async Task A_missing_socket_and_a_dead_one_differ()
    {
        var missing = Assert.IsType<PingAnswer.NotYet>(await EnginePing.PingAsync(Path, CancellationToken.None));
        Assert.Equal($"{Path} does not exist", missing.Detail);
        Assert.False(missing.Listening);

        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(Path));
            var refused = Assert.IsType<PingAnswer.Refused>(await EnginePing.PingAsync(Path, CancellationToken.None));
            Assert.Equal($"nobody listens on {Path}", refused.Detail);
        }
    }

    /// RT-4: whatever the path is, the answer is a value.
    [Fact]
    public async Task A_path_that_no_socket_can_have_is_refused()
    {
        Assert.IsType<PingAnswer.Refused>(
            await EnginePing.PingAsync("/" + new string('x', 200), CancellationToken.None));
        Assert.IsType<PingAnswer.Refused>(await EnginePing.PingAsync("", CancellationToken.None));
        Assert.IsType<PingAnswer.Refused>(await EnginePing.PingAsync(_directory, CancellationToken.None));
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private Socket Listen(int backlog = 8)
    {
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(Path));
        listener.Listen(backlog);
        return listener;
    }

    /// <summary>Pings a server that reads the request, says these bytes and closes.</summary>
    private async Task<PingAnswer> PingAsync(string bytes)
    {
        using var listener = Listen();
        var answer = EnginePing.PingAsync(Path, CancellationToken.None);
        using (var connection = await listener.AcceptAsync())
        {
            var request = new byte[256];
            var length = await connection.ReceiveAsync(request);
            var text = Encoding.ASCII.GetString(request, 0, length);
            Assert.StartsWith("GET /_ping HTTP/1.0\r\n", text, StringComparison.Ordinal);
            try
            {
                await connection.SendAsync(Encoding.ASCII.GetBytes(bytes));
            }
            catch (SocketException)
            {
                // The client has read enough and is gone.
            }
        }

        return await answer;
    }
}
