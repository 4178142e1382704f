using System.Diagnostics.CodeAnalysis;

namespace Agent.Shell.Trust;

/// <summary>Why something was refused: the code that others decide by, and a sentence for whoever repairs it.</summary>
internal sealed record Refusal(TrustFault Fault, string Detail)
{
    /// <summary>As it is shown: <c>stale: signed 2 h ago, …</c></summary>
    public override string ToString() => $"{TrustFaults.NameOf(Fault)}: {Detail}";
}

/// <summary>What came of checking something that is not trusted yet: the value, or why there is none.</summary>
internal abstract record Checked<T>
    where T : class
{
    private Checked()
    {
    }

    internal sealed record Passed(T Value) : Checked<T>;

    internal sealed record Refused(Refusal Why) : Checked<T>;

    public static implicit operator Checked<T>(T value) => new Passed(value);

    public static implicit operator Checked<T>(Refusal why) => new Refused(why);

    /// <summary>For checks in a row: true with the reason, or false with the value to go on with.</summary>
    public bool Failed([NotNullWhen(false)] out T? value, [NotNullWhen(true)] out Refusal? why)
    {
        (value, why) = this switch
        {
            Passed passed => (passed.Value, (Refusal?)null),
            Refused refused => (null, refused.Why),
        };
        return why is not null;
    }
}
