using System;
using System.Threading;

namespace Agent.Shell.Output;

/// <summary>
/// Reading copies outside the gate, so that a slow reader never holds up the pump, and then looks whether the front of
/// its copy was evicted meanwhile. A reader that lost all of its copy copies once more under the gate: it gets on,
/// however fast the writer.
/// </summary>
internal sealed unsafe partial class Ring
{
    /// <summary>
    /// Bytes from the cursor on, the gap before them if they are gone, and whether this is all there will be. Takes
    /// nothing. Without a cursor: from the oldest byte.
    /// </summary>
    public RingRead Since(long? cursor, int max) => Read(cursor, max, static size => new byte[size]);

    /// <summary>The same, into the caller's memory.</summary>
    public RingRead Since(long cursor, Memory<byte> into) => Read(cursor, into.Length, size => into[..size]);

    /// <summary>The last lines, cut at the front to at most so many bytes. One without its end counts too.</summary>
    public RingRead Tail(int lines, int max)
    {
        var read = Since(Math.Max(Start, End - Math.Min(max, LongestRead)), max);
        return read with { Bytes = read.Bytes[LastLines(read.Bytes.Span, lines)..], Dropped = 0 };
    }

    /// <summary>Where the last lines of a text begin.</summary>
    public static int LastLines(ReadOnlySpan<byte> text, int lines)
    {
        var from = text.Length;
        var end = text is [.., (byte)'\n'] ? from - 1 : from;
        for (var left = lines; left > 0 && from > 0; left--)
        {
            end = text[..end].LastIndexOf((byte)'\n');
            from = end + 1;
            if (end < 0) break;
        }

        return from;
    }

    /// <summary>The oldest bytes, which then are gone for everybody; two callers never get the same.</summary>
    public RingRead Drain(int max)
    {
        RingRead read;
        bool isRoom;
        lock (_gate)
        {
            if (_isGone) return Gone(_lastEnd);
            var free = Math.Max(0, Math.Min(_header->End, Leaving) - _header->Start);
            var count = (int)Math.Min(Math.Min(max, LongestRead), free);
            var bytes = new byte[count];
            Copy(_header->Start, bytes);
            var next = _header->Start + count;
            read = new(bytes, next, 0, _header->HasEnded && next == _header->End, Beyond: false);
            isRoom = Free(next);
        }

        if (isRoom) Freed?.Invoke();
        return read;
    }

    /// <summary>
    /// Under backpressure, what lies before the cursor goes; otherwise nothing does, others may want it. False: the
    /// cursor lies behind the newest byte.
    /// </summary>
    public bool Ack(long cursor)
    {
        bool isRoom;
        lock (_gate)
        {
            if (_isGone) return cursor <= _lastEnd;
            if (cursor > _header->End) return false;
            if (_header->Backpressure == 0) return true;

            // What the log has yet to take goes when it did.
            _acknowledged = Math.Max(_acknowledged, cursor);
            var free = Math.Min(cursor, Leaving);
            isRoom = free > _header->Start && Free(free);
        }

        if (isRoom) Freed?.Invoke();
        return true;
    }

    private RingRead Read(long? cursor, int max, Func<int, Memory<byte>> memory)
    {
        if (!TryHold()) return Gone(cursor ?? _lastEnd);
        try
        {
            long start, end;
            bool ended;
            lock (_gate) (start, end, ended) = (_header->Start, _header->End, _header->HasEnded);
            var asked = Math.Max(0, cursor ?? start);
            if (asked > end) return new(default, end, 0, Eof: false, Beyond: true);
            var from = Math.Max(asked, start);
            var bytes = memory((int)Math.Min(Math.Min(max, LongestRead), end - from));
            Copy(from, bytes.Span);
            var next = from + bytes.Length;
            lock (_gate)
            {
                if (bytes.Length > 0 && _header->Start >= next)
                {
                    from = _header->Start;
                    bytes = bytes[..(int)Math.Min(bytes.Length, _header->End - from)];
                    Copy(from, bytes.Span);
                    next = from + bytes.Length;
                }
                else if (bytes.Length > 0 && _header->Start > from)
                {
                    bytes = bytes[(int)(_header->Start - from)..];
                    from = _header->Start;
                }
            }

            return new(bytes, next, cursor is null ? 0 : from - asked, ended && next == end, Beyond: false);
        }
        finally
        {
            Release();
        }
    }

    private static RingRead Gone(long cursor) => new(default, cursor, 0, Eof: true, Beyond: false);

    private void Copy(long from, Span<byte> to)
    {
        var at = (int)(from % _capacity);
        var first = Math.Min(to.Length, _capacity - at);
        new ReadOnlySpan<byte>(_data + at, first).CopyTo(to);
        new ReadOnlySpan<byte>(_data, to.Length - first).CopyTo(to[first..]);
    }

    /// <summary>Moves the start, under the gate. True: a writer waits for the room.</summary>
    private bool Free(long start)
    {
        _header->Start = start;
        var isRoom = _isWriterWaiting && start + _header->Limit > _header->End;
        if (isRoom) _isWriterWaiting = false;
        return isRoom;
    }
}

/// <summary>What a read of a ring found.</summary>
/// <param name="Bytes">The caller's own copy.</param>
/// <param name="Next">The cursor behind the last of the bytes.</param>
/// <param name="Dropped">How many bytes between the cursor asked for and the first one here are gone.</param>
/// <param name="Eof">Nothing will ever come after <paramref name="Next"/>.</param>
/// <param name="Beyond">The cursor lay behind the newest byte, at <paramref name="Next"/>.</param>
internal readonly record struct RingRead(ReadOnlyMemory<byte> Bytes, long Next, long Dropped, bool Eof, bool Beyond);
