using System;
using System.Formats.Asn1;
using System.Linq;
using System.Text.Json;
using Agent.Shell.Trust;
using Xunit;

namespace Agent.Tests.Trust;

/// <summary>Project Wycheproof's cases: each signature is judged as its authors say.</summary>
public sealed class SignatureVectorsTests
{
    /// TR-1: malformed, truncated and malleable Ed25519 signatures are refused, good ones accepted.
    [SkippableFact]
    public void Ed25519_signatures_are_judged_right()
    {
        var cases = Vectors.Wycheproof("ed25519_test");
        Assert.Equal((151, 88), (cases.Count, cases.Count(one => Expected(one.Case))));
        Assert.All(cases, one =>
        {
            var key = Key(KeyAlgorithm.Ed25519, Bytes(one.Group.GetProperty("publicKey"), "pk"));
            Assert.Equal(Expected(one.Case), key.Verifies(Bytes(one.Case, "sig"), Bytes(one.Case, "msg")));
        });
    }

    /// TR-1: ECDSA signatures as r‖s, the form in which they are sent.
    [SkippableFact]
    public void P256_signatures_are_judged_right()
    {
        var cases = Vectors.Wycheproof("ecdsa_secp256r1_sha256_p1363_test");
        Assert.Equal(262, cases.Count);
        Assert.All(cases, one =>
            Assert.Equal(Expected(one.Case), P256(one.Group).Verifies(Bytes(one.Case, "sig"), Bytes(one.Case, "msg"))));
    }

    /// TR-1: the same curve by cases in DER, which the test unpacks by the letter of its rules.
    [SkippableFact]
    public void P256_signatures_in_DER_are_judged_right()
    {
        var cases = Vectors.Wycheproof("ecdsa_secp256r1_sha256_test");
        Assert.Equal(484, cases.Count);
        Assert.All(cases, one => Assert.Equal(
            Expected(one.Case),
            FromDer(Bytes(one.Case, "sig")) is { } signature
                && P256(one.Group).Verifies(signature, Bytes(one.Case, "msg"))));
    }

    /// <summary>r‖s of a DER sequence of two integers that are not negative and fit; null for anything else.</summary>
    private static byte[]? FromDer(byte[] der)
    {
        try
        {
            var reader = new AsnReader(der, AsnEncodingRules.DER);
            var pair = reader.ReadSequence();
            var (r, s) = (pair.ReadInteger(), pair.ReadInteger());
            pair.ThrowIfNotEmpty();
            reader.ThrowIfNotEmpty();
            if (r.Sign < 0 || s.Sign < 0 || r.GetByteCount(true) > 32 || s.GetByteCount(true) > 32) return null;
            var signature = new byte[64];
            r.TryWriteBytes(signature.AsSpan(32 - r.GetByteCount(true)), out _, true, true);
            s.TryWriteBytes(signature.AsSpan(64 - s.GetByteCount(true)), out _, true, true);
            return signature;
        }
        catch (AsnContentException)
        {
            return null;
        }
    }

    private static bool Expected(JsonElement one) => one.GetProperty("result").GetString() == "valid";

    private static PublicKey P256(JsonElement group) =>
        Key(KeyAlgorithm.EcdsaP256, Bytes(group.GetProperty("publicKey"), "uncompressed")[1..]);

    private static PublicKey Key(KeyAlgorithm algorithm, byte[] raw) =>
        Assert.IsType<Checked<PublicKey>.Passed>(PublicKey.From(algorithm, raw)).Value;

    private static byte[] Bytes(JsonElement of, string name) => Convert.FromHexString(of.GetProperty(name).GetString()!);
}
