using System;
using System.IO;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Core.Time;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace Agent.Shell.Pki;

/// <summary>
/// The plane's TLS: every connection shows the server's certificate and may show one of its own. The handshake takes
/// any, so that a host whose certificate has ended can enrol anew and is told why elsewhere; <see cref="Admit"/> judges
/// it at each request, because connections live longer than revocations wait.
/// </summary>
/// <param name="isRevoked">The plane's own list.</param>
/// <param name="clock">The plane's clock.</param>
internal sealed class ServerDoor(Authority authority, Func<Caller, bool> isRevoked, Func<Instant> clock)
{
    /// <summary>A host on a bad line takes a second or two.</summary>
    public static readonly TimeSpan HandshakeLimit = TimeSpan.FromSeconds(10);

    // Ours take 700; a stranger's is judged, but not at any length.
    private const int MaxCertificateBytes = 16 << 10;

    private long _failedHandshakes;

    /// <summary>Handshakes that came to nothing, for the metrics: scanners and wrong protocols.</summary>
    public long FailedHandshakes => Volatile.Read(ref _failedHandshakes);

    /// <summary>What a handshake at this moment is done with.</summary>
    public SslServerAuthenticationOptions Options() => new()
    {
        ServerCertificateContext = authority.ServerAt(clock()),
#pragma warning disable CA5398 // Older versions are refused whatever the system's own settings say.
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
#pragma warning restore CA5398
        AllowRenegotiation = false,

        // A resumed session would not show its certificate again.
        AllowTlsResume = false,
        ApplicationProtocols = [SslApplicationProtocol.Http11],
        ClientCertificateRequired = true,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        CertificateChainPolicy = CertificateCheck.FetchNothing(),
        RemoteCertificateValidationCallback = (_, shown, _, _) =>
            shown is null || shown.GetRawCertData().Length <= MaxCertificateBytes,
    };

    /// <summary>
    /// A connection middleware for Kestrel: <c>listen.Use(door.Accept)</c>. What follows speaks plain HTTP/1.1 and
    /// finds the caller by <see cref="Admit"/>.
    /// </summary>
    public ConnectionDelegate Accept(ConnectionDelegate next) => async connection =>
    {
        var plain = new DuplexStream(connection.Transport);
        await using var tls = new SslStream(plain, leaveInnerStreamOpen: true);
        if (!await HandshakeAsync(tls, connection.ConnectionClosed)) return;
        var visitor = Meet(tls.RemoteCertificate);
        connection.Features.Set(visitor);
        connection.Features.Set<ITlsConnectionFeature>(visitor);
        var transport = connection.Transport;
        await using var pipes = new TlsPipes(tls);
        connection.Transport = pipes;
        try
        {
            await next(connection);
        }
        finally
        {
            connection.Transport = transport;
        }
    };

    /// <summary>
    /// Who makes this request, judged at this moment. Throws <see cref="PkiRefused"/> where a certificate was shown
    /// that is not good; what needs none (enrolment, health) does not ask.
    /// </summary>
    public Caller Admit(IFeatureCollection features) => features.GetRequiredFeature<Visitor>() switch
    {
        { Refusal: { } refusal } => throw new PkiRefused(refusal.Fault, refusal.Detail),
        { Caller: var caller } => Judge(caller),
    };

    /// <summary>Who a certificate stands for, whenever; null is nobody. Throws <see cref="PkiRefused"/>.</summary>
    public Caller Recognise(X509Certificate2? certificate)
    {
        if (certificate is null) return new Caller.Nobody();
        if (!CertificateCheck.IsIssuedBy(certificate, authority.Certificate))
        {
            throw new PkiRefused(
                PkiFault.CertificateUntrusted,
                "this plane has not issued the certificate; enrol with `agent enroll` and a token of this plane");
        }

        var credential = new Credential(
            Issuer.SerialOf(certificate), Issuer.From(certificate), Issuer.To(certificate));
        var isForClients = CertificateCheck.IsFor(certificate, CertificateUse.Client);
        return (isForClients, Subject.Read(certificate.SubjectName)) switch
        {
            (true, { Unit: Subject.Host, Name: var name }) when HostName.Parse(name).TryGet(out var host) =>
                new Caller.Host(host, credential),
            (true, { Unit: Subject.Operator, Name: var name }) => new Caller.Operator(name, credential),
            _ => throw new PkiRefused(
                PkiFault.CertificateUsage,
                $"a certificate for {certificate.Subject} is not one to call with; use a host's or an operator's"),
        };
    }

    /// <summary>Whether a caller that was recognised is still welcome. Throws <see cref="PkiRefused"/>.</summary>
    public Caller Judge(Caller caller)
    {
        var (name, credential) = caller switch
        {
            Caller.Nobody => ("", null),
            Caller.Host host => (host.Name.Value, host.Credential),
            Caller.Operator person => (person.Name, person.Credential),
        };
        if (credential is null) return caller;
        var refusal = CertificateCheck.At(credential.NotBefore, credential.NotAfter, clock()) switch
        {
            Validity.Early => new PkiRefused(
                PkiFault.CertificateNotYetValid,
                $"the certificate of {name} begins at {credential.NotBefore}; set this plane's clock"),
            Validity.Over => new PkiRefused(
                PkiFault.CertificateExpired,
                $"the certificate of {name} ended at {credential.NotAfter}; enrol anew with `agent enroll`"),
            _ => null,
        };
        if (refusal is null && isRevoked(caller))
        {
            refusal = new PkiRefused(
                PkiFault.CertificateRevoked,
                $"the certificate {credential.Serial} of {name} is revoked; ask the fleet's operators for a new token");
        }

        return refusal is null ? caller : throw refusal;
    }

    private Visitor Meet(X509Certificate? shown)
    {
        var certificate = shown as X509Certificate2;
        try
        {
            return new Visitor(certificate, Recognise(certificate), null);
        }
        catch (PkiRefused refusal)
        {
            return new Visitor(certificate, new Caller.Nobody(), refusal);
        }
    }

    private async Task<bool> HandshakeAsync(SslStream tls, CancellationToken closed)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(closed);
        limit.CancelAfter(HandshakeLimit);
        try
        {
            await tls.AuthenticateAsServerAsync(Options(), limit.Token);
            return true;
        }
        catch (Exception failure) when (failure is AuthenticationException or IOException or CryptographicException
            or OperationCanceledException or ConnectionAbortedException)
        {
            // Whoever it was did not speak TLS with us; the connection ends and the count tells.
            Interlocked.Increment(ref _failedHandshakes);
            return false;
        }
    }

    /// <summary>
    /// Who is at the other end of a connection, recognised once. Its requests see it among their features.
    /// </summary>
    private sealed record Visitor(X509Certificate2? Certificate, Caller Caller, PkiRefused? Refusal)
        : ITlsConnectionFeature
    {
        // Kestrel tells by this feature that the scheme is https. The certificate is not to be replaced.
        public X509Certificate2? ClientCertificate
        {
            get => Certificate;
            set => throw new NotSupportedException("the certificate of a connection is what was shown");
        }

        public Task<X509Certificate2?> GetClientCertificateAsync(CancellationToken cancellationToken) =>
            Task.FromResult(Certificate);
    }
}
