using LanguageExt.TypeClasses;

namespace Agent.Core.Model;

/// <summary>
/// What a host is switched to, named by its content: `sha256:` and the digest of an archive, or a NixOS store path.
/// </summary>
public sealed record ReleaseId
{
    /// <summary>A store path's name may have 211 characters after its hash.</summary>
    public const int MaxLength = 256;

    public const string ArchivePrefix = "sha256:";
    public const string StorePrefix = "/nix/store/";

    private const int DigestLength = 64;
    private const int StoreHashLength = 32;

    private ReleaseId(string value) => Value = value;

    public string Value { get; }

    /// <summary>One of the two forms, exactly, or none.</summary>
    public static Option<ReleaseId> Parse(string text) =>
        text is { Length: <= MaxLength } && (IsArchive(text) || IsStorePath(text))
            ? new ReleaseId(text)
            : Option<ReleaseId>.None;

    public override string ToString() => Value;

    private static bool IsArchive(string text)
    {
        if (!text.StartsWith(ArchivePrefix, StringComparison.Ordinal)) return false;
        if (text.Length != ArchivePrefix.Length + DigestLength) return false;
        foreach (var c in text.AsSpan(ArchivePrefix.Length))
        {
            if (c is not ((>= '0' and <= '9') or (>= 'a' and <= 'f'))) return false;
        }

        return true;
    }

    private static bool IsStorePath(string text)
    {
        if (!text.StartsWith(StorePrefix, StringComparison.Ordinal)) return false;
        var name = text.AsSpan(StorePrefix.Length);
        if (name.Length <= StoreHashLength + 1 || name[StoreHashLength] != '-') return false;
        foreach (var c in name[..StoreHashLength])
        {
            if (c is not ((>= '0' and <= '9') or (>= 'a' and <= 'z'))) return false;
        }

        foreach (var c in name[(StoreHashLength + 1)..])
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('+' or '-' or '.' or '_' or '?' or '=')) return false;
        }

        return true;
    }
}

/// <summary>Orders releases by their text.</summary>
public readonly record struct OrdReleaseId : Ord<ReleaseId>
{
    public int Compare(ReleaseId x, ReleaseId y) => string.CompareOrdinal(x.Value, y.Value);

    public bool Equals(ReleaseId x, ReleaseId y) => string.Equals(x.Value, y.Value, StringComparison.Ordinal);

    public int GetHashCode(ReleaseId x) => x.Value.GetHashCode(StringComparison.Ordinal);

    public System.Threading.Tasks.Task<int> CompareAsync(ReleaseId x, ReleaseId y) => throw new NotSupportedException();
}
