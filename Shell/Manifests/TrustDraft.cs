using System;
using System.Collections.Generic;
using System.Linq;
using Agent.Shell.Trust;

namespace Agent.Shell.Manifests;

/// <summary>Writes trust files: the first, and each next one with one slot of one role rotated.</summary>
internal static class TrustDraft
{
    public static Json.Object First(DateTimeOffset at, IReadOnlyDictionary<RoleName, PublicKey> keys) => Document(
        1, at, null, null, keys.Select(one => (one.Key, 1, (IReadOnlyList<TrustSlot>)[new(one.Value, null, null, null)])));

    /// <summary>The next version of a trust file with one slot exchanged, for which nobody has signed yet.</summary>
    public static Json.Object Next(TrustFile file, DateTimeOffset at, RoleName role, int slot, TrustSlot changed)
    {
        var roles = Enum.GetValues<RoleName>().Select(file.Role).OfType<TrustRole>().Select(known => (
            known.Name, known.Threshold,
            known.Name != role ? known.Slots : [.. known.Slots.Select((old, place) => place == slot ? changed : old)]));
        return Document(file.Version + 1, at, file.RejectBefore?.ToString(), file.Freshness, roles);
    }

    private static Json.Object Document(
        long version, DateTimeOffset at, string? rejectBefore, TimeSpan? freshness,
        IEnumerable<(RoleName Name, int Threshold, IReadOnlyList<TrustSlot> Slots)> roles)
    {
        var members = new List<Json.Member>
        {
            new("issuedAt", new Json.String(ManifestDraft.Stamp(at))),
            new("roles", new Json.Object([.. roles.Select(role => new Json.Member(TrustFile.NameOf(role.Name), Role(role.Threshold, role.Slots)))])),
            new("schemaVersion", new Json.Number(1)),
            new("type", new Json.String(TrustFile.Type)),
            new("version", new Json.Number(version)),
        };
        if (rejectBefore is not null) members.Add(new("rejectBefore", new Json.String(rejectBefore)));
        if (freshness is { } window) members.Add(new("freshnessSeconds", new Json.Number(window.TotalSeconds)));
        return new(members);
    }

    private static Json.Object Role(int threshold, IReadOnlyList<TrustSlot> slots) => new(
    [
        new("slots", new Json.Array([.. slots.Select(Slot)])), new("threshold", new Json.Number(threshold)),
    ]);

    private static Json.Object Slot(TrustSlot slot)
    {
        var members = new List<Json.Member> { new("current", Key(slot.Current)) };
        if (slot.Previous is { } previous) members.Add(new("previous", Key(previous)));
        if (slot.Successor is { } successor) members.Add(new("successor", Key(successor)));
        if (slot.RetireAt is { } retire) members.Add(new("retireAt", new Json.String(retire.ToString())));
        return new(members);
    }

    private static Json.Object Key(PublicKey key) => new(
    [
        new("algorithm", new Json.String(key.AlgorithmName)), new("key", new Json.String(key.Base64)),
    ]);
}
