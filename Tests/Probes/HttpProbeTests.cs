using System;
using System.IO;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Rollout;
using LanguageExt;
using Xunit;

namespace Agent.Tests.Probes;

/// <summary>GETs against a server that behaves as badly as it likes.</summary>
public sealed class HttpProbeTests : IDisposable
{
    private readonly Probing _probing = new();

    /// RO-12: the status asked for is a pass, whatever it is, and one GET is all that is sent.
    [Theory]
    [InlineData("200 OK", 200)]
    [InlineData("503 Service Unavailable", 503)]
    [InlineData("302 Found\r\nLocation: http://nowhere.invalid/", 302)]
    public async Task The_status_asked_for_passes(string answered, int asked)
    {
        await using var server = LittleServer.Saying($"HTTP/1.1 {answered}\r\nContent-Length: 0\r\n\r\n");
        Assert.Equal(new ProbeOutcome.Passed($"status {asked}"), await GetAsync(server, asked));
        Assert.StartsWith("GET /health?x=1 HTTP/1.1\r\n", server.Asked, StringComparison.Ordinal);
        Assert.Equal(1, server.Connections);
    }

    /// RO-12: any other status fails, and says which.
    [Fact]
    public async Task Another_status_fails()
    {
        await using var server = LittleServer.Saying("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
        Assert.Equal(new ProbeOutcome.Failed("status 500, not 200"), await GetAsync(server));
    }

    /// RO-12: what answers elsewhere does not make this address healthy.
    [Fact]
    public async Task A_redirect_is_not_followed()
    {
        await using var good = LittleServer.Saying("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        await using var server = LittleServer.Saying(
            $"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:{good.Port}/\r\nContent-Length: 0\r\n\r\n");
        Assert.Equal(new ProbeOutcome.Failed("status 301, not 200"), await GetAsync(server));
        Assert.Equal(0, good.Connections);
    }

    /// RO-12: a text is found wherever it lies in the first 64 KiB, across the pieces it comes in.
    [Fact]
    public async Task A_text_in_the_body_is_found_across_pieces()
    {
        await using var server = LittleServer.Http(async (to, stop) =>
        {
            await LittleServer.SayAsync(to, "HTTP/1.1 200 OK\r\n\r\n", stop);
            foreach (var piece in (string[])[new string('.', 30_000), "all", " is ", "wéll", " here"])
            {
                await LittleServer.SayAsync(to, piece, stop);
                await to.FlushAsync(stop);
            }
        });
        Assert.IsType<ProbeOutcome.Passed>(await GetAsync(server, contains: "all is wéll"));
        Assert.Equal(
            new ProbeOutcome.Failed("the first 64 KiB of the body do not contain \"all is bad\""),
            await GetAsync(server, contains: "all is bad"));
    }

    /// RO-12, reliability 70: of an endless body so much is read, and no more; what is asked for may lie behind it.
    [Fact]
    public async Task An_endless_body_is_read_up_to_its_limit()
    {
        var said = 0L;
        await using var server = LittleServer.Http(async (to, stop) =>
        {
            await LittleServer.SayAsync(to, "HTTP/1.1 200 OK\r\n\r\n", stop);
            var piece = new string('x', 1 << 16);
            for (; ; said += piece.Length) await LittleServer.SayAsync(to, piece, stop);
        });
        Assert.IsType<ProbeOutcome.Failed>(await GetAsync(server, contains: "y"));
        Assert.IsType<ProbeOutcome.Passed>(await GetAsync(server));
        Assert.True(said < 64 << 20, $"{said} bytes were taken");
    }

    /// RO-12, reliability 70: a body that drips costs the timeout at most, and less where the text comes first.
    [Fact]
    public async Task A_body_that_drips_costs_its_timeout()
    {
        await using var server = LittleServer.Http(async (to, stop) =>
        {
            await LittleServer.SayAsync(to, "HTTP/1.1 200 OK\r\n\r\nok", stop);
            for (; ; await Task.Delay(TimeSpan.FromSeconds(1), stop)) await LittleServer.SayAsync(to, ".", stop);
        });
        Assert.IsType<ProbeOutcome.Passed>(await GetAsync(server, contains: "ok"));
        var check = Check(server, 200, "never");
        Assert.Equal(new ProbeOutcome.Failed("timed out"), await _probing.RunToTimeoutAsync(check));
    }

    /// RO-12, reliability 70: a server that stops in the middle costs the timeout, wherever it stops.
    [Theory]
    [InlineData("")]
    [InlineData("HTTP/1.1 200 OK\r\nX: ")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")]
    public async Task A_hang_fails_at_the_timeout(string said)
    {
        await using var server = LittleServer.Http(async (to, stop) =>
        {
            await LittleServer.SayAsync(to, said, stop);
            await LittleServer.HangAsync(stop);
        });
        var check = Check(server, 200, "text");
        Assert.Equal(new ProbeOutcome.Failed("timed out"), await _probing.RunToTimeoutAsync(check));
    }

    /// RO-12: a connection that breaks is a failure with the same words each time.
    [Theory]
    [InlineData("", "the connection ended before an answer")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n", "the answer is not HTTP")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfour", "the connection broke within the body")]
    public async Task A_broken_answer_fails(string said, string detail)
    {
        await using var server = LittleServer.Saying(said);
        Assert.Equal(new ProbeOutcome.Failed(detail), await GetAsync(server, contains: "text"));
        Assert.Equal(new ProbeOutcome.Failed(detail), await GetAsync(server, contains: "text"));
    }

    /// RO-12: a head without end is cut off.
    [Fact]
    public async Task An_endless_head_fails()
    {
        await using var server = LittleServer.Http(async (to, stop) =>
        {
            await LittleServer.SayAsync(to, "HTTP/1.1 200 OK\r\n", stop);
            while (true) await LittleServer.SayAsync(to, $"X: {new string('x', 8000)}\r\n", stop);
        });
        Assert.Equal(new ProbeOutcome.Failed("the answer's head is too long"), await GetAsync(server));
    }

    /// RO-12: refused is a failure, and does not name the port.
    [Fact]
    public async Task A_port_that_nobody_listens_on_fails()
    {
        int port;
        await using (var server = LittleServer.Saying("")) port = server.Port;
        var check = new ProbeCheck.Http($"http://127.0.0.1:{port}/", 200, Option<string>.None);
        Assert.Equal(new ProbeOutcome.Failed("connection refused"), await _probing.RunAsync(check));
    }

    /// RO-7: an address that cannot be asked is no failure of the release.
    [Theory]
    [InlineData("")]
    [InlineData("/health")]
    [InlineData("ftp://127.0.0.1/")]
    [InlineData("file:///etc/hostname")]
    [InlineData("http://")]
    [InlineData("http://[::1")]
    [InlineData("http://me:secret@127.0.0.1/")]
    public async Task A_malformed_address_is_inconclusive(string address) => Assert.IsType<ProbeOutcome.Inconclusive>(
        await _probing.RunAsync(new ProbeCheck.Http(address, 200, Option<string>.None)));

    /// RO-12: https means that the certificate was checked.
    [Fact]
    public async Task A_certificate_that_nobody_vouches_for_is_refused()
    {
        using var certificate = SelfSigned();
        await using var server = new LittleServer(LittleServer.AnyPort, async (stream, stop) =>
        {
            await using var tls = new SslStream(stream, leaveInnerStreamOpen: true);
            try
            {
                var options = new SslServerAuthenticationOptions { ServerCertificate = certificate };
                await tls.AuthenticateAsServerAsync(options, stop);
                await LittleServer.SayAsync(tls, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", stop);
            }
            catch (System.Security.Authentication.AuthenticationException)
            {
                // The client hangs up in the middle of the handshake.
            }
        });
        var check = new ProbeCheck.Http($"https://localhost:{server.Port}/", 200, Option<string>.None);
        var first = Assert.IsType<ProbeOutcome.Failed>(await _probing.RunAsync(check));
        Assert.StartsWith("TLS failed: ", first.Detail, StringComparison.Ordinal);
        Assert.Equal(first, await _probing.RunAsync(check));
    }

    /// RO-7: a probe whose rollout is over is given up and says nothing.
    [Fact]
    public async Task A_probe_that_is_given_up_is_inconclusive()
    {
        using var stop = new CancellationTokenSource();
        await using var server = LittleServer.Http(async (_, ended) =>
        {
            await stop.CancelAsync();
            await LittleServer.HangAsync(ended);
        });
        var result = await _probing.RunAsync(Probing.Spec(Check(server, 200, null), Probing.Patience), stop.Token);
        Assert.IsType<ProbeOutcome.Inconclusive>(result.Outcome);
    }

    public void Dispose() => _probing.Dispose();

    private Task<ProbeOutcome> GetAsync(LittleServer server, int status = 200, string? contains = null) =>
        _probing.RunAsync(Check(server, status, contains));

    private static ProbeCheck.Http Check(LittleServer server, int status, string? contains) => new(
        $"http://127.0.0.1:{server.Port}/health?x=1",
        status,
        contains is null ? Option<string>.None : Option<string>.Some(contains));

    private static X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        var today = DateTimeOffset.UtcNow;
        return request.CreateSelfSigned(today.AddDays(-1), today.AddDays(1));
    }
}
