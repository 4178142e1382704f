using System;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Threading;
using Agent.Core.Model;
using Agent.Core.Time;

namespace Agent.Shell.Pki;

/// <summary>Who this host is to its plane, and which plane that is.</summary>
/// <param name="Certificate">With its key.</param>
/// <param name="Authority">The one certificate authority that the plane's own certificate must come from.</param>
internal sealed record Identity(HostName Host, X509Certificate2 Certificate, X509Certificate2 Authority)
{
    public Instant NotAfter => Issuer.To(Certificate);

    /// <summary>Half of the certificate's life is over: a new one is due. A fleet spreads this out itself.</summary>
    public Instant RenewAt => Issuer.RenewAt(Certificate, Authority);

    public string Serial => Issuer.SerialOf(Certificate);

    /// <summary>Names no key.</summary>
    public override string ToString() => $"{Host}, certificate {Serial} until {NotAfter}";
}

/// <summary>
/// This host's identity on disk. A new key waits in a file of its own until its certificate is here; then key,
/// certificate and the plane's authority take the old ones' place in one rename. So at every moment, whatever crashes,
/// there is one whole identity: the old or the new one.
/// </summary>
internal sealed class ClientIdentity : IDisposable
{
    private const string IdentityFile = "identity.pem";
    private const string NextKeyFile = "next.key";

    private readonly Lock _gate = new();
    private readonly PkiFolder _folder;
    private volatile Identity? _current;

    private ClientIdentity(PkiFolder folder) => _folder = folder;

    /// <summary>
    /// What each new connection shows; null before enrolment. A connection keeps what it began with, so replacing this
    /// ends no request.
    /// </summary>
    public Identity? Current => _current;

    /// <summary>
    /// Opens the directory, which is made (0700) if it is missing. Throws <see cref="PkiRefused"/> where others may use
    /// it, or what is in it is damaged.
    /// </summary>
    public static ClientIdentity Open(string directory, Action<string>? step = null)
    {
        var identity = new ClientIdentity(PkiFolder.OpenOrMake(directory, step));
        try
        {
            identity.Load();
            return identity;
        }
        catch
        {
            identity.Dispose();
            throw;
        }
    }

    /// <summary><see cref="Current"/>, or a <see cref="PkiRefused"/> that says how to get one.</summary>
    public Identity Require() => Current ?? throw new PkiRefused(
        PkiFault.IdentityMissing,
        $"{_folder.At(IdentityFile)} is missing; run `agent enroll` with a token from the plane");

    /// <summary>
    /// A request for a certificate with a new key, which is durable on return. Asked again before a certificate has
    /// come, it is for the same key: the answer to the first may be on its way.
    /// </summary>
    public string Request(HostName host)
    {
        lock (_gate)
        {
            using var key = NextKey() ?? MakeNextKey();
            return SigningRequest.Make(key, host.Value);
        }
    }

    /// <summary>
    /// Puts the certificate that a request was answered with in the place of the current one; durable on return.
    /// </summary>
    /// <param name="authorityPem">The plane's authority at an enrolment; left away, the one of today stays.</param>
    public Identity Accept(string certificatePem, HostName host, Instant now, string? authorityPem = null)
    {
        lock (_gate)
        {
            using var key = NextKey() ?? throw Mismatch("no key waits for one; ask for it first");
            var authority = authorityPem is null ? Require().Authority : PemPair.ReadCertificate(authorityPem);
            if (authority is null) throw Mismatch("the plane's authority is no certificate");
            using var bare = PemPair.ReadCertificate(certificatePem);
            if (bare is null) throw Mismatch("it is none");
            if (Fault(bare, authority, key, host, now) is { } fault) throw Mismatch(fault);
            _folder.Replace(
                IdentityFile,
                PemPair.Write(key, bare) + authority.ExportCertificatePem() + "\n");

            // Connections may be in a handshake with the old certificate: it is left to the collector.
            var next = new Identity(host, bare.CopyWithPrivateKey(key), authority);
            _current = next;
            _folder.Remove(NextKeyFile);
            return next;
        }
    }

    public void Dispose() => _folder.Dispose();

    private static string? Fault(
        X509Certificate2 certificate, X509Certificate2 authority, ECDsa key, HostName host, Instant now)
    {
        if (!PemPair.Holds(certificate, key)) return "it is for another key than the one that waits for it";
        if (!CertificateCheck.IsIssuedBy(certificate, authority)) return "this host's plane has not issued it";
        if (!CertificateCheck.IsFor(certificate, CertificateUse.Client)) return "it is not for clients";
        if (Subject.Read(certificate.SubjectName) != new Subject(Subject.Host, host.Value))
        {
            return $"it is for {certificate.Subject}, and this host is {host}";
        }

        // The plane's clock counts, and it has just issued it; a host whose clock is behind must not refuse.
        return now > Issuer.To(certificate) ? $"it ended at {Issuer.To(certificate)}; set this host's clock" : null;
    }

    private static PkiRefused Mismatch(string why) => new(
        PkiFault.CertificateMismatch, $"the certificate from the plane is not used: {why}");

    private void Load()
    {
        if (_folder.Read(IdentityFile) is not { } text) return;
        var certificate = PemPair.Read(text);
        var authority = PemPair.ReadCertificate(text, skip: 1);
        if (certificate is null || authority is null
            || Subject.Read(certificate.SubjectName) is not { Unit: Subject.Host, Name: var name }
            || !HostName.Parse(name).TryGet(out var host))
        {
            throw new PkiRefused(
                PkiFault.IdentityBroken,
                $"{_folder.At(IdentityFile)} does not hold a key, its certificate and the plane's authority; move it "
                + "away and run `agent enroll` with a new token");
        }

        _current = new Identity(host, certificate, authority);

        // It crashed after the rename: the key that waits is the one in use.
        using var next = NextKey();
        if (next is not null && PemPair.Holds(certificate, next)) _folder.Remove(NextKeyFile);
    }

    /// <summary>Null also where it is damaged: nothing was ever issued for it, so another does as well.</summary>
    private ECDsa? NextKey() => _folder.Read(NextKeyFile) is { } text ? PemPair.ReadKey(text) : null;

    private ECDsa MakeNextKey()
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        try
        {
            _folder.Replace(NextKeyFile, PemPair.Write(key));
            return key;
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }
}
