using Xunit;

namespace Agent.Specs.Architecture;

/// <summary>What a reader should not have to see.</summary>
public sealed class TidySpecs
{
    private const int LongestLine = 140;

    // Written so that this file does not find itself.
    private static readonly string[] LeftOpen = ["TO" + "DO", "FIX" + "ME", "HA" + "CK", "NotImplemented" + "Exception"];

    private static IEnumerable<(string Path, string[] Lines)> All =>
        Sources.In("", ".cs").Concat(Sources.In("", ".sh", ".csproj", ".props"));

    [Fact]
    public void Nothing_is_left_open() => Assert.Empty(Sources.Breaches(
        All, line => LeftOpen.Any(mark => line.Contains(mark, StringComparison.Ordinal))));

    [Fact]
    public void No_line_ends_in_blanks() => Assert.Empty(Sources.Breaches(All, line => line.Length > 0 && char.IsWhiteSpace(line[^1])));

    [Fact]
    public void Lines_fit_a_screen() => Assert.Empty(Sources.Breaches(
        Sources.In("Core", ".cs").Concat(Sources.In("Shell", ".cs")).Where(file => !file.Path.EndsWith("GlobalUsings.cs", StringComparison.Ordinal)),
        line => line.Length > LongestLine && !line.Contains('"', StringComparison.Ordinal)));

    [Fact]
    public void No_source_speaks_of_its_own_history() => Assert.Empty(Sources.Breaches(
        Sources.In("Core", ".cs").Concat(Sources.In("Shell", ".cs")),
        line => line.Contains("//", StringComparison.Ordinal) && History.Any(word => line.Contains(word, StringComparison.OrdinalIgnoreCase))));

    private static readonly string[] History = ["no longer", "previously", "legacy", "used to be"];
}
