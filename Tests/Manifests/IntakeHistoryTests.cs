using System;
using System.Linq;
using System.Numerics;
using System.Security.Cryptography;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Shell.Manifests;
using Agent.Shell.Trust;
using Agent.Tests.Trust;
using LanguageExt;
using Xunit;
using State = Agent.Core.Rollout.RolloutState;

namespace Agent.Tests.Manifests;

/// <summary>What a host remembers of manifests, and what outlives a restart.</summary>
public sealed class IntakeHistoryTests : IDisposable
{
    private static readonly BigInteger OrderOfP256 = BigInteger.Parse(
        "0ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        System.Globalization.NumberStyles.HexNumber,
        System.Globalization.CultureInfo.InvariantCulture);

    private readonly ManifestWorld _world = new();

    /// TR-2: the same manifest again is known, though its signatures are others: what names it is what was signed. An
    /// ECDSA signature has a mirror image that is as good, and gains nothing.
    [Fact]
    public async Task The_same_manifest_with_other_signatures_is_known()
    {
        var manifest = ManifestWorld.Bytes(_world.Manifest(5));
        var mirrored = SignatureFile.Write(
        [
            SignatureFile.Sign(_world.Signers[0], manifest),
            new(_world.Signers[1].PublicKey.KeyId, Mirrored(_world.Signers[1].Sign(manifest))),
        ]);
        Assert.Equal("taken", await _world.OfferAsync(_world.Bundle(manifest, mirrored)));
        Assert.Equal("known", await _world.UnchangedAsync(() => _world.OfferAsync(_world.Bundle(manifest))));
        Assert.Single(_world.Host.Current.State.Rollouts.All.Keys);
    }

    /// TR-1: a field for others is ignored where it is not known, and belongs to what was signed: it is in the digest
    /// that names the rollout.
    [Fact]
    public async Task A_field_for_others_is_taken_and_hashed()
    {
        var manifest = _world.Manifest(5);
        var without = Id(ManifestWorld.Bytes(manifest));
        manifest["x-ticket"] = "OPS-1";
        manifest["policy"]!["x-why"] = "a trial";
        manifest["hosts"]![0]!["x-rack"] = 7;
        manifest["waves"]![0]!["x-name"] = "canary";
        var descriptor = _world.Descriptor();
        descriptor["x-built-by"] = "ci";
        var taken = Assert.IsType<IntakeResult.Taken>(await _world.TakeAsync(_world.Bundle(manifest, descriptor)));
        Assert.Equal(Id(ManifestWorld.Bytes(manifest)), taken.Id.ToString());
        Assert.NotEqual(without, taken.Id.ToString());
    }

    /// TR-2: the highest version seen is state: it outlives a restart, and the rollouts themselves when
    /// those are let go.
    [Fact]
    public async Task The_version_floor_outlives_a_restart_and_its_rollouts()
    {
        var (old, seen) = (_world.Good(4), _world.Good(5));
        Assert.Equal("taken", await _world.OfferAsync(seen));
        _world.Restart();
        Assert.Equal("known", await _world.OfferAsync(seen));
        Assert.Equal("version-rollback", await _world.UnchangedAsync(() => _world.OfferAsync(old)));

        _world.Restart(state => state with
        {
            Rollouts = state.Rollouts with { All = Map<OrdRolloutId, RolloutId, State>.Empty },
        });
        Assert.Equal("version-reused", await _world.UnchangedAsync(() => _world.OfferAsync(seen)));
        Assert.Equal("version-rollback", await _world.UnchangedAsync(() => _world.OfferAsync(old)));
        Assert.Equal("taken", await _world.OfferAsync(_world.Good(6)));
    }

    /// TR-2, JO-2: an agent that ends between taking the release in and being told of the manifest takes it when it
    /// comes again, without the archive; and a new trust file in between changes nothing about that.
    [Fact]
    public async Task What_was_cut_off_halfway_is_taken_when_it_comes_again()
    {
        await _world.Store.ImportAsync(_world.Release);
        _world.InstallTrust(_world.Trust(2));
        _world.Restart();
        Assert.Equal("taken", await _world.OfferAsync(_world.Good(5) with { Archive = null }));
        _world.Restart();
        Assert.Equal("known", await _world.OfferAsync(_world.Good(5)));
        Assert.Equal(5, Floor());
    }

    /// TR-2: a version may be as large as every reader of JSON can tell apart. Whoever gets such a one signed has used
    /// up its channel; another channel goes on.
    [Fact]
    public async Task The_largest_version_ends_its_channel_and_no_other()
    {
        Assert.Equal("taken", await _world.OfferAsync(_world.Good(9007199254740991)));
        Assert.Equal("version-rollback", await _world.OfferAsync(_world.Good(6)));
        Assert.Equal("number-out-of-range", await _world.OfferAsync(_world.Good(9007199254740992)));
        var other = _world.Manifest(1);
        other["channel"] = "other";
        Assert.Equal("taken", await _world.OfferAsync(_world.Bundle(other)));
    }

    /// RO-3, TR-2: one that another took the place of is known when it is played again, and stays what it is.
    [Fact]
    public async Task A_superseded_manifest_played_again_stays_superseded()
    {
        var superseded = _world.Good(6);
        Assert.Equal("taken", await _world.OfferAsync(_world.Good(5)));
        Assert.Equal("taken", await _world.OfferAsync(superseded));
        Assert.Equal("taken", await _world.OfferAsync(_world.Good(7)));
        Assert.Equal("known", await _world.UnchangedAsync(() => _world.OfferAsync(superseded)));
        Assert.IsType<State.Superseded>(_world.Host.Current.State.Rollouts.All.Values.Single(
            state => state.Profile.Order.Version == 6));
    }

    /// TR-2: of two manifests of one version that come at the same time one is taken.
    [Fact]
    public async Task Two_of_one_version_at_once_are_one()
    {
        var other = _world.Manifest(5);
        other["x-note"] = "another";
        var codes = await Task.WhenAll(_world.OfferAsync(_world.Good(5)), _world.OfferAsync(_world.Bundle(other)));
        Assert.Equal(["taken", "version-reused"], codes.Order(StringComparer.Ordinal));
    }

    /// TR-2: the core holds the floor by itself, whatever its door let through.
    [Fact]
    public async Task The_core_refuses_old_versions_by_itself()
    {
        Assert.Equal("taken", await _world.OfferAsync(_world.Good(5)));
        var order = _world.Host.Current.State.Rollouts.All.Values.Single().Profile.Order;
        Assert.Equal(ErrorCode.Known, await RefusalAsync(order));
        var id = Another();
        Assert.Equal(ErrorCode.VersionReused, await RefusalAsync(order with { Id = id }));
        Assert.Equal(ErrorCode.VersionRollback, await RefusalAsync(order with { Id = id, Version = 4 }));
        Assert.Equal(5, Floor());
    }

    /// TR-3, TR-4: trust is judged anew for each manifest: who was taken out of the file has no say from then on, who
    /// came in has, and what was taken before stays.
    [Fact]
    public async Task Trust_is_judged_anew_for_each_manifest()
    {
        Assert.Equal("taken", await _world.OfferAsync(_world.Good(5)));
        SigningKey[] fresh = [_world.Key(), _world.Key()];
        var trust = _world.Trust(2);
        trust["roles"]!["manifest"] = ManifestWorld.Role(2, fresh);
        _world.InstallTrust(trust);
        Assert.Equal("threshold-not-met", await _world.UnchangedAsync(() => _world.OfferAsync(_world.Good(6))));
        var next = ManifestWorld.Bytes(_world.Manifest(6));
        Assert.Equal("taken", await _world.OfferAsync(_world.Bundle(next, TrustWorld.Sign(next, fresh))));
        Assert.Equal(2, _world.Host.Current.State.Rollouts.All.Count);
    }

    /// TR-2: a machine's clock that was set while the agent ran, either way and however far, is the one that signatures
    /// are judged by; the loop's, by which it waits, does not follow it.
    [Theory]
    [InlineData(3)]
    [InlineData(-24 * 3650)]
    public async Task Signatures_are_judged_by_the_machines_clock(int hours)
    {
        _world.Wall.Ahead = TimeSpan.FromHours(hours);
        var (manifest, descriptor) = (_world.Manifest(5), _world.Descriptor());
        Assert.Equal(hours > 0 ? "stale" : "from-the-future", await _world.OfferAsync(_world.Bundle(manifest, descriptor)));
        var now = _world.At(_world.Wall.Ahead);
        manifest["signedAt"] = now;
        descriptor["signedAt"] = now;
        Assert.Equal("taken", await _world.OfferAsync(_world.Bundle(manifest, descriptor)));
    }

    /// TR-3, TR-4: who vouched for a release is kept beside it and judged anew for each manifest that asks for it. A
    /// signer who was taken out of the file cannot be gone around by leaving the descriptor out.
    [Fact]
    public async Task A_release_in_the_store_is_judged_by_todays_signers()
    {
        Assert.Equal("taken", await _world.OfferAsync(_world.Good(5)));
        Assert.Equal("taken", await _world.OfferAsync(Alone(6)));
        var fresh = _world.Key();
        var trust = _world.Trust(2);
        trust["roles"]!["release"] = ManifestWorld.Role(1, fresh);
        _world.InstallTrust(trust);
        Assert.Equal("threshold-not-met", await _world.UnchangedAsync(() => _world.OfferAsync(Alone(7))));
        var descriptor = ManifestWorld.Bytes(_world.Descriptor());
        Assert.Equal("taken", await _world.OfferAsync(
            Alone(7) with { Release = descriptor, ReleaseSignatures = TrustWorld.Sign(descriptor, fresh) }));
        _world.Restart();
        Assert.Equal("taken", await _world.OfferAsync(Alone(8)));
    }

    /// TR-4: a release of which it is not known who vouched for it is asked for again.
    [Fact]
    public async Task A_release_that_nobody_vouches_for_is_refused()
    {
        await _world.Store.ImportAsync(_world.Release);
        Assert.Equal("release-unsigned", await _world.UnchangedAsync(() => _world.OfferAsync(Alone(5))));
        Assert.Equal("taken", await _world.OfferAsync(_world.Good(5)));
    }

    public void Dispose() => _world.Dispose();

    /// <summary>A manifest and nothing of its release.</summary>
    private Bundle Alone(long version) =>
        _world.Good(version) with { Release = null, ReleaseSignatures = null, Archive = null };

    private static string Id(byte[] manifest) =>
        $"{ManifestWorld.Channel}@{ManifestReader.RefOf(Convert.ToHexStringLower(SHA256.HashData(manifest)))}";

    private static RolloutId Another() => RolloutId.Parse("app@0000000000000000").IfNoneUnsafe(() => null!)!;

    private static byte[] Mirrored(byte[] signature)
    {
        var s = OrderOfP256 - new BigInteger(signature.AsSpan(32), isUnsigned: true, isBigEndian: true);
        var bytes = s.ToByteArray(isUnsigned: true, isBigEndian: true);
        return [.. signature[..32], .. new byte[32 - bytes.Length], .. bytes];
    }

    private long? Floor() => ChannelName.Parse(ManifestWorld.Channel).Bind(_world.Host.Current.State.Rollouts.Floor)
        .TryGet(out var version) ? version : null;

    private async Task<ErrorCode?> RefusalAsync(RolloutOrder order) =>
        (await _world.Host.AskAsync(new HostEvent.RolloutOrdered(new(0), order), CancellationToken.None)).Refusal?.Code;
}
