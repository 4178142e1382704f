using System;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Linux;

namespace Agent.Shell.Output;

/// <summary>
/// Follows the rings of one process into one file, 0600, rotated: the logs of the engine's daemons, of which memory
/// must hold only the last words. After the agent's death it goes on at the byte where it was. Trouble with the disk
/// never stops the capture: what could not be written is counted, told, and noted in the file once it can be.
/// </summary>
/// <param name="path">The newest file; older ones are `path.1` to `path.9`.</param>
/// <param name="told">Called for each piece that was lost, on a thread of the pool.</param>
/// <param name="rotateAt">No file grows beyond this many bytes.</param>
/// <param name="kept">Files in all, the newest among them.</param>
internal sealed class LogFile(string path, Action<LogLoss> told, long rotateAt = 10_000_000, int kept = 10)
    : IDisposable
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    // A pipe's worth; the rings that are followed are as large.
    private const int Slice = 64 << 10;

    private readonly Lock _gate = new();
    private int _fd = -1;
    private long _length;
    private long _lost;
    private long _lostUntold;

    /// <summary>Bytes captured that did not get into the file, because of the disk or of a writer too fast.</summary>
    public long BytesLost => Interlocked.Read(ref _lost);

    /// <summary>Copies what the rings hold and will hold, until they are gone or it is stopped.</summary>
    public Task FollowAsync(CancellationToken stop, params Ring[] rings)
    {
        // All of them before the first write: what went in is told by the file's length.
        var length = new FileInfo(path) is { Exists: true } file ? file.Length : 0;
        foreach (var ring in rings) ring.RecoverFiling(length);
        return Task.WhenAll(rings.Select(ring => FollowAsync(ring, stop)));
    }

    public void Dispose()
    {
        lock (_gate) Close();
    }

    private async Task FollowAsync(Ring ring, CancellationToken stop)
    {
        await Task.Yield();
        var buffer = new byte[Slice];
        while (!stop.IsCancellationRequested)
        {
            var changed = ring.NextChange();
            var read = ring.Since(ring.Filed, buffer);
            if (read.Bytes.Length > 0)
            {
                lock (_gate) Append(ring, read);
                continue;
            }

            if (ring.IsGone) return;
            await changed.WaitAsync(stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Append(Ring ring, RingRead read)
    {
        try
        {
            if (read.Dropped > 0) Lose(read.Dropped, "it was written faster than it could be filed");
            Prepare(read.Bytes.Length);
            NoteLoss();
            ring.BeginFiling(read.Next - read.Bytes.Length, read.Bytes.Length, _length);
            Append(read.Bytes.Span);
        }
        catch (Exception failure) when (failure is FileFailure or IOException or UnauthorizedAccessException)
        {
            Close();
            Lose(read.Bytes.Length, failure.Message);
        }

        ring.EndFiling(read.Next);
    }

    /// <summary>The file is open, is the one at the path, and has room for so many bytes.</summary>
    private void Prepare(int bytes)
    {
        if (_fd >= 0 && new FileInfo(path) is var file && (!file.Exists || file.Length != _length)) Close();
        if (_fd < 0) Open();
        if (_length == 0 || _length + bytes <= rotateAt) return;
        Close();
        for (var number = kept - 1; number > 0; number--)
        {
            var older = number == 1 ? path : Older(number - 1);
            if (File.Exists(older)) File.Move(older, Older(number), overwrite: true);
        }

        Open();
    }

    private void NoteLoss()
    {
        if (_lostUntold == 0) return;
        Append(Encoding.UTF8.GetBytes(string.Create(
            CultureInfo.InvariantCulture, $"[{_lostUntold} bytes are missing here]\n")));
        _lostUntold = 0;
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        Files.Write(_fd, path, bytes, _length);
        _length += bytes.Length;
    }

    private void Lose(long bytes, string reason)
    {
        _lostUntold += bytes;
        told(new(path, bytes, Interlocked.Add(ref _lost, bytes), reason));
    }

    private void Open()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!, Private);
        _fd = Files.Open(path, create: true);
        _length = new FileInfo(path).Length;
    }

    private void Close()
    {
        if (_fd >= 0) Files.Close(_fd);
        _fd = -1;
    }

    private string Older(int number) => string.Create(CultureInfo.InvariantCulture, $"{path}.{number}");
}

/// <summary>A piece of a log that is lost.</summary>
internal readonly record struct LogLoss(string Path, long Bytes, long BytesInAll, string Reason);
