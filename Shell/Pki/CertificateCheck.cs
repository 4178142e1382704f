using System;
using System.Linq;
using System.Security.Cryptography.X509Certificates;
using Agent.Core.Time;

namespace Agent.Shell.Pki;

/// <summary>
/// Whether a certificate is one of exactly our authority's. The system's roots have no say, nothing is fetched, and
/// revocation is the plane's own list.
/// </summary>
internal static class CertificateCheck
{
    /// <summary>What two clocks may differ by where a certificate is so new that one of them is before it.</summary>
    public static readonly TimeSpan Skew = TimeSpan.FromSeconds(60);

    /// <summary>
    /// For a handshake, whose own opinion is not asked. A peer's certificate may name addresses to fetch from; without
    /// this policy the handshake would ask them.
    /// </summary>
    public static X509ChainPolicy FetchNothing() => new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        RevocationMode = X509RevocationMode.NoCheck,
        DisableCertificateDownloads = true,
    };

    /// <summary>Directly issued by the authority, with no other between them.</summary>
    public static bool IsIssuedBy(X509Certificate2 certificate, X509Certificate2 authority)
    {
        using var chain = new X509Chain { ChainPolicy = FetchNothing() };
        chain.ChainPolicy.CustomTrustStore.Add(authority);

        // Times are judged by the caller's own clock, at each request; see At.
        chain.ChainPolicy.VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid;
        var good = chain.Build(certificate) && chain.ChainElements.Count == 2
            && chain.ChainElements[1].Certificate.RawDataMemory.Span.SequenceEqual(authority.RawDataMemory.Span);
        foreach (var element in chain.ChainElements) element.Certificate.Dispose();
        return good;
    }

    /// <summary>Made for this and for nothing else.</summary>
    public static bool IsFor(X509Certificate2 certificate, CertificateUse use) =>
        certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().ToList() is [var uses]
            && uses.EnhancedKeyUsages is [{ Value: var only }]
            && only == (use == CertificateUse.Server ? Issuer.ServerUse : Issuer.ClientUse);

    public static Validity At(Instant notBefore, Instant notAfter, Instant now) =>
        now + Skew < notBefore ? Validity.Early
        : now > notAfter ? Validity.Over
        : Validity.Running;
}

/// <summary>Where an instant lies in a certificate's life.</summary>
internal enum Validity
{
    Early,
    Running,
    Over,
}
