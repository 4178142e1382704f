using System;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Agent.Shell.Pki;

/// <summary>A P-256 key and its certificate in one text, so that one rename switches both.</summary>
internal static class PemPair
{
    public const string KeyLabel = "PRIVATE KEY";
    public const string CertificateLabel = "CERTIFICATE";

    public static string Write(ECDsa key, X509Certificate2 certificate) =>
        Write(key) + certificate.ExportCertificatePem() + "\n";

    public static string Write(ECDsa key) => key.ExportPkcs8PrivateKeyPem() + "\n";

    /// <summary>
    /// The first certificate with its key, or null where the text does not hold two that belong together.
    /// </summary>
    public static X509Certificate2? Read(string text)
    {
        using var key = ReadKey(text);
        if (key is null || ReadCertificate(text) is not { } certificate) return null;
        using (certificate)
        {
            return Holds(certificate, key) ? certificate.CopyWithPrivateKey(key) : null;
        }
    }

    public static ECDsa? ReadKey(string text)
    {
        if (Find(text, KeyLabel) is not { } pkcs8) return null;
        var key = ECDsa.Create();
        try
        {
            key.ImportPkcs8PrivateKey(pkcs8, out var read);
            if (read == pkcs8.Length && IsP256(key)) return key;
        }
        catch (CryptographicException)
        {
            // It is no key, which is the answer.
        }
        finally
        {
            CryptographicOperations.ZeroMemory(pkcs8);
        }

        key.Dispose();
        return null;
    }

    /// <summary>The first certificate, or the one after as many others.</summary>
    public static X509Certificate2? ReadCertificate(string text, int skip = 0)
    {
        if (Find(text, CertificateLabel, skip) is not { } der) return null;
        try
        {
            return X509CertificateLoader.LoadCertificate(der);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    /// <summary>Whether the certificate is for this key.</summary>
    public static bool Holds(X509Certificate2 certificate, ECDsa key)
    {
        using var known = certificate.GetECDsaPublicKey();
        return known is not null
            && known.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(key.ExportSubjectPublicKeyInfo());
    }

    public static bool IsP256(ECDsa key) =>
        key.KeySize == 256 && key.ExportParameters(false).Curve is { IsNamed: true } curve
            && curve.Oid.Value == ECCurve.NamedCurves.nistP256.Oid.Value;

    private static byte[]? Find(string text, string label, int skip = 0)
    {
        var from = 0;
        while (PemEncoding.TryFind(text.AsSpan(from), out var pem))
        {
            var part = text.AsSpan(from);
            if (part[pem.Label].SequenceEqual(label) && skip-- == 0)
            {
                return Convert.FromBase64String(part[pem.Base64Data].ToString());
            }

            from += pem.Location.End.Value;
        }

        return null;
    }
}
