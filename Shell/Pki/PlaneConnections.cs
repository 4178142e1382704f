using System;
using System.Net;
using System.Net.Http;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Time;

namespace Agent.Shell.Pki;

/// <summary>
/// How a host connects to its plane: TLS to exactly the authority that it was enrolled with, by the name it was told,
/// and to nobody that an answer points to. A refused server is a <see cref="PkiRefused"/> within the
/// HttpRequestException; <see cref="PkiRefused.Of"/> finds it.
/// </summary>
internal static class PlaneConnections
{
    /// <summary>Where a plane serves its authority's certificate to whoever asks, as PEM.</summary>
    public const string AuthorityPath = "/v1/ca";

    // In bytes; a certificate takes 700.
    private const int MaxAuthorityBytes = 16 << 10;

    // In KiB; a plane's answers have some hundred bytes of headers.
    private const int MaxHeaderKib = 16;

    // A long poll, events, a heartbeat and a renewal at the same time.
    private const int MaxConnections = 8;

    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(10);

    // Somebody waits for it at a terminal.
    private static readonly TimeSpan FetchLimit = TimeSpan.FromSeconds(30);

    // After that a name is looked up anew, and a new certificate of either side is what the connection shows.
    private static readonly TimeSpan ConnectionLife = TimeSpan.FromMinutes(5);

    // Shorter than the plane's own, so that a request seldom meets a connection that is being closed.
    private static readonly TimeSpan IdleLife = TimeSpan.FromSeconds(75);

    /// <summary>For all but the enrolment. Each new connection shows the identity of that moment.</summary>
    /// <param name="proxy">Null goes straight to the plane, whatever the environment says.</param>
    public static SocketsHttpHandler For(ClientIdentity identity, Func<Instant> clock, Uri? proxy = null)
    {
        var tls = Tls((sender, shown) => Check(sender, shown, identity.Require().Authority, clock()));
        tls.LocalCertificateSelectionCallback = (_, _, _, _, _) => identity.Require().Certificate;
        return Handler(tls, proxy);
    }

    /// <summary>For an operator, whose identity does not change while it is used.</summary>
    public static SocketsHttpHandler For(
        X509Certificate2 certificate, X509Certificate2 authority, Func<Instant> clock, Uri? proxy = null)
    {
        var tls = Tls((sender, shown) => Check(sender, shown, authority, clock()));
        tls.LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate;
        return Handler(tls, proxy);
    }

    /// <summary>For the enrolment: the server is verified, and no certificate is shown.</summary>
    public static SocketsHttpHandler ForEnrolment(X509Certificate2 authority, Func<Instant> clock, Uri? proxy = null) =>
        Handler(Tls((sender, shown) => Check(sender, shown, authority, clock())), proxy);

    /// <summary>
    /// The authority that a token means, asked of a plane that is not known yet. Nothing secret is said to it, and its
    /// answer proves itself by its hash. Throws <see cref="PkiRefused"/>, or HttpRequestException.
    /// </summary>
    public static async Task<X509Certificate2> FetchAuthorityAsync(
        Uri plane, EnrolToken token, CancellationToken stop, Uri? proxy = null)
    {
        CheckUrl(plane);
        var (status, text) = await AskAsync(new Uri(plane, AuthorityPath), proxy, stop);
        var authority = status == HttpStatusCode.OK ? PemPair.ReadCertificate(text) : null;
        if (authority is not null && CryptographicOperations.FixedTimeEquals(
            SHA256.HashData(authority.RawDataMemory.Span), token.Fingerprint.Span))
        {
            return authority;
        }

        authority?.Dispose();
        throw new PkiRefused(
            PkiFault.AuthorityFingerprint,
            $"{plane} does not serve the authority that the token names; check the address, or get a token "
            + "of this plane");
    }

    /// <summary>A plane is an https address without a path of its own.</summary>
    public static void CheckUrl(Uri plane)
    {
        if (plane is { IsAbsoluteUri: true, Scheme: "https", UserInfo: "", PathAndQuery: "/", Fragment: "" }) return;
        throw new PkiRefused(PkiFault.PlaneUrl, $"{plane} is no address of a plane; give https://NAME:PORT");
    }

    /// <summary>Of whoever is there. The whole exchange has one limit, its head as well as its body.</summary>
    private static async Task<(HttpStatusCode Status, string Text)> AskAsync(
        Uri address, Uri? proxy, CancellationToken stop)
    {
        using var client = new HttpMessageInvoker(Handler(Tls((_, shown) => shown is not null), proxy));
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(FetchLimit);
        try
        {
            using var answer = await client.SendAsync(request, limit.Token);
            var body = await BoundedBody.ReadAsync(answer.Content, MaxAuthorityBytes, FetchLimit, limit.Token);
            return (answer.StatusCode, Encoding.Latin1.GetString(body.Span));
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new PkiRefused(PkiFault.BodyTooSlow, $"{address} has not answered within 30 s; see to the network");
        }
    }

    private static SocketsHttpHandler Handler(SslClientAuthenticationOptions tls, Uri? proxy) => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = proxy is not null,
        Proxy = proxy is null ? null : new WebProxy(proxy),
        ActivityHeadersPropagator = null,
        AutomaticDecompression = DecompressionMethods.None,
        MaxResponseHeadersLength = MaxHeaderKib,
        MaxConnectionsPerServer = MaxConnections,
        ConnectTimeout = ConnectLimit,
        PooledConnectionLifetime = ConnectionLife,
        PooledConnectionIdleTimeout = IdleLife,

        // An answer given up is cut off: the rest of an endless one is not read to keep the connection.
        MaxResponseDrainSize = 0,
        SslOptions = tls,
    };

    private static SslClientAuthenticationOptions Tls(Func<SslStream, X509Certificate2?, bool> isPlane) => new()
    {
#pragma warning disable CA5398 // Older versions are refused whatever the system's own settings say.
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
#pragma warning restore CA5398
        AllowRenegotiation = false,

        // A resumed session would go on as who this host was.
        AllowTlsResume = false,
        ApplicationProtocols = [SslApplicationProtocol.Http11],
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        CertificateChainPolicy = CertificateCheck.FetchNothing(),
        RemoteCertificateValidationCallback = (sender, shown, _, _) =>
            isPlane((SslStream)sender, shown as X509Certificate2),
    };

    /// <summary>Throws, for the reason to be seen: a mere no would end as "the certificate is invalid".</summary>
    private static bool Check(SslStream connection, X509Certificate2? shown, X509Certificate2 authority, Instant now)
    {
        var name = connection.TargetHostName;
        if (shown is null || !CertificateCheck.IsIssuedBy(shown, authority))
        {
            throw new PkiRefused(
                PkiFault.ServerUntrusted,
                $"{name} is not the plane that this host was enrolled with; check the address, or enrol anew");
        }

        if (!CertificateCheck.IsFor(shown, CertificateUse.Server))
        {
            throw new PkiRefused(
                PkiFault.ServerUsage,
                $"{name} shows a certificate that is for no server, {shown.Subject}; somebody may pose as the plane");
        }

        if (!shown.MatchesHostname(name, allowWildcards: false, allowCommonName: false))
        {
            throw new PkiRefused(
                PkiFault.ServerName,
                $"the plane's certificate is for {string.Join(", ", ServerNames.Of(shown))}, not for {name}; add the "
                + "name to the plane, or use one of those");
        }

        return CertificateCheck.At(Issuer.From(shown), Issuer.To(shown), now) switch
        {
            Validity.Early => throw new PkiRefused(
                PkiFault.ServerNotYetValid,
                $"the certificate of {name} begins at {Issuer.From(shown)} and here it is {now}; set this host's "
                + "clock"),
            Validity.Over => throw new PkiRefused(
                PkiFault.ServerExpired,
                $"the certificate of {name} ended at {Issuer.To(shown)} and here it is {now}; restart the plane, which "
                + "renews it, or set this host's clock"),
            _ => true,
        };
    }
}
