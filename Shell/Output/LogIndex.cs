using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using Agent.Shell.Journal;

namespace Agent.Shell.Output;

/// <summary>
/// From this byte of a log on: when it came, and where in which ring it was. It holds to the next record.
/// </summary>
/// <param name="At">Milliseconds since 1970, by the wall clock.</param>
/// <param name="Position">Counts every byte of the log since its first.</param>
/// <param name="Cursor">The same byte's offset in its ring.</param>
/// <param name="Ring">Which ring; 0: that cannot be told.</param>
internal readonly record struct LogMark(long At, long Position, long Cursor, uint Ring)
{
    public const int Bytes = 32;

    public void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteInt64LittleEndian(to, At);
        BinaryPrimitives.WriteInt64LittleEndian(to[8..], Position);
        BinaryPrimitives.WriteInt64LittleEndian(to[16..], Cursor);
        BinaryPrimitives.WriteUInt32LittleEndian(to[24..], Ring);
        BinaryPrimitives.WriteUInt32LittleEndian(to[28..], Crc32C.Of(to[..28]));
    }

    /// <summary>Null for what was torn or damaged.</summary>
    public static LogMark? Read(ReadOnlySpan<byte> from) =>
        BinaryPrimitives.ReadUInt32LittleEndian(from[28..]) != Crc32C.Of(from[..28]) ? null
        : new LogMark(
            BinaryPrimitives.ReadInt64LittleEndian(from),
            BinaryPrimitives.ReadInt64LittleEndian(from[8..]),
            BinaryPrimitives.ReadInt64LittleEndian(from[16..]),
            BinaryPrimitives.ReadUInt32LittleEndian(from[24..]));
}

/// <summary>
/// The marks beside one file of a log. A missing or torn index costs times and cursors, never bytes. It is bounded:
/// marks of time become rarer as it fills, and a file whose index is full is closed as one that is full itself.
/// </summary>
internal static class LogIndex
{
    /// <summary>A MiB beside at least as many bytes of log; read whole to find a time.</summary>
    public const int MostMarks = (1 << 20) / LogMark.Bytes;

    /// <summary>How long a mark's time holds for what comes after it, by how many there are.</summary>
    public static TimeSpan Interval(int marks) =>
        marks < MostMarks / 2 ? TimeSpan.FromMilliseconds(100)
        : marks < MostMarks / 4 * 3 ? TimeSpan.FromSeconds(1)
        : TimeSpan.FromMinutes(1);

    /// <summary>
    /// The marks of a file behind those that were read already, of which this is the last. Which bytes came before a
    /// damaged mark and which after cannot be told: it stands for bytes of no ring. A torn end is left out.
    /// </summary>
    public static List<LogMark> Read(string path, int from = 0, LogMark before = default)
    {
        var marks = new List<LogMark>();
        var whole = 0;
        foreach (var found in Slots(path, from))
        {
            before = found is { } mark && mark.Position >= before.Position ? mark : before with { Cursor = 0, Ring = 0 };
            marks.Add(before);
            if (found is not null) whole = marks.Count;
        }

        marks.RemoveRange(whole, marks.Count - whole);
        return marks;
    }

    private static IEnumerable<LogMark?> Slots(string path, int from)
    {
        var bytes = Load(path, from);
        for (var at = 0; at < bytes.Length; at += LogMark.Bytes) yield return LogMark.Read(bytes.AsSpan(at));
    }

    private static byte[] Load(string path, int from)
    {
        try
        {
            using var file = new FileStream(
                path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            var slots = Math.Clamp((file.Length / LogMark.Bytes) - from, 0, MostMarks - from);
            var bytes = new byte[slots * LogMark.Bytes];
            file.Position = (long)from * LogMark.Bytes;
            file.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
