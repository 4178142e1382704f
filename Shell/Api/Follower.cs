using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;

namespace Agent.Shell.Api;

/// <summary>
/// Sends a stream on as it grows, until it ends. It ends at a gap too: what was lost is told to the one who asks
/// again from there. One that takes frees what it has sent, and only that, so a caller who goes away loses nothing
/// that was still in the ring.
/// </summary>
internal sealed class Follower(
    IProcessOutput output, ProcessId id, OutputStream stream, int size, bool takes, LineTimes? times)
{
    public ProcessId Id { get; } = id;

    public async Task RunAsync(OutputRead.Slice first, Stream body, CancellationToken stop)
    {
        var slice = first;
        while (true)
        {
            if (!slice.Bytes.IsEmpty)
            {
                if (times is not null) slice = await times.TimeAsync(slice, stop);
                await body.WriteAsync(slice.Bytes, stop);
                await body.FlushAsync(stop);
                if (takes) output.Ack(Id, stream, slice.Next);
            }

            if (slice.Eof) return;
            if (slice.Bytes.IsEmpty) await output.WaitForMoreAsync(Id, stream, slice.Next, stop);
            if (output.Since(Id, stream, slice.Next, size) is not OutputRead.Slice { Dropped: 0 } next) return;
            slice = next;
        }
    }
}
