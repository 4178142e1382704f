using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Microsoft.Win32.SafeHandles;

namespace Agent.Shell.Output;

/// <summary>Bytes of a log that lie together in one file and lay together in one ring.</summary>
/// <param name="File">The position of the file's first byte.</param>
/// <param name="Cursor">What the first byte's offset is for whoever reads.</param>
internal readonly record struct LogRun(long File, long Position, long End, long Cursor)
{
    /// <summary>The cursor behind its last byte.</summary>
    public long Next => Cursor + End - Position;
}

/// <summary>
/// What the files of one stream hold at one moment, as cursors of one ring: its own bytes by their offsets in it, and
/// what was logged before it, by rings that are gone, counted back from 0: -1 is the byte before its first.
/// </summary>
internal sealed class LogMap
{
    // So far a line's beginning is looked for.
    private const int LongestLine = 64 << 10;

    private readonly LogFolder _folder;
    private readonly List<LogRun> _runs = [];

    public LogMap(LogFolder folder, IEnumerable<(LogRun Run, uint Ring)> found, uint ring)
    {
        _folder = folder;
        var all = found.Where(one => one.Run.End > one.Run.Position).ToList();
        var own = all.FindIndex(one => one.Ring == ring);
        var before = own < 0 ? all : all[..own];
        var zero = own >= 0 ? all[own].Run.Position : before.Count > 0 ? before[^1].Run.End : 0;
        _runs.AddRange(before.Select(one => one.Run with { Cursor = one.Run.Position - zero }));
        if (own >= 0) _runs.AddRange(all[own..].Where(one => one.Ring == ring).Select(one => one.Run));
    }

    /// <summary>The oldest byte's; null: there is none.</summary>
    public long? Oldest => _runs is [var first, ..] ? first.Cursor : null;

    /// <summary>Bytes from the cursor on, as far as they lie together; else where the next ones are, if there are any.</summary>
    public (byte[] Bytes, long? Next) Read(long cursor, int max)
    {
        foreach (var run in _runs)
        {
            if (run.Next <= cursor) continue;
            if (run.Cursor > cursor) return ([], run.Cursor);
            var bytes = new byte[(int)Math.Min(max, run.Next - cursor)];
            var got = Load(run, cursor, bytes);

            // A file that went meanwhile has left a gap.
            return (bytes[..got], got > 0 ? cursor + got : run.Next);
        }

        return ([], null);
    }

    /// <summary>The cursor of the line in which this position lies; behind the newest byte: null.</summary>
    public long? LineAt(long position)
    {
        foreach (var run in _runs)
        {
            if (run.End <= position) continue;
            return LineStart(run.Cursor + Math.Max(0, position - run.Position));
        }

        return null;
    }

    /// <summary>When the bytes of a range came, each mark by the first cursor it holds for.</summary>
    public IEnumerable<(long Cursor, long At)> Times(long from, long to)
    {
        List<LogMark> marks = [];
        long? file = null;
        foreach (var run in _runs.Where(run => run.Next > from && run.Cursor < to))
        {
            if (file != run.File) marks = LogIndex.Read(_folder.IndexAt(run.File));
            file = run.File;
            var first = marks.FindLastIndex(mark => mark.Position <= run.Position);
            foreach (var mark in marks.Skip(Math.Max(0, first)).TakeWhile(mark => mark.Position < run.End))
            {
                yield return (run.Cursor + Math.Max(0, mark.Position - run.Position), mark.At);
            }
        }
    }

    private long LineStart(long cursor)
    {
        var text = new byte[LongestLine];
        var from = cursor;
        foreach (var run in Enumerable.Reverse(_runs))
        {
            if (run.Cursor < from && run.Next >= from) from = run.Cursor;
        }

        from = Math.Max(from, cursor - LongestLine);
        var length = 0;
        while (from + length < cursor)
        {
            var (bytes, _) = Read(from + length, (int)(cursor - from - length));
            if (bytes.Length == 0) return cursor;
            bytes.CopyTo(text.AsSpan(length));
            length += bytes.Length;
        }

        var newline = text.AsSpan(0, length).LastIndexOf((byte)'\n');
        return newline >= 0 ? from + newline + 1 : cursor - from < LongestLine ? from : cursor;
    }

    private int Load(LogRun run, long cursor, byte[] into)
    {
        try
        {
            using SafeFileHandle file = File.OpenHandle(
                _folder.DataAt(run.File), share: FileShare.ReadWrite | FileShare.Delete);
            return RandomAccess.Read(file, into, run.Position - run.File + cursor - run.Cursor);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}
