using System;
using System.Linq;
using System.Security.Cryptography;
using Agent.Shell.Linux;
using Agent.Shell.Trust;
using Xunit;

namespace Agent.Tests.Trust;

public sealed class PublicKeyTests
{
    /// TR-1: a key of small order verifies what nobody signed, in each of the ways it can be written.
    [Theory]
    [InlineData("0100000000000000000000000000000000000000000000000000000000000000")] // order 1
    [InlineData("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")] // order 2
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")] // order 4
    [InlineData("0000000000000000000000000000000000000000000000000000000000000080")] // order 4
    [InlineData("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")] // order 8
    [InlineData("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85")] // order 8
    [InlineData("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")] // order 8
    [InlineData("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa")] // order 8
    public void A_key_of_small_order_is_refused(string hex) =>
        Assert.Contains("small order", Refused(hex), StringComparison.Ordinal);

    /// TR-1: a key has one form; the others would be the same key under other ids.
    [Theory]
    [InlineData("0100000000000000000000000000000000000000000000000000000000000080")] // x = -0
    [InlineData("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff")] // x = -0
    [InlineData("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")] // y = p
    [InlineData("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff")] // y = p
    [InlineData("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")] // y = p + 1
    [InlineData("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff")] // y = p + 1
    [InlineData("f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")] // y = p + 3
    [InlineData("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff")] // y = p + 18
    public void A_key_in_another_form_is_refused(string hex) =>
        Assert.Contains("canonical", Refused(hex), StringComparison.Ordinal);

    /// TR-1: half of all y belong to no point.
    [Fact]
    public void A_key_off_the_curve_is_refused()
    {
        var refused = Enumerable.Range(2, 200).Count(y =>
        {
            var raw = new byte[32];
            raw[0] = (byte)y;
            return PublicKey.From(KeyAlgorithm.Ed25519, raw).Failed(out _, out _);
        });
        Assert.InRange(refused, 60, 140);
    }

    /// TR-1: why small orders matter: the library below takes such a key, and then anybody's signature.
    [Fact]
    public void The_library_below_does_not_judge_keys()
    {
        var neutral = new byte[32];
        neutral[0] = 1;
        byte[] forged = [.. neutral, .. new byte[32]];
        Assert.True(Ed25519.Verify(neutral, forged, "anything"u8));
    }

    /// TR-1: a P-256 key is a point of the curve in its one form.
    [Fact]
    public void A_P256_key_off_the_curve_is_refused()
    {
        using var made = SigningKey.Generate(KeyAlgorithm.EcdsaP256);
        var raw = made.PublicKey.Raw.ToArray();
        Assert.Null(CurveP256.Fault(raw));
        for (var at = 0; at < raw.Length; at++)
        {
            var other = raw.ToArray();
            other[at] ^= 1;
            Assert.Equal("it is not on the curve P-256", CurveP256.Fault(other));
        }

        Assert.Equal("it is not on the curve P-256", CurveP256.Fault(new byte[64]));
        var ones = Enumerable.Repeat((byte)0xff, 64).ToArray();
        Assert.Contains("canonical", CurveP256.Fault(ones), StringComparison.Ordinal);
        Assert.NotNull(CurveP256.Fault(raw.AsSpan(1)));
        Assert.NotNull(CurveP256.Fault([4, .. raw]));
    }

    /// TR-1: the key id is the digest of the raw key; algorithm and bytes make a key what it is.
    [Fact]
    public void A_key_is_its_algorithm_and_its_bytes()
    {
        using var made = SigningKey.Generate(KeyAlgorithm.Ed25519);
        var key = made.PublicKey;
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(key.Raw)), key.KeyId);
        Assert.Equal(key, Assert.IsType<Checked<PublicKey>.Passed>(PublicKey.Parse(key.AlgorithmName, key.Base64)).Value);
        using var other = SigningKey.Generate(KeyAlgorithm.Ed25519);
        Assert.NotEqual(key, other.PublicKey);
    }

    /// TR-1: the algorithm is one of two, the bytes plain base64 of the right length.
    [Theory]
    [InlineData("none", "AAAA", "unknown-algorithm")]
    [InlineData("Ed25519", "AAAA", "unknown-algorithm")]
    [InlineData("ed25519", "AAAA", "bad-key")]
    [InlineData("ecdsa-p256", "AAAA", "bad-key")]
    [InlineData("ed25519", "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURp=", "bad-key")] // loose bits
    [InlineData("ed25519", " 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "bad-key")]
    [InlineData("ed25519", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "bad-key")]
    [InlineData("ed25519", "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo", "bad-key")]
    [InlineData("ed25519", "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "passes")]
    public void A_key_is_read_strictly(string algorithm, string base64, string outcome) => Assert.Equal(
        outcome,
        PublicKey.Parse(algorithm, base64).Failed(out _, out var why) ? TrustFaults.NameOf(why.Fault) : "passes");

    private static string Refused(string hex)
    {
        var why = Assert.IsType<Checked<PublicKey>.Refused>(
            PublicKey.From(KeyAlgorithm.Ed25519, Convert.FromHexString(hex))).Why;
        Assert.Equal(TrustFault.BadKey, why.Fault);
        return why.Detail;
    }
}
