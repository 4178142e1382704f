using System.Text;
using Agent.Shell.Observability;
using Xunit;

namespace Agent.Tests.Probes;

/// <summary>What others say of a failure is told as far as its bound goes.</summary>
public sealed class BoundedTextTests
{
    private const int Max = 512;

    /// RO-12, upstream oversized_guest_strings_are_truncated_at_the_sink: truncation short, exact, long and at a UTF-8
    /// boundary. A text that fits stands as it is; a longer one fills the room as far as whole characters do, and says that
    /// it was cut.
    [Theory]
    [InlineData("", 0, 0)]
    [InlineData("a", 100, 100)]
    [InlineData("a", Max, Max)]
    [InlineData("a", Max + 1, Max - 3)]
    [InlineData("ü", Max / 2, Max / 2)]
    [InlineData("ü", (Max / 2) + 1, (Max - 3) / 2)]
    [InlineData("€", 171, 169)]
    [InlineData("😀", Max / 4, Max / 4)]
    [InlineData("😀", (Max / 4) + 1, (Max - 3) / 4)]
    public void It_is_cut_between_characters(string unit, int count, int kept)
    {
        var detail = Repeat(unit, count);
        var cut = BoundedText.Cut(detail, Max);
        Assert.Equal(kept == count ? detail : Repeat(unit, kept) + "…", cut);
        Assert.True(Encoding.UTF8.GetByteCount(cut) <= Max);
    }

    /// RO-12: half of a surrogate pair costs three bytes when it is written.
    [Fact]
    public void Broken_pairs_are_cut_too() =>
        Assert.True(Encoding.UTF8.GetByteCount(BoundedText.Cut(new string('\ud83d', Max), Max)) <= Max);

    private static string Repeat(string unit, int count) => new StringBuilder().Insert(0, unit, count).ToString();
}
