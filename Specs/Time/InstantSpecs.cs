using Agent.Core.Time;
using Xunit;

namespace Agent.Specs.Time;

/// <summary>Time as others tell it: any number of milliseconds is an instant, and none of them makes a step throw.</summary>
public sealed class InstantSpecs
{
    /// JO-2, FL-2: sums and differences end where numbers do.
    [Fact]
    public void Arithmetic_is_total()
    {
        long[] edges = [long.MinValue, long.MinValue + 1, -1, 0, 1, 1_800_000_000_000, 9_000_000_000_000_000_000, long.MaxValue];
        TimeSpan[] spans = [TimeSpan.MinValue, TimeSpan.FromDays(-1), TimeSpan.Zero, TimeSpan.FromDays(7), TimeSpan.MaxValue];
        foreach (var left in edges)
        {
            var at = new Instant(left);
            Assert.NotEmpty(at.ToString());
            foreach (var right in edges)
            {
                var between = at - new Instant(right);
                Assert.Equal(left.CompareTo(right), between.CompareTo(TimeSpan.Zero));
            }

            foreach (var span in spans)
            {
                Assert.True(span < TimeSpan.Zero ? at + span <= at : at + span >= at);
                Assert.True(span < TimeSpan.Zero ? at - span >= at : at - span <= at);
            }
        }
    }

    [Fact]
    public void It_is_told_as_a_date_where_there_is_one()
    {
        Assert.Equal("2027-01-15T08:00:00.000Z", new Instant(1_800_000_000_000).ToString());
        Assert.Equal("9999-12-31T23:59:59.999Z", new Instant(253_402_300_799_999).ToString());
        Assert.Equal("253402300800000 ms", new Instant(253_402_300_800_000).ToString());
    }
}
