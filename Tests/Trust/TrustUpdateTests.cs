using System;
using System.Linq;
using Agent.Shell.Trust;
using Xunit;

namespace Agent.Tests.Trust;

public sealed class TrustUpdateTests : IDisposable
{
    private readonly TrustWorld _world = new();
    private readonly SigningKey[] _old;
    private readonly SigningKey[] _new;
    private readonly TrustFile _held;

    public TrustUpdateTests()
    {
        _old = [_world.Key(), _world.Key(KeyAlgorithm.EcdsaP256), _world.Key()];
        _new = [_world.Key(), _world.Key()];
        _held = TrustWorld.Loaded(TrustWorld.Trust(TrustWorld.Role(2, _old), 5));
    }

    /// TR-3: the next version, signed by the threshold of both.
    [Fact]
    public void A_link_is_signed_by_both()
    {
        var file = Assert.IsType<Checked<TrustFile>.Passed>(
            TrustUpdate.Check(_held, Next(6), TrustWorld.Sign(Next(6), [.. _old[1..], .. _new]))).Value;
        Assert.Equal(6, file.Version);
    }

    /// TR-4: old signers alone cannot name keys that nobody holds, new ones alone not themselves; one fewer is too few.
    [Fact]
    public void A_link_signed_by_one_side_is_refused()
    {
        Assert.Equal("threshold-not-met by version 6", Fault(6, _old));
        Assert.Equal("threshold-not-met by version 5", Fault(6, _new));
        Assert.Equal("threshold-not-met by version 5", Fault(6, [_old[0], .. _new]));
        Assert.Equal("threshold-not-met by version 6", Fault(6, [.. _old, _new[0]]));
    }

    /// TR-3: versions go up by one: back, the same again and one left out are refused, each with its code.
    [Theory]
    [InlineData(4, "version-rollback")]
    [InlineData(5, "version-reused")]
    [InlineData(7, "trust-chain")]
    [InlineData(9007199254740991, "trust-chain")]
    public void A_version_is_not_left_out(long version, string fault) =>
        Assert.StartsWith(fault, Fault(version, [.. _old, .. _new]), StringComparison.Ordinal);

    /// TR-3: who comes back after many versions walks every link.
    [Fact]
    public void Every_link_is_walked()
    {
        var held = _held;
        var keys = _old;
        for (var version = 6L; version < 30; version++)
        {
            SigningKey[] next = [_world.Key(), _world.Key()];
            var text = TrustWorld.Trust(TrustWorld.Role(2, next), version);
            held = Assert.IsType<Checked<TrustFile>.Passed>(
                TrustUpdate.Check(held, text, TrustWorld.Sign(text, [.. keys, .. next]))).Value;
            keys = next;
        }

        Assert.Equal(29, held.Version);
    }

    /// TR-2: nothing in the next file is looked at before the signers that are trusted have signed it.
    [Fact]
    public void Unsigned_content_is_not_looked_at()
    {
        var nonsense = TrustWorld.Canonical("""{"type":"something else"}""");
        Assert.StartsWith("threshold-not-met", Fault(nonsense, _new), StringComparison.Ordinal);
        Assert.StartsWith("missing-field", Fault(nonsense, _old), StringComparison.Ordinal);
    }

    /// TR-3: an announced successor finishes its own rotation, whatever the time, and a previous key has no say.
    [Fact]
    public void A_successor_may_finish_its_rotation()
    {
        var (lost, successor, previous) = (_world.Key(), _world.Key(), _world.Key());
        var announced = TrustWorld.Loaded(TrustWorld.Trust(
            TrustWorld.Role(1, TrustWorld.Slot(lost, "successor", successor, "2001-01-01T00:00:00Z"))));
        var next = TrustWorld.Trust(
            TrustWorld.Role(1, TrustWorld.Slot(successor, "previous", previous, "2999-01-01T00:00:00Z")), 2);
        var switched = Assert.IsType<Checked<TrustFile>.Passed>(
            TrustUpdate.Check(announced, next, TrustWorld.Sign(next, successor))).Value;
        var last = TrustWorld.Trust(TrustWorld.Role(1, previous), 3);
        var why = Assert.IsType<Checked<TrustFile>.Refused>(
            TrustUpdate.Check(switched, last, TrustWorld.Sign(last, previous))).Why;
        Assert.Equal(TrustFault.ThresholdNotMet, why.Fault);
    }

    /// TR-1: only the root's signers have a say, though a key of another role signs as well.
    [Fact]
    public void Other_roles_have_no_say()
    {
        var (root, release) = (_world.Key(), _world.Key());
        var held = TrustWorld.Loaded(TrustWorld.Trust(TrustWorld.Role(1, release), 1, TrustWorld.Role(1, root)));
        var next = TrustWorld.Trust(TrustWorld.Role(1, release), 2);
        var why = Assert.IsType<Checked<TrustFile>.Refused>(
            TrustUpdate.Check(held, next, TrustWorld.Sign(next, release))).Why;
        Assert.Equal(TrustFault.ThresholdNotMet, why.Fault);
    }

    public void Dispose() => _world.Dispose();

    private byte[] Next(long version) => TrustWorld.Trust(TrustWorld.Role(2, _new), version);

    private string Fault(long version, SigningKey[] signers) => Fault(Next(version), signers);

    private string Fault(byte[] next, SigningKey[] signers)
    {
        var why = Assert.IsType<Checked<TrustFile>.Refused>(
            TrustUpdate.Check(_held, next, TrustWorld.Sign(next, signers))).Why;
        return $"{TrustFaults.NameOf(why.Fault)} {why.Detail.Split(':')[0]}";
    }
}
