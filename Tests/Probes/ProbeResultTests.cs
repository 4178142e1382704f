using System.Text;
using Agent.Core.Rollout;
using Agent.Shell.Probes;
using Xunit;

namespace Agent.Tests.Probes;

/// <summary>What is told of a probe is bounded (RO-12).</summary>
public sealed class ProbeResultTests
{
    private const int Max = ProbeOutcome.MaxDetail;

    /// RO-12: truncation at construction: no outcome carries more.
    [Fact]
    public void Every_outcome_is_cut_when_it_is_made()
    {
        var detail = new string('x', 10 * Max);
        ProbeResult[] all = [ProbeResult.Passed(detail), ProbeResult.Failed(detail), ProbeResult.Inconclusive(detail)];
        Assert.All(all, result => Assert.Equal(Max, Encoding.UTF8.GetByteCount(result.Outcome.Detail)));
    }
}
