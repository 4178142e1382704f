using System;
using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks;
using Agent.Core.Rollout;
using Xunit;

namespace Agent.Tests.Probes;

public sealed class TcpProbeTests : IDisposable
{
    private readonly Probing _probing = new();

    /// RO-12: a port that takes connections passes, by name, by address and whatever it says.
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("localhost")]
    [InlineData("::ffff:127.0.0.1")]
    public async Task A_port_that_listens_passes(string host)
    {
        await using var server = LittleServer.Saying("");
        var check = new ProbeCheck.Tcp(host, server.Port);
        Assert.Equal(new ProbeOutcome.Passed("connected"), await _probing.RunAsync(check));
    }

    /// RO-12: one that does not fails, in the same words each time.
    [Fact]
    public async Task A_port_that_nobody_listens_on_fails()
    {
        int port;
        await using (var server = LittleServer.Saying("")) port = server.Port;
        var check = new ProbeCheck.Tcp("127.0.0.1", port);
        Assert.Equal(new ProbeOutcome.Failed("connection refused"), await _probing.RunAsync(check));
    }

    /// RO-12, reliability 70: a listener whose backlog is full answers nothing, and that costs the timeout.
    [Fact]
    public async Task A_listener_that_does_not_answer_fails_at_the_timeout()
    {
        using var busy = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        busy.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        busy.Listen(0);
        using var first = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await first.ConnectAsync(busy.LocalEndPoint!);
        var check = new ProbeCheck.Tcp("127.0.0.1", ((IPEndPoint)busy.LocalEndPoint!).Port);
        Assert.Equal(new ProbeOutcome.Failed("timed out"), await _probing.RunToTimeoutAsync(check));
    }

    /// RO-12: a name that nobody has fails: resolving names is part of what a release can break.
    [Fact]
    public async Task A_name_that_does_not_resolve_fails() => Assert.Equal(
        new ProbeOutcome.Failed("the name does not resolve"),
        await _probing.RunAsync(new ProbeCheck.Tcp("nobody.invalid", 80)));

    /// RO-7: what cannot be connected to at all is inconclusive.
    [Theory]
    [InlineData("", 80)]
    [InlineData("a b", 80)]
    [InlineData("127.0.0.1", 0)]
    [InlineData("127.0.0.1", -1)]
    [InlineData("127.0.0.1", 65536)]
    public async Task A_malformed_address_is_inconclusive(string host, int port) =>
        Assert.IsType<ProbeOutcome.Inconclusive>(await _probing.RunAsync(new ProbeCheck.Tcp(host, port)));

    public void Dispose() => _probing.Dispose();
}
