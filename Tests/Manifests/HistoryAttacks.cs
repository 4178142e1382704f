using System;
using System.Collections.Generic;
using System.Text.Json.Nodes;

namespace Agent.Tests.Manifests;

/// <summary>Manifests that were signed, but for another time, another point of a history, or another host.</summary>
internal static class HistoryAttacks
{
    public static IReadOnlyList<Attack> All { get; } =
    [
        Changed("version played again", "one below the highest seen", "version-rollback", (_, it) =>
            it["version"] = Attack.Held - 1),
        Changed("version played again", "the first", "version-rollback", (_, it) => it["version"] = 1),
        Changed("version played again", "for another host at that", "version-rollback", (_, it) =>
        {
            it["version"] = 1;
            it["hosts"]![0]!["host"] = "other";
        }),
        Changed("version given twice", "other content of the highest seen", "version-reused", (_, it) =>
            it["version"] = Attack.Held),
        Changed("number without bound", "a version past 2^53", "number-out-of-range", (_, it) =>
            it["version"] = 9007199254740992),
        Changed("number without bound", "a version of 2^63", "number-out-of-range", (_, it) =>
            it["version"] = 9223372036854775808d),
        Changed("number without bound", "a soak past 2^53", "number-out-of-range", (_, it) =>
            it["policy"]!["soakMs"] = 9007199254740992),

        Changed("held back", "older than the window of freshness", "stale", (world, it) =>
            it["signedAt"] = world.At(TimeSpan.FromSeconds(-3665))),
        Changed("expired", "within the window of freshness", "expired", (world, it) =>
        {
            it["signedAt"] = world.At(TimeSpan.FromMinutes(-10));
            it["expiresAt"] = world.At(TimeSpan.FromSeconds(-1));
        }),
        Changed("from the future", "signed in two minutes", "from-the-future", (world, it) =>
            it["signedAt"] = world.At(TimeSpan.FromMinutes(2))),
        Changed("from the future", "signed in ten years", "from-the-future", (world, it) =>
            it["signedAt"] = world.At(TimeSpan.FromDays(3650))),
        Attack.Offer("from the future", "the descriptor of its release", "from-the-future", world =>
        {
            var descriptor = world.Descriptor();
            descriptor["signedAt"] = world.At(TimeSpan.FromMinutes(2));
            return world.Bundle(world.Manifest(Attack.Next), descriptor);
        }),

        Changed("for somebody else", "another host", "wrong-host", (_, it) => it["hosts"]![0]!["host"] = "other"),
        Changed("for somebody else", "a host whose name begins alike", "wrong-host", (_, it) =>
            it["hosts"]![0]!["host"] = "box.other"),
        Changed("for somebody else", "this name in other letters", "wrong-host", (_, it) =>
            it["hosts"]![0]!["host"] = "BOX"),
        Changed("for somebody else", "nobody", "wrong-host", (_, it) => it["hosts"] = new JsonArray()),
        Changed("for somebody else", "another environment", "wrong-host", (_, it) => it["environment"] = "test"),
    ];

    public static Attack Changed(string of, string what, string code, Action<ManifestWorld, JsonObject> change) =>
        Attack.Offer(of, what, code, world =>
        {
            var manifest = world.Manifest(Attack.Next);
            change(world, manifest);
            return world.Bundle(manifest);
        });
}
