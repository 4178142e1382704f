using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;

namespace Agent.Shell.Journal;

/// <summary>The names of a journal's files: 20 digits of the first seq, and what it is.</summary>
internal static class JournalFiles
{
    public const string Segment = ".log";
    public const string Snapshot = ".snapshot";
    public const string Unfinished = ".new";

    public static string PathOf(string directory, long seq, string kind) =>
        Path.Combine(directory, seq.ToString("d20", CultureInfo.InvariantCulture) + kind);

    /// <summary>The seqs of all files of a kind, ascending.</summary>
    public static List<long> Seqs(string directory, string kind) =>
    [
        .. Directory.EnumerateFiles(directory, "*" + kind)
            .Select(path => Path.GetFileName(path)[..^kind.Length])
            .Where(name => name.Length == 20 && name.All(char.IsAsciiDigit))
            .Select(name => long.Parse(name, CultureInfo.InvariantCulture))
            .Order(),
    ];
}
