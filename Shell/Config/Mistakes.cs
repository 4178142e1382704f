using System.Collections.Generic;
using System.Globalization;

namespace Agent.Shell.Config;

/// <summary>Where something stands in the configuration; lines and columns count from 1.</summary>
internal readonly record struct Place(string File, long Line, long Column)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{File}:{Line}:{Column}");
}

/// <summary>
/// What was found wrong. Nothing stops at the first mistake: an operator wants to mend them all at once.
/// </summary>
internal sealed class Mistakes
{
    /// <summary>Beyond this the list helps nobody.</summary>
    public const int Most = 100;

    private readonly List<string> _told = [];

    public IReadOnlyList<string> Told => _told;

    public void Add(Place at, string what) => Add($"{at}: {what}");

    public void Add(string what)
    {
        if (_told.Count < Most) _told.Add(what);
    }
}
