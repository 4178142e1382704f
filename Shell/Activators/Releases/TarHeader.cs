using System;
using System.Text;

namespace Agent.Shell.Activators.Releases;

/// <summary>
/// One 512-byte header of a tar archive, POSIX ustar or GNU. Read strictly: what one program reads in one way and
/// another in another is refused.
/// </summary>
internal readonly ref struct TarHeader
{
    public const int Bytes = 512;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly ReadOnlySpan<byte> _block;
    private readonly bool _posix;

    /// <exception cref="ReleaseRefused">The block is no header, or its sum is wrong.</exception>
    public TarHeader(ReadOnlySpan<byte> block, long offset)
    {
        _block = block;
        _posix = block[257..265].SequenceEqual("ustar\u000000"u8);
        if (!_posix && !block[257..265].SequenceEqual("ustar  \0"u8))
        {
            throw new ReleaseRefused(ReleaseCode.Garbage, $"there is no tar header at offset {offset}");
        }

        if (!IsSum(block[148..156], Sum(block)))
        {
            throw new ReleaseRefused(ReleaseCode.Checksum, $"the tar header at offset {offset} has a wrong checksum");
        }
    }

    /// <summary>The type flag: '0' a file, '5' a directory, '2' a link …</summary>
    public char Kind => (char)_block[156];

    /// <summary>The twelve permission bits. Some archives have the kind of the file above them.</summary>
    public uint Mode => (uint)(Octal(_block[100..108], "mode") & 0xFFF);

    public long Size
    {
        get
        {
            var octets = _block[124..136];
            if ((octets[0] & 0x80) == 0) return Octal(octets, "size");
            if (octets[0] != 0x80 || octets[1..4].ContainsAnyExcept((byte)0) || (octets[4] & 0x80) != 0)
            {
                throw new ReleaseRefused(ReleaseCode.SizeLie, "an entry's size is negative or beyond 63 bits");
            }

            return System.Buffers.Binary.BinaryPrimitives.ReadInt64BigEndian(octets[4..]);
        }
    }

    public string Target => Text(Field(_block[157..257]));

    /// <summary>The name; in POSIX archives a long one begins in a field of its own.</summary>
    public string Name
    {
        get
        {
            var name = Text(Field(_block[..100]));
            var prefix = _posix ? Text(Field(_block[345..500])) : "";
            return prefix.Length == 0 ? name : prefix + "/" + name;
        }
    }

    /// <exception cref="ReleaseRefused">It is not UTF-8.</exception>
    public static string Text(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return Utf8.GetString(bytes);
        }
        catch (DecoderFallbackException failure)
        {
            throw new ReleaseRefused(
                ReleaseCode.BadName, $"a name is not UTF-8: {Encoding.Latin1.GetString(bytes)}", failure);
        }
    }

    /// <summary>What stands before the first NUL; behind it there is nothing to hide.</summary>
    public static ReadOnlySpan<byte> Field(ReadOnlySpan<byte> field)
    {
        var end = field.IndexOf((byte)0);
        if (end < 0) return field;
        return field[end..].ContainsAnyExcept((byte)0)
            ? throw new ReleaseRefused(ReleaseCode.BadName, "a name goes on behind a NUL")
            : field[..end];
    }

    /// <summary>Octal digits, blanks before them, blanks or NULs behind them, and nothing else.</summary>
    private static long Octal(ReadOnlySpan<byte> field, string what)
    {
        var digits = field.TrimStart((byte)' ').TrimEnd("\0 "u8);
        if (digits.IsEmpty || digits.ContainsAnyExceptInRange((byte)'0', (byte)'7'))
        {
            throw new ReleaseRefused(ReleaseCode.Garbage, $"an entry's {what} is no octal number");
        }

        var value = 0L;
        foreach (var digit in digits) value = (value << 3) | (uint)(digit - '0');
        return value;
    }

    /// <summary>The sum of all bytes, the sum's own field taken as blanks.</summary>
    private static int Sum(ReadOnlySpan<byte> block)
    {
        var sum = 8 * ' ';
        foreach (var one in block[..148]) sum += one;
        foreach (var one in block[156..]) sum += one;
        return sum;
    }

    /// <summary>Six digits, NUL, blank: what every writer in use makes.</summary>
    private static bool IsSum(ReadOnlySpan<byte> field, int sum)
    {
        var digits = field[..6];
        if (digits.ContainsAnyExceptInRange((byte)'0', (byte)'7') || field[6] != 0 || field[7] != ' ') return false;
        return Octal(digits, "checksum") == sum;
    }
}
