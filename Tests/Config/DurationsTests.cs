using System;
using Agent.Shell.Config;
using Xunit;

namespace Agent.Tests.Config;

/// <summary>Durations and sizes as people write and read them.</summary>
public sealed class DurationsTests
{
    /// CL-2: units from ms to d, added up.
    [Theory]
    [InlineData("250ms", 250)]
    [InlineData("10s", 10_000)]
    [InlineData("5m", 300_000)]
    [InlineData("1h30m", 5_400_000)]
    [InlineData("2d", 172_800_000)]
    [InlineData("0s", 0)]
    [InlineData(" 1s ", 1_000)]
    public void A_duration_is_read(string text, long milliseconds) =>
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), Durations.Parse(text));

    /// CL-2: a number without its unit, a sign, a fraction or a span beyond all bounds is no duration.
    [Theory]
    [InlineData("")]
    [InlineData("10")]
    [InlineData("s")]
    [InlineData("-1s")]
    [InlineData("1.5s")]
    [InlineData("1 s")]
    [InlineData("1w")]
    [InlineData("1h30")]
    [InlineData("2147483647d")]
    [InlineData("99999999999s")]
    [InlineData("36500d1s")]
    public void What_is_no_duration_is_refused(string text) => Assert.Null(Durations.Parse(text));

    /// CL-1: the two largest units tell an age.
    [Theory]
    [InlineData(250, "250ms")]
    [InlineData(59_000, "59s")]
    [InlineData(192_000, "3m12s")]
    [InlineData(3_600_000, "1h")]
    [InlineData(5_400_000, "1h30m")]
    [InlineData(93_600_000, "1d2h")]
    public void A_duration_is_shown_short(long milliseconds, string text) =>
        Assert.Equal(text, Durations.Show(TimeSpan.FromMilliseconds(milliseconds)));

    /// CL-2: decimal and binary units are different things.
    [Theory]
    [InlineData("4096", 4096)]
    [InlineData("64KiB", 64 << 10)]
    [InlineData("1MiB", 1 << 20)]
    [InlineData("10MB", 10_000_000)]
    [InlineData("2 GiB", 2L << 30)]
    public void A_size_is_read(string text, long bytes) => Assert.Equal(bytes, Sizes.Parse(text));

    /// CL-2: anything else is no size, nor is one beyond all numbers. Upstream: memory reject (veloslet).
    [Theory]
    [InlineData("")]
    [InlineData("KiB")]
    [InlineData("-1")]
    [InlineData("1.5MiB")]
    [InlineData("1kib")]
    [InlineData("9223372036854775807GiB")]
    public void What_is_no_size_is_refused(string text) => Assert.Null(Sizes.Parse(text));

    /// CL-1: a size is shown in the largest unit of 1024 that it fills. Upstream: memory display (veloslet).
    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1536, "1.5 KiB")]
    [InlineData(512L << 20, "512 MiB")]
    [InlineData(3L << 29, "1.5 GiB")]
    public void A_size_is_shown_short(long bytes, string text) => Assert.Equal(text, Sizes.Show(bytes));
}
