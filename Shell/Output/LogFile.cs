using System;
using System.Globalization;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Observability;

namespace Agent.Shell.Output;

/// <summary>
/// Follows rings into one file, rotated at ten times ten megabytes: the logs of the engine's daemons, of which memory
/// must hold only the last words. Trouble with the disk is told and never stops the capture.
/// </summary>
internal sealed class LogFile(string path)
{
    private const long RotateAt = 10_000_000;
    private const int Kept = 10;

    private readonly Lock _gate = new();

    /// <summary>Copies what the ring holds and will hold, from where the last follower stopped, until it has ended.</summary>
    public async Task FollowAsync(Ring ring, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var changed = ring.NextChange();
            var read = ring.Since(ring.Filed, Ring.LongestRead);
            if (read.Bytes.Length > 0)
            {
                Write(read);
                ring.Filed = read.Next;
                continue;
            }

            if (read.Eof) return;
            await changed.WaitAsync(stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Write(RingRead read)
    {
        lock (_gate)
        {
            try
            {
                Directory.CreateDirectory(
                    Path.GetDirectoryName(path)!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
                if (new FileInfo(path) is { Exists: true, Length: >= RotateAt }) Rotate();
                using var file = new FileStream(path, new FileStreamOptions
                {
                    Mode = FileMode.Append,
                    Access = FileAccess.Write,
                    Share = FileShare.ReadWrite,
                    UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
                });
                if (read.Dropped > 0) file.Write(Gap(read.Dropped));
                file.Write(read.Bytes.Span);
            }
            catch (IOException failure)
            {
                Log.Warn("a log could not be written", ("file", path), ("bytes", read.Bytes.Length), ("error", failure.Message));
            }
        }
    }

    private static byte[] Gap(long bytes) => System.Text.Encoding.UTF8.GetBytes(
        string.Create(CultureInfo.InvariantCulture, $"[{bytes} bytes were dropped here]\n"));

    private void Rotate()
    {
        for (var number = Kept - 1; number > 0; number--)
        {
            var older = number == 1 ? path : $"{path}.{number - 1}";
            if (File.Exists(older)) File.Move(older, $"{path}.{number}", overwrite: true);
        }
    }
}
