using System;
using System.Collections.Generic;
using System.Linq;
using Agent.Core.Time;

namespace Agent.Shell.Trust;

/// <summary>What keys are trusted for. Each role has its own keys and its own threshold.</summary>
internal enum RoleName
{
    /// <summary>The next trust file.</summary>
    Root,

    /// <summary>What may be installed.</summary>
    Release,

    /// <summary>Where and when it is installed.</summary>
    Manifest,

    /// <summary>What a third party attests about a host.</summary>
    Evidence,
}

/// <summary>
/// A holder of keys, through rotations. A slot counts once, whichever of its keys signed.
/// <para>
/// <b>Current</b> counts always. <b>Previous</b> and <b>successor</b> count until <b>retireAt</b> and not from that
/// instant on; a slot has a retireAt exactly while it has one of them, so that every overlap has an end.
/// </para>
/// <para>
/// A rotation without downtime is two trust files: one that names the new key as successor beside the old one, and,
/// when hosts have had time to take it, one that makes the new key current and the old one previous. The signer changes
/// keys with the second. In between, and until the second's retireAt, hosts accept either key whichever of the files
/// they hold. A rotation that is given up needs nothing: the successor lapses. A key that is lost to somebody else is
/// simply left out of the next trust file, which ends it at once.
/// </para>
/// </summary>
internal sealed record TrustSlot(PublicKey Current, PublicKey? Previous, PublicKey? Successor, Instant? RetireAt)
{
    /// <summary>The keys whose signature counts for this slot at an instant.</summary>
    public IEnumerable<PublicKey> ActiveAt(Instant now) => now < RetireAt ? All : [Current];

    /// <summary>
    /// The keys that may sign for this slot when one trust file follows another, whatever the time: a host that slept
    /// for a year still walks every link. A previous key is out; a successor may finish its own rotation, so that a
    /// slot whose current key is lost is not stuck.
    /// </summary>
    public IEnumerable<PublicKey> ForNextFile => Present(Current, Successor);

    public IEnumerable<PublicKey> All => Present(Current, Previous, Successor);

    private static IEnumerable<PublicKey> Present(params IEnumerable<PublicKey?> keys) => keys.OfType<PublicKey>();
}

/// <summary>The slots of a role, and how many of them must have signed.</summary>
internal sealed record TrustRole(RoleName Name, int Threshold, IReadOnlyList<TrustSlot> Slots)
{
    /// <summary>More signers for one thing than any published scheme asks for.</summary>
    public const int MaxSlots = 16;

    /// <summary>Whether enough slots signed exactly these bytes, judged by the keys that count at an instant.</summary>
    public Refusal? Check(ReadOnlySpan<byte> document, SignatureFile signatures, Instant now) =>
        Check(document, signatures, [.. Slots.Select(slot => slot.ActiveAt(now).ToList())]);

    /// <summary>The same for the link from one trust file to the next.</summary>
    public Refusal? CheckNextFile(ReadOnlySpan<byte> document, SignatureFile signatures) =>
        Check(document, signatures, [.. Slots.Select(slot => slot.ForNextFile.ToList())]);

    /// <summary>
    /// Counts slots, not signatures: a second signature by the same slot adds nothing, and a signature that verifies
    /// with no key takes nothing away, since during a rotation a document carries some that this host cannot judge. A
    /// key id decides only which key is tried first. At most 32 signatures × 48 keys are tried.
    /// </summary>
    private Refusal? Check(ReadOnlySpan<byte> document, SignatureFile signatures, List<List<PublicKey>> waiting)
    {
        var met = 0;
        var broken = false;
        foreach (var signature in signatures.Signatures)
        {
            var signer = -1;
            var claimed = false;
            foreach (var (at, key) in waiting.SelectMany((keys, at) => keys.Select(key => (at, key)))
                .OrderByDescending(one => one.key.KeyId == signature.KeyId).ToList())
            {
                claimed |= key.KeyId == signature.KeyId;
                if (!key.Verifies(signature.Bytes.Span, document)) continue;
                signer = at;
                break;
            }

            broken |= claimed && signer < 0;
            if (signer < 0) continue;
            waiting[signer].Clear();
            if (++met == Threshold) return null;
        }

        var detail = $"{met} of {Threshold} signers of the role {TrustFile.NameOf(Name)} signed this";
        return broken
            ? new(TrustFault.SignatureInvalid, $"{detail}, and a signature by a known key is not valid for these bytes")
            : new(TrustFault.ThresholdNotMet, detail);
    }
}
