using System;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Api;
using Agent.Shell.Linux;

namespace Agent.Shell.Output;

/// <summary>
/// The writing end of one process's stdin. Writes come one after the other; none waits longer than its caller. A
/// close does not wait for them: the write under way answers with what went in.
/// </summary>
internal sealed class Stdin : IDisposable
{
    // While a child does not read, its pipe is looked at again after a pause that doubles up to this.
    private const int LongestPause = 32;

    private readonly Lock _gate = new();
#pragma warning disable CA2213 // Disposing it would fail a waiting writer, and it owns nothing of the system's.
    private readonly SemaphoreSlim _turn = new(1);
#pragma warning restore CA2213
    private int _fd;

    private Stdin(int fd) => _fd = fd;

    public bool IsOpen => Volatile.Read(ref _fd) >= 0;

    /// <summary>The stdin behind this FIFO; nothing if it was closed or its reader is gone.</summary>
    public static Stdin? Open(string path)
    {
        var fd = Descriptors.Open(path, Descriptors.WriteOnly);
        return fd >= 0 ? new Stdin(fd) : null;
    }

    /// <summary>Answers, at the latest when it is stopped, how many of the bytes went in.</summary>
    public async ValueTask<StdinWrite> WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken stop)
    {
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
            return await WriteInTurnAsync(bytes, stop).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Close()
    {
        lock (_gate)
        {
            if (_fd >= 0) Descriptors.Close(_fd);
            _fd = -1;
        }
    }

    public void Dispose() => Close();

    private async ValueTask<StdinWrite> WriteInTurnAsync(ReadOnlyMemory<byte> bytes, CancellationToken stop)
    {
        var written = 0;
        var pause = 1;
        do
        {
            var put = TryWrite(bytes.Span[written..]);
            if (put == -Errno.Again)
            {
                await Task.Delay(pause, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                pause = Math.Min(pause * 2, LongestPause);
                continue;
            }

            if (put < 0)
            {
                Close();
                return written > 0 ? new StdinWrite.Wrote(written) : new StdinWrite.Closed();
            }

            written += put;
            pause = 1;
        }
        while (written < bytes.Length && !stop.IsCancellationRequested);
        return new StdinWrite.Wrote(written);
    }

    /// <summary>Under the gate: a descriptor closed meanwhile may be another file's by then.</summary>
    private int TryWrite(ReadOnlySpan<byte> bytes)
    {
        lock (_gate) return _fd >= 0 ? Descriptors.Write(_fd, bytes) : -Errno.Pipe;
    }
}
