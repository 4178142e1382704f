using System;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Api;
using Agent.Shell.Linux;
using Agent.Shell.Output;
using Xunit;

namespace Agent.Tests.Output;

public sealed class StdinTests : IDisposable
{
    private const int Room = 64 << 10;

    private readonly Stage _stage = new();

    public void Dispose() => _stage.Dispose();

    /// PR-7; write_stdin_delivers_survives_reset_and_close_eofs.
    [Fact]
    public async Task What_is_written_arrives_and_the_close_is_the_end()
    {
        var (path, read, write) = _stage.Fifo("in");
        Descriptors.Close(write);
        using var stdin = Stdin.Open(path)!;
        Assert.Equal(new StdinWrite.Wrote(3), await stdin.WriteAsync(Stage.Bytes("abc"), CancellationToken.None));
        Assert.Equal(new StdinWrite.Wrote(0), await stdin.WriteAsync(default, CancellationToken.None));
        Assert.Equal("abc", Take(read, 10));
        stdin.Close();
        stdin.Close();
        Assert.Equal("", Take(read, 10));
        Assert.False(stdin.IsOpen);
        Assert.Equal(new StdinWrite.Closed(), await stdin.WriteAsync(Stage.Bytes("d"), CancellationToken.None));
    }

    /// PR-7: a child that does not read costs the caller its deadline, and the answer says how many bytes went in.
    [Fact]
    public async Task A_child_that_does_not_read_costs_its_writer_the_deadline()
    {
        using var stdin = Stdin.Open(_stage.Fifo("in").Path)!;
        using var deadline = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        var wrote = await stdin.WriteAsync(new byte[Room + 1], deadline.Token).AsTask().WaitAsync(Stage.Patience);
        Assert.Equal(new StdinWrite.Wrote(Room), wrote);
    }

    /// PR-7, upstream concurrent writers: writes are serialised: the bytes of two do not mix, and one that waits for
    /// its turn keeps its deadline.
    [Fact]
    public async Task Two_writers_take_turns()
    {
        var (path, read, _) = _stage.Fifo("in");
        using var stdin = Stdin.Open(path)!;
        using var deadline = new CancellationTokenSource();
        var first = stdin.WriteAsync(Pattern.Take(0, 2 * Room), CancellationToken.None).AsTask();
        var hopeless = stdin.WriteAsync(Stage.Bytes("x"), deadline.Token).AsTask();
        var second = stdin.WriteAsync(Pattern.Take(2 * Room, Room), CancellationToken.None).AsTask();
        await deadline.CancelAsync();
        Assert.Equal(new StdinWrite.Wrote(0), await hopeless.WaitAsync(Stage.Patience));
        for (var offset = 0; offset < 3 * Room;)
        {
            var bytes = Take(read, Room, out var count);
            if (count <= 0) await Task.Yield();
            else Assert.True(Pattern.Matches(offset, bytes));
            offset += Math.Max(0, count);
        }

        Assert.Equal(new StdinWrite.Wrote(2 * Room), await first.WaitAsync(Stage.Patience));
        Assert.Equal(new StdinWrite.Wrote(Room), await second.WaitAsync(Stage.Patience));
    }

    /// PR-7: a close does not wait for a blocked write; the write tells what went in.
    [Fact]
    public async Task A_close_ends_a_write_under_way()
    {
        using var stdin = Stdin.Open(_stage.Fifo("in").Path)!;
        var write = stdin.WriteAsync(new byte[2 * Room], CancellationToken.None).AsTask();
        stdin.Close();
        Assert.Equal(new StdinWrite.Wrote(Room), await write.WaitAsync(Stage.Patience));
    }

    /// PR-7: a reader that is gone is as good as closed.
    [Fact]
    public async Task A_pipe_without_a_reader_is_closed()
    {
        var (path, read, _) = _stage.Fifo("in");
        using var stdin = Stdin.Open(path)!;
        Descriptors.Close(read);
        Assert.Equal(new StdinWrite.Closed(), await stdin.WriteAsync(Stage.Bytes("a"), CancellationToken.None));
        Assert.False(stdin.IsOpen);
        Assert.Null(Stdin.Open(path));
        Assert.Null(Stdin.Open(_stage.At("none")));
    }

    private static string Take(int fd, int most) => System.Text.Encoding.UTF8.GetString(Take(fd, most, out _));

    private static unsafe byte[] Take(int fd, int most, out int count)
    {
        var bytes = new byte[most];
        fixed (byte* to = bytes) count = Descriptors.Read(fd, to, most);
        return bytes[..Math.Max(0, count)];
    }
}
