using LanguageExt.TypeClasses;

namespace Agent.Core.Model;

/// <summary>Names one companion: a unit of systemd's that this agent writes and keeps, such as <c>cache.service</c>.</summary>
public sealed record CompanionName
{
    /// <summary>systemd takes 255; a file name must also have room for what is appended while it is replaced.</summary>
    public const int MaxLength = 128;

    private CompanionName(string value) => Value = value;

    public string Value { get; }

    /// <summary>The kinds that start something. Mounts, slices and targets are the host's own.</summary>
    public static Seq<string> Kinds => Seq(".service", ".timer", ".socket", ".path");

    /// <summary>
    /// Letters, digits, '-', '_', '.' and ':', a letter or digit first, and one of the kinds last. No '@': a template is no
    /// unit, and an instance has no file of its own. Or none.
    /// </summary>
    public static Option<CompanionName> Parse(string text)
    {
        if (text is null || text.Length > MaxLength || text.Length == 0 || !char.IsAsciiLetterOrDigit(text[0])) return None;
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.' or ':')) return None;
        }

        return Kinds.Exists(kind => text.EndsWith(kind, StringComparison.Ordinal)) ? new CompanionName(text) : None;
    }

    public override string ToString() => Value;
}

/// <summary>Orders names by their bytes, so that enumeration is the same in every run and build.</summary>
public readonly record struct OrdCompanionName : Ord<CompanionName>
{
    public int Compare(CompanionName x, CompanionName y) => string.CompareOrdinal(x.Value, y.Value);

    public bool Equals(CompanionName x, CompanionName y) => string.Equals(x.Value, y.Value, StringComparison.Ordinal);

    public int GetHashCode(CompanionName x) => x.Value.GetHashCode(StringComparison.Ordinal);

    public System.Threading.Tasks.Task<int> CompareAsync(CompanionName x, CompanionName y) =>
        throw new NotSupportedException();
}
