using LanguageExt.TypeClasses;

namespace Agent.Core.Model;

/// <summary>
/// Names an enrolment token by its digest. The token itself is a secret that only its bearer has: neither state nor
/// journal ever holds it.
/// </summary>
public sealed record TokenId
{
    /// <summary>A SHA-256 in hexadecimal.</summary>
    public const int MaxLength = 64;

    private TokenId(string value) => Value = value;

    public string Value { get; }

    /// <summary>Lower-case letters and digits, or none.</summary>
    public static Option<TokenId> Parse(string text)
    {
        if (text is null || text.Length is 0 or > MaxLength) return None;
        foreach (var c in text)
        {
            if (c is not ((>= 'a' and <= 'z') or (>= '0' and <= '9'))) return None;
        }

        return new TokenId(text);
    }

    public override string ToString() => Value;
}

/// <summary>Orders tokens by their bytes.</summary>
public readonly record struct OrdTokenId : Ord<TokenId>
{
    public int Compare(TokenId x, TokenId y) => string.CompareOrdinal(x.Value, y.Value);

    public bool Equals(TokenId x, TokenId y) => string.Equals(x.Value, y.Value, StringComparison.Ordinal);

    public int GetHashCode(TokenId x) => x.Value.GetHashCode(StringComparison.Ordinal);

    public System.Threading.Tasks.Task<int> CompareAsync(TokenId x, TokenId y) => throw new NotSupportedException();
}
