using System;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Api;
using Agent.Shell.Linux;

namespace Agent.Shell.Output;

/// <summary>The writing end of one process's stdin. Writes come one after the other; none waits longer than its caller.</summary>
internal sealed class Stdin : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1);
    private int _fd;

    private Stdin(int fd) => _fd = fd;

    public bool IsOpen => Volatile.Read(ref _fd) >= 0;

    /// <summary>The stdin behind this FIFO; nothing if it was closed or its reader is gone.</summary>
    public static Stdin? Open(string path)
    {
        var fd = Descriptors.Open(path, Descriptors.WriteOnly);
        return fd >= 0 ? new Stdin(fd) : null;
    }

    public async ValueTask<StdinWrite> WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken stop)
    {
        var written = 0;
        try
        {
            await _turn.WaitAsync(stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return new StdinWrite.Wrote(0);
        }

        try
        {
            var pause = 1;
            while (written < bytes.Length && !stop.IsCancellationRequested)
            {
                var put = IsOpen ? Descriptors.Write(_fd, bytes.Span[written..]) : -Errno.Pipe;
                if (put == -Errno.Again)
                {
                    // The child does not read: look again soon, less and less often.
                    await Task.Delay(pause, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    pause = Math.Min(pause * 2, 32);
                    continue;
                }

                if (put < 0) return written > 0 ? new StdinWrite.Wrote(written) : new StdinWrite.Closed();
                written += put;
                pause = 1;
            }

            return new StdinWrite.Wrote(written);
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Close()
    {
        var fd = Interlocked.Exchange(ref _fd, -1);
        if (fd >= 0) Descriptors.Close(fd);
    }

    public void Dispose()
    {
        Close();
        _turn.Dispose();
    }
}
