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

    public long LogBytesLostInAll => _services.BytesLost;

    public OutputRead Since(ProcessId id, OutputStream stream, long cursor, int max) =>
        Source(id, stream) is { } source ? source.Since(cursor, max) : new OutputRead.Absent();

    public OutputRead Tail(ProcessId id, OutputStream stream, int lines, int max) =>
        Source(id, stream) is { } source ? source.Tail(lines, max) : new OutputRead.Absent();

    public long? CursorAt(ProcessId id, OutputStream stream, long unixMs) => Source(id, stream)?.CursorAt(unixMs);

    public OutputTimes? Times(ProcessId id, OutputStream stream, long from, long to) => Source(id, stream)?.Times(from, to);

    public Task WaitForTimesAsync(ProcessId id, OutputStream stream, long cursor, CancellationToken stop) =>
        Find(id, stream) is { } ring ? ring.WaitForFiledAsync(cursor, stop) : Task.CompletedTask;

    public OutputRead Drain(ProcessId id, OutputStream stream, int max) =>
        Source(id, stream) is { } source ? source.Drain(max) : new OutputRead.Absent();

    public OutputAck Ack(ProcessId id, OutputStream stream, long cursor) =>
        Find(id, stream) is not { } ring ? new OutputAck.Absent()
        : ring.Ack(cursor) ? new OutputAck.Freed()
        : new OutputAck.Beyond(ring.End);

    public Task WaitForMoreAsync(ProcessId id, OutputStream stream, long cursor, CancellationToken stop) =>
        Find(id, stream) is { } ring ? ring.WaitForMoreAsync(cursor, stop) : Task.CompletedTask;

    public async ValueTask<StdinWrite> WriteAsync(ProcessId id, ReadOnlyMemory<byte> bytes, CancellationToken stop)
    {
        if (!_entries.TryGetValue(id, out var entry)) return new StdinWrite.Closed();
        if (!await entry.IsKnownAsync(stop).ConfigureAwait(false)) return new StdinWrite.Wrote(0);
        return entry.Stdin is { IsOpen: true } stdin
            ? await stdin.WriteAsync(bytes, stop).ConfigureAwait(false)
            : new StdinWrite.Closed();
    }

    public async Task<bool> CloseStdinAsync(ProcessId id, CancellationToken stop)
    {
        if (!_entries.TryGetValue(id, out var entry)) return true;
        if (!await entry.IsKnownAsync(stop).ConfigureAwait(false)) return false;
        if (entry.Stdin is not { IsOpen: true } stdin) return true;
        if (entry.Key is { } key) closeInput(key);
        stdin.Close();
        return true;
    }

    private Ring? Find(ProcessId id, OutputStream stream) => Find(id) is not { } entry ? null
        : stream == OutputStream.Stdout ? entry.Rings.Stdout
        : entry.Rings.Stderr;

    private OutputSource? Source(ProcessId id, OutputStream stream) => Find(id) is not { } entry ? null
        : stream == OutputStream.Stdout ? new(entry.Rings.Stdout, entry.Logs?.Stdout)
        : new(entry.Rings.Stderr, entry.Logs?.Stderr);
}
