using LanguageExt.TypeClasses;

namespace Agent.Core.Model;

/// <summary>
/// Names one container of the desired set, as its declaration does. The engine's container carries it in its name and in
/// a label.
/// </summary>
public sealed record ContainerUid
{
    /// <summary>As long as a DNS label: it may become the name under which siblings reach it.</summary>
    public const int MaxLength = 63;

    private ContainerUid(string value) => Value = value;

    public string Value { get; }

    /// <summary>Letters, digits, '_', '.' and '-', a letter or digit first: what engines take in a name. Or none.</summary>
    public static Option<ContainerUid> Parse(string text)
    {
        if (text is null || text.Length is 0 or > MaxLength || !char.IsAsciiLetterOrDigit(text[0])) return None;
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('_' or '.' or '-')) return None;
        }

        return new ContainerUid(text);
    }

    public override string ToString() => Value;
}

/// <summary>Orders uids by their bytes, so that enumeration is the same in every run and build.</summary>
public readonly record struct OrdContainerUid : Ord<ContainerUid>
{
    public int Compare(ContainerUid x, ContainerUid y) => string.CompareOrdinal(x.Value, y.Value);

    public bool Equals(ContainerUid x, ContainerUid y) => string.Equals(x.Value, y.Value, StringComparison.Ordinal);

    public int GetHashCode(ContainerUid x) => x.Value.GetHashCode(StringComparison.Ordinal);

    public System.Threading.Tasks.Task<int> CompareAsync(ContainerUid x, ContainerUid y) =>
        throw new NotSupportedException();
}
