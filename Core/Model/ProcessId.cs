using LanguageExt.TypeClasses;

namespace Agent.Core.Model;

/// <summary>Names one supervised process: opaque, random, made by the shell, never reused.</summary>
public sealed record ProcessId
{
    /// <summary>Long enough for 128 random bits in base 32, short enough for file and cgroup names.</summary>
    public const int MaxLength = 40;

    private ProcessId(string value) => Value = value;

    public string Value { get; }

    /// <summary>An id of lower-case letters and digits, or none.</summary>
    public static Option<ProcessId> Parse(string text)
    {
        if (text is null || text.Length is 0 or > MaxLength) return None;
        foreach (var c in text)
        {
            if (c is not ((>= 'a' and <= 'z') or (>= '0' and <= '9'))) return None;
        }

        return new ProcessId(text);
    }

    public override string ToString() => Value;
}

/// <summary>Orders ids by their bytes, so that enumeration is the same in every run and build.</summary>
public readonly record struct OrdProcessId : Ord<ProcessId>
{
    public int Compare(ProcessId x, ProcessId y) => string.CompareOrdinal(x.Value, y.Value);

    public bool Equals(ProcessId x, ProcessId y) => string.Equals(x.Value, y.Value, StringComparison.Ordinal);

    public int GetHashCode(ProcessId x) => x.Value.GetHashCode(StringComparison.Ordinal);

    public System.Threading.Tasks.Task<int> CompareAsync(ProcessId x, ProcessId y) => throw new NotSupportedException();
}
