using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json.Nodes;
using Agent.Core.Model;
using Agent.Tests.Support;
using Agent.Tests.Trust;

namespace Agent.Tests.Manifests;

/// <summary>Parts that were signed, but do not belong together; and an archive that is not what was signed.</summary>
internal static class PartAttacks
{
    public static IReadOnlyList<Attack> All { get; } =
    [
        Attack.Offer("another release", "the descriptor of one beside the manifest of another", "release-hash", world =>
            world.Bundle(world.Manifest(Attack.Next), world.Descriptor(Other(world)), Other(world))),
        Attack.Offer("another release", "the archive of another", "release-hash", world =>
        {
            var (mine, other) = (world.Release, Other(world));
            var descriptor = world.Descriptor();
            descriptor["length"] = other.Length;
            return world.Bundle(world.Manifest(Attack.Next, mine), descriptor, other);
        }),
        Attack.Offer("another release", "one byte of the archive changed", "release-hash", world =>
        {
            var bytes = File.ReadAllBytes(world.Release.Path);
            bytes[^1] ^= 1;
            return world.Bundle(world.Manifest(Attack.Next), null, TestRelease.Of(world.Store.Archives, bytes));
        }),
        Attack.Offer("another length", "bytes behind the archive", "release-length", world => world.Bundle(
            world.Manifest(Attack.Next), null,
            TestRelease.Of(world.Store.Archives, [.. File.ReadAllBytes(world.Release.Path), 0]))),
        Attack.Offer("another length", "the archive cut", "release-length", world => world.Bundle(
            world.Manifest(Attack.Next), null,
            TestRelease.Of(world.Store.Archives, File.ReadAllBytes(world.Release.Path)[..^1]))),
        Attack.Offer("another length", "a descriptor that promises less", "release-length", world =>
        {
            var descriptor = world.Descriptor();
            descriptor["length"] = world.Release.Length - 1;
            return world.Bundle(world.Manifest(Attack.Next), descriptor);
        }),
        HistoryAttacks.Changed("digest of another kind", "SHA-512", "bad-field", (_, it) =>
            it["hosts"]![0]!["target"] = "sha512:" + new string('a', 128)),
        HistoryAttacks.Changed("digest of another kind", "MD5 in the place of SHA-256", "bad-field", (_, it) =>
            it["hosts"]![0]!["target"] = "sha256:" + new string('a', 32)),
        HistoryAttacks.Changed("digest of another kind", "in capitals", "bad-field", (world, it) =>
            it["hosts"]![0]!["target"] = "sha256:" + world.Release.Sha256.ToUpperInvariant()),
        HistoryAttacks.Changed("target of another kind", "a store path for the activator of releases", "target-kind",
            (_, it) => it["hosts"]![0]!["target"] = StorePath),
        HistoryAttacks.Changed("target of another kind", "an archive for NixOS", "target-kind", (_, it) =>
            it["activator"] = "nixos"),
        HistoryAttacks.Changed("target of another kind", "for another host of the fleet", "target-kind", (_, it) =>
            it["hosts"]!.AsArray().Add(new JsonObject { ["host"] = "other", ["target"] = StorePath, ["wave"] = 1 })),
        Attack.Offer("release left out", "neither here nor in the bundle", "release-missing", world =>
            world.Good(Attack.Next) with { Release = null, ReleaseSignatures = null, Archive = null }),
        Attack.Offer("release left out", "an archive without a descriptor", "release-missing", world =>
            world.Good(Attack.Next) with { Release = null, ReleaseSignatures = null }),
        Attack.Offer("signed for something else", "a descriptor in the place of a manifest", "wrong-type", world =>
            world.Bundle(world.Descriptor())),
        Attack.Offer("signed for something else", "a trust file in the place of a manifest", "wrong-type", world =>
            world.Bundle(world.Trust())),
        Attack.Offer("signed for something else", "a manifest in the place of the descriptor", "wrong-type", world =>
        {
            var manifest = ManifestWorld.Bytes(world.Manifest(Attack.Next));
            return world.Bundle(manifest) with { Release = manifest, ReleaseSignatures = TrustWorld.Sign(manifest,
                world.Releaser) };
        }),
    ];

    private static string StorePath => $"{ReleaseId.StorePrefix}{new string('a', 32)}-system";

    private static TestRelease Other(ManifestWorld world) => TestRelease.Make(world.Store.Archives, ("app", "two"));
}
