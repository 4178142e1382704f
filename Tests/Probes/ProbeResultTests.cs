using System.Text;
using Agent.Core.Rollout;
using Agent.Shell.Probes;
using Xunit;

namespace Agent.Tests.Probes;

/// <summary>What is told of a probe is bounded (RO-12).</summary>
public sealed class ProbeResultTests
{
    private const int Max = ProbeOutcome.MaxDetail;

    /// RO-12: truncation short, exact, long and at a UTF-8 boundary. A detail that fits stands as it is; a longer one
    /// fills the room as far as whole characters do, and says that it was cut.
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
    public void A_detail_is_cut_between_characters(string unit, int count, int kept)
    {
        var detail = Repeat(unit, count);
        var cut = ProbeResult.Cut(detail);
        Assert.Equal(kept == count ? detail : Repeat(unit, kept) + "…", cut);
        Assert.True(Encoding.UTF8.GetByteCount(cut) <= Max);
    }

    /// RO-12: truncation at construction: no outcome carries more.
    [Fact]
    public void Every_outcome_is_cut_when_it_is_made()
    {
        var detail = new string('x', 10 * Max);
        ProbeResult[] all = [ProbeResult.Passed(detail), ProbeResult.Failed(detail), ProbeResult.Inconclusive(detail)];
        Assert.All(all, result => Assert.Equal(Max, Encoding.UTF8.GetByteCount(result.Outcome.Detail)));
    }

    /// RO-12: half of a surrogate pair costs three bytes when it is written.
    [Fact]
    public void A_detail_of_broken_pairs_is_cut_too() =>
        Assert.True(Encoding.UTF8.GetByteCount(ProbeResult.Cut(new string('\ud83d', Max))) <= Max);

    private static string Repeat(string unit, int count) => new StringBuilder().Insert(0, unit, count).ToString();
}
