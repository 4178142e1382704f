using System;
using System.Collections.Generic;
using System.Linq;
using Agent.Shell.Api;

namespace Agent.Shell.Output;

/// <summary>
/// One stream as its readers see it: what has left the ring is read from the log, if there is one. Where the two meet
/// no byte is told twice or left out, since a byte has the same cursor in both.
/// </summary>
internal readonly record struct OutputSource(Ring Ring, LogReader? Log)
{
    /// <summary>At most so many bytes from the cursor on. A gap is what neither has.</summary>
    public OutputRead Since(long cursor, int max)
    {
        var dropped = 0L;
        while (true)
        {
            if (Log is null || cursor >= Ring.Start)
            {
                var read = Ring.Since(cursor, max);

                // It left the ring between two looks: the log has it.
                if (Log is not null && read.Dropped > 0 && cursor < Ring.Start && HasLogged(cursor)) continue;
                return Told(read with { Dropped = read.Dropped + dropped });
            }

            var (bytes, next) = Log.MapFor(Ring.Identity).Read(cursor, max);
            if (bytes.Length > 0)
            {
                var end = Ring.End;
                var behind = cursor + bytes.Length;
                return new OutputRead.Slice(bytes, behind, dropped, Ring.HasEnded && behind == end) { Newest = end };
            }

            var there = Math.Min(next ?? long.MaxValue, Ring.Start);
            dropped += there - cursor;
            cursor = there;
        }
    }

    /// <summary>The last lines, cut at the front to at most so many bytes, and to what follows a gap.</summary>
    public OutputRead Tail(int lines, int max)
    {
        var tail = Ring.Tail(lines, max);
        if (Log is null || tail.Next - tail.Bytes.Length > Ring.Start || tail.Bytes.Length == max) return Told(tail);
        var bytes = new List<byte>(max);
        var cursor = tail.Next - max;
        while (cursor < tail.Next && Since(cursor, (int)(tail.Next - cursor)) is OutputRead.Slice slice)
        {
            if (slice.Dropped > 0) bytes.Clear();
            bytes.AddRange(slice.Bytes.Span);
            cursor = slice.Next;
        }

        ReadOnlyMemory<byte> text = bytes.ToArray();
        return Told(tail with { Bytes = text[Ring.LastLines(text.Span, lines)..] });
    }

    public OutputRead Drain(int max) => Told(Ring.Drain(max));

    /// <summary>The cursor of the first line of which a byte came at or after this time; null without a log.</summary>
    public long? CursorAt(long unixMs) =>
        Log is null ? null : Log.MapFor(Ring.Identity).LineAt(Log.PositionAt(unixMs)) ?? Ring.Filed;

    /// <summary>When the bytes of a range came, as far as that is known; null without a log.</summary>
    public OutputTimes? Times(long from, long to)
    {
        if (Log is null) return null;
        var known = Math.Min(to, Ring.Filed);
        return new([.. Log.MapFor(Ring.Identity).Times(from, known)], known);
    }

    private bool HasLogged(long cursor) => Log!.MapFor(Ring.Identity).Read(cursor, 1).Bytes.Length > 0;

    private OutputRead Told(RingRead read) => read.Beyond
        ? new OutputRead.Beyond(read.Next)
        : new OutputRead.Slice(read.Bytes, read.Next, read.Dropped, read.Eof) { Newest = Ring.End };
}
