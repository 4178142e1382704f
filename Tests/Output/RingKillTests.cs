using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Linux;
using Agent.Shell.Output;
using Agent.Tests.Support;
using Xunit;
using Xunit.Abstractions;

namespace Agent.Tests.Output;

public sealed class RingKillTests(ITestOutputHelper told) : IDisposable
{
    private const int Kills = 30;

    private readonly Stage _stage = new();
    private readonly Random _random = Random.Shared;
    private long _said;
    private volatile bool _isFlood;
    private volatile bool _isOver;

    public void Dispose() => _stage.Dispose();

    /// PR-14, JO-5: kill -9 at any instruction of a capture: no byte lost, none doubled, cursors still valid.
    [Fact]
    public async Task No_byte_is_lost_or_doubled_by_killing_whoever_captures()
    {
        var (path, keeper, write) = _stage.Fifo("out");
        Descriptors.SizePipe(keeper, 1 << 20);
        var writer = Task.Factory.StartNew(
            () => Talk(write), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        var cursor = 0L;
        var halfWay = 0;
        for (var kill = 0; kill < Kills; kill++)
        {
            _isFlood = kill % 3 != 0;
            using (var victim = Victim.Start("capture", path, _stage.At("ring")))
            {
                Assert.Equal("ready", await victim.StandardOutput.ReadLineAsync().WaitAsync(Stage.Patience));
                await Task.Delay(_random.Next(1, 15));
                victim.Kill();
                await victim.WaitForExitAsync().WaitAsync(Stage.Patience);
            }

            halfWay += HasIntent() ? 1 : 0;
            cursor = Take(cursor);
        }

        _isOver = true;
        await writer;
        Descriptors.Close(write);
        cursor = TakeRest(keeper, cursor);
        told.WriteLine($"{cursor} bytes through {Kills} kills, {halfWay} of them in the middle of a capture");
        Assert.Equal(_said, cursor);
    }

    /// <summary>Says the pattern: in floods, whose captures take long, and in drops, marked byte by byte.</summary>
    private void Talk(int fd)
    {
        while (!_isOver)
        {
            var put = Descriptors.Write(fd, Pattern.From(_said, _isFlood ? 256 << 10 : _random.Next(1, 24)));
            if (put > 0) _said += put;
            else Thread.Yield();
        }
    }

    private unsafe bool HasIntent()
    {
        using var file = new FileStream(
            _stage.At("ring"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var header = new byte[sizeof(Ring.Header)];
        file.ReadExactly(header);
        fixed (byte* start = header) return ((Ring.Header*)start)->IntentBytes != 0;
    }

    private long Take(long cursor)
    {
        using var ring = Ring.Open(_stage.At("ring"), Victim.RingBytes);
        while (ring.Since(cursor, 1 << 20) is { Bytes.Length: > 0 } read)
        {
            Assert.Equal(0, read.Dropped);
            Assert.True(Pattern.Matches(cursor, read.Bytes.Span), $"a wrong byte in the slice at {cursor}");
            cursor = read.Next;
            ring.Ack(cursor);
        }

        return cursor;
    }

    private long TakeRest(int fd, long cursor)
    {
        var peek = Descriptors.Pipe();
        while (true)
        {
            using (var ring = Ring.Open(_stage.At("ring"), Victim.RingBytes))
            {
                if (ring.Capture(fd, peek) == Captured.EndOfFile) return cursor;
            }

            cursor = Take(cursor);
        }
    }
}
