using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.Json.Nodes;
using System.Threading.Tasks;
using Agent.Shell.Trust;
using Agent.Tests.Trust;

namespace Agent.Tests.Manifests;

/// <summary>
/// On whom a host trusts: what stands in its trust file, who was taken out of it, and how one follows another.
/// </summary>
internal static class TrustAttacks
{
    private const string Ed25519 = "ed25519";

    // The neutral element; one of order 8 (from the table of those that exist); and 1 + p, another way to write 1.
    private static readonly string Neutral = Convert.ToBase64String([1, .. new byte[31]]);
    private static readonly string OrderEight = Convert.ToBase64String(Convert.FromHexString(
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"));

    private static readonly string NotReduced = Convert.ToBase64String(Convert.FromHexString(
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"));

    public static IReadOnlyList<Attack> All { get; } =
    [
        Key("weak key", "of order 1", "bad-key", Ed25519, Neutral),
        Key("weak key", "of order 8", "bad-key", Ed25519, OrderEight),
        Key("weak key", "not in canonical form", "bad-key", Ed25519, NotReduced),
        Key("weak key", "cut", "bad-key", Ed25519, Convert.ToBase64String(new byte[31])),
        Key("weak key", "of another algorithm than it says", "bad-key", "ecdsa-p256", null),
        Key("unknown algorithm", "none", "unknown-algorithm", "none", null),
        Key("unknown algorithm", "in other letters", "unknown-algorithm", "Ed25519", null),
        Key("unknown algorithm", "of a shared secret", "unknown-algorithm", "hmac-sha256", null),
        Held("key in its role twice", "in two slots", "repeated-key", (world, roles) =>
            roles["manifest"] = ManifestWorld.Role(2, world.Signers[0], world.Signers[0])),
        Held("key in its role twice", "as the successor of another", "repeated-key", (world, roles) =>
        {
            var slots = (JsonArray)roles["manifest"]!["slots"]!;
            slots[1]!["successor"] = slots[0]!["current"]!.DeepClone();
            slots[1]!["retireAt"] = world.At(TimeSpan.FromDays(1));
        }),

        Held("too few signers", "a revoked key signs on", "threshold-not-met", (world, roles) =>
            roles["manifest"] = ManifestWorld.Role(2, world.Key(), world.Signers[1], world.Signers[2])),
        Held("too few signers", "a previous key after its end", "threshold-not-met", (world, roles) =>
        {
            var young = JsonNode.Parse(TrustWorld.Text(world.Key().PublicKey));
            var slot = roles["manifest"]!["slots"]![0]!;
            slot["previous"] = slot["current"]!.DeepClone();
            slot["current"] = young;
            slot["retireAt"] = world.At(TimeSpan.FromSeconds(-1));
        }),
        Held("too few signers", "the release's signer was revoked meanwhile", "threshold-not-met", (world, roles) =>
            roles["release"] = ManifestWorld.Role(1, world.Key())),
        new("signed before the bound", "by keys that are good again", "before-reject-before", world =>
        {
            var trust = world.Trust(2);
            trust["rejectBefore"] = world.At(TimeSpan.FromSeconds(30));
            world.InstallTrust(trust);
            return world.OfferAsync(world.Good(Attack.Next));
        }),

        // Upstream: recv_profile_load_failure_installs_restricted_authority_floor.
        new("no trust file", "it was taken away", "no-trust", world =>
        {
            System.IO.File.Delete(world.TrustPath);
            return world.OfferAsync(world.Good(Attack.Next));
        }),

        Link("too few signers", "the next trust file by the old root alone", "threshold-not-met", 2, world =>
            [world.Root]),
        Link("too few signers", "the next trust file by the new root alone", "threshold-not-met", 2, world =>
            [world.Signers[2]]),
        Link("too few signers", "the next trust file by another role's key", "threshold-not-met", 2, world =>
            [world.Releaser, world.Signers[2]]),
        Link("link of trust left out", "N to N + 2", "trust-chain", 3, world => [world.Root, world.Signers[2]]),
        Link("link of trust left out", "N to N + 257", "trust-chain", 258, world => [world.Root, world.Signers[2]]),
        new("version played again", "an older trust file", "version-rollback", async world =>
            await Task.FromResult(FollowedBy(world, 7, 6, [world.Root, world.Signers[2]]))),
        new("version given twice", "another trust file of this version", "version-reused", async world =>
            await Task.FromResult(FollowedBy(world, 7, 7, [world.Root, world.Signers[2]]))),
    ];

    /// <summary>The first manifest key of the trust file that is held is another.</summary>
    private static Attack Key(string of, string what, string code, string algorithm, string? key) =>
        Held(of, what, code, (_, roles) =>
        {
            var current = roles["manifest"]!["slots"]![0]!["current"]!;
            current["algorithm"] = algorithm;
            if (key is not null) current["key"] = key;
        });

    /// <summary>The host holds such a trust file, and a manifest comes that the first two signers signed.</summary>
    private static Attack Held(string of, string what, string code, Action<ManifestWorld, JsonNode> change) =>
        new(of, what, code, world =>
        {
            var trust = world.Trust(2);
            change(world, trust["roles"]!);
            world.InstallTrust(trust);
            return world.OfferAsync(world.Good(Attack.Next));
        });

    /// <summary>A trust file with another root, of this version and signed by these, after version 1.</summary>
    private static Attack Link(
        string of, string what, string code, int version, Func<ManifestWorld, SigningKey[]> signers) =>
        new(of, what, code, world => Task.FromResult(FollowedBy(world, 1, version, signers(world))));

    private static string FollowedBy(ManifestWorld world, int held, int offered, SigningKey[] signers)
    {
        var next = world.Trust(offered);
        next["roles"]!["root"] = ManifestWorld.Role(1, world.Signers[2]);
        var bytes = ManifestWorld.Bytes(next);
        var current = TrustWorld.Loaded(ManifestWorld.Bytes(world.Trust(held)));
        return TrustUpdate.Check(current, bytes, TrustWorld.Sign(bytes, signers)).Failed(out _, out var why)
            ? TrustFaults.NameOf(why.Fault)
            : "taken";
    }
}
