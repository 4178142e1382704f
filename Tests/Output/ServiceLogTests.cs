using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using Agent.Shell.Api;
using Agent.Shell.Config;
using Agent.Shell.Output;
using Agent.Tests.EndToEnd;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.Output;

public sealed class ServiceLogTests : IDisposable
{
    private readonly Stage _stage = new();
    private readonly HandFed _hand = new();
    private readonly SetClock _clock = new();
    private readonly ConcurrentQueue<LogLoss> _losses = new();
    private readonly LogFiler _filer = new();
    private readonly List<ServiceLog> _logs = [];

    public void Dispose()
    {
        _filer.Dispose();
        foreach (var log in _logs) log.Dispose();
        _hand.Dispose();
        Mounts.Release(_stage.Root);
        _stage.Dispose();
    }

    private LogFolder Folder => new(_stage.At("web"), "stdout");

    private LogReader Reader => new(Folder);

    /// PR-6, SE-1: byte for byte, in files that are private, of at most so many bytes, and at most so many of them.
    [Fact]
    public void What_is_captured_is_in_files_of_bounded_size_and_number()
    {
        using var ring = _stage.Ring();
        Follow(ring, new(1000, 3));
        Say(ring, Pattern.Take(0, 20_000));
        Assert.Equal(3, Folder.Files().Count);
        Assert.All(Directory.GetFiles(_stage.At("web"), "*.log"), path =>
        {
            Assert.InRange(new FileInfo(path).Length, 1, 1000);
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        });
        Assert.Equal(3, Directory.GetFiles(_stage.At("web"), "*.idx").Length);
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
            File.GetUnixFileMode(_stage.At("web")));
        var kept = Kept();
        Assert.Equal(Pattern.Take(20_000 - kept.Length, kept.Length), kept);
        Assert.Equal(20_000 - kept.Length, Folder.Files()[0]);
    }

    /// PR-6: whoever opens one file finds whole lines in it.
    [Fact]
    public void A_file_ends_with_a_line()
    {
        using var ring = _stage.Ring();
        Follow(ring, new(100, 10));
        for (var n = 0; n < 30; n++) Say(ring, Stage.Bytes($"the line with the number {n:000}\n"));
        Assert.All(Folder.Files(), file => Assert.Equal((byte)'\n', File.ReadAllBytes(Folder.DataAt(file))[^1]));
    }

    /// PR-14: after the agent's death the next one goes on at the byte where it was.
    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(6)]
    public void A_death_in_the_middle_of_an_append_repeats_and_skips_nothing(int written)
    {
        Folder.Make();
        File.WriteAllText(Folder.DataAt(100), "before ");
        using (var dying = _stage.Ring())
        {
            _hand.Feed(dying, Stage.Bytes("abcdef"));
            dying.BeginFiling(0, 6, length: 107);
            File.AppendAllText(Folder.DataAt(100), "abcdef"[..written]);
        }

        using var ring = _stage.Ring();
        Follow(ring, new(1000, 3));
        Say(ring, Stage.Bytes("ghi"));
        Assert.Equal("before abcdefghi", File.ReadAllText(Folder.DataAt(100)));
    }

    /// PR-6, PF-4: a log is never overtaken: what it has yet to file does not leave the ring, the writer waits.
    [Fact]
    public void What_the_log_lacks_stays_in_the_ring_and_what_it_has_is_not_lost()
    {
        using var ring = _stage.Ring();
        ring.FollowedBy(static () => { });
        _hand.Feed(ring, Pattern.Take(0, 4096));
        _hand.Say([1]);
        Assert.Equal(Captured.Behind, _hand.Step(ring));
        Assert.Empty(ring.Drain(100).Bytes.ToArray());
        var freed = 0;
        ring.Freed += () => freed++;
        ring.EndFiling(4000);
        Assert.Equal(1, freed);
        Assert.Equal(Captured.Nothing, _hand.All(ring));
        Assert.Equal((4097L, 0L), (ring.End, ring.Dropped));
    }

    /// PR-6: a disk that takes nothing at all holds up nobody for long.
    [Fact]
    public void A_log_that_hangs_is_waited_for_only_so_long()
    {
        using var ring = _stage.Ring();
        ring.FollowedBy(static () => { });
        _hand.Feed(ring, Pattern.Take(0, 4096));
        _hand.Say([1]);
        Stage.Until(() => _hand.Step(ring) == Captured.Some);
        Assert.Equal(1, ring.Dropped);
    }

    /// PR-6: under backpressure what was acknowledged before it was filed goes as soon as it is, and no child is wedged.
    [Fact]
    public void What_is_acknowledged_early_is_freed_when_it_is_filed()
    {
        using var ring = _stage.Ring(backpressure: true);
        ring.FollowedBy(static () => { });
        _hand.Feed(ring, Pattern.Take(0, 4096));
        Assert.True(ring.Ack(4096));
        Assert.Equal(0, ring.Start);
        ring.EndFiling(4096);
        Assert.Equal(4096, ring.Start);
    }

    /// PR-6: the log goes on where the ring ends, at the same cursors, across its files.
    [Fact]
    public void A_cursor_holds_after_its_bytes_have_left_the_ring()
    {
        using var ring = _stage.Ring();
        Follow(ring, new(3000, 10));
        Say(ring, Pattern.Take(0, 20_000));
        var source = new OutputSource(ring, Reader);
        Assert.Equal(20_000 - 4096, ring.Start);
        foreach (var cursor in (long[])[0, 1, 2999, 3000, 9000, 15_903, 15_904, 15_905, 19_999])
        {
            var all = ReadAll(source, cursor);
            Assert.Equal(Pattern.Take(cursor, (int)(20_000 - cursor)), all.Bytes);
            Assert.Equal((20_000L, 0L), (all.Next, all.Dropped));
        }
    }

    /// PR-6: dropped is only what neither has.
    [Fact]
    public void What_neither_log_nor_ring_has_is_told_as_dropped()
    {
        using var ring = _stage.Ring();
        Follow(ring, new(3000, 4));
        Say(ring, Pattern.Take(0, 20_000));
        var oldest = Folder.Files()[0];
        var all = ReadAll(new OutputSource(ring, Reader), 10);
        Assert.Equal((20_000L, oldest - 10), (all.Next, all.Dropped));
        Assert.Equal(Pattern.Take(oldest, (int)(20_000 - oldest)), all.Bytes);
    }

    /// PR-6: what was said under an older id, or before a reboot, lies before cursor 0.
    [Fact]
    public void An_older_ring_of_the_same_name_lies_before_the_first_cursor()
    {
        using (var older = _stage.Ring("older"))
        {
            Follow(older, new(10, 9));
            Say(older, Stage.Bytes("a\nbb\nccc\ndddd\n"));
        }

        using var ring = _stage.Ring();
        Follow(ring, new(10, 9));
        Say(ring, Stage.Bytes("new\n"));
        var source = new OutputSource(ring, Reader);
        Assert.Equal("new\n", Text(source.Since(0, 100)));
        Assert.Equal("ddd\nnew\n", Encoding.ASCII.GetString(ReadAll(source, -4).Bytes));
        Assert.Equal("a\nbb\nccc\ndddd\nnew\n", Encoding.ASCII.GetString(ReadAll(source, -14).Bytes));
        Assert.Equal(6, ReadAll(source, -20).Dropped);
        Assert.Equal("ccc\ndddd\nnew\n", Text(source.Tail(3, 1000)));
        Assert.Equal(4, Assert.IsType<OutputRead.Slice>(source.Tail(3, 1000)).Next);
    }

    /// PR-6: a time finds its line, in whichever file it is, with all that came since.
    [Fact]
    public void A_time_finds_its_line_across_files()
    {
        using var ring = _stage.Ring();
        Follow(ring, new(30, 9));
        var begin = _clock.GetUtcNow();
        for (var n = 0; n < 10; n++)
        {
            _clock.Ahead = TimeSpan.FromMinutes(n);
            Say(ring, Stage.Bytes($"minute {n}\n"));
        }

        var source = new OutputSource(ring, Reader);
        for (var n = 0; n < 10; n++)
        {
            var cursor = source.CursorAt(begin.AddMinutes(n).AddSeconds(-30).ToUnixTimeMilliseconds());
            Assert.Equal(n * 9, cursor);
        }

        Assert.True(Folder.Files().Count >= 4);
        Assert.Equal(90, source.CursorAt(begin.AddHours(1).ToUnixTimeMilliseconds()));
        Assert.Equal(0, source.CursorAt(0));
        var times = source.Times(0, 90)!;
        Assert.Equal((10, 90L), (times.Marks.Count, times.Known));
        Assert.Equal(Enumerable.Range(0, 10).Select(n => n * 9L), times.Marks.Select(mark => mark.Cursor));
        Assert.All(times.Marks.Zip(times.Marks.Skip(1)), pair =>
            Assert.InRange(pair.Item2.UnixMs - pair.Item1.UnixMs, 59_000, 90_000));
    }

    /// PR-6: half a line that came later is told from its beginning.
    [Fact]
    public void A_time_in_the_middle_of_a_line_finds_its_beginning()
    {
        using var ring = _stage.Ring();
        Follow(ring, new(1000, 3));
        Say(ring, Stage.Bytes("one\nbegun "));
        _clock.Ahead = TimeSpan.FromMinutes(1);
        Say(ring, Stage.Bytes("and ended\n"));
        Assert.Equal(4, new OutputSource(ring, Reader).CursorAt(_clock.GetUtcNow().AddSeconds(-30).ToUnixTimeMilliseconds()));
    }

    /// PR-6, JO-1: a torn record of the index is ignored, and the next one takes its place.
    [Fact]
    public void A_torn_index_costs_nothing_but_its_torn_end()
    {
        using (var first = _stage.Ring())
        {
            Follow(first, new(1000, 3));
            Say(first, Stage.Bytes("one\n"));
        }

        File.AppendAllText(Folder.IndexAt(0), "torn");
        using var ring = _stage.Ring();
        Follow(ring, new(1000, 3));
        Say(ring, Stage.Bytes("two\n"));
        Assert.Equal(0, new FileInfo(Folder.IndexAt(0)).Length % LogMark.Bytes);
        var map = Reader.MapFor(ring.Identity);
        Assert.Equal("one\ntwo\n", Encoding.ASCII.GetString(map.Read(0, 100).Bytes));
    }

    /// PR-6: of a damaged mark's bytes nobody claims to know the cursor; the bytes are there by time and by tail.
    [Fact]
    public void A_damaged_or_missing_index_costs_cursors_and_no_bytes()
    {
        using var ring = _stage.Ring();
        Follow(ring, new(1000, 3));
        foreach (var text in (string[])["one\n", "two\n", "three\n"])
        {
            _clock.Ahead += TimeSpan.FromMinutes(1);
            Say(ring, Stage.Bytes(text));
        }

        var index = File.ReadAllBytes(Folder.IndexAt(0));
        index[LogMark.Bytes] ^= 1;
        File.WriteAllBytes(Folder.IndexAt(0), index);
        var map = Reader.MapFor(ring.Identity);
        Assert.Empty(map.Read(0, 100).Bytes);
        Assert.Equal("three\n", Encoding.ASCII.GetString(map.Read(8, 100).Bytes));
        File.Delete(Folder.IndexAt(0));
        var bare = Reader.MapFor(ring.Identity);
        Assert.Equal(-14, bare.Oldest);
        Assert.Equal("one\ntwo\nthree\n", Encoding.ASCII.GetString(bare.Read(-14, 100).Bytes));
    }

    /// PR-6: a full disk stops no capture; what is missing is counted, told once, and shows as a gap of that size.
    [SkippableFact]
    public void A_full_disk_costs_the_log_and_not_the_capture()
    {
        Directory.CreateDirectory(_stage.At("web"));
        Skip.IfNot(Mounts.Run("mount", "-t", "tmpfs", "-o", "size=64k", "none", _stage.At("web")), "needs to mount");
        using var ring = _stage.Ring(capacity: 1 << 20);
        var log = Follow(ring, new(1 << 20, 3));
        Say(ring, Pattern.Take(0, 200_000));
        Assert.Equal(200_000, ring.End);
        Assert.InRange(log.BytesLost, 1, 200_000);
        Assert.Contains("ENOSPC", Assert.Single(_losses).Reason, StringComparison.Ordinal);
        var held = 200_000 - log.BytesLost;
        Assert.True(Mounts.Run("mount", "-o", "remount,size=4m", _stage.At("web")));
        Say(ring, Pattern.Take(200_000, 50_000));
        Assert.Equal(held + 50_000, Kept().Length);
        var map = Reader.MapFor(ring.Identity);
        Assert.True(Pattern.Matches(0, map.Read(0, 1 << 20).Bytes));
        Assert.Equal(200_000, map.Read(held, 1).Next);
        Assert.Equal(Pattern.Take(200_000, 50_000), map.Read(200_000, 1 << 20).Bytes);
    }

    /// PR-6: a file that somebody took away or cut is made anew; positions never go back.
    [Fact]
    public void A_file_that_was_taken_away_is_followed_by_another()
    {
        using var ring = _stage.Ring();
        Follow(ring, new(1000, 3));
        Say(ring, Stage.Bytes("one\n"));
        File.Delete(Folder.DataAt(0));
        Say(ring, Stage.Bytes("two\n"));
        Assert.Equal([4L], Folder.Files());
        Assert.Equal("two\n", Text(new OutputSource(ring, Reader).Since(4, 100)));
    }

    private ServiceLog Follow(Ring ring, LogSettings settings)
    {
        var log = new ServiceLog(Folder, settings, _losses.Enqueue, _clock);
        _logs.Add(log);
        _filer.Follow(ring, log);
        return log;
    }

    private void Say(Ring ring, byte[] bytes)
    {
        var to = ring.End + bytes.Length;
        for (var rest = bytes.AsSpan(); !rest.IsEmpty;)
        {
            rest = rest[_hand.Say(rest[..Math.Min(rest.Length, 2000)])..];
            Stage.Until(() => _hand.Step(ring) == Captured.Nothing);
        }

        Stage.Until(() => ring.Filed == to);
    }

    private byte[] Kept() => [.. Folder.Files().SelectMany(position => File.ReadAllBytes(Folder.DataAt(position)))];

    private static string Text(OutputRead read) => Encoding.ASCII.GetString(Assert.IsType<OutputRead.Slice>(read).Bytes.Span);

    private static (byte[] Bytes, long Next, long Dropped) ReadAll(OutputSource source, long cursor)
    {
        var bytes = new List<byte>();
        var dropped = 0L;
        while (Assert.IsType<OutputRead.Slice>(source.Since(cursor, 1 << 20)) is { Bytes.IsEmpty: false } slice)
        {
            bytes.AddRange(slice.Bytes.Span);
            dropped += slice.Dropped;
            cursor = slice.Next;
        }

        return ([.. bytes], cursor, dropped);
    }
}
