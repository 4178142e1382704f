using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Agent.Shell.Manifests;
using Agent.Shell.Trust;

namespace Agent.Tests.Manifests;

/// <summary>
/// Bytes that two readers may read differently, or that break one. Their signatures are good, so nothing but the form
/// is why they are refused.
/// </summary>
internal static class FormAttacks
{
    private const int TooDeep = CanonicalJson.MaxDepth + 1;

    public static IReadOnlyList<Attack> All { get; } =
    [
        Spliced("key given twice", "two versions", "duplicate-key", "\"version\":6", "\"version\":6,\"version\":7"),
        Spliced("key given twice", "one of them escaped", "duplicate-key", "\"version\":6",
            "\"\\u0076ersion\":6,\"version\":7"),
        Spliced("number without bound", "beyond every double", "number-out-of-range", "\"version\":6",
            "\"version\":1e999"),
        Spliced("not the canonical form", "an integer that a double cannot hold", "not-canonical", "\"version\":6",
            "\"version\":9007199254740993"),
        Spliced("not the canonical form", "a number in other digits", "not-canonical", "\"version\":6",
            "\"version\":6.0"),
        Spliced("not the canonical form", "a blank", "not-canonical", "\"version\":6", "\"version\": 6"),
        Spliced("nested too deep", "arrays", "too-deep", "\"probes\":[]",
            $"\"probes\":{new string('[', TooDeep)}{new string(']', TooDeep)}"),
        Spliced("nested too deep", "a quarter of a million", "too-deep", "\"probes\":[]",
            $"\"probes\":{new string('[', 250_000)}{new string(']', 250_000)}"),
        Spliced("half a surrogate pair", "the first half", "lone-surrogate", "\"app\"", "\"\\ud800\""),
        Spliced("half a surrogate pair", "the second, in a name", "lone-surrogate", "\"version\"", "\"\\udc00\""),
        Formed("not UTF-8", "a byte order mark", "not-utf8", bytes => [0xEF, 0xBB, 0xBF, .. bytes]),
        Formed("not UTF-8", "a byte that never is", "not-utf8", bytes => [.. bytes[..^2], 0xFF, .. bytes[^2..]]),
        Formed("not UTF-8", "a slash in two bytes", "not-utf8", bytes => [.. bytes[..^2], 0xC0, 0xAF, .. bytes[^2..]]),
        Formed("not UTF-8", "a surrogate in three bytes", "not-utf8", bytes =>
            [.. bytes[..^2], 0xED, 0xA0, 0x80, .. bytes[^2..]]),
        Formed("not JSON", "cut", "not-json", bytes => bytes[..^1]),
        Formed("not JSON", "empty", "not-json", _ => []),
        Formed("not JSON", "two documents", "not-json", bytes => [.. bytes, .. bytes]),
        Formed("not JSON", "a comment", "not-json", bytes => [.. bytes, .. "//"u8]),
        Formed("too large", "one byte more than may be", "too-large", bytes =>
            [.. bytes, .. Enumerable.Repeat((byte)' ', ManifestReader.MaxBytes + 1 - bytes.Length)]),

        Field("critical field unknown", "in the manifest", "", ""),
        Field("critical field unknown", "in the policy", "policy", ""),
        Field("critical field unknown", "in the row of a host", "hosts", "0"),
        Field("critical field unknown", "in a wave", "waves", "0"),
        Attack.Offer("critical field unknown", "in the descriptor of the release", "unknown-field", world =>
        {
            var descriptor = world.Descriptor();
            descriptor["requires"] = "something";
            return world.Bundle(world.Manifest(Attack.Next), descriptor);
        }),
        HistoryAttacks.Changed("shape of a later version", "of the manifest", "schema-version", (_, it) =>
            it["schemaVersion"] = 2),
        HistoryAttacks.Changed("field left out", "how it is judged", "missing-field", (_, it) => it.Remove("policy")),
        HistoryAttacks.Changed("field left out", "when it was signed", "missing-field", (_, it) =>
            it.Remove("signedAt")),
    ];

    private static Attack Spliced(string of, string what, string code, string good, string bad) =>
        Formed(of, what, code, bytes =>
        {
            var text = Encoding.UTF8.GetString(bytes);
            return text.Contains(good, StringComparison.Ordinal)
                ? Encoding.UTF8.GetBytes(text.Replace(good, bad, StringComparison.Ordinal))
                : throw new InvalidOperationException($"a manifest has no {good}");
        });

    private static Attack Formed(string of, string what, string code, Func<byte[], byte[]> form) =>
        Attack.Offer(of, what, code, world => world.Bundle(form(ManifestWorld.Bytes(world.Manifest(Attack.Next)))));

    /// <summary>A field of no known name, in the object at a member and, for lists, an item of it.</summary>
    private static Attack Field(string of, string what, string member, string item) => HistoryAttacks.Changed(
        of, what, "unknown-field", (_, it) =>
        {
            var at = member.Length == 0 ? it : it[member]!;
            (item.Length == 0 ? at : at[0]!)["onlyIf"] = "something";
        });
}
