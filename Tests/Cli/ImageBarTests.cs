using System;
using System.Collections.Generic;
using Agent.Shell.Cli;
using Xunit;

namespace Agent.Tests.Cli;

/// <summary>What a person sees of a pull.</summary>
public sealed class ImageBarTests
{
    /// CL-1: bytes of all layers together, a layer that is done stays done, and the line fits its terminal.
    [Fact]
    public void Layers_add_up_to_one_line()
    {
        var drawn = new List<string>();
        var clock = new Clock();
        var bar = new ImageBar(drawn.Add, () => 80, clock);
        bar.Report(new("a", "Downloading", 1 << 20, 4 << 20));
        clock.Advance(TimeSpan.FromMilliseconds(50));
        bar.Report(new("b", "Already exists", 0, 0));
        clock.Advance(TimeSpan.FromMilliseconds(100));
        bar.Report(new("a", "Extracting", 1, 4 << 20));
        bar.End();
        Assert.Equal(
            [
                "\r\e[K[######..................]  1 MiB of 4 MiB  0/1 layers  Downloading",
                "\r\e[K[######..................]  1 MiB of 4 MiB  1/2 layers  Extracting",
                "\r\e[K",
            ],
            drawn);
    }

    /// CL-1: what an engine says has no power over the terminal, and no line is longer than it.
    [Fact]
    public void A_line_is_clean_and_fits()
    {
        var drawn = new List<string>();
        new ImageBar(drawn.Add, () => 20, new Clock()).Report(new("", "\e]0;title\a", 0, 0));
        Assert.Equal(20 + 3, Assert.Single(drawn).Length);
        new ImageBar(drawn.Add, () => 200, new Clock()).Report(new("", "\e]0;title\a", 0, 0));
        Assert.DoesNotContain('\a', drawn[1]);
    }

    private sealed class Clock : TimeProvider
    {
        private TimeSpan _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now.Ticks;

        public void Advance(TimeSpan by) => _now += by;
    }
}
