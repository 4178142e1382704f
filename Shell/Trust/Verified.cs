using System;
using System.Security.Cryptography;
using Agent.Core.Time;

namespace Agent.Shell.Trust;

/// <summary>What a caller asks of a document before it reads it.</summary>
/// <param name="Role">Whose signatures count.</param>
/// <param name="Type">What its field <c>type</c> must say.</param>
/// <param name="Cap">The most bytes it may have.</param>
/// <param name="Now">One reading of the clock for the whole check, never behind one that was used before.</param>
internal sealed record Demand(RoleName Role, string Type, int Cap, Instant Now)
{
    /// <summary>What its field <c>schemaVersion</c> must say.</summary>
    public int SchemaVersion { get; init; } = 1;

    /// <summary>Whether it must lie within the trust file's window of freshness; what is read again need not.</summary>
    public bool Fresh { get; init; }
}

/// <summary>
/// A document whose signers, type and times were found good. <see cref="Check"/> is the only way to one, so a function
/// that takes a <see cref="Verified"/> needs no check of its own.
/// </summary>
internal sealed class Verified
{
    /// <summary>What clocks of hosts and signers may differ by.</summary>
    public static readonly TimeSpan ClockSlack = TimeSpan.FromSeconds(60);

    private Verified(Json tree, string sha256, Instant signedAt)
    {
        Tree = tree;
        Sha256 = sha256;
        SignedAt = signedAt;
    }

    /// <summary>What was signed, and nothing else: read once, from the bytes that the signatures are over.</summary>
    public Json Tree { get; }

    /// <summary>Of the bytes received, in lowercase hex.</summary>
    public string Sha256 { get; }

    public Instant SignedAt { get; }

    /// <summary>
    /// The order of checks is fixed: size, UTF-8, JSON, canonical form, signatures, type and schema version, not before
    /// <c>rejectBefore</c>, not stale, not from the future, not expired. Nothing in the document is looked at before
    /// its signatures are found good, and nothing in it can say how they are judged. Versions, hosts and channels are
    /// the caller's to compare.
    /// </summary>
    public static Checked<Verified> Check(
        ReadOnlySpan<byte> document, ReadOnlySpan<byte> signatures, TrustFile trust, Demand demand)
    {
        if (CanonicalJson.ReadCanonical(document, demand.Cap).Failed(out var tree, out var why)) return why;
        if (SignatureFile.Read(signatures).Failed(out var signed, out why)) return why;
        if (trust.Role(demand.Role) is not { } role)
        {
            return new Refusal(
                TrustFault.ThresholdNotMet, $"the trust file has no role {TrustFile.NameOf(demand.Role)}");
        }

        if (role.Check(document, signed, demand.Now) is { } unsigned) return unsigned;
        var fields = Fields.Of(tree);
        if (Envelope.Fault(fields, demand.Type, demand.SchemaVersion) is { } other) return other;
        var signedAt = fields.Time("signedAt");
        var expiresAt = fields.OptionalTime("expiresAt");
        if ((fields.Refusal ?? TimeFault(signedAt, expiresAt, trust, demand)) is { } fault) return fault;
        return new Verified(tree, Convert.ToHexStringLower(SHA256.HashData(document)), signedAt);
    }

    /// <summary>The fields of the document that are its own; what every document has is read already.</summary>
    public Fields Read() => Envelope.Within(Tree);

    private static Refusal? TimeFault(Instant signedAt, Instant? expiresAt, TrustFile trust, Demand demand)
    {
        if (signedAt < trust.RejectBefore)
        {
            return new(
                TrustFault.BeforeRejectBefore, $"signed at {signedAt}, nothing before {trust.RejectBefore} counts");
        }

        if (demand.Fresh && demand.Now - signedAt > trust.Freshness + ClockSlack)
        {
            return new(TrustFault.Stale, $"signed at {signedAt}, more than {trust.Freshness} before {demand.Now}");
        }

        if (signedAt - demand.Now > ClockSlack)
        {
            return new(TrustFault.FromTheFuture, $"signed at {signedAt}, and here it is {demand.Now}");
        }

        return demand.Now >= expiresAt
            ? new(TrustFault.Expired, $"it was good until {expiresAt}, and here it is {demand.Now}")
            : null;
    }
}
