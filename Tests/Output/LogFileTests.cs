using System;
using System.Collections.Concurrent;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Output;
using Xunit;

namespace Agent.Tests.Output;

public sealed class LogFileTests : IDisposable
{
    private readonly Stage _stage = new();
    private readonly HandFed _hand = new();
    private readonly ConcurrentQueue<LogLoss> _losses = new();

    public void Dispose()
    {
        _hand.Dispose();
        _stage.Dispose();
    }

    /// RT-12, SE-1: daemon logs go to files, which are private.
    [Fact]
    public async Task What_is_captured_is_in_the_file()
    {
        using var ring = _stage.Ring();
        using var log = Log();
        var follow = log.FollowAsync(CancellationToken.None, ring);
        _hand.Feed(ring, Stage.Bytes("one\n"));
        Filed(ring, 4);
        _hand.Feed(ring, Stage.Bytes("two\n"));
        Filed(ring, 8);
        Assert.Equal("one\ntwo\n", await ReadAsync("d/x.log"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_stage.At("d/x.log")));
        ring.Dispose();
        await follow.WaitAsync(Stage.Patience);
    }

    /// RT-12: ten files of ten megabytes; here three of a hundred bytes.
    [Fact]
    public void The_oldest_file_gives_way()
    {
        using var ring = _stage.Ring();
        using var log = Log(rotateAt: 100, kept: 3);
        _ = log.FollowAsync(CancellationToken.None, ring);
        for (var i = 0; i < 9; i++)
        {
            _hand.Feed(ring, Pattern.Take(i * 50, 50));
            Filed(ring, (i + 1) * 50);
        }

        var names = Directory.GetFiles(_stage.At("d")).Select(Path.GetFileName).Order();
        Assert.Equal(["x.log", "x.log.1", "x.log.2"], names);
        Assert.Equal(
            Pattern.Take(200, 250),
            ((string[])["d/x.log.2", "d/x.log.1", "d/x.log"]).SelectMany(name => File.ReadAllBytes(_stage.At(name))));
        ring.Dispose();
    }

    /// RT-12, PR-14: after the agent's death the next one goes on at the byte where it was.
    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(6)]
    public async Task A_death_in_the_middle_of_an_append_repeats_and_skips_nothing(int written)
    {
        Directory.CreateDirectory(_stage.At("d"));
        await File.WriteAllTextAsync(_stage.At("d/x.log"), "before ");
        using (var dying = _stage.Ring())
        {
            _hand.Feed(dying, Stage.Bytes("abcdef"));
            dying.BeginFiling(0, 6, length: 7);
            await File.AppendAllTextAsync(_stage.At("d/x.log"), "abcdef"[..written]);
        }

        using var ring = _stage.Ring();
        using var log = Log();
        _ = log.FollowAsync(CancellationToken.None, ring);
        _hand.Feed(ring, Stage.Bytes("ghi"));
        Filed(ring, 9);
        Assert.Equal("before abcdefghi", await ReadAsync("d/x.log"));
    }

    /// RT-12, PR-14: the same, when the append was complete and noted but for its last store.
    [Fact]
    public async Task A_death_after_an_append_does_not_count_it_twice()
    {
        Directory.CreateDirectory(_stage.At("d"));
        using (var dying = _stage.Ring())
        {
            _hand.Feed(dying, Stage.Bytes("abcdef"));
            dying.BeginFiling(0, 3, length: 0);
            await File.AppendAllTextAsync(_stage.At("d/x.log"), "abc");
        }

        var file = await File.ReadAllBytesAsync(_stage.At("ring"));
        SetFiled(file, 3);
        await File.WriteAllBytesAsync(_stage.At("ring"), file);
        using var ring = _stage.Ring();
        using var log = Log();
        _ = log.FollowAsync(CancellationToken.None, ring);
        Filed(ring, 6);
        Assert.Equal("abcdef", await ReadAsync("d/x.log"));
    }

    /// RT-12: trouble with the disk never stops the capture; it is counted, told, and noted when the disk is back.
    [Fact]
    public async Task What_could_not_be_written_is_told_and_noted()
    {
        await File.WriteAllTextAsync(_stage.At("d"), "in the way of the directory");
        using var ring = _stage.Ring();
        using var log = Log();
        _ = log.FollowAsync(CancellationToken.None, ring);
        _hand.Feed(ring, Stage.Bytes("lost"));
        Filed(ring, 4);
        Assert.Equal(4, log.BytesLost);
        Assert.Equal(4, _losses.Single().BytesInAll);
        File.Delete(_stage.At("d"));
        _hand.Feed(ring, Stage.Bytes("found"));
        Filed(ring, 9);
        Assert.Equal("[4 bytes are missing here]\nfound", await ReadAsync("d/x.log"));
        Assert.Equal("lostfound", Stage.Text(ring.Since(0, 100)));
    }

    /// RT-12: a follower that was overtaken says so in the file.
    [Fact]
    public async Task What_was_evicted_before_it_was_filed_is_noted()
    {
        using var ring = _stage.Ring();
        _hand.Feed(ring, Pattern.Take(0, 4096 + 10));
        using var log = Log();
        _ = log.FollowAsync(CancellationToken.None, ring);
        Filed(ring, 4106);
        var bytes = await File.ReadAllBytesAsync(_stage.At("d/x.log"));
        Assert.Equal(Stage.Bytes("[10 bytes are missing here]\n").Concat(Pattern.Take(10, 4096)), bytes);
    }

    /// RT-12: a file that was taken away or cut is made anew, not written past its end.
    [Fact]
    public async Task A_file_that_was_removed_is_made_anew()
    {
        using var ring = _stage.Ring();
        using var log = Log();
        _ = log.FollowAsync(CancellationToken.None, ring);
        _hand.Feed(ring, Stage.Bytes("one"));
        Filed(ring, 3);
        File.Delete(_stage.At("d/x.log"));
        _hand.Feed(ring, Stage.Bytes("two"));
        Filed(ring, 6);
        Assert.Equal("two", await ReadAsync("d/x.log"));
    }

    private static unsafe void SetFiled(byte[] file, long filed)
    {
        fixed (byte* start = file) ((Ring.Header*)start)->Filed = filed;
    }

    private static void Filed(Ring ring, long to) => Stage.Until(() => ring.Filed == to);

    private LogFile Log(long rotateAt = 10_000_000, int kept = 10) =>
        new(_stage.At("d/x.log"), _losses.Enqueue, rotateAt, kept);

    private Task<string> ReadAsync(string name) => File.ReadAllTextAsync(_stage.At(name));
}
