using System;
using System.Globalization;

namespace Agent.Shell.Trust;

/// <summary>
/// One link of the chain of trust files: the next is exactly one version on and signed by the root threshold of both
/// files. The old one's signers agree to be followed, the new one's prove that they hold their keys. A host that is
/// many versions behind walks every link. The clock has no part in it.
/// </summary>
internal static class TrustUpdate
{
    /// <summary>
    /// The next trust file, out of the bytes received. Signatures by the roots held are checked before anything in it
    /// is looked at; then refused with <c>version-rollback</c>, <c>version-reused</c> or, for a link left out,
    /// <c>trust-chain</c>.
    /// </summary>
    public static Checked<TrustFile> Check(TrustFile current, ReadOnlySpan<byte> next, ReadOnlySpan<byte> signatures)
    {
        if (CanonicalJson.ReadCanonical(next, TrustFile.MaxBytes).Failed(out _, out var why)) return why;
        if (SignatureFile.Read(signatures).Failed(out var signed, out why)) return why;
        if (current.Root.CheckNextFile(next, signed) is { } old) return By(current, old);
        if (TrustFile.Load(next).Failed(out var file, out why)) return why;
        if (VersionFault(current.Version, file.Version) is { } fault) return fault;
        if (file.Root.CheckNextFile(next, signed) is { } fresh) return By(file, fresh);
        return file;
    }

    private static Refusal? VersionFault(long held, long offered) => offered.CompareTo(held) switch
    {
        < 0 => new(TrustFault.VersionRollback, Versions(held, offered)),
        0 => new(TrustFault.VersionReused, Versions(held, offered)),
        _ => offered == held + 1 ? null : new(TrustFault.TrustChain, Versions(held, offered)),
    };

    private static Refusal By(TrustFile file, Refusal why) => why with
    {
        Detail = string.Create(CultureInfo.InvariantCulture, $"by version {file.Version}: {why.Detail}"),
    };

    private static string Versions(long held, long offered) => string.Create(
        CultureInfo.InvariantCulture, $"version {offered} is offered where version {held + 1} follows the one held");
}
