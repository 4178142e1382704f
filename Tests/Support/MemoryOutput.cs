using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Shell.Api;

namespace Agent.Tests.Support;

/// <summary>Output as the test writes it, kept whole but for what is dropped, drained or freed.</summary>
internal sealed class MemoryOutput : IProcessOutput
{
    private readonly ConcurrentDictionary<(string Id, OutputStream Stream), Kept> _streams = new();
    private readonly ConcurrentDictionary<string, MemoryStream> _stdin = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> _closed = new(StringComparer.Ordinal);

    /// <summary>How many bytes of a write the child takes; the writer then waits in vain.</summary>
    public int StdinRoom { get; set; } = int.MaxValue;

    public long BytesDroppedInAll { get; private set; }

    public long LogBytesLostInAll => 0;

    /// <summary>When what was said came, by cursors; null: nobody knows.</summary>
    public IReadOnlyList<(long Cursor, long UnixMs)>? Marks { get; set; }

    public string StdinOf(string id) => Encoding.UTF8.GetString(_stdin[id].ToArray());

    public long FreedOf(string id, OutputStream stream) => Of(id, stream).Start;

    public void Append(string id, OutputStream stream, ReadOnlySpan<byte> bytes) => Of(id, stream).Append(bytes);

    public void Append(string id, OutputStream stream, string text) => Append(id, stream, Encoding.UTF8.GetBytes(text));

    /// <summary>More comes than there is room for: the oldest bytes go before anybody could read the newest.</summary>
    public void AppendAndDrop(string id, OutputStream stream, string text, int dropped) =>
        Of(id, stream).Append(Encoding.UTF8.GetBytes(text), dropped);

    public void End(string id, OutputStream stream) => Of(id, stream).End();

    public void Drop(string id, OutputStream stream, int count)
    {
        Of(id, stream).Free(Of(id, stream).Start + count);
        BytesDroppedInAll += count;
    }

    public OutputCounters Count(ProcessId id) =>
        new(
            Of(id.Value, OutputStream.Stdout).Length + Of(id.Value, OutputStream.Stderr).Length,
            BytesDropped: 0,
            StdinOpen: !_closed.ContainsKey(id.Value));

    public OutputRead Since(ProcessId id, OutputStream stream, long cursor, int max) =>
        Of(id.Value, stream).Since(cursor, max);

    public OutputRead Tail(ProcessId id, OutputStream stream, int lines, int max) =>
        Of(id.Value, stream).Tail(lines, max);

    public long? CursorAt(ProcessId id, OutputStream stream, long unixMs) =>
        Marks?.Where(mark => mark.UnixMs >= unixMs).Select(mark => (long?)mark.Cursor).FirstOrDefault()
        ?? (Marks is null ? null : Of(id.Value, stream).Start + Of(id.Value, stream).Length);

    public OutputTimes? Times(ProcessId id, OutputStream stream, long from, long to) =>
        Marks is null ? null : new OutputTimes(Marks, to);

    public Task WaitForTimesAsync(ProcessId id, OutputStream stream, long cursor, CancellationToken stop) => Task.CompletedTask;

    public OutputRead Drain(ProcessId id, OutputStream stream, int max)
    {
        var kept = Of(id.Value, stream);
        var read = kept.Since(kept.Start, max);
        if (read is OutputRead.Slice slice) kept.Free(slice.Next);
        return read;
    }

    public OutputAck Ack(ProcessId id, OutputStream stream, long cursor) => Of(id.Value, stream).Free(cursor);

    public Task WaitForMoreAsync(ProcessId id, OutputStream stream, long cursor, CancellationToken stop) =>
        Of(id.Value, stream).WaitAsync(cursor, stop);

    public async ValueTask<StdinWrite> WriteAsync(ProcessId id, ReadOnlyMemory<byte> bytes, CancellationToken stop)
    {
        if (_closed.ContainsKey(id.Value)) return new StdinWrite.Closed();
        var count = Math.Min(bytes.Length, StdinRoom);
        _stdin.GetOrAdd(id.Value, _ => new MemoryStream()).Write(bytes.Span[..count]);
        if (count == bytes.Length) return new StdinWrite.Wrote(count);
        await Task.Delay(Timeout.Infinite, stop).ContinueWith(
            _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        return new StdinWrite.Wrote(count);
    }

    public Task<bool> CloseStdinAsync(ProcessId id, CancellationToken stop)
    {
        _closed[id.Value] = true;
        return Task.FromResult(true);
    }

    private Kept Of(string id, OutputStream stream) => _streams.GetOrAdd((id, stream), _ => new Kept());

    private sealed class Kept
    {
        private readonly Lock _gate = new();
        private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private byte[] _bytes = [];
        private bool _ended;

        public long Start { get; private set; }

        public int Length => _bytes.Length;

        private long Newest => Start + _bytes.Length;

        public void Append(ReadOnlySpan<byte> bytes, int dropped = 0)
        {
            lock (_gate)
            {
                byte[] all = [.. _bytes, .. bytes];
                _bytes = all[dropped..];
                Start += dropped;
            }

            Signal();
        }

        public void End()
        {
            _ended = true;
            Signal();
        }

        public OutputAck Free(long cursor)
        {
            lock (_gate)
            {
                if (cursor > Newest) return new OutputAck.Beyond(Newest);
                _bytes = _bytes[(int)Math.Max(0, cursor - Start)..];
                Start = Math.Max(Start, cursor);
                return new OutputAck.Freed();
            }
        }

        public OutputRead Since(long cursor, int max)
        {
            lock (_gate)
            {
                if (cursor > Newest) return new OutputRead.Beyond(Newest);
                var from = Math.Max(cursor, Start);
                var bytes = _bytes[(int)(from - Start)..];
                if (bytes.Length > max) bytes = bytes[..max];
                var next = from + bytes.Length;
                return new OutputRead.Slice(bytes, next, from - cursor, _ended && next == Newest) { Newest = Newest };
            }
        }

        public OutputRead Tail(int lines, int max)
        {
            var from = _bytes.Length;
            for (var left = lines; from > 0 && left > 0; left--)
            {
                from = Array.LastIndexOf(_bytes, (byte)'\n', Math.Max(0, from - 2)) + 1;
            }

            return Since(Start + Math.Max(from, _bytes.Length - max), max);
        }

        public async Task WaitAsync(long cursor, CancellationToken stop)
        {
            while (true)
            {
                var more = Volatile.Read(ref _more).Task;
                if (Newest > cursor || _ended) return;
                await more.WaitAsync(stop);
            }
        }

        private void Signal() => Interlocked.Exchange(
            ref _more, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
    }
}
