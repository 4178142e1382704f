using System;
using System.Linq;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Agent.Shell.Trust;
using Xunit;

namespace Agent.Tests.Trust;

public sealed class VerifiedTests : IDisposable
{
    private const string Good =
        """{"schemaVersion":1,"type":"agent/manifest","signedAt":"2030-06-01T11:30:00Z","channel":"stable"}""";

    private readonly TrustWorld _world = new();
    private readonly SigningKey[] _keys;
    private TrustFile _trust;

    public VerifiedTests()
    {
        _keys = [_world.Key(), _world.Key(KeyAlgorithm.EcdsaP256), _world.Key()];
        _trust = TrustWorld.Loaded(TrustWorld.Trust(
            TrustWorld.Role(2, _keys), more: ""","rejectBefore":"2029-01-01T00:00:00Z" """));
    }

    private static Demand Manifest => new(RoleName.Manifest, "agent/manifest", 4096, TrustWorld.Now);

    /// TR-1: what was signed by enough is read once, from the very bytes that were signed.
    [Fact]
    public void A_good_document_is_verified()
    {
        var document = TrustWorld.Canonical(Good);
        var checkedOne = Verified.Check(
            document, TrustWorld.Sign(document, _keys[..2]), _trust, Manifest with { Fresh = true });
        var verified = Assert.IsType<Checked<Verified>.Passed>(checkedOne).Value;
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(document)), verified.Sha256);
        Assert.Equal(TrustWorld.At("2030-06-01T11:30:00Z"), verified.SignedAt);
        var fields = verified.Read();
        Assert.Equal("stable", fields.String("channel"));
        fields.NoOthers();
        Assert.Null(fields.Refusal);
    }

    /// TR-4: nobody makes a verified document but the check.
    [Fact]
    public void Only_the_check_makes_one() => Assert.All(
        typeof(Verified).GetConstructors(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic),
        constructor => Assert.True(constructor.IsPrivate));

    /// TR-1: slots are counted, not signatures.
    [Fact]
    public void A_threshold_counts_signers()
    {
        Assert.Equal("threshold-not-met", Fault(Good, [_keys[0]]));
        Assert.Equal("threshold-not-met", Fault(Good, [_keys[0], _keys[0]]));
        Assert.Equal("threshold-not-met", Fault(Good, [_keys[0], _world.Key(), _world.Key()]));
        Assert.Equal("passes", Fault(Good, [_world.Key(), _keys[2], _keys[2], _keys[1]]));
    }

    /// TR-1: the two keys of one slot are one signer.
    [Fact]
    public void Two_keys_of_a_slot_are_one_signer()
    {
        var other = _world.Key();
        _trust = TrustWorld.Loaded(TrustWorld.Trust(TrustWorld.Role(
            2, TrustWorld.Slot(_keys[0], "previous", other, "2030-07-01T00:00:00Z"), TrustWorld.Slot(_keys[1]))));
        Assert.Equal("threshold-not-met", Fault(Good, [_keys[0], other]));
        Assert.Equal("passes", Fault(Good, [other, _keys[1]]));
    }

    /// TR-1: a key id is a hint. A wrong one costs time, a stolen one gains nothing.
    [Fact]
    public void A_key_id_proves_nothing()
    {
        var document = TrustWorld.Canonical(Good);
        var stranger = _world.Key();
        Assert.Equal("passes", Fault(document, SignatureFile.Write(
            [new("", _keys[0].Sign(document)), new(_keys[0].PublicKey.KeyId, _keys[1].Sign(document))])));
        Assert.Equal("signature-invalid", Fault(document, SignatureFile.Write(
            _keys.Select(key => new DetachedSignature(key.PublicKey.KeyId, stranger.Sign(document))))));
    }

    /// TR-1: a signature that was cut, changed or made for other bytes does not count.
    [Fact]
    public void A_damaged_signature_does_not_count()
    {
        var document = TrustWorld.Canonical(Good);
        var whole = _keys[0].Sign(document);
        byte[][] damaged = [whole[..63], [], [.. whole, 0], _keys[0].Sign("other"u8), new byte[64]];
        Assert.All(damaged, bytes => Assert.Equal("signature-invalid", Fault(document, SignatureFile.Write(
            [new(_keys[0].PublicKey.KeyId, bytes), SignatureFile.Sign(_keys[1], document)]))));
    }

    /// TR-1: which algorithm judges a signature is the trust file's to say, whatever the document claims.
    [Theory]
    [InlineData("""{"alg":"none"}""")]
    [InlineData("""{"algorithm":"ed25519","signature":""}""")]
    public void A_document_does_not_choose_its_algorithm(string claim)
    {
        var text = $$"""{{Good[..^1]}},"x-signature":{{claim}}}""";
        Assert.Equal("passes", Fault(text, _keys));
        Assert.Equal("threshold-not-met", Fault(text, [_world.Key()]));
        var document = TrustWorld.Canonical(text);
        Assert.Equal("bad-signature-file", Fault(document, TrustWorld.Canonical(
            $$"""{"schemaVersion":1,"signatures":[{"alg":"none","keyId":"{{_keys[0].PublicKey.KeyId}}","signature":""}]}""")));
    }

    /// TR-2: the form of the bytes is judged before their signatures.
    [Theory]
    [InlineData("{\"a\":\"\xff\"}", "not-utf8")]
    [InlineData("\xef\xbb\xbf{}", "not-utf8")]
    [InlineData("{", "not-json")]
    [InlineData("""{"type":"a","type":"b"}""", "duplicate-key")]
    [InlineData("""{"n":1e999}""", "number-out-of-range")]
    [InlineData("""{"s":"\ud800"}""", "lone-surrogate")]
    [InlineData("""{ }""", "not-canonical")]
    public void Form_is_judged_first(string text, string fault)
    {
        var document = Encoding.Latin1.GetBytes(text);
        Assert.Equal(fault, Fault(document, TrustWorld.Sign(document, _keys)));
        Assert.Equal(fault, Fault(document, []));
    }

    /// TR-2: size before all, depth before meaning.
    [Fact]
    public void Size_and_depth_are_bounded()
    {
        var deep = Encoding.ASCII.GetBytes(new string('[', 65) + new string(']', 65));
        Assert.Equal("too-deep", Fault(deep, TrustWorld.Sign(deep, _keys)));
        var large = new byte[4097];
        Assert.Equal("too-large", Fault(large, TrustWorld.Sign(large, _keys)));
    }

    /// TR-2: who signed is judged before what they say.
    [Theory]
    [InlineData("""{"schemaVersion":9,"type":"else"}""")]
    [InlineData("""[1]""")]
    [InlineData("""{"schemaVersion":1,"signedAt":"1999-01-01T00:00:00Z","type":"agent/manifest"}""")]
    public void Signatures_are_judged_before_content(string text) =>
        Assert.Equal("threshold-not-met", Fault(text, [_keys[0]]));

    /// TR-2: what they say is judged in order, each breach with its code.
    [Theory]
    [InlineData("""{"schemaVersion":2,"type":"agent/other","signedAt":"x"}""", "wrong-type")]
    [InlineData("""{"schemaVersion":2,"type":"agent/manifest","signedAt":"x"}""", "schema-version")]
    [InlineData("""{"schemaVersion":1,"signedAt":"2030-06-01T11:30:00Z"}""", "missing-field")]
    [InlineData("""{"schemaVersion":1,"type":"agent/manifest"}""", "missing-field")]
    [InlineData("""{"schemaVersion":1,"type":"agent/manifest","signedAt":"2030-06-01"}""", "bad-field")]
    [InlineData("""{"schemaVersion":1,"type":7,"signedAt":"2030-06-01T11:30:00Z"}""", "bad-field")]
    [InlineData("""[1]""", "bad-field")]
    public void Content_is_judged_in_order(string text, string fault) => Assert.Equal(fault, Fault(text, _keys));

    /// TR-2: the times, at their bounds.
    [Theory]
    [InlineData("2028-12-31T23:59:59.999Z", "before-reject-before")]
    [InlineData("2029-01-01T00:00:00Z", "stale")]
    [InlineData("2030-06-01T10:58:59.999Z", "stale")]
    [InlineData("2030-06-01T10:59:00Z", "passes")]
    [InlineData("2030-06-01T12:01:00Z", "passes")]
    [InlineData("2030-06-01T12:01:00.001Z", "from-the-future")]
    public void A_document_has_its_time(string signedAt, string fault)
    {
        var text = $$"""{"schemaVersion":1,"type":"agent/manifest","signedAt":"{{signedAt}}"}""";
        Assert.Equal(fault, Fault(text, _keys, Manifest with { Fresh = true }));
        Assert.Equal(fault == "stale" ? "passes" : fault, Fault(text, _keys));
    }

    /// TR-2: what expires does so at its instant, and not before.
    [Theory]
    [InlineData("2030-06-01T12:00:00Z", "expired")]
    [InlineData("2030-06-01T12:00:00.001Z", "passes")]
    [InlineData("soon", "bad-field")]
    public void A_document_may_expire(string expiresAt, string fault) => Assert.Equal(
        fault, Fault($$"""{{Good[..^1]}},"expiresAt":"{{expiresAt}}"}""", _keys));

    /// TR-1, upstream unknown_name_is_false: a role that the trust file leaves out has no signers.
    [Fact]
    public void An_absent_role_trusts_nobody() =>
        Assert.Equal("threshold-not-met", Fault(Good, _keys, Manifest with { Role = RoleName.Evidence }));

    /// TR-1: the file of signatures is read as strictly as what it is for.
    [Theory]
    [InlineData("", "no-signatures")]
    [InlineData("""{"schemaVersion":1,"signatures":[]}""", "no-signatures")]
    [InlineData("""{"schemaVersion":1,"signatures":[] }""", "bad-signature-file")]
    [InlineData("""{"schemaVersion":2,"signatures":[]}""", "bad-signature-file")]
    [InlineData("""{"schemaVersion":1}""", "bad-signature-file")]
    [InlineData("""{"schemaVersion":1,"signatures":[{"keyId":"a","signature":"AA"}]}""", "bad-signature-file")]
    [InlineData("""{"schemaVersion":1,"signatures":[{"signature":"AAAA"}]}""", "bad-signature-file")]
    [InlineData("not json", "bad-signature-file")]
    public void A_signature_file_is_read_strictly(string signatures, string fault) =>
        Assert.Equal(fault, Fault(TrustWorld.Canonical(Good), Encoding.UTF8.GetBytes(signatures)));

    /// TR-1: thirty-two signatures are read, one more is refused, and so is a file too large for them.
    [Fact]
    public void A_signature_file_is_bounded()
    {
        var document = TrustWorld.Canonical(Good);
        var one = SignatureFile.Sign(_keys[0], document);
        Assert.Equal("threshold-not-met", Fault(document, SignatureFile.Write(Enumerable.Repeat(one, 32))));
        Assert.Equal("bad-signature-file", Fault(document, SignatureFile.Write(Enumerable.Repeat(one, 33))));
        var large = new DetachedSignature(new('a', SignatureFile.MaxBytes), one.Bytes);
        Assert.Equal("bad-signature-file", Fault(document, SignatureFile.Write([large])));
    }

    /// TR-1: a field that is not known is refused, one marked as not critical ignored, and both are under the signature.
    [Theory]
    [InlineData("extra", "unknown-field")]
    [InlineData("x-extra", "passes")]
    public void What_is_not_known_is_refused(string name, string fault)
    {
        var document = TrustWorld.Canonical($$"""{{Good[..^1]}},"{{name}}":1}""");
        var fields = Assert.IsType<Checked<Verified>.Passed>(
            Verified.Check(document, TrustWorld.Sign(document, _keys), _trust, Manifest)).Value.Read();
        fields.String("channel");
        fields.NoOthers();
        Assert.Equal(fault, fields.Refusal is { } why ? TrustFaults.NameOf(why.Fault) : "passes");
        Assert.Equal("signature-invalid", Fault(TrustWorld.Canonical(Good), TrustWorld.Sign(document, _keys)));
    }

    public void Dispose() => _world.Dispose();

    private string Fault(string text, SigningKey[] signers, Demand? demand = null)
    {
        var document = TrustWorld.Canonical(text);
        return Fault(document, TrustWorld.Sign(document, signers), demand);
    }

    private string Fault(byte[] document, byte[] signatures, Demand? demand = null) =>
        Verified.Check(document, signatures, _trust, demand ?? Manifest).Failed(out _, out var why)
            ? TrustFaults.NameOf(why.Fault)
            : "passes";
}
