using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Linux;
using Agent.Shell.Output;
using Xunit;
using Xunit.Abstractions;

namespace Agent.Tests.Output;

public sealed class OutputPumpTests(ITestOutputHelper told) : IDisposable
{
    private const long GiB = 1L << 30;

    private readonly Stage _stage = new();
    private readonly OutputPump _pump = new();

    public void Dispose()
    {
        _pump.Dispose();
        _stage.Dispose();
    }

    /// PR-6, PF-4: byte-exact, whatever the speed; a real child, a real FIFO, a reader that only acknowledges.
    [Fact]
    public async Task A_gibibyte_under_backpressure_arrives_byte_for_byte()
    {
        using var ring = _stage.Ring(capacity: 1 << 20, backpressure: true);
        var fifo = _stage.Fifo("out");
        Descriptors.SizePipe(fifo.Read, 1 << 20);
        await File.WriteAllBytesAsync(_stage.At("block"), Pattern.Once.ToArray());
        var times = (int)(GiB / Pattern.Period) + 1;
        using var child = Shell(
            $"i=0; while [ $i -lt {times / 64 + 1} ]; do cat $B $B $B $B $B $B $B $B $B $B $B $B $B $B $B $B "
            + "$B $B $B $B $B $B $B $B $B $B $B $B $B $B $B $B $B $B $B $B $B $B $B $B $B $B $B $B $B $B $B $B "
            + "$B $B $B $B $B $B $B $B $B $B $B $B $B $B $B $B || exit 1; i=$((i+1)); done > $F",
            ("B", _stage.At("block")),
            ("F", fifo.Path));
        ring.Attach(+1);
        ring.Close(true);
        _pump.Attach(fifo.Read, ring, () => ring.Attach(-1));
        var watch = Stopwatch.StartNew();
        var buffer = new byte[256 << 10];
        var cursor = 0L;
        var isHeld = true;
        while (true)
        {
            var read = ring.Since(cursor, buffer);
            Assert.Equal(0, read.Dropped);
            Assert.True(Pattern.Matches(cursor, read.Bytes.Span), $"a wrong byte in the slice at {cursor}");
            cursor = read.Next;
            Assert.True(ring.Ack(cursor));

            // The test's own end goes when the child surely has its own: then the child's exit is the end of the file.
            if (isHeld && cursor > 0) Descriptors.Close(fifo.Write);
            isHeld &= cursor == 0;
            if (read.Eof) break;
            if (!read.Bytes.IsEmpty) continue;
            await ring.WaitForMoreAsync(cursor, CancellationToken.None).WaitAsync(Stage.Patience);
        }

        told.WriteLine($"{cursor / 1048576.0 / watch.Elapsed.TotalSeconds:F0} MiB/s");
        Assert.Equal((times / 64 + 1) * 64L * Pattern.Period, cursor);
        Assert.Equal(0, ring.Dropped);
    }

    /// PR-6: under drop-oldest a reader may be overtaken; it learns the gap and never sees a torn byte.
    [Fact]
    public async Task A_reader_in_a_flood_sees_gaps_and_no_torn_bytes()
    {
        const long flood = 256L << 20;
        // A large slice takes long to copy, so that the pump surely gets into it.
        using var ring = _stage.Ring(capacity: Ring.LongestRead);
        var fifo = _stage.Fifo("out");
        ring.Attach(+1);
        _pump.Attach(fifo.Read, ring, () => ring.Attach(-1));
        var writer = Task.Run(() =>
        {
            for (var said = 0L; said < flood;)
            {
                var put = Descriptors.Write(fifo.Write, Pattern.From(said, (int)Math.Min(128 << 10, flood - said)));
                if (put > 0) said += put;
                else Thread.Yield();
            }

            Descriptors.Close(fifo.Write);
            ring.Close(true);
        });
        var (got, dropped) = await Task.Factory.StartNew(
            () => ReadWithoutPause(ring),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        await writer;
        told.WriteLine($"{got} bytes read, {dropped} dropped before the reader, {ring.Dropped} evicted");
        Assert.Equal(flood, got + dropped);
        Assert.InRange(dropped, 0, ring.Dropped);
    }

    private static (long Got, long Dropped) ReadWithoutPause(Ring ring)
    {
        long cursor = 0, got = 0, dropped = 0;
        while (true)
        {
            var read = ring.Since(cursor, Ring.LongestRead);
            Assert.True(Pattern.Matches(read.Next - read.Bytes.Length, read.Bytes.Span), $"a torn slice at {cursor}");
            Assert.Equal(read.Next, cursor + read.Dropped + read.Bytes.Length);
            (cursor, got, dropped) = (read.Next, got + read.Bytes.Length, dropped + read.Dropped);
            if (read.Eof) return (got, dropped);
        }
    }

    /// PF-5: idle cpu 0. The pump's thread is not even woken.
    [Fact]
    public async Task Two_hundred_idle_streams_cost_nothing()
    {
        var rings = Enumerable.Range(0, 200).Select(i => _stage.Ring($"r{i}")).ToList();
        foreach (var (ring, i) in rings.Select((ring, i) => (ring, i)))
        {
            _pump.Attach(_stage.Fifo($"f{i}").Read, ring, () => { });
        }

        var thread = await OnPumpAsync(
            static () => Path.GetFileName(File.ResolveLinkTarget("/proc/thread-self", false)!.FullName));
        var before = Switches(thread);
        await Task.Delay(300);
        Assert.InRange(Switches(thread) - before, 0, 1);
        foreach (var ring in rings) ring.Dispose();
    }

    /// PR-6: the end of the file comes once, after the last byte.
    [Fact]
    public async Task The_end_of_a_stream_is_told_once_after_its_last_byte()
    {
        using var ring = _stage.Ring();
        var ends = 0;
        var end = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        var fifo = _stage.Fifo("out");
        _pump.Attach(fifo.Read, ring, () =>
        {
            ends++;
            end.TrySetResult(ring.End);
        });
        Descriptors.Write(fifo.Write, Stage.Bytes("last words"));
        Descriptors.Close(fifo.Write);
        Assert.Equal(10, await end.Task.WaitAsync(Stage.Patience));
        _pump.Detach(ring);
        await OnPumpAsync(static () => "");
        Assert.Equal(1, ends);
    }

    /// PR-14: the words of a process that ended before anybody read are still in the pipe.
    [Fact]
    public async Task A_pipe_whose_writer_is_gone_is_read_to_its_end()
    {
        using var ring = _stage.Ring(capacity: 64 << 10);
        var fifo = _stage.Fifo("out");
        Descriptors.Write(fifo.Write, Pattern.Take(0, 60_000));
        Descriptors.Close(fifo.Write);
        await AttachedUntilEndAsync(fifo.Read, ring);
        Assert.Equal(Pattern.Take(0, 60_000), ring.Since(0, 99_999).Bytes.ToArray());
    }

    /// PR-14: the same for a reader that comes late, which the kernel tells of no hang-up, and a ring that takes the
    /// pipe in many small captures.
    [Theory]
    [InlineData(1 << 20, false)]
    [InlineData(1 << 20, true)]
    [InlineData(4096, false)]
    [InlineData(4096, true)]
    [InlineData(0, false)]
    public async Task The_end_of_a_pipe_that_was_left_before_we_came_is_found(int said, bool backpressure)
    {
        var ring = _stage.Ring(backpressure: backpressure);
        var (path, keeper, write) = _stage.Fifo("out");
        Descriptors.SizePipe(keeper, 1 << 20);
        for (var done = 0; done < said;) done += Descriptors.Write(write, Pattern.From(done, said - done));
        Descriptors.Close(write);
        var end = AttachedUntilEndAsync(Descriptors.Open(path, Descriptors.ReadOnly), ring);
        while (backpressure && ring.Drain(1000).Next < said)
        {
            await ring.WaitForMoreAsync(ring.Start, CancellationToken.None).WaitAsync(Stage.Patience);
        }

        await end;
        Assert.Equal(said, ring.End);
        ring.Dispose();
        Descriptors.Close(keeper);
    }

    /// PR-6, PR-12, upstream clear_on_return_preserves_resources_for_carveout: a service that starts again writes to
    /// the same ring; offsets go on, and its end is the ring's.
    [Fact]
    public async Task A_second_incarnation_goes_on_in_the_same_ring()
    {
        using var ring = _stage.Ring();
        var first = _stage.Fifo("one");
        var second = _stage.Fifo("two");
        ring.Attach(+1);
        ring.Attach(+1);
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _pump.Attach(first.Read, ring, () =>
        {
            ring.Attach(-1);
            end.SetResult();
        });
        Descriptors.Write(first.Write, Stage.Bytes("one "));
        Descriptors.Close(first.Write);
        await end.Task.WaitAsync(Stage.Patience);
        Descriptors.Write(second.Write, Stage.Bytes("two"));
        _pump.Attach(second.Read, ring, () => ring.Attach(-1));
        ring.Close(true);
        await ring.WaitForMoreAsync(4, CancellationToken.None).WaitAsync(Stage.Patience);
        Assert.Equal("one two", Stage.Text(ring.Since(0, 100)));
        Assert.False(ring.Since(7, 1).Eof);
        Descriptors.Close(second.Write);
        await ring.WaitForMoreAsync(7, CancellationToken.None).WaitAsync(Stage.Patience);
        Assert.True(ring.Since(7, 1).Eof);
    }

    /// PR-6, upstream backpressure against a real pipe: a drain frees a full ring's writer too.
    [Fact]
    public async Task A_writer_at_a_full_ring_goes_on_when_somebody_drains()
    {
        var ring = _stage.Ring(backpressure: true);
        var fifo = _stage.Fifo("out");
        Descriptors.Write(fifo.Write, Pattern.Take(0, 20_000));
        Descriptors.Close(fifo.Write);
        var end = AttachedUntilEndAsync(fifo.Read, ring);
        var taken = new List<byte>();
        while (taken.Count < 20_000)
        {
            await ring.WaitForMoreAsync(taken.Count, CancellationToken.None).WaitAsync(Stage.Patience);
            taken.AddRange(ring.Drain(3000).Bytes.ToArray());
        }

        await end;
        Assert.Equal(Pattern.Take(0, 20_000), taken);
        Assert.Equal(0, ring.Dropped);
        ring.Dispose();
    }

    /// PR-3, trap (c): a process that is released while a descendant of its holds the pipe open leaves nothing behind.
    [Fact]
    public async Task A_detached_stream_ends_though_its_writer_lives()
    {
        var ring = _stage.Ring();
        var fifo = _stage.Fifo("out");
        var end = AttachedUntilEndAsync(fifo.Read, ring);
        _pump.Detach(ring);
        await end;
        Assert.True(Descriptors.Write(fifo.Write, [1]) < 0);
        ring.Dispose();
    }

    /// PR-6: one flooding stream does not starve the others.
    [Fact]
    public async Task A_quiet_stream_is_heard_beside_a_flood()
    {
        using var loud = _stage.Ring("loud", 64 << 10);
        using var quiet = _stage.Ring("quiet");
        var flood = _stage.Fifo("loud.fifo");
        var whisper = _stage.Fifo("quiet.fifo");
        using var yes = Shell("exec yes > $F", ("F", flood.Path));
        _pump.Attach(flood.Read, loud, () => { });
        _pump.Attach(whisper.Read, quiet, () => { });
        await loud.WaitForMoreAsync(10 << 20, CancellationToken.None).WaitAsync(Stage.Patience);
        for (var i = 0; i < 20; i++)
        {
            Descriptors.Write(whisper.Write, [1]);
            await quiet.WaitForMoreAsync(i, CancellationToken.None).WaitAsync(Stage.Patience);
        }

        yes.Kill();
        await yes.WaitForExitAsync();
    }

    /// PR-6: a full file system stops the stream, loses nothing, and is over when there is room.
    [SkippableFact]
    public async Task A_full_file_system_makes_the_writer_wait()
    {
        var small = _stage.At("small");
        Directory.CreateDirectory(small);
        using var mount = Shell("mount -t tmpfs -o size=128k none $D", ("D", small));
        await mount.WaitForExitAsync();
        Skip.If(mount.ExitCode != 0, "may not mount a file system");
        try
        {
            var filler = Path.Combine(small, "filler");
            await File.WriteAllBytesAsync(filler, new byte[48 << 10]);
            var ring = Ring.Open(Path.Combine(small, "ring"), 112 << 10, backpressure: true);
            var fifo = _stage.Fifo("out");
            Descriptors.SizePipe(fifo.Read, 1 << 20);
            Assert.Equal(100_000, Descriptors.Write(fifo.Write, Pattern.Take(0, 100_000)));
            Descriptors.Close(fifo.Write);
            var end = AttachedUntilEndAsync(fifo.Read, ring);
            await OnPumpAsync(static () => "");
            Assert.False(end.IsCompleted);
            File.Delete(filler);
            await end;
            Assert.Equal(Pattern.Take(0, 100_000), ring.Since(0, 1 << 20).Bytes.ToArray());
            ring.Dispose();
        }
        finally
        {
            using var unmount = Shell("umount -l $D", ("D", small));
            await unmount.WaitForExitAsync();
        }
    }

    private static Process Shell(string script, params (string Name, string Value)[] variables)
    {
        var start = new ProcessStartInfo("/bin/sh") { ArgumentList = { "-c", script } };
        foreach (var (name, value) in variables) start.Environment[name] = value;
        return Process.Start(start)!;
    }

    private static long Switches(string thread) => long.Parse(
        File.ReadLines($"/proc/self/task/{thread}/status")
            .First(line => line.StartsWith("voluntary", StringComparison.Ordinal))
            .Split('\t')[1],
        System.Globalization.CultureInfo.InvariantCulture);

    private async Task AttachedUntilEndAsync(int fd, Ring ring)
    {
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _pump.Attach(fd, ring, end.SetResult);
        await end.Task.WaitAsync(Stage.Patience);
    }

    /// <summary>Runs on the pump's thread, after all that it was asked before.</summary>
    private async Task<string> OnPumpAsync(Func<string> ask)
    {
        using var ring = _stage.Ring($"ask{Guid.NewGuid():N}");
        var pipe = Descriptors.Pipe();
        Descriptors.Close(pipe.Write);
        var answer = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        _pump.Attach(pipe.Read, ring, () => answer.SetResult(ask()));
        return await answer.Task.WaitAsync(Stage.Patience);
    }
}
