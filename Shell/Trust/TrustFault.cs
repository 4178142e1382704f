using System;

namespace Agent.Shell.Trust;

/// <summary>
/// Why something signed was refused, one member for each reason. <see cref="TrustFaults.NameOf"/> gives the name that
/// people, the journal and the wire see; a name once given keeps its meaning.
/// </summary>
internal enum TrustFault
{
    // The bytes, in the order in which they are judged.
    TooLarge,
    NotUtf8,
    NotJson,
    DuplicateKey,
    TooDeep,
    NumberOutOfRange,
    LoneSurrogate,
    NotCanonical,

    // Who signed them.

    /// <summary>There is no trust file to judge by.</summary>
    NoTrust,
    NoSignatures,
    BadSignatureFile,
    UnknownAlgorithm,
    BadKey,

    /// <summary>One key stands in a role twice, where it would let one signer count as two.</summary>
    RepeatedKey,
    SignatureInvalid,
    ThresholdNotMet,

    // What they say.
    WrongType,
    SchemaVersion,
    MissingField,
    UnknownField,
    BadField,

    // When they say it.
    BeforeRejectBefore,
    Stale,
    FromTheFuture,
    Expired,

    // Whether it is meant for this host, at this point of its history.
    VersionRollback,
    VersionReused,
    WrongHost,

    /// <summary>A target that its activator cannot switch to: an archive for NixOS, or the other way round.</summary>
    TargetKind,
    ReleaseHash,
    ReleaseLength,

    /// <summary>The next trust file does not follow the one that is held.</summary>
    TrustChain,
}

/// <summary>The stable names of the faults.</summary>
internal static class TrustFaults
{
    public static string NameOf(TrustFault fault) => fault switch
    {
        TrustFault.TooLarge => "too-large",
        TrustFault.NotUtf8 => "not-utf8",
        TrustFault.NotJson => "not-json",
        TrustFault.DuplicateKey => "duplicate-key",
        TrustFault.TooDeep => "too-deep",
        TrustFault.NumberOutOfRange => "number-out-of-range",
        TrustFault.LoneSurrogate => "lone-surrogate",
        TrustFault.NotCanonical => "not-canonical",
        TrustFault.NoTrust => "no-trust",
        TrustFault.NoSignatures => "no-signatures",
        TrustFault.BadSignatureFile => "bad-signature-file",
        TrustFault.UnknownAlgorithm => "unknown-algorithm",
        TrustFault.BadKey => "bad-key",
        TrustFault.RepeatedKey => "repeated-key",
        TrustFault.SignatureInvalid => "signature-invalid",
        TrustFault.ThresholdNotMet => "threshold-not-met",
        TrustFault.WrongType => "wrong-type",
        TrustFault.SchemaVersion => "schema-version",
        TrustFault.MissingField => "missing-field",
        TrustFault.UnknownField => "unknown-field",
        TrustFault.BadField => "bad-field",
        TrustFault.BeforeRejectBefore => "before-reject-before",
        TrustFault.Stale => "stale",
        TrustFault.FromTheFuture => "from-the-future",
        TrustFault.Expired => "expired",
        TrustFault.VersionRollback => "version-rollback",
        TrustFault.VersionReused => "version-reused",
        TrustFault.WrongHost => "wrong-host",
        TrustFault.TargetKind => "target-kind",
        TrustFault.ReleaseHash => "release-hash",
        TrustFault.ReleaseLength => "release-length",
        TrustFault.TrustChain => "trust-chain",
        _ => throw new ArgumentOutOfRangeException(nameof(fault), fault, "a fault without a name"),
    };
}
