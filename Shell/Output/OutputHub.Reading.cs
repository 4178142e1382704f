using System;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Shell.Api;

namespace Agent.Shell.Output;

/// <summary>The hub as the API sees it.</summary>
internal sealed partial class OutputHub : IProcessOutput
{
    private long _droppedByRemoved;

    public long BytesDroppedInAll
    {
        get
        {
            var dropped = Interlocked.Read(ref _droppedByRemoved);
            foreach (var entry in _entries.Values) dropped += entry.Rings.Stdout.Dropped + entry.Rings.Stderr.Dropped;
            return dropped;
        }
    }

    public OutputCounters Count(ProcessId id) => Find(id) is { } entry
        ? new(
            entry.Rings.Stdout.Buffered + entry.Rings.Stderr.Buffered,
            entry.Rings.Stdout.Dropped + entry.Rings.Stderr.Dropped,
            entry.Stdin is { IsOpen: true })
        : default;

    public OutputRead Since(ProcessId id, OutputStream stream, long cursor, int max) =>
        Find(id, stream) is { } ring ? Told(ring.Since(cursor, max)) : new OutputRead.Absent();

    public OutputRead Tail(ProcessId id, OutputStream stream, int lines, int max) =>
        Find(id, stream) is { } ring ? Told(ring.Tail(lines, max)) : new OutputRead.Absent();

    public OutputRead Drain(ProcessId id, OutputStream stream, int max) =>
        Find(id, stream) is { } ring ? Told(ring.Drain(max)) : new OutputRead.Absent();

    public OutputAck Ack(ProcessId id, OutputStream stream, long cursor) =>
        Find(id, stream) is not { } ring ? new OutputAck.Absent()
        : ring.Ack(cursor) ? new OutputAck.Freed()
        : new OutputAck.Beyond(ring.End);

    public Task WaitForMoreAsync(ProcessId id, OutputStream stream, long cursor, CancellationToken stop) =>
        Find(id, stream) is { } ring ? ring.WaitForMoreAsync(cursor, stop) : Task.CompletedTask;

    public ValueTask<StdinWrite> WriteAsync(ProcessId id, ReadOnlyMemory<byte> bytes, CancellationToken stop) =>
        _entries.TryGetValue(id, out var entry) && entry.Stdin is { IsOpen: true } stdin
            ? stdin.WriteAsync(bytes, stop)
            : ValueTask.FromResult<StdinWrite>(new StdinWrite.Closed());

    public void CloseStdin(ProcessId id)
    {
        if (!_entries.TryGetValue(id, out var entry) || entry.Stdin is not { IsOpen: true } stdin) return;
        if (entry.Key is { } key) closeInput(key);
        stdin.Close();
    }

    private Ring? Find(ProcessId id, OutputStream stream) => Find(id) is not { } entry ? null
        : stream == OutputStream.Stdout ? entry.Rings.Stdout
        : entry.Rings.Stderr;

    private static OutputRead Told(RingRead read) => read.Beyond
        ? new OutputRead.Beyond(read.Next)
        : new OutputRead.Slice(read.Bytes, read.Next, read.Dropped, read.Eof);
}
