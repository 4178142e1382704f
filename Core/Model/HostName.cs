using LanguageExt.TypeClasses;

namespace Agent.Core.Model;

/// <summary>What a fleet calls one host, as in its manifests and in its certificate.</summary>
public sealed record HostName
{
    /// <summary>That of DNS.</summary>
    public const int MaxLength = 253;

    private HostName(string value) => Value = value;

    public string Value { get; }

    /// <summary>ASCII letters, digits, `-`, `_` and `.`, or none.</summary>
    public static Option<HostName> Parse(string text)
    {
        if (text is null || text.Length is 0 or > MaxLength) return None;
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.')) return None;
        }

        return new HostName(text);
    }

    public override string ToString() => Value;
}

/// <summary>Orders hosts by their bytes.</summary>
public readonly record struct OrdHostName : Ord<HostName>
{
    public int Compare(HostName x, HostName y) => string.CompareOrdinal(x.Value, y.Value);

    public bool Equals(HostName x, HostName y) => string.Equals(x.Value, y.Value, StringComparison.Ordinal);

    public int GetHashCode(HostName x) => x.Value.GetHashCode(StringComparison.Ordinal);

    public System.Threading.Tasks.Task<int> CompareAsync(HostName x, HostName y) => throw new NotSupportedException();
}
