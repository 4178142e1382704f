using System;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Http;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Pki;
using Agent.Tests.Probes;
using Xunit;

namespace Agent.Tests.Pki;

/// <summary>A host and its plane over real TLS.</summary>
public sealed class DoorTests
{
    private const string WhoAmI = "/v1/agent/whoami";

    /// WI-1, WI-2, upstream default_holds_nothing: with no certificate a caller sees health and the authority, and
    /// nothing of hosts or the fleet. Upstream: uninitialized gate (server).
    [Fact]
    public async Task Without_a_certificate_only_the_way_in_is_open()
    {
        await using var plane = await PlaneWorld.OpenAsync();
        var client = plane.Client(certificate: null);
        Assert.Equal((200, "https"), await plane.GetAsync(client, "/healthz"));
        Assert.Equal((200, plane.Authority.Pem), await plane.GetAsync(client, PlaneConnections.AuthorityPath));
        Assert.Equal((401, "certificate-required"), await plane.GetAsync(client, WhoAmI));
        Assert.Equal((401, "certificate-required"), await plane.GetAsync(client, "/v1/fleet"));
    }

    /// WI-1: a host is known by its certificate, and is neither another host nor an operator. Upstream: admin auth
    /// (e2e), scoped access (server).
    [Fact]
    public async Task A_host_is_itself_and_nobody_else()
    {
        await using var plane = await PlaneWorld.OpenAsync();
        var (web, database) = (plane.Enrolled(PlaneWorld.Web), plane.Enrolled(PlaneWorld.Database));
        Assert.Equal((200, web.Require().Serial), await plane.GetAsync(plane.Client(web), WhoAmI));
        Assert.Equal((200, "web-1"), await plane.GetAsync(plane.Client(web), "/v1/agent/as-web"));
        Assert.Equal((403, "wrong-host"), await plane.GetAsync(plane.Client(database), "/v1/agent/as-web"));
        Assert.Equal((403, "not-an-operator"), await plane.GetAsync(plane.Client(web), "/v1/fleet"));
        using var ada = plane.OperatorCertificate("ada");
        Assert.Equal((200, "ada"), await plane.GetAsync(plane.Client(ada), "/v1/fleet"));
        Assert.Equal((403, "not-a-host"), await plane.GetAsync(plane.Client(ada), WhoAmI));
    }

    /// WI-1: revocation and the end of a certificate count at the next request, on a connection that is open as well.
    /// Upstream: verifier delegates (auth): at each request the door asks who knows.
    [Fact]
    public async Task A_connection_outlives_no_revocation_and_no_end()
    {
        await using var plane = await PlaneWorld.OpenAsync();
        var (web, database) = (plane.Enrolled(PlaneWorld.Web), plane.Enrolled(PlaneWorld.Database));
        var (first, second) = (plane.Client(web), plane.Client(database));
        Assert.Equal(200, (await plane.GetAsync(first, WhoAmI)).Status);
        plane.Revoked[web.Require().Serial] = true;
        Assert.Equal((401, "certificate-revoked"), await plane.GetAsync(first, WhoAmI));
        Assert.Equal((401, "certificate-revoked"), await plane.GetAsync(plane.Client(web), WhoAmI));
        Assert.Equal(200, (await plane.GetAsync(plane.Client(web), "/healthz")).Status);

        Assert.Equal(200, (await plane.GetAsync(second, WhoAmI)).Status);
        plane.Now = database.Require().NotAfter + TimeSpan.FromSeconds(1);
        Assert.Equal((401, "certificate-expired"), await plane.GetAsync(second, WhoAmI));
        plane.Now = PlaneWorld.Start - TimeSpan.FromMinutes(2);
        Assert.Equal((401, "certificate-not-yet-valid"), await plane.GetAsync(second, WhoAmI));
        plane.Now = PlaneWorld.Start - TimeSpan.FromMinutes(1);
        Assert.Equal(200, (await plane.GetAsync(second, WhoAmI)).Status);
    }

    /// WI-1: an operator is let in for as long as his certificate lasts. Upstream: admin token expiry (auth).
    [Fact]
    public async Task An_operators_certificate_has_its_end()
    {
        await using var plane = await PlaneWorld.OpenAsync();
        using var ada = plane.OperatorCertificate("ada");
        var client = plane.Client(ada);
        plane.Now = PlaneWorld.Start + Issuer.OperatorLife - TimeSpan.FromMinutes(1);
        Assert.Equal((200, "ada"), await plane.GetAsync(client, "/v1/fleet"));
        plane.Now = PlaneWorld.Start + Issuer.OperatorLife + TimeSpan.FromSeconds(1);
        Assert.Equal((401, "certificate-expired"), await plane.GetAsync(client, "/v1/fleet"));
    }

    /// WI-1: certificates of another authority, of the system's making or of a server stand for nobody.
    [Fact]
    public async Task A_certificate_from_elsewhere_stands_for_nobody()
    {
        await using var plane = await PlaneWorld.OpenAsync();
        await using var other = await PlaneWorld.OpenAsync();
        var foreign = other.Enrolled(PlaneWorld.Web).Require().Certificate;
        Assert.Equal((401, "certificate-untrusted"), await plane.GetAsync(plane.Client(foreign), WhoAmI));
        using var server = PemPair.Read(await File.ReadAllTextAsync(plane.Folder("plane/pki/server.pem")));
        Assert.Equal((401, "certificate-usage"), await plane.GetAsync(plane.Client(server), WhoAmI));
        using var itself = PemPair.Read(
            await File.ReadAllTextAsync(plane.Folder("plane/pki/ca.key"))
            + await File.ReadAllTextAsync(plane.Folder("plane/pki/ca.pem")));
        Assert.Equal((401, "certificate-untrusted"), await plane.GetAsync(plane.Client(itself), WhoAmI));
    }

    /// WI-1: a host speaks to its own plane only, by its name and in its time; each reason is told.
    [Fact]
    public async Task A_server_that_is_not_the_plane_is_refused()
    {
        await using var plane = await PlaneWorld.OpenAsync();
        await using var other = await PlaneWorld.OpenAsync();
        await using var elsewhere = await PlaneWorld.OpenAsync("plane.example", "192.0.2.1");
        var web = plane.Enrolled(PlaneWorld.Web);
        Assert.Equal(PkiFault.ServerUntrusted, await other.RefusedAsync(plane.Client(web)));
        Assert.Equal(
            PkiFault.ServerName, await elsewhere.RefusedAsync(elsewhere.Client(elsewhere.Enrolled(PlaneWorld.Web))));
        Assert.Equal(
            PkiFault.ServerExpired,
            await plane.RefusedAsync(plane.Client(web, () => PlaneWorld.Start + TimeSpan.FromDays(366))));
        Assert.Equal(
            PkiFault.ServerNotYetValid,
            await plane.RefusedAsync(plane.Client(web, () => PlaneWorld.Start - TimeSpan.FromHours(2))));
        using var nobody = ClientIdentity.Open(plane.Folder("nobody"));
        Assert.Equal(PkiFault.IdentityMissing, await plane.RefusedAsync(plane.Client(nobody)));
    }

    /// TR-4: a host's certificate, which any host has, makes no server.
    [Fact]
    public async Task A_host_cannot_pose_as_the_plane()
    {
        await using var plane = await PlaneWorld.OpenAsync();
        var (web, thief) = (plane.Enrolled(PlaneWorld.Web), plane.Enrolled(PlaneWorld.Database).Require().Certificate);
        await using var posing = new LittleServer(
            LittleServer.AnyPort, async (stream, stop) => await PoseAsync(stream, thief, stop));
        using var request = new HttpRequestMessage(HttpMethod.Get, $"https://localhost:{posing.Port}/healthz");
        var failure = await Assert.ThrowsAsync<HttpRequestException>(
            () => plane.Client(web).SendAsync(request, CancellationToken.None));
        Assert.Equal(PkiFault.ServerUsage, PkiRefused.Of(failure)?.Fault);
    }

    /// WI-1: the first connection is to the plane that the token means, or is given up before the secret is said.
    /// Upstream: setup/login flow (server), URLs (velosctl).
    [Fact]
    public async Task Enrolment_begins_with_the_authority_that_the_token_names()
    {
        await using var plane = await PlaneWorld.OpenAsync();
        await using var other = await PlaneWorld.OpenAsync();
        var token = EnrolToken.Parse(EnrolToken.New(plane.Authority.Fingerprint.Span).Reveal());
        using var authority = await PlaneConnections.FetchAuthorityAsync(plane.Url, token, CancellationToken.None);
        Assert.Equal(plane.Authority.Pem.Trim(), authority.ExportCertificatePem());
        var client = plane.Own(PlaneConnections.ForEnrolment(authority, () => plane.Now));
        Assert.Equal((200, "https"), await plane.GetAsync(client, "/healthz"));
        Assert.Equal(PkiFault.ServerUntrusted, await other.RefusedAsync(client));
        var refusal = await Assert.ThrowsAsync<PkiRefused>(
            () => PlaneConnections.FetchAuthorityAsync(other.Url, token, CancellationToken.None));
        Assert.Equal(PkiFault.AuthorityFingerprint, refusal.Fault);
        Assert.DoesNotContain(token.Secret, refusal.Message, StringComparison.Ordinal);
        foreach (var url in (string[])["http://localhost/", "https://u:p@localhost/", "https://localhost/x"])
        {
            refusal = Assert.Throws<PkiRefused>(() => PlaneConnections.CheckUrl(new Uri(url)));
            Assert.Equal(PkiFault.PlaneUrl, refusal.Fault);
        }
    }

    /// WI-1: while four loops ask without a pause, the identity is renewed over the wire twenty times. No request fails,
    /// and each new certificate is in use at once.
    [Fact]
    public async Task A_renewal_under_load_fails_no_request()
    {
        await using var plane = await PlaneWorld.OpenAsync();
        var web = plane.Enrolled(PlaneWorld.Web);
        var handler = PlaneConnections.For(web, () => plane.Now);
        handler.PooledConnectionLifetime = TimeSpan.FromMilliseconds(20);
        var client = plane.Own(handler);
        var (seen, asked, over) = (new ConcurrentDictionary<string, bool>(), 0, false);
        var loops = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            while (!Volatile.Read(ref over))
            {
                var (status, serial) = await plane.GetAsync(client, WhoAmI);
                Assert.Equal(200, status);
                seen[serial] = true;
                Interlocked.Increment(ref asked);
            }
        })).ToArray();
        for (var n = 0; n < 20; n++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(plane.Url, "/v1/agent/renew"))
            {
                Content = new StringContent(web.Request(PlaneWorld.Web)),
            };
            using var answer = await client.SendAsync(request, CancellationToken.None);
            var pem = await answer.Content.ReadAsStringAsync();
            var next = web.Accept(pem, PlaneWorld.Web, plane.Now).Serial;
            while ((await plane.GetAsync(client, WhoAmI)).Text != next)
            {
                // Connections of before are used up within their life.
            }
        }

        Volatile.Write(ref over, true);
        await Task.WhenAll(loops);
        Assert.True(asked >= 20, $"{asked} requests");
        Assert.True(seen.Count > 2, $"{seen.Count} certificates");
    }

    /// WI-1: the server's certificate is renewed while it serves; the next connection sees it.
    [Fact]
    public async Task The_server_certificate_is_swapped_while_it_serves()
    {
        await using var plane = await PlaneWorld.OpenAsync();
        plane.Now = plane.Authority.ServerRenewAt;
        var before = plane.Authority.ServerRenewAt;
        Assert.Equal(200, (await plane.GetAsync(plane.Client(certificate: null), "/healthz")).Status);
        Assert.True(plane.Authority.ServerRenewAt > before);
    }

    /// SE-1: an answer without end is cut at its bound, and one that trickles at its time.
    [Theory]
    [InlineData("/endless", nameof(PkiFault.BodyTooLarge))]
    [InlineData("/drip", nameof(PkiFault.BodyTooSlow))]
    public async Task An_endless_or_slow_body_is_bounded(string path, string fault)
    {
        await using var plane = await PlaneWorld.OpenAsync();
        var client = plane.Client(certificate: null);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(plane.Url, path));
        using var answer = await client.SendAsync(request, CancellationToken.None);
        var refusal = await Assert.ThrowsAsync<PkiRefused>(() => BoundedBody.ReadAsync(
            answer.Content, 1 << 20, TimeSpan.FromMilliseconds(path == "/drip" ? 300 : 60_000), CancellationToken.None));
        Assert.Equal(fault, refusal.Fault.ToString());
    }

    /// SE-1: the bound is exact, a stated length beyond it is not read at all, and who stops is not told of slowness.
    [Fact]
    public async Task A_body_may_be_as_long_as_its_bound()
    {
        var (limit, none) = (TimeSpan.FromMinutes(1), CancellationToken.None);
        Assert.Equal(100, (await BoundedBody.ReadAsync(new MemoryStream(new byte[100]), 100, limit, none)).Length);
        Assert.Equal(0, (await BoundedBody.ReadAsync(new MemoryStream(), 0, limit, none)).Length);
        var refusal = await Assert.ThrowsAsync<PkiRefused>(
            () => BoundedBody.ReadAsync(new MemoryStream(new byte[101]), 100, limit, none));
        Assert.Equal(PkiFault.BodyTooLarge, refusal.Fault);
        using var stated = new ByteArrayContent(new byte[101]);
        refusal = await Assert.ThrowsAsync<PkiRefused>(() => BoundedBody.ReadAsync(stated, 100, limit, none));
        Assert.Equal(PkiFault.BodyTooLarge, refusal.Fault);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => BoundedBody.ReadAsync(new MemoryStream([1]), 100, limit, new CancellationToken(canceled: true)));
    }

    /// WI-1: what an answer points to is not followed.
    [Fact]
    public async Task A_redirect_is_an_answer_and_no_way()
    {
        await using var plane = await PlaneWorld.OpenAsync();
        Assert.Equal(302, (await plane.GetAsync(plane.Client(certificate: null), "/elsewhere")).Status);
    }

    /// SE-1: who does not speak TLS is shown out and counted; others are served meanwhile.
    [Fact]
    public async Task Who_speaks_no_TLS_is_shown_out()
    {
        await using var plane = await PlaneWorld.OpenAsync();
        using var silent = new TcpClient();
        await silent.ConnectAsync(IPAddress.Loopback, plane.Url.Port);
        using var plain = new TcpClient();
        await plain.ConnectAsync(IPAddress.Loopback, plane.Url.Port);
        await plain.GetStream().WriteAsync(Encoding.ASCII.GetBytes("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"));
        var said = new MemoryStream();
        try
        {
            await plain.GetStream().CopyToAsync(said);
        }
        catch (IOException)
        {
            // Shown out with what it had still to say unread.
        }

        Assert.DoesNotContain("HTTP/1.1 200", Encoding.ASCII.GetString(said.ToArray()), StringComparison.Ordinal);
        Assert.Equal(1, plane.Door.FailedHandshakes);
        Assert.Equal(200, (await plane.GetAsync(plane.Client(certificate: null), "/healthz")).Status);
    }

    /// WI-1: TLS below 1.2 is refused whatever the client's own settings.
    [SkippableTheory]
    [InlineData("-tls1_1", false)]
    [InlineData("-tls1_2", true)]
    [InlineData("-tls1_3", true)]
    public async Task Old_TLS_is_refused(string version, bool accepted)
    {
        Skip.IfNot(File.Exists("/usr/bin/openssl"), "needs openssl");
        await using var plane = await PlaneWorld.OpenAsync();
        using var client = Process.Start(new ProcessStartInfo(
            "/usr/bin/openssl", ["s_client", "-connect", $"127.0.0.1:{plane.Url.Port}", version, "-cipher", "ALL:@SECLEVEL=0"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        client.StandardInput.Close();
        var errors = client.StandardError.ReadToEndAsync();
        var said = await client.StandardOutput.ReadToEndAsync();
        await client.WaitForExitAsync();
        Assert.Equal(accepted, said.Contains("BEGIN CERTIFICATE", StringComparison.Ordinal));
        Assert.NotNull(await errors);
    }

    private static async Task PoseAsync(Stream stream, X509Certificate2 certificate, CancellationToken stop)
    {
        await using var tls = new SslStream(stream);
        await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, stop);
        _ = await tls.ReadAsync(new byte[1], stop);
    }
}
