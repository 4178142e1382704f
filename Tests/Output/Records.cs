using System;
using System.Buffers.Binary;

namespace Agent.Tests.Output;

/// <summary>
/// An endless stream of records of sixteen bytes, each its own offset and that offset mixed: whichever byte is read,
/// it is known which it must be, and nothing that is out of its place looks right.
/// </summary>
internal static class Records
{
    public const int Length = 16;

    /// <summary>Fills a span with what stands from this offset on.</summary>
    public static void Fill(long offset, Span<byte> bytes)
    {
        Span<byte> edge = stackalloc byte[Length];
        while (!bytes.IsEmpty)
        {
            var inside = (int)(offset % Length);
            if (inside == 0 && bytes.Length >= Length)
            {
                Write(offset, bytes);
                bytes = bytes[Length..];
                offset += Length;
                continue;
            }

            Write(offset - inside, edge);
            var part = edge[inside..Math.Min(Length, inside + bytes.Length)];
            part.CopyTo(bytes);
            bytes = bytes[part.Length..];
            offset += part.Length;
        }
    }

    private static void Write(long offset, Span<byte> record)
    {
        BinaryPrimitives.WriteInt64LittleEndian(record, offset);
        BinaryPrimitives.WriteInt64LittleEndian(record[8..], unchecked((offset + 1) * 0x5851F42D4C957F2D));
    }
}
