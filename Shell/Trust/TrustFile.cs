using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Security.Cryptography;
using Agent.Core.Time;

namespace Agent.Shell.Trust;

/// <summary>
/// Which keys this host trusts for what. The first is put on the host by whoever enrols it; each one after it is
/// accepted by <see cref="TrustUpdate"/> only. One that exists holds good keys, each of them once in its role, and
/// thresholds that can be met.
/// </summary>
internal sealed class TrustFile
{
    public const string Type = "agent/trust";

    /// <summary>Four full roles take less than a tenth of it.</summary>
    public const int MaxBytes = 512 * 1024;

    // An hour: what a plane that cannot reach its signer may lag behind. A month is the most that still is a window.
    private const int DefaultFreshnessSeconds = 3600;
    private const int MostFreshnessSeconds = 31 * 24 * 3600;

    // The largest integer that every JSON reader takes as it stands.
    private const long MostVersion = 9007199254740991;

    private readonly Dictionary<RoleName, TrustRole> _roles;

    private TrustFile(IEnumerable<TrustRole> roles) => _roles = roles.ToDictionary(role => role.Name);

    public required long Version { get; init; }

    /// <summary>Of the bytes it was read from, in lowercase hex.</summary>
    public required string Sha256 { get; init; }

    public required Instant IssuedAt { get; init; }

    /// <summary>Nothing signed before it is accepted; null where there is no such bound.</summary>
    public required Instant? RejectBefore { get; init; }

    /// <summary>How old a document may be where freshness is asked for.</summary>
    public required TimeSpan Freshness { get; init; }

    /// <summary>Null only for <see cref="RoleName.Evidence"/>, which a file may leave out.</summary>
    public TrustRole? Role(RoleName name) => _roles.GetValueOrDefault(name);

    public TrustRole Root => _roles[RoleName.Root];

    /// <summary>
    /// Reads a trust file that is trusted for where it comes from, such as the one in the state directory. Each breach
    /// has its own code; a bad key, one given twice, an unknown algorithm and an unknown field are among them.
    /// </summary>
    public static Checked<TrustFile> Load(ReadOnlySpan<byte> text)
    {
        if (CanonicalJson.ReadCanonical(text, MaxBytes).Failed(out var tree, out var why)) return why;
        return Read(tree, Convert.ToHexStringLower(SHA256.HashData(text)));
    }

    public static string NameOf(RoleName role) => role switch
    {
        RoleName.Root => "root",
        RoleName.Release => "release",
        RoleName.Manifest => "manifest",
        RoleName.Evidence => "evidence",
        _ => throw new ArgumentOutOfRangeException(nameof(role), role, "a role without a name"),
    };

    private static Checked<TrustFile> Read(Json tree, string sha256)
    {
        var fields = Fields.Of(tree);
        if (Envelope.Fault(fields, Type, 1) is { } fault) return fault;
        var version = fields.Integer("version", 1, MostVersion);
        var issuedAt = fields.Time("issuedAt");
        var rejectBefore = fields.OptionalTime("rejectBefore");
        var freshness = fields.OptionalInteger("freshnessSeconds", 1, MostFreshnessSeconds) ?? DefaultFreshnessSeconds;
        var byName = fields.Object("roles");
        var roles = new List<TrustRole>();
        foreach (var name in (RoleName[])[RoleName.Root, RoleName.Release, RoleName.Manifest])
        {
            roles.Add(ReadRole(name, byName.Object(NameOf(name))));
        }

        var evidence = byName.OptionalObject(NameOf(RoleName.Evidence));
        if (evidence is not null) roles.Add(ReadRole(RoleName.Evidence, evidence));
        byName.NoOthers();
        fields.NoOthers();
        return fields.Refusal is { } breach
            ? breach
            : new TrustFile(roles)
            {
                Version = version,
                Sha256 = sha256,
                IssuedAt = issuedAt,
                RejectBefore = rejectBefore,
                Freshness = TimeSpan.FromSeconds(freshness),
            };
    }

    private static TrustRole ReadRole(RoleName name, Fields fields)
    {
        var threshold = (int)fields.Integer("threshold", 1, TrustRole.MaxSlots);
        var seen = new HashSet<PublicKey>();
        var slots = fields.Objects("slots", TrustRole.MaxSlots)
            .Select(slot => ReadSlot(slot, seen)).OfType<TrustSlot>().ToList();
        if (threshold > slots.Count)
        {
            fields.Refuse("threshold", string.Create(
                CultureInfo.InvariantCulture, $"is {threshold}, and there are only {slots.Count} slots"));
        }

        fields.NoOthers();
        return new(name, threshold, slots);
    }

    private static TrustSlot? ReadSlot(Fields fields, HashSet<PublicKey> seen)
    {
        var current = ReadKey(fields.Object("current"), seen);
        var previous = fields.OptionalObject("previous") is { } before ? ReadKey(before, seen) : null;
        var successor = fields.OptionalObject("successor") is { } after ? ReadKey(after, seen) : null;
        var retireAt = fields.OptionalTime("retireAt");
        var overlaps = previous is not null || successor is not null;
        if (overlaps && retireAt is null) fields.Refuse("retireAt", "must say how long the slot has more than one key");
        if (!overlaps && retireAt is not null) fields.Refuse("retireAt", "has no meaning while the slot has one key");
        fields.NoOthers();
        return current is null ? null : new(current, previous, successor, retireAt);
    }

    private static PublicKey? ReadKey(Fields fields, HashSet<PublicKey> seen)
    {
        var algorithm = fields.String("algorithm");
        var base64 = fields.String("key");
        fields.NoOthers();
        if (PublicKey.Parse(algorithm, base64).Failed(out var key, out var why))
        {
            fields.Refuse("", why.Fault, $"is refused: {why.Detail}");
            return null;
        }

        if (!seen.Add(key)) fields.Refuse("", TrustFault.RepeatedKey, $"is in its role twice: {key}");
        return key;
    }
}
