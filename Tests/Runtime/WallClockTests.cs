using System;
using Agent.Core.Time;
using Agent.Shell.Loop;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.Runtime;

/// <summary>The machine's clock beside the loop's.</summary>
public sealed class WallClockTests
{
    private readonly SetClock _machine = new();

    /// TR-2: a clock that was set while the agent ran is followed for signatures, by the loop's it is not; that they
    /// have parted is told with what to do, once each way.
    [Theory]
    [InlineData(3, "ahead of the agent's", "restart the agent")]
    [InlineData(-3, "behind the agent's", "set it")]
    public void A_step_is_followed_and_told_once(int hours, string where, string advice)
    {
        var loop = new Clock(default, _machine);
        var wall = new WallClock(() => loop.Now, _machine);
        Assert.False(wall.HasTurned(out _));
        var before = loop.Now;
        _machine.Ahead = TimeSpan.FromHours(hours);
        Assert.InRange(loop.Now - before, TimeSpan.Zero, TimeSpan.FromMinutes(1));
        Assert.InRange(wall.Now - before - _machine.Ahead, TimeSpan.Zero, TimeSpan.FromMinutes(1));
        Assert.InRange(wall.At(before) - before - _machine.Ahead, -TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        Assert.True(wall.HasTurned(out var suspect));
        Assert.Contains("03:00:00 " + where, suspect, StringComparison.Ordinal);
        Assert.Contains(advice, suspect, StringComparison.Ordinal);
        Assert.False(wall.HasTurned(out _));
        _machine.Ahead = TimeSpan.Zero;
        Assert.True(wall.HasTurned(out suspect));
        Assert.Null(suspect);
    }

    /// TR-2, JO-1: a journal written by a clock that was ten years ahead holds the loop's there, and no signature.
    [Fact]
    public void A_journal_from_the_future_holds_no_signature_back()
    {
        var floor = new Instant(_machine.GetUtcNow().ToUnixTimeMilliseconds()) + TimeSpan.FromDays(3650);
        var loop = new Clock(floor, _machine);
        var wall = new WallClock(() => loop.Now, _machine);
        Assert.True(loop.Now >= floor);
        Assert.InRange(loop.Now - wall.Now, TimeSpan.FromDays(3649), TimeSpan.FromDays(3651));
        Assert.NotNull(wall.Suspect);
    }
}
