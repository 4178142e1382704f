using System;
using System.Security.Cryptography;
using Agent.Shell.Linux;

namespace Agent.Shell.Trust;

internal enum KeyAlgorithm
{
    Ed25519,
    EcdsaP256,
}

/// <summary>
/// A key that a signature can be checked with. One exists only of bytes that are a good key of its algorithm, so no
/// check has to ask again. Two are the same key when algorithm and bytes are.
/// </summary>
internal sealed class PublicKey : IEquatable<PublicKey>
{
    private readonly byte[] _raw;

    private PublicKey(KeyAlgorithm algorithm, byte[] raw)
    {
        Algorithm = algorithm;
        _raw = raw;
        KeyId = Convert.ToHexStringLower(SHA256.HashData(raw));
    }

    public KeyAlgorithm Algorithm { get; }

    /// <summary>32 bytes of Ed25519, or X‖Y of P-256.</summary>
    public ReadOnlySpan<byte> Raw => _raw;

    /// <summary>SHA-256 of the raw key in lowercase hex. It helps to find a key and proves nothing.</summary>
    public string KeyId { get; }

    /// <summary>As a trust file says it.</summary>
    public string AlgorithmName => NameOf(Algorithm);

    /// <summary>As a trust file says it.</summary>
    public string Base64 => Convert.ToBase64String(_raw);

    /// <summary>
    /// Refused: <c>bad-key</c> for a wrong length, another form than the canonical, a point off the curve or of small
    /// order.
    /// </summary>
    public static Checked<PublicKey> From(KeyAlgorithm algorithm, ReadOnlySpan<byte> raw)
    {
        var fault = algorithm == KeyAlgorithm.Ed25519 ? Curve25519.Fault(raw) : CurveP256.Fault(raw);
        return fault is null ? new PublicKey(algorithm, raw.ToArray()) : new Refusal(TrustFault.BadKey, fault);
    }

    /// <summary>From the words of a trust file; refused also with <c>unknown-algorithm</c>.</summary>
    public static Checked<PublicKey> Parse(string algorithm, string base64)
    {
        if (AlgorithmOf(algorithm) is not { } known)
        {
            return new Refusal(TrustFault.UnknownAlgorithm, $"'{algorithm}' is none of ed25519 and ecdsa-p256");
        }

        return Base64Text.Decode(base64) is { } raw
            ? From(known, raw)
            : new Refusal(TrustFault.BadKey, "it is not plain base64");
    }

    /// <summary>Whether this key made the signature over exactly these bytes.</summary>
    public bool Verifies(ReadOnlySpan<byte> signature, ReadOnlySpan<byte> message) => Algorithm switch
    {
        KeyAlgorithm.Ed25519 => Ed25519.Verify(_raw, signature, message),
        _ => CurveP256.Verify(_raw, signature, message),
    };

    public bool Equals(PublicKey? other) =>
        other is not null && Algorithm == other.Algorithm && _raw.AsSpan().SequenceEqual(other._raw);

    public override bool Equals(object? obj) => Equals(obj as PublicKey);

    public override int GetHashCode() => KeyId.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => $"{AlgorithmName} {KeyId}";

    private static string NameOf(KeyAlgorithm algorithm) =>
        algorithm == KeyAlgorithm.Ed25519 ? "ed25519" : "ecdsa-p256";

    private static KeyAlgorithm? AlgorithmOf(string name) => name switch
    {
        "ed25519" => KeyAlgorithm.Ed25519,
        "ecdsa-p256" => KeyAlgorithm.EcdsaP256,
        _ => null,
    };
}
