using System;
using System.Buffers.Text;
using System.Security.Cryptography;

namespace Agent.Shell.Pki;

/// <summary>
/// What an operator gives to a new host: <c>SECRET.FINGERPRINT</c>, two times 32 bytes in base64url. The secret lets it
/// in once. The fingerprint is that of the plane's authority, so that the secret is told to no other plane.
/// </summary>
internal sealed class EnrolToken
{
    private const int PartBytes = 32;
    private const int PartLength = 43;

    private EnrolToken(string secret, byte[] fingerprint) => (Secret, Fingerprint) = (secret, fingerprint);

    /// <summary>The part that goes to the plane, in the body of the enrolment and nowhere else.</summary>
    public string Secret { get; }

    /// <summary>SHA-256 of the authority's certificate.</summary>
    public ReadOnlyMemory<byte> Fingerprint { get; }

    /// <summary>A new one, of 256 random bits.</summary>
    public static EnrolToken New(ReadOnlySpan<byte> fingerprint) => fingerprint.Length == PartBytes
        ? new(Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(PartBytes)), fingerprint.ToArray())
        : throw new ArgumentException("a fingerprint is a SHA-256", nameof(fingerprint));

    /// <summary>Throws <see cref="PkiRefused"/> for all but the one form that a token has.</summary>
    public static EnrolToken Parse(string text) =>
        text.Split('.') is [var secret, var fingerprint]
            && Decode(secret) is not null && Decode(fingerprint) is { } hash
            ? new(secret, hash)
            : throw Garbled();

    /// <summary>
    /// What the plane keeps of a secret, in lowercase hex. A plain hash does: nobody guesses 256 random bits.
    /// </summary>
    public static string HashOf(string secret) =>
        Decode(secret) is { } bytes ? Convert.ToHexStringLower(SHA256.HashData(bytes)) : throw Garbled();

    /// <summary>The whole token, for the one moment in which an operator sees it.</summary>
    public string Reveal() => $"{Secret}.{Base64Url.EncodeToString(Fingerprint.Span)}";

    /// <summary>Hides the secret.</summary>
    public override string ToString() => $"a token for the authority {Convert.ToHexStringLower(Fingerprint.Span)}";

    private static byte[]? Decode(string part)
    {
        if (part.Length != PartLength || !Base64Url.IsValid(part)) return null;
        var bytes = Base64Url.DecodeFromChars(part);

        // Its last character has two bits to spare: only one form is the one that was given out.
        return bytes.Length == PartBytes && Base64Url.EncodeToString(bytes) == part ? bytes : null;
    }

    private static PkiRefused Garbled() => new(
        PkiFault.TokenGarbled, "the token is not whole; copy all 87 characters that `agent fleet token` has printed");
}
