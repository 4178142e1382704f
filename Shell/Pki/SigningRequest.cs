using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Agent.Shell.Pki;

/// <summary>
/// Requests for certificates (PKCS#10 in PEM): a P-256 key that its holder has shown to have, and a name. All else that
/// one may ask for, extensions and attributes, is not read.
/// </summary>
internal static class SigningRequest
{
    /// <summary>In characters; one of ours takes 400.</summary>
    public const int MaxLength = 16 << 10;

    public static string Make(ECDsa key, string commonName)
    {
        var request = new CertificateRequest(Subject.Only(commonName), key, HashAlgorithmName.SHA256);
        return request.CreateSigningRequestPem() + "\n";
    }

    /// <summary>The key to certify. Throws <see cref="PkiRefused"/>, a code for each reason.</summary>
    public static PublicKey Read(string pem, string commonName)
    {
        if (pem.Length > MaxLength)
        {
            throw new PkiRefused(
                PkiFault.CsrTooLarge, $"the request has {pem.Length} characters, at most 16384 are read");
        }

        var unproved = Load(pem, CertificateRequestLoadOptions.SkipSignatureValidation)
            ?? throw new PkiRefused(
                PkiFault.CsrMalformed, "it is no PKCS#10 request in PEM; make one with `agent enroll`");
        if (!IsP256(unproved.PublicKey))
        {
            throw new PkiRefused(PkiFault.CsrKey, "the key is not on the curve P-256; make a P-256 key");
        }

        var request = Load(pem, CertificateRequestLoadOptions.Default)
            ?? throw new PkiRefused(
                PkiFault.CsrSignature, "its signature is not by its own key; make the request anew from the key");
        var own = Subject.ReadOnly(request.SubjectName);
        return own == commonName
            ? request.PublicKey
            : throw new PkiRefused(
                PkiFault.CsrName,
                $"it must be for CN={commonName} and nothing else, not for {request.SubjectName.Name}");
    }

    private static CertificateRequest? Load(string pem, CertificateRequestLoadOptions options)
    {
        try
        {
            return CertificateRequest.LoadSigningRequestPem(pem, HashAlgorithmName.SHA256, options);
        }
        catch (System.Exception failure) when (failure is CryptographicException or System.ArgumentException)
        {
            return null;
        }
    }

    private static bool IsP256(PublicKey key)
    {
        try
        {
            using var ecdsa = key.GetECDsaPublicKey();
            return ecdsa is not null && PemPair.IsP256(ecdsa);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }
}
