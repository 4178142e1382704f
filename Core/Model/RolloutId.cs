using LanguageExt.TypeClasses;

namespace Agent.Core.Model;

/// <summary>
/// Names one rollout: `channel@ref`, where the ref is lower-case hexadecimal and taken from the bytes that were signed.
/// </summary>
public sealed record RolloutId
{
    /// <summary>A whole SHA-256; shorter refs are as good for people, longer ones are none.</summary>
    public const int MaxRefLength = 64;

    public const int MinRefLength = 7;

    private RolloutId(ChannelName channel, string reference) => (Channel, Ref) = (channel, reference);

    public ChannelName Channel { get; }

    public string Ref { get; }

    public string Value => $"{Channel.Value}@{Ref}";

    /// <summary>An id with both of its parts, or none.</summary>
    public static Option<RolloutId> Parse(string text)
    {
        if (text is null) return None;
        var at = text.IndexOf('@', StringComparison.Ordinal);
        if (at < 0 || !ChannelName.Parse(text[..at]).TryGet(out var channel)) return None;
        var reference = text[(at + 1)..];
        if (reference.Length is < MinRefLength or > MaxRefLength) return None;
        foreach (var c in reference)
        {
            if (c is not ((>= '0' and <= '9') or (>= 'a' and <= 'f'))) return None;
        }

        return new RolloutId(channel, reference);
    }

    public override string ToString() => Value;
}

/// <summary>Orders ids by their text, so that enumeration is the same in every run and build.</summary>
public readonly record struct OrdRolloutId : Ord<RolloutId>
{
    public int Compare(RolloutId x, RolloutId y) => string.CompareOrdinal(x.Value, y.Value);

    public bool Equals(RolloutId x, RolloutId y) => string.Equals(x.Value, y.Value, StringComparison.Ordinal);

    public int GetHashCode(RolloutId x) => x.Value.GetHashCode(StringComparison.Ordinal);

    public System.Threading.Tasks.Task<int> CompareAsync(RolloutId x, RolloutId y) => throw new NotSupportedException();
}
