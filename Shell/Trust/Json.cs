using System.Collections.Generic;

namespace Agent.Shell.Trust;

/// <summary>
/// A JSON text as a tree that cannot change. It holds what was signed and nothing else: no key twice, no half of a
/// surrogate pair, no number that is not a finite double. Two trees are equal when <see cref="Jcs"/> writes them alike;
/// the records' own equality compares lists by reference.
/// </summary>
internal abstract record Json
{
    private Json()
    {
    }

    /// <summary>Members in the order of the text; no two have the same name.</summary>
    internal sealed record Object(IReadOnlyList<Member> Members) : Json;

    internal sealed record Array(IReadOnlyList<Json> Items) : Json;

    internal sealed record String(string Value) : Json;

    /// <summary>Always finite.</summary>
    internal sealed record Number(double Value) : Json
    {
        // Beyond it two integers of a text may be one double, and the text would mean what it does not say.
        private const double LargestExact = 9007199254740991;

        /// <summary>Whether no other number of a text could be the same double for being too large.</summary>
        public bool IsExact => double.Abs(Value) <= LargestExact;

        /// <summary>The value as an integer, null where it is none or too large to be exact.</summary>
        public long? Integer => double.IsInteger(Value) && IsExact ? (long)Value : null;
    }

    internal sealed record Boolean(bool Value) : Json;

    internal sealed record Null : Json;

    internal sealed record Member(string Name, Json Value);
}
