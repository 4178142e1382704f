using System;
using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;

namespace Agent.Shell.Trust;

/// <summary>
/// ECDSA on NIST P-256 with SHA-256. A public key is X‖Y and a signature r‖s, each part 32 bytes, big-endian.
/// Signatures in DER are not taken: their many forms are where verifiers differ.
/// </summary>
internal static class CurveP256
{
    public const int KeyBytes = 64;
    public const int SignatureBytes = 64;

    private static readonly BigInteger P =
        BigInteger.Pow(2, 256) - BigInteger.Pow(2, 224) + BigInteger.Pow(2, 192) + BigInteger.Pow(2, 96) - 1;

    private static readonly BigInteger B = BigInteger.Parse(
        "05ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b",
        NumberStyles.HexNumber,
        CultureInfo.InvariantCulture);

    /// <summary>
    /// Why these bytes are no public key, or null: both coordinates below the prime and y² = x³ - 3x + b. The curve's
    /// order is prime, so every point on it but the one at infinity, which has no such form, is a good key.
    /// </summary>
    public static string? Fault(ReadOnlySpan<byte> key)
    {
        if (key.Length != KeyBytes) return "a P-256 key is X and Y in 64 bytes";
        var x = new BigInteger(key[..32], isUnsigned: true, isBigEndian: true);
        var y = new BigInteger(key[32..], isUnsigned: true, isBigEndian: true);
        if (x >= P || y >= P) return "its coordinates are not in their canonical form";
        return (((x * x - 3) * x + B - y * y) % P).IsZero ? null : "it is not on the curve P-256";
    }

    /// <summary>Whether the key made this signature; only keys without a fault come here.</summary>
    public static bool Verify(ReadOnlySpan<byte> key, ReadOnlySpan<byte> signature, ReadOnlySpan<byte> message)
    {
        if (signature.Length != SignatureBytes) return false;
        using var ecdsa = ECDsa.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            Q = new() { X = key[..32].ToArray(), Y = key[32..].ToArray() },
        });
        return ecdsa.VerifyData(
            message, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }
}
