using System;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Output;
using Xunit;

namespace Agent.Tests.Output;

public sealed class RingTests : IDisposable
{
    private readonly Stage _stage = new();
    private readonly HandFed _hand = new();

    public void Dispose()
    {
        _hand.Dispose();
        _stage.Dispose();
    }

    /// PR-6, upstream drop_oldest_evicts_and_counts.
    [Fact]
    public void Drop_oldest_evicts_the_front_and_counts_it()
    {
        using var ring = _stage.Ring();
        _hand.Feed(ring, Pattern.Take(0, 4096 + 2));
        Assert.Equal(2, ring.Dropped);
        var read = ring.Since(null, int.MaxValue);
        Assert.Equal(Pattern.Take(2, 4096), read.Bytes.ToArray());
        Assert.Equal(0, read.Dropped);
    }

    /// PR-6, upstream cursor_below_front_reports_drop.
    [Fact]
    public void A_cursor_below_the_oldest_byte_tells_the_gap()
    {
        using var ring = _stage.Ring();
        _hand.Feed(ring, Pattern.Take(0, 5000));
        var read = ring.Since(100, 10);
        Assert.Equal(5000 - 4096 - 100, read.Dropped);
        Assert.Equal(Pattern.Take(5000 - 4096, 10), read.Bytes.ToArray());
        Assert.Equal(5000 - 4096 + 10, read.Next);
    }

    /// PR-6, upstream drain_advances_front.
    [Fact]
    public void What_is_drained_is_gone_for_every_cursor_and_not_counted_as_dropped()
    {
        using var ring = _stage.Ring();
        _hand.Feed(ring, Stage.Bytes("abcdef"));
        Assert.Equal("abcd", Stage.Text(ring.Drain(4)));
        var read = ring.Since(1, 100);
        Assert.Equal("ef", Stage.Text(read));
        Assert.Equal(3, read.Dropped);
        Assert.Equal(0, ring.Dropped);
    }

    /// PR-6, upstream read_since_respects_max.
    [Fact]
    public void A_read_hands_out_at_most_what_was_asked_and_takes_nothing()
    {
        using var ring = _stage.Ring();
        _hand.Feed(ring, Stage.Bytes("abcdef"));
        var first = ring.Since(0, 4);
        Assert.Equal("abcd", Stage.Text(first));
        Assert.Equal("ef", Stage.Text(ring.Since(first.Next, 4)));
        Assert.Equal("abcdef", Stage.Text(ring.Since(0, 100)));
        Assert.Equal(0, ring.Since(0, 0).Bytes.Length);
    }

    /// PR-6: at most 4 MiB at once.
    [Fact]
    public void A_read_never_hands_out_more_than_its_limit()
    {
        using var ring = _stage.Ring(capacity: 8 << 20);
        var said = 5 << 20;
        _hand.Feed(ring, Pattern.Take(0, said));
        var read = ring.Since(0, int.MaxValue);
        Assert.Equal(Ring.LongestRead, read.Bytes.Length);
        Assert.Equal(said - Ring.LongestRead, ring.Since(read.Next, int.MaxValue).Bytes.Length);
    }

    /// PR-6: a process that has ended is held up by nobody, so what it left in its pipe is taken in beyond the bound; the
    /// next incarnation meets the bound again.
    [Fact]
    public void Last_words_are_taken_beyond_the_bound_of_backpressure()
    {
        using var ring = Ring.Open(_stage.At("spared"), 4096 + 1000, backpressure: true, spare: 1000);
        _hand.Feed(ring, Pattern.Take(0, 6000));
        Assert.Equal(4096, ring.End);
        var freed = 0;
        ring.Freed += () => freed++;
        ring.TakeLastWords(true);
        Assert.Equal(1, freed);
        _hand.All(ring);
        Assert.Equal(5096, ring.End);
        ring.TakeLastWords(false);
        ring.Ack(500);
        _hand.All(ring);
        Assert.Equal(5096, ring.End);
    }

    /// PR-6, upstream backpressure_rejects_when_full.
    [Fact]
    public void Under_backpressure_a_full_ring_takes_nothing_and_the_pipe_keeps_it()
    {
        using var ring = _stage.Ring(backpressure: true);
        Assert.Equal(Captured.Full, _hand.Feed(ring, Pattern.Take(0, 4096 + 10)));
        Assert.Equal(10, _hand.Pending);
        Assert.Equal(4096, ring.End);
    }

    /// PR-6, upstream backpressure_never_evicts_on_crossing_push: here the part that fits goes in, which evicts nothing either.
    [Fact]
    public void Under_backpressure_nothing_is_ever_evicted()
    {
        using var ring = _stage.Ring(backpressure: true);
        _hand.Feed(ring, Pattern.Take(0, 4000));
        _hand.Feed(ring, Pattern.Take(4000, 200));
        Assert.Equal(0, ring.Start);
        Assert.Equal(0, ring.Dropped);
        Assert.Equal(Pattern.Take(0, 4096), ring.Since(0, 9999).Bytes.ToArray());
    }

    /// PR-6: a reader that only looks frees space by acknowledging, so it cannot wedge the child.
    [Fact]
    public void An_acknowledged_cursor_frees_space_and_only_wakes_a_waiting_writer()
    {
        using var ring = _stage.Ring(backpressure: true);
        var freed = 0;
        ring.Freed += () => freed++;
        _hand.Feed(ring, Pattern.Take(0, 100));
        Assert.True(ring.Ack(50));
        Assert.Equal(0, freed);
        _hand.Feed(ring, Pattern.Take(100, 4096));
        Assert.True(ring.Ack(150));
        Assert.True(ring.Ack(151));
        Assert.Equal(1, freed);
        _hand.All(ring);
        Assert.Equal(Pattern.Take(151, 4045), ring.Since(151, 9999).Bytes.ToArray());
        Assert.Equal(0, ring.Dropped);
    }

    /// PR-6: under drop-oldest others may still want what one reader has seen.
    [Fact]
    public void Without_backpressure_an_acknowledgement_takes_nothing()
    {
        using var ring = _stage.Ring();
        _hand.Feed(ring, Stage.Bytes("abc"));
        Assert.True(ring.Ack(3));
        Assert.Equal("abc", Stage.Text(ring.Since(0, 10)));
    }

    /// PR-6, upstream cursor_roundtrip_and_reject_garbage: a cursor is a number here, and one that was never given out is told.
    [Fact]
    public void A_cursor_behind_the_newest_byte_is_told_and_moves_nothing()
    {
        using var ring = _stage.Ring(backpressure: true);
        _hand.Feed(ring, Stage.Bytes("abc"));
        var read = ring.Since(4, 10);
        Assert.True(read.Beyond);
        Assert.Equal(3, read.Next);
        Assert.False(ring.Ack(4));
        Assert.Equal("abc", Stage.Text(ring.Since(-5, 10)));
        Assert.Equal(0, ring.Since(-5, 10).Dropped);
    }

    /// PR-6: tail(n).
    [Theory]
    [InlineData("a\nb\nc\n", 2, "b\nc\n")]
    [InlineData("a\nb\nc", 2, "b\nc")]
    [InlineData("a\nb\n", 5, "a\nb\n")]
    [InlineData("a\n\n\n", 2, "\n\n")]
    [InlineData("a\n", 0, "")]
    [InlineData("", 3, "")]
    [InlineData("one", 1, "one")]
    [InlineData("\n", 1, "\n")]
    public void The_tail_is_the_last_lines(string said, int lines, string tail)
    {
        using var ring = _stage.Ring();
        _hand.Feed(ring, Stage.Bytes(said));
        Assert.Equal(tail, Stage.Text(ring.Tail(lines, 1000)));
        Assert.Equal(said.Length, ring.Tail(lines, 1000).Next);
    }

    /// PR-6: a line longer than the limit is cut at its front.
    [Fact]
    public void The_tail_is_cut_to_its_limit()
    {
        using var ring = _stage.Ring();
        _hand.Feed(ring, Stage.Bytes(new string('x', 50) + "end\n"));
        Assert.Equal("xend\n", Stage.Text(ring.Tail(1, 5)));
    }

    /// PR-6: eof is said only when the process ended and its reader saw the end of the file.
    [Fact]
    public void The_end_needs_both_the_exit_and_the_end_of_the_pipe()
    {
        using var ring = _stage.Ring();
        ring.Attach(+1);
        _hand.Feed(ring, Stage.Bytes("abc"));
        ring.Close(true);
        Assert.False(ring.Since(3, 10).Eof);
        ring.Attach(-1);
        Assert.True(ring.Since(3, 10).Eof);
        Assert.True(ring.Since(0, 10).Eof);
        Assert.False(ring.Since(0, 2).Eof);
        ring.Close(false);
        Assert.False(ring.Since(3, 10).Eof);
    }

    /// PR-6: the end of one incarnation is not the end while another writes.
    [Fact]
    public void The_end_of_an_earlier_incarnation_is_not_the_end()
    {
        using var ring = _stage.Ring();
        ring.Attach(+1);
        ring.Attach(+1);
        ring.Attach(-1);
        ring.Close(true);
        Assert.False(ring.Since(0, 1).Eof);
        ring.Attach(-1);
        Assert.True(ring.Since(0, 1).Eof);
    }

    /// PR-14: cursors hold over the agent's death.
    [Fact]
    public void A_reopened_ring_goes_on_where_it_was()
    {
        using (var before = _stage.Ring(backpressure: true))
        {
            _hand.Feed(before, Pattern.Take(0, 3000));
            before.Ack(1000);
        }

        using var after = Ring.Open(_stage.At("ring"), 4096);
        Assert.Equal(Pattern.Take(1500, 1500), after.Since(1500, 9999).Bytes.ToArray());
        Assert.Equal(1000, after.Start);

        // It kept its policy: nothing is evicted.
        Assert.Equal(Captured.Full, _hand.Feed(after, Pattern.Take(3000, 3000)));
        Assert.Equal(Pattern.Take(1000, 4096), after.Since(null, 9999).Bytes.ToArray());
    }

    /// PR-14: a death while the ring was being made, or a file that is none, gives an empty ring.
    [Theory]
    [InlineData(0)]
    [InlineData(4096 + 4096)]
    public void A_file_that_is_no_sound_ring_is_made_one(int length)
    {
        File.WriteAllBytes(_stage.At("ring"), [.. Enumerable.Repeat((byte)0xA5, length)]);
        using var ring = _stage.Ring();
        Assert.Equal(0, ring.End);
        _hand.Feed(ring, Stage.Bytes("abc"));
        Assert.Equal("abc", Stage.Text(ring.Since(0, 10)));
    }

    /// SE-1: what a process says is nobody else's.
    [Fact]
    public void The_file_is_private()
    {
        using var ring = _stage.Ring();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_stage.At("ring")));
    }

    /// PR-6: follow, without polling.
    [Fact]
    public async Task A_follower_wakes_with_the_next_byte_and_with_the_end()
    {
        using var ring = _stage.Ring();
        ring.Attach(+1);
        var more = ring.WaitForMoreAsync(0, CancellationToken.None);
        Assert.False(more.IsCompleted);
        _hand.Feed(ring, Stage.Bytes("a"));
        await more.WaitAsync(Stage.Patience);
        var end = ring.WaitForMoreAsync(1, CancellationToken.None);
        ring.Close(true);
        Assert.False(end.IsCompleted);
        ring.Attach(-1);
        await end.WaitAsync(Stage.Patience);
    }

    /// PR-6: a follower may go away.
    [Fact]
    public async Task A_follower_can_be_stopped()
    {
        using var ring = _stage.Ring();
        using var stop = new CancellationTokenSource();
        var more = ring.WaitForMoreAsync(0, stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => more.WaitAsync(Stage.Patience));
    }

    /// PR-3: a process that is released while somebody reads it must not take the agent's memory from under the reader.
    [Fact]
    public async Task A_ring_that_is_gone_answers_that_it_ended()
    {
        var ring = _stage.Ring();
        _hand.Feed(ring, Stage.Bytes("abc"));
        var more = ring.WaitForMoreAsync(3, CancellationToken.None);
        ring.Dispose();
        await more.WaitAsync(Stage.Patience);
        Assert.True(ring.Since(0, 10) is { Eof: true, Bytes.Length: 0 });
        Assert.True(ring.Drain(10).Eof);
        Assert.True(ring.Tail(3, 10).Eof);
        Assert.True(ring.Ack(3));
        Assert.False(ring.TryHold());
        ring.Dispose();
    }

    /// PR-3: the same, while readers are at it.
    [Fact]
    public async Task Readers_and_disposal_may_meet()
    {
        for (var round = 0; round < 50; round++)
        {
            var ring = _stage.Ring(capacity: 1 << 20, name: $"r{round}");
            _hand.Feed(ring, Pattern.Take(0, 1 << 20));
            var readers = Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
            {
                while (ring.Since(0, 1 << 20) is { Eof: false } read) Assert.True(Pattern.Matches(0, read.Bytes.Span));
            })).ToArray();
            ring.Dispose();
            await Task.WhenAll(readers).WaitAsync(Stage.Patience);
        }
    }
}
