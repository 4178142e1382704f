using System;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;

namespace Agent.Shell.Api;

/// <summary>The last lines of a process that has ended, for the one who stopped it.</summary>
internal sealed class LastWords(IProcessOutput output)
{
    private const int Lines = 20;

    // Twenty long lines; more is what the logs are for.
    private const int MaxBytes = 16 << 10;

    // The exit may be known before its last bytes are read from the pipe, by moments.
    private static readonly TimeSpan ReaderWithin = TimeSpan.FromSeconds(1);

    public async Task<LastOutput> OfAsync(ProcessId id, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(ReaderWithin);
        return new(
            await OfAsync(id, OutputStream.Stdout, limit.Token), await OfAsync(id, OutputStream.Stderr, limit.Token));
    }

    private async Task<string[]> OfAsync(ProcessId id, OutputStream stream, CancellationToken stop)
    {
        while (true)
        {
            if (output.Tail(id, stream, Lines, MaxBytes) is not OutputRead.Slice slice) return [];
            if (slice.Eof || stop.IsCancellationRequested) return Split(slice.Bytes.Span);
            try
            {
                await output.WaitForMoreAsync(id, stream, slice.Next, stop);
            }
            catch (OperationCanceledException)
            {
                // What there is by now is what is told.
            }
        }
    }

    private static string[] Split(ReadOnlySpan<byte> bytes)
    {
        var text = Encoding.UTF8.GetString(bytes);
        return text.Length == 0 ? [] : (text.EndsWith('\n') ? text[..^1] : text).Split('\n');
    }
}
