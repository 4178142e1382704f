using System;
using System.IO;

namespace Agent.Shell.Activators.Releases;

internal enum TarKind
{
    File,
    Directory,
    Link,
}

/// <summary>One entry as the archive has it; its names are not judged yet.</summary>
/// <param name="Target">Of a symbolic link; otherwise empty.</param>
internal sealed record TarEntry(TarKind Kind, string Name, string Target, uint Mode, long Size);

/// <summary>
/// A strict reader of tar archives: ustar, the pax keys path, linkpath and size, and GNU long names. Files,
/// directories and symbolic links are all it knows; sparse files, volumes and incremental dumps are refused. It reads
/// to the end of the stream, where nothing but zeros may follow the end of the archive.
/// </summary>
/// <param name="expandedLimit">Bytes that the stream may have.</param>
/// <param name="entryLimit">Bytes that one entry can have at all: a plain archive's own length.</param>
/// <param name="headerLimit">Bytes of one extended header.</param>
internal sealed class TarReader(Stream tar, long expandedLimit, long entryLimit, int headerLimit)
{
    private readonly byte[] _block = new byte[TarHeader.Bytes];
    private readonly byte[] _skipped = new byte[64 << 10];
    private long _position;
    private long _content;
    private int _padding;

    /// <summary>The next entry, or null at the proper end.</summary>
    /// <exception cref="ReleaseRefused">The archive ends early, is damaged, or has what is refused.</exception>
    public TarEntry? Next()
    {
        var extended = new Extended();
        while (true)
        {
            SkipContent();
            var at = _position;
            if (!ReadBlock())
            {
                if (extended.Any) throw new ReleaseRefused(ReleaseCode.Garbage, "an extended header has no entry");
                ReadEnd();
                return null;
            }

            var header = new TarHeader(_block, at);
            Expect(header.Kind is 'x' or 'g' or 'L' or 'K' ? header.Size : extended.Size ?? header.Size);
            if (header.Kind is 'x' or 'g' or 'L' or 'K') extended.Add(header.Kind, ReadHeaderContent());
            else return Entry(header, extended);
        }
    }

    /// <summary>Bytes of the entry's content; 0 when there are no more.</summary>
    public int Read(Span<byte> into)
    {
        if (_content == 0) return 0;
        var got = ReadSome(into[..(int)Math.Min(into.Length, _content)]);
        _content -= got;
        return got > 0 ? got : throw Cut();
    }

    private TarEntry Entry(in TarHeader header, in Extended extended)
    {
        var name = extended.Path ?? header.Name;
        var kind = header.Kind switch
        {
            '0' or '\0' => TarKind.File,
            '5' => TarKind.Directory,
            '2' => TarKind.Link,
            '1' => throw new ReleaseRefused(ReleaseCode.Hardlink, $"{name} is a hard link"),
            '3' or '4' => throw new ReleaseRefused(ReleaseCode.Device, $"{name} is a device"),
            '6' => throw new ReleaseRefused(ReleaseCode.Fifo, $"{name} is a FIFO"),
            var other => throw new ReleaseRefused(ReleaseCode.Garbage, $"{name} is of unknown kind 0x{(int)other:x2}"),
        };
        if (kind != TarKind.File && _content != 0)
        {
            throw new ReleaseRefused(ReleaseCode.SizeLie, $"{name} is no file and claims {_content} bytes");
        }

        var target = kind == TarKind.Link ? extended.Target ?? header.Target : "";
        return new TarEntry(kind, name, target, header.Mode, _content);
    }

    private void Expect(long size)
    {
        if (size > entryLimit)
        {
            throw new ReleaseRefused(
                ReleaseCode.SizeLie, $"an entry claims {size} bytes in an archive of {entryLimit}");
        }

        if (size > expandedLimit - _position) throw TooMuch();
        _content = size;
        _padding = (int)(-size & (TarHeader.Bytes - 1));
    }

    private byte[] ReadHeaderContent()
    {
        if (_content > headerLimit)
        {
            throw new ReleaseRefused(
                ReleaseCode.NameTooLong, $"an extended header has {_content} bytes, more than {headerLimit}");
        }

        var content = new byte[_content];
        for (var done = 0; done < content.Length;) done += Read(content.AsSpan(done));
        return content;
    }

    private void SkipContent()
    {
        while (_content > 0) Read(_skipped);
        for (; _padding > 0;)
        {
            var got = ReadSome(_skipped.AsSpan(0, _padding));
            _padding -= got > 0 ? got : throw Cut();
        }
    }

    /// <summary>False: it is a block of zeros.</summary>
    private bool ReadBlock()
    {
        for (var done = 0; done < _block.Length;)
        {
            var got = ReadSome(_block.AsSpan(done));
            done += got > 0 ? got : throw Cut();
        }

        return _block.AsSpan().ContainsAnyExcept((byte)0);
    }

    /// <summary>Behind the first block of zeros there must be another, and after it only zeros.</summary>
    private void ReadEnd()
    {
        var more = ReadBlock();
        for (var got = 0; !more && (got = ReadSome(_skipped)) > 0;)
        {
            more = _skipped.AsSpan(0, got).ContainsAnyExcept((byte)0);
        }

        if (more) throw new ReleaseRefused(ReleaseCode.Garbage, $"more follows the archive's end, before {_position}");
    }

    private int ReadSome(Span<byte> into)
    {
        try
        {
            var got = tar.Read(into);
            _position += got;
            return _position <= expandedLimit ? got : throw TooMuch();
        }
        catch (InvalidDataException failure)
        {
            throw new ReleaseRefused(
                ReleaseCode.Garbage, $"it cannot be decompressed behind offset {_position} of its content", failure);
        }
    }

    private ReleaseRefused Cut() => new(ReleaseCode.Truncated, $"the archive stops at offset {_position}, unfinished");

    private ReleaseRefused TooMuch() =>
        new(ReleaseCode.Bomb, $"it expands to more than {expandedLimit} bytes, too much for an archive of its size");

    /// <summary>What stands before an entry and goes for it. Nothing may be said twice, in whichever form.</summary>
    private struct Extended
    {
        private bool _pax;

        public string? Path { get; private set; }

        public string? Target { get; private set; }

        public long? Size { get; private set; }

        public readonly bool Any => _pax || Path is not null || Target is not null;

        public void Add(char kind, byte[] content)
        {
            if (kind == 'L') Take("path", TarHeader.Text(TarHeader.Field(content)));
            else if (kind == 'K') Take("linkpath", TarHeader.Text(TarHeader.Field(content)));
            else AddPax(content, everywhere: kind == 'g');
        }

        private void AddPax(byte[] content, bool everywhere)
        {
            if (!everywhere && _pax) throw new ReleaseRefused(ReleaseCode.Garbage, "an entry has two extended headers");
            _pax |= !everywhere;
            foreach (var (key, value) in PaxRecords.Read(content))
            {
                var sparse = key.StartsWith("GNU.sparse.", StringComparison.Ordinal);
                if (sparse || (everywhere && key is "path" or "linkpath" or "size"))
                {
                    throw new ReleaseRefused(ReleaseCode.Garbage, $"an extended header has {key}, unknown there");
                }

                Take(key, value);
            }
        }

        /// <summary>Keys that change neither name nor content (times, owners, comments) do not matter here.</summary>
        private void Take(string key, string value)
        {
            if ((key == "path" && Path is not null) || (key == "linkpath" && Target is not null))
            {
                throw new ReleaseRefused(ReleaseCode.Garbage, $"an entry has its {key} twice");
            }

            if (key == "path") Path = value;
            else if (key == "linkpath") Target = value;
            else if (key == "size") Size = PaxRecords.Size(value);
        }
    }
}
