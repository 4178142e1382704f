using System;
using Microsoft.AspNetCore.Http;

namespace Agent.Shell.Pki;

/// <summary>
/// Why a certificate, a request for one, a token or a body was refused. <see cref="PkiFaults.NameOf"/> gives the name
/// that people and the wire see; a name once given keeps its meaning.
/// </summary>
internal enum PkiFault
{
    // The files of an authority or a host.
    AuthorityExists,
    AuthorityMissing,
    AuthorityIncomplete,
    AuthorityBroken,
    AuthorityExpired,
    IdentityMissing,
    IdentityBroken,

    /// <summary>Somebody else than its owner may use it, or it is no plain file or directory.</summary>
    UnsafeFile,
    BadServerName,

    // A request for a certificate.
    CsrTooLarge,
    CsrMalformed,
    CsrKey,
    CsrSignature,
    CsrName,
    BadOperatorName,

    /// <summary>The certificate that came is not the one that was asked for.</summary>
    CertificateMismatch,

    // Who calls, as the plane sees it.
    CertificateRequired,
    CertificateUntrusted,
    CertificateUsage,
    CertificateNotYetValid,
    CertificateExpired,
    CertificateRevoked,
    NotAHost,
    NotAnOperator,
    WrongHost,

    // Who answers, as the host sees it.
    ServerUntrusted,
    ServerUsage,
    ServerNotYetValid,
    ServerExpired,
    ServerName,
    PlaneUrl,

    // The first words between the two.
    TokenGarbled,
    AuthorityFingerprint,

    // What came after the head of an answer.
    BodyTooLarge,
    BodyTooSlow,
}

/// <summary>The stable names of the faults, and how a plane answers them.</summary>
internal static class PkiFaults
{
    public static string NameOf(PkiFault fault) => fault switch
    {
        PkiFault.AuthorityExists => "authority-exists",
        PkiFault.AuthorityMissing => "authority-missing",
        PkiFault.AuthorityIncomplete => "authority-incomplete",
        PkiFault.AuthorityBroken => "authority-broken",
        PkiFault.AuthorityExpired => "authority-expired",
        PkiFault.IdentityMissing => "identity-missing",
        PkiFault.IdentityBroken => "identity-broken",
        PkiFault.UnsafeFile => "unsafe-file",
        PkiFault.BadServerName => "bad-server-name",
        PkiFault.CsrTooLarge => "csr-too-large",
        PkiFault.CsrMalformed => "csr-malformed",
        PkiFault.CsrKey => "csr-key",
        PkiFault.CsrSignature => "csr-signature",
        PkiFault.CsrName => "csr-name",
        PkiFault.BadOperatorName => "bad-operator-name",
        PkiFault.CertificateMismatch => "certificate-mismatch",
        PkiFault.CertificateRequired => "certificate-required",
        PkiFault.CertificateUntrusted => "certificate-untrusted",
        PkiFault.CertificateUsage => "certificate-usage",
        PkiFault.CertificateNotYetValid => "certificate-not-yet-valid",
        PkiFault.CertificateExpired => "certificate-expired",
        PkiFault.CertificateRevoked => "certificate-revoked",
        PkiFault.NotAHost => "not-a-host",
        PkiFault.NotAnOperator => "not-an-operator",
        PkiFault.WrongHost => "wrong-host",
        PkiFault.ServerUntrusted => "server-untrusted",
        PkiFault.ServerUsage => "server-usage",
        PkiFault.ServerNotYetValid => "server-not-yet-valid",
        PkiFault.ServerExpired => "server-expired",
        PkiFault.ServerName => "server-name",
        PkiFault.PlaneUrl => "plane-url",
        PkiFault.TokenGarbled => "token-garbled",
        PkiFault.AuthorityFingerprint => "authority-fingerprint",
        PkiFault.BodyTooLarge => "body-too-large",
        PkiFault.BodyTooSlow => "body-too-slow",
        _ => throw new ArgumentOutOfRangeException(nameof(fault), fault, "a fault without a name"),
    };

    /// <summary>The HTTP status of an answer that refuses a caller; 500 for what is no caller's fault.</summary>
    public static int StatusOf(PkiFault fault) => fault switch
    {
        PkiFault.CsrTooLarge or PkiFault.BodyTooLarge => StatusCodes.Status413PayloadTooLarge,
        PkiFault.BodyTooSlow => StatusCodes.Status408RequestTimeout,
        PkiFault.CsrMalformed or PkiFault.CsrKey or PkiFault.CsrSignature or PkiFault.CsrName
            or PkiFault.TokenGarbled => StatusCodes.Status400BadRequest,
        PkiFault.CertificateRequired
            or PkiFault.CertificateUntrusted or PkiFault.CertificateUsage or PkiFault.CertificateNotYetValid
            or PkiFault.CertificateExpired or PkiFault.CertificateRevoked => StatusCodes.Status401Unauthorized,
        PkiFault.NotAHost or PkiFault.NotAnOperator or PkiFault.WrongHost => StatusCodes.Status403Forbidden,
        _ => StatusCodes.Status500InternalServerError,
    };
}
