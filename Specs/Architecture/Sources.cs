using System.IO;
using System.Runtime.CompilerServices;

namespace Agent.Specs.Architecture;

/// <summary>The sources of this checkout, as specs read them.</summary>
internal static class Sources
{
    public static string Root { get; } = FindRoot();

    /// <summary>All files of a folder with one of these endings, without what the build makes.</summary>
    public static IEnumerable<(string Path, string[] Lines)> In(string folder, params string[] endings) =>
        Directory.EnumerateFiles(Path.Combine(Root, folder), "*", SearchOption.AllDirectories)
            .Where(path => endings.Contains(Path.GetExtension(path), StringComparer.Ordinal))
            .Where(path => !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal)
                && !path.Contains("/out/", StringComparison.Ordinal) && !path.Contains("/.git/", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .Select(path => (Path.GetRelativePath(Root, path), File.ReadAllLines(path)));

    /// <summary>Every line that breaks a rule, as file:line and the line itself.</summary>
    public static string Breaches(IEnumerable<(string Path, string[] Lines)> files, Func<string, bool> breaks) => string.Join(
        '\n',
        files.SelectMany(file => file.Lines.Select((line, at) => (file.Path, Number: at + 1, Line: line)))
            .Where(place => breaks(place.Line))
            .Select(place => $"{place.Path}:{place.Number}: {place.Line.Trim()}"));

    private static string FindRoot([CallerFilePath] string caller = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(caller)!, "..", ".."));
}
