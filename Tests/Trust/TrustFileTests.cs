using System;
using System.Linq;
using System.Text;
using Agent.Core.Time;
using Agent.Shell.Trust;
using Xunit;

namespace Agent.Tests.Trust;

public sealed class TrustFileTests : IDisposable
{
    private readonly TrustWorld _world = new();

    /// TR-1, TR-3: what a trust file says.
    [Fact]
    public void A_trust_file_reads_as_it_was_written()
    {
        var (first, second) = (_world.Key(), _world.Key(KeyAlgorithm.EcdsaP256));
        var file = TrustWorld.Loaded(TrustWorld.Trust(
            TrustWorld.Role(2, first, second),
            7,
            more: ""","rejectBefore":"2029-12-31T23:59:59.500Z","freshnessSeconds":600,"x-note":[1]"""));
        Assert.Equal(7, file.Version);
        Assert.Equal(TrustWorld.At("2030-01-01T00:00:00Z"), file.IssuedAt);
        Assert.Equal(TrustWorld.At("2029-12-31T23:59:59.500Z"), file.RejectBefore);
        Assert.Equal(TimeSpan.FromMinutes(10), file.Freshness);
        Assert.Equal(2, file.Root.Threshold);
        Assert.Equal(
            [first.PublicKey, second.PublicKey], file.Role(RoleName.Release)!.Slots.Select(slot => slot.Current));
        Assert.Null(file.Role(RoleName.Evidence));
    }

    /// TR-2: an hour is the freshness that nothing was said about.
    [Fact]
    public void Freshness_is_an_hour_unless_said() => Assert.Equal(
        TimeSpan.FromHours(1), TrustWorld.Loaded(TrustWorld.Trust(TrustWorld.Role(1, _world.Key()))).Freshness);

    /// TR-1: a file that could not be judged by is refused as a whole, each breach with its code.
    [Theory]
    [InlineData("\"threshold\":1", "\"threshold\":0", "bad-field")]
    [InlineData("\"threshold\":1", "\"threshold\":3", "bad-field")]
    [InlineData("\"threshold\":1", "\"threshold\":1.5", "bad-field")]
    [InlineData("\"threshold\":1", "\"threshold\":\"1\"", "bad-field")]
    [InlineData("\"threshold\":1", "\"thresholds\":1", "missing-field")]
    [InlineData("\"threshold\":1", "\"threshold\":1,\"any\":true", "unknown-field")]
    [InlineData("\"ed25519\"", "\"none\"", "unknown-algorithm")]
    [InlineData("\"ed25519\"", "\"ecdsa-p256\"", "bad-key")]
    [InlineData("\"version\":1", "\"version\":0", "bad-field")]
    [InlineData("\"version\":1", "\"version\":9007199254740992", "number-out-of-range")]
    [InlineData("\"version\":1", "\"version\":1,\"critical\":1", "unknown-field")]
    [InlineData("\"schemaVersion\":1", "\"schemaVersion\":2", "schema-version")]
    [InlineData("agent/trust", "agent/manifest", "wrong-type")]
    [InlineData("\"type\":\"agent/trust\"", "\"kind\":\"agent/trust\"", "missing-field")]
    [InlineData("2030-01-01T00:00:00Z", "2030-01-01T00:00:00+01:00", "bad-field")]
    [InlineData("2030-01-01T00:00:00Z", "2030-13-01T00:00:00Z", "bad-field")]
    [InlineData("\"manifest\"", "\"manifests\"", "missing-field")]
    [InlineData("\"manifest\":{", "\"other\":{},\"manifest\":{", "unknown-field")]
    [InlineData("\"manifest\":{", "\"evidence\":{},\"manifest\":{", "missing-field")]
    [InlineData("\"roles\":{", "\"freshnessSeconds\":0,\"roles\":{", "bad-field")]
    [InlineData("\"roles\":{", "\"rejectBefore\":null,\"roles\":{", "bad-field")]
    public void A_breach_has_its_code(string good, string bad, string fault)
    {
        var text = Encoding.UTF8.GetString(TrustWorld.Trust(TrustWorld.Role(1, _world.Key(), _world.Key())));
        Assert.Contains(good, text, StringComparison.Ordinal);
        Assert.Equal(fault, Fault(TrustWorld.Canonical(text.Replace(good, bad, StringComparison.Ordinal))));
    }

    /// TR-1: a low-order key is refused where it would be trusted.
    [Fact]
    public void A_key_of_small_order_is_refused()
    {
        var key = _world.Key();
        var text = Encoding.UTF8.GetString(TrustWorld.Trust(TrustWorld.Role(1, key)));
        var weak = Convert.ToBase64String([1, .. new byte[31]]);
        var why = Refused(Encoding.UTF8.GetBytes(text.Replace(key.PublicKey.Base64, weak, StringComparison.Ordinal)));
        Assert.Equal(TrustFault.BadKey, why.Fault);
        Assert.StartsWith("roles.root.slots[0].current is refused: ", why.Detail, StringComparison.Ordinal);
    }

    /// TR-1: a key stands for one signer of a role, in whichever place of a slot it is.
    [Fact]
    public void A_key_is_in_its_role_once()
    {
        var (one, other) = (_world.Key(), _world.Key());
        Assert.Equal("repeated-key", Fault(TrustWorld.Trust(TrustWorld.Role(1, one, one))));
        foreach (var place in (string[])["previous", "successor"])
        {
            var slot = TrustWorld.Slot(other, place, one, "2030-07-01T00:00:00Z");
            Assert.Equal("repeated-key", Fault(TrustWorld.Trust(TrustWorld.Role(1, TrustWorld.Slot(one), slot))));
            Assert.Equal("passes", Fault(TrustWorld.Trust(TrustWorld.Role(1, slot))));
        }
    }

    /// TR-2: size and form come before anything that a file says.
    [Fact]
    public void Size_and_form_come_first()
    {
        var good = TrustWorld.Trust(TrustWorld.Role(1, _world.Key()));
        Assert.Equal("passes", Fault(good));
        Assert.Equal("not-canonical", Fault([.. good, (byte)'\n']));
        Assert.Equal("too-large", Fault([.. good, .. new byte[TrustFile.MaxBytes]]));
        Assert.Equal("not-json", Fault(good[..^1]));
    }

    /// TR-3: an overlap of keys has an end, and an end belongs to an overlap.
    [Fact]
    public void A_slot_with_two_keys_says_until_when()
    {
        var (one, other) = (_world.Key(), _world.Key());
        var alone = TrustWorld.Slot(one, ""","retireAt":"2030-07-01T00:00:00Z" """);
        var open = TrustWorld.Slot(one, $$""","previous":{{TrustWorld.Text(other.PublicKey)}}""");
        Assert.Equal("bad-field", Fault(TrustWorld.Trust(TrustWorld.Role(1, alone))));
        Assert.Equal("bad-field", Fault(TrustWorld.Trust(TrustWorld.Role(1, open))));
    }

    /// TR-3: before retireAt every key of a slot counts, from that instant on only the current one.
    [Theory]
    [InlineData("previous")]
    [InlineData("successor")]
    public void A_second_key_counts_until_it_retires(string place)
    {
        var (current, second) = (_world.Key(), _world.Key(KeyAlgorithm.EcdsaP256));
        var retireAt = TrustWorld.At("2030-07-01T00:00:00Z");
        var role = TrustWorld.Loaded(TrustWorld.Trust(TrustWorld.Role(
            1, TrustWorld.Slot(current, place, second, "2030-07-01T00:00:00Z")))).Role(RoleName.Release)!;
        var justBefore = retireAt - TimeSpan.FromMilliseconds(1);
        Assert.True(Counts(role, current, justBefore) && Counts(role, second, justBefore));
        Assert.True(Counts(role, current, retireAt) && !Counts(role, second, retireAt));
    }

    /// TR-3: through a whole rotation no host, whichever file it holds, refuses what its signer signs.
    [Fact]
    public void A_rotation_has_no_downtime()
    {
        var (old, young) = (_world.Key(), _world.Key());
        var before = Role(TrustWorld.Slot(old));
        var announced = Role(TrustWorld.Slot(old, "successor", young, "2030-07-01T00:00:00Z"));
        var switched = Role(TrustWorld.Slot(young, "previous", old, "2030-08-01T00:00:00Z"));
        var after = Role(TrustWorld.Slot(young));

        // The announcement is out: the old key signs, for those who have it and those who have not.
        var june = TrustWorld.At("2030-06-01T00:00:00Z");
        Assert.True(Counts(before, old, june) && Counts(announced, old, june));

        // The switch is out: the young key signs, and what the old one signed before is still good for both.
        var end = TrustWorld.At("2030-06-30T00:00:00Z");
        Assert.True(Counts(announced, young, end) && Counts(switched, young, end));
        Assert.True(Counts(announced, old, end) && Counts(switched, old, end));

        // The overlap is over.
        var august = TrustWorld.At("2030-08-01T00:00:00Z");
        Assert.True(Counts(switched, young, august) && Counts(after, young, august));
        Assert.False(Counts(switched, old, august) || Counts(after, old, august));
    }

    public void Dispose() => _world.Dispose();

    private static TrustRole Role(string slot) =>
        TrustWorld.Loaded(TrustWorld.Trust(TrustWorld.Role(1, slot))).Role(RoleName.Release)!;

    private static bool Counts(TrustRole role, SigningKey key, Instant now)
    {
        var document = "{}"u8.ToArray();
        var signatures = Assert.IsType<Checked<SignatureFile>.Passed>(
            SignatureFile.Read(TrustWorld.Sign(document, key))).Value;
        return role.Check(document, signatures, now) is null;
    }

    private static Refusal Refused(byte[] text) => Assert.IsType<Checked<TrustFile>.Refused>(TrustFile.Load(text)).Why;

    private static string Fault(byte[] text) =>
        TrustFile.Load(text).Failed(out _, out var why) ? TrustFaults.NameOf(why.Fault) : "passes";
}
