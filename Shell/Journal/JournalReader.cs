using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;

namespace Agent.Shell.Journal;

/// <summary>Takes one record; false stops the reading.</summary>
internal delegate bool RecordVisitor(scoped RecordLine record, string file, long offset);

/// <summary>
/// Reads a journal from the disk, a segment at a time, and tells a torn tail from damage: a record that is not whole
/// is damage if anything behind it was written when it was already durable, and otherwise it was never acknowledged.
/// </summary>
internal static class JournalReader
{
    /// <summary>
    /// Reads every record from <paramref name="fromSeq"/> on, in order, over all segments that hold them.
    /// </summary>
    /// <returns>Where reading ended.</returns>
    /// <exception cref="JournalDamage">A record or a segment is missing, changed, doubled or out of order.</exception>
    public static JournalEnd Read(string directory, long fromSeq, RecordVisitor visit)
    {
        var segments = JournalFiles.Seqs(directory, JournalFiles.Segment);
        var start = Math.Max(0, segments.FindLastIndex(seq => seq <= fromSeq));
        return Read([.. segments.Skip(start).Select(seq => JournalFiles.PathOf(directory, seq, JournalFiles.Segment))], fromSeq, visit);
    }

    public static JournalEnd Read(IReadOnlyList<string> files, long fromSeq, RecordVisitor visit)
    {
        var end = JournalEnd.Empty;
        byte[] buffer = [];
        for (var i = 0; i < files.Count; i++)
        {
            var bytes = Bytes(files[i], ref buffer);
            var first = long.Parse(Path.GetFileNameWithoutExtension(files[i]), System.Globalization.CultureInfo.InvariantCulture);
            if (i > 0 && first != end.NextSeq) throw new JournalDamage(files[i], 0, end.NextSeq, $"the segment begins with {first}");
            end = ReadSegment(files[i], bytes, first, fromSeq, visit);
            if (end.Stopped) return end;
            if (end.DroppedBytes > 0 && i + 1 < files.Count && HasRecord(files.Skip(i + 1)))
            {
                throw new JournalDamage(files[i], end.Offset, end.NextSeq, "no whole record, and later segments go on");
            }

            if (end.DroppedBytes > 0) return end;
        }

        return end;
    }

    /// <summary>A whole file, in a buffer that serves every segment: fresh pages for each would cost more than the scan.</summary>
    private static ReadOnlySpan<byte> Bytes(string file, ref byte[] buffer)
    {
        using var handle = File.OpenHandle(file);
        var length = checked((int)RandomAccess.GetLength(handle));
        if (buffer.Length < length) buffer = GC.AllocateUninitializedArray<byte>(length);
        var got = 0;
        while (got < length && RandomAccess.Read(handle, buffer.AsSpan(got, length - got), got) is > 0 and var read) got += read;
        return buffer.AsSpan(0, got);
    }

    private static JournalEnd ReadSegment(string file, ReadOnlySpan<byte> bytes, long first, long fromSeq, RecordVisitor visit)
    {
        var due = first;
        var at = 0;
        while (at < bytes.Length && bytes[at] != 0)
        {
            var length = bytes[at..].IndexOf((byte)'\n');
            if (length < 0 || !RecordLine.TryRead(bytes.Slice(at, length), out var record)) break;
            if (record.Seq != due) throw new JournalDamage(file, at, due, $"the record there has seq {record.Seq}");
            if (record.Seq >= fromSeq && !visit(record, file, at)) return new(file, first, at + length + 1, due + 1, 0, true);
            at += length + 1;
            due++;
        }

        var dropped = bytes[at..].LastIndexOfAnyExcept((byte)0) + 1;
        if (dropped > 0) RequireTorn(file, bytes, at, due);
        return new(file, first, at, due, dropped, false);
    }

    /// <summary>
    /// A later record that was written after the one that is not whole had been made durable proves damage.
    /// </summary>
    private static void RequireTorn(string file, ReadOnlySpan<byte> bytes, int at, long due)
    {
        foreach (var line in Lines(bytes, at))
        {
            if (RecordLine.TryRead(bytes[line], out var later) && later.Batch > due)
            {
                throw new JournalDamage(file, at, due, $"no whole record, though seq {later.Seq} follows");
            }
        }
    }

    private static List<Range> Lines(ReadOnlySpan<byte> bytes, int at)
    {
        var lines = new List<Range>();
        while (at < bytes.Length)
        {
            var length = bytes[at..].IndexOfAny((byte)'\n', (byte)0);
            var end = length < 0 ? bytes.Length : at + length;
            if (end > at) lines.Add(at..end);
            at = end + 1;
        }

        return lines;
    }

    private static bool HasRecord(IEnumerable<string> files) =>
        files.Any(file => File.ReadAllBytes(file).AsSpan().IndexOfAnyExcept((byte)0) >= 0);
}

/// <summary>
/// Where reading a journal ended: after the last whole record, in which segment, at what offset, what seq is due
/// next, and how many bytes behind it belong to no whole record.
/// </summary>
internal sealed record JournalEnd(string File, long SegmentSeq, long Offset, long NextSeq, long DroppedBytes, bool Stopped)
{
    public static JournalEnd Empty { get; } = new("", 0, 0, 1, 0, false);
}
