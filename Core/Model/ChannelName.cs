using LanguageExt.TypeClasses;

namespace Agent.Core.Model;

/// <summary>A line of releases that follow each other, such as `stable`. Also a directory's name.</summary>
public sealed record ChannelName
{
    public const int MaxLength = 64;

    private ChannelName(string value) => Value = value;

    public string Value { get; }

    /// <summary>Lower-case letters, digits, `-` and `_`, or none.</summary>
    public static Option<ChannelName> Parse(string text)
    {
        if (text is null || text.Length is 0 or > MaxLength) return None;
        foreach (var c in text)
        {
            if (c is not ((>= 'a' and <= 'z') or (>= '0' and <= '9') or '-' or '_')) return None;
        }

        return new ChannelName(text);
    }

    public override string ToString() => Value;
}

/// <summary>Orders channels by their bytes.</summary>
public readonly record struct OrdChannelName : Ord<ChannelName>
{
    public int Compare(ChannelName x, ChannelName y) => string.CompareOrdinal(x.Value, y.Value);

    public bool Equals(ChannelName x, ChannelName y) => string.Equals(x.Value, y.Value, StringComparison.Ordinal);

    public int GetHashCode(ChannelName x) => x.Value.GetHashCode(StringComparison.Ordinal);

    public System.Threading.Tasks.Task<int> CompareAsync(ChannelName x, ChannelName y) => throw new NotSupportedException();
}
