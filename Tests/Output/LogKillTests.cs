using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Linux;
using Agent.Shell.Output;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.Output;

public sealed class LogKillTests : IDisposable
{
    private const int Kills = 30;

    // What one victim hears at most; in all of them together it fits the files that are kept.
    private const long MostAtOnce = 8 << 20;

    private readonly Stage _stage = new();
    private long _said;
    private long _limit;
    private volatile bool _isOver;

    public void Dispose() => _stage.Dispose();

    /// PR-6, PR-14: kill -9 at any instruction of capture and filing, thirty times: every byte is in the files, once.
    [Fact]
    public async Task No_byte_is_repeated_or_missing_in_the_files_by_killing_whoever_files()
    {
        var (path, keeper, write) = _stage.Fifo("out");
        var writer = Task.Factory.StartNew(
            () => Talk(write), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        var folder = new LogFolder(_stage.At("web"), "stdout");

        // As many more as a busy machine takes to get into a second file.
        for (var kill = 0; kill < Kills || folder.Files().Count < 2; kill++)
        {
            using var victim = Victim.Start("log", path, _stage.At("ring"), _stage.At("web"));
            Assert.Equal("ready", await victim.StandardOutput.ReadLineAsync().WaitAsync(Stage.Patience));
            Interlocked.Exchange(ref _limit, Interlocked.Read(ref _said) + MostAtOnce);
            await Task.Delay(Random.Shared.Next(1, 15));
            victim.Kill();
            await victim.WaitForExitAsync().WaitAsync(Stage.Patience);
        }

        _isOver = true;
        await writer;
        Descriptors.Close(write);
        using (var last = Victim.Start("log", path, _stage.At("ring"), _stage.At("web")))
        {
            Assert.Equal("ready", await last.StandardOutput.ReadLineAsync().WaitAsync(Stage.Patience));
            Assert.Equal("ended", await last.StandardOutput.ReadLineAsync().WaitAsync(Stage.Patience));
            await last.WaitForExitAsync().WaitAsync(Stage.Patience);
        }

        Descriptors.Close(keeper);
        var position = 0L;
        foreach (var file in folder.Files())
        {
            Assert.Equal(position, file);
            var bytes = await File.ReadAllBytesAsync(folder.DataAt(file));
            Assert.True(Pattern.Matches(position, bytes), $"a wrong byte in the file at {file}");
            position += bytes.Length;
        }

        Assert.Equal(_said, position);
        using var ring = Ring.Open(_stage.At("ring"), 1 << 20);
        Assert.True(Pattern.Matches(100, new LogReader(folder).MapFor(ring.Identity).Read(100, 1 << 20).Bytes));
    }

    private void Talk(int fd)
    {
        while (!_isOver)
        {
            var size = Random.Shared.Next(3) == 0 ? 256 << 10 : Random.Shared.Next(1, 300);
            var put = _said < Interlocked.Read(ref _limit) ? Descriptors.Write(fd, Pattern.From(_said, size)) : 0;
            if (put > 0) Interlocked.Add(ref _said, put);
            else Thread.Yield();
        }
    }
}
