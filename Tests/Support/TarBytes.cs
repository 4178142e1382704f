using System;
using System.Collections.Generic;
using System.IO;
using System.IO.Compression;
using System.Linq;
using System.Text;

namespace Agent.Tests.Support;

/// <summary>Writes tar archives entry by entry, and with nothing that would keep one from being hostile.</summary>
internal sealed class TarBytes
{
    private readonly List<byte> _bytes = [];

    /// <summary>A header and its content. A name or target that does not fit is written as a pax record before it.</summary>
    public TarBytes Add(
        string name, string content = "", char kind = '0', string target = "", uint mode = 0x1A4, long? size = null)
    {
        var data = Encoding.UTF8.GetBytes(content);
        var (longName, longTarget) = (Encoding.UTF8.GetByteCount(name) > 100, Encoding.UTF8.GetByteCount(target) > 100);
        if (longName) Pax("path", name);
        if (longTarget) Pax("linkpath", target);
        _bytes.AddRange(Header(longName ? "long" : name, kind, longTarget ? "long" : target, mode, size ?? data.Length));
        Content(data);
        return this;
    }

    public TarBytes Directory(string name, uint mode = 0x1ED) => Add(name, kind: '5', mode: mode);

    public TarBytes Link(string name, string target) => Add(name, kind: '2', target: target, mode: 0x1FF);

    /// <summary>An extended header with one record.</summary>
    public TarBytes Pax(string key, string value, char kind = 'x')
    {
        var rest = Encoding.UTF8.GetByteCount(value) + key.Length + 3;
        var length = rest + (rest + 1).ToString().Length;
        length = rest + length.ToString().Length;
        return Special(kind, Encoding.UTF8.GetBytes($"{length} {key}={value}\n"));
    }

    /// <summary>An entry that stands for the next one: pax or a GNU long name.</summary>
    public TarBytes Special(char kind, byte[] content)
    {
        _bytes.AddRange(Header("special", kind, "", 0x1A4, content.Length));
        Content(content);
        return this;
    }

    public TarBytes Raw(byte[] bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    /// <summary>The archive with its end.</summary>
    public byte[] ToArray() => [.. _bytes.ToArray(), .. new byte[1024]];

    public byte[] ToArrayWithoutEnd() => _bytes.ToArray();

    public byte[] ToGzip() => Gzip(ToArray());

    public static byte[] Gzip(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal)) gzip.Write(bytes);
        return packed.ToArray();
    }

    /// <summary>A header whose sum is right whatever else is not.</summary>
    public static byte[] Header(string name, char kind, string target, uint mode, long size, Action<byte[]>? change = null)
    {
        var block = new byte[512];
        void Put(int at, string text) => Encoding.UTF8.GetBytes(text).CopyTo(block, at);
        string Octal(long value, int digits) => Convert.ToString(value, 8).PadLeft(digits, '0');
        Put(0, name);
        Put(100, Octal(mode, 7));
        Put(108, Octal(0, 7));
        Put(116, Octal(0, 7));
        Put(124, Octal(size, 11));
        Put(136, Octal(0, 11));
        block[156] = (byte)kind;
        Put(157, target);
        Put(257, "ustar\0" + "00");
        change?.Invoke(block);
        Put(148, "        ");
        Put(148, Octal(block.Sum(one => (long)one), 6) + "\0 ");
        return block;
    }

    private void Content(byte[] data)
    {
        _bytes.AddRange(data);
        _bytes.AddRange(new byte[-data.Length & 511]);
    }
}
