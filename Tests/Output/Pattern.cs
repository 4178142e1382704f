using System;

namespace Agent.Tests.Output;

/// <summary>
/// An endless stream in which every stretch tells its place: random bytes that repeat after a prime length, which no
/// ring or pipe size divides. So a lost, doubled or torn byte shows.
/// </summary>
internal static class Pattern
{
    public const int Period = 1_048_583;

    private static readonly byte[] Block = Make();

    /// <summary>One period.</summary>
    public static ReadOnlySpan<byte> Once => Block;

    /// <summary>The bytes from an offset on, up to where the pattern repeats, at most so many.</summary>
    public static ReadOnlySpan<byte> From(long offset, int most)
    {
        var at = (int)(offset % Period);
        return Block.AsSpan(at, Math.Min(most, Period - at));
    }

    public static byte[] Take(long offset, int count)
    {
        var bytes = new byte[count];
        for (var done = 0; done < count;)
        {
            var part = From(offset + done, count - done);
            part.CopyTo(bytes.AsSpan(done));
            done += part.Length;
        }

        return bytes;
    }

    public static bool Matches(long offset, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var expected = From(offset, bytes.Length);
            if (!bytes[..expected.Length].SequenceEqual(expected)) return false;
            offset += expected.Length;
            bytes = bytes[expected.Length..];
        }

        return true;
    }

    private static byte[] Make()
    {
        var bytes = new byte[Period];
        new Random(20_240_229).NextBytes(bytes);
        return bytes;
    }
}
