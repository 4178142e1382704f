using System;
using System.IO;
using System.Linq;
using System.Threading;
using Agent.Shell.Config;
using Agent.Shell.Linux;

namespace Agent.Shell.Output;

/// <summary>
/// Writes one stream of one service to its folder, byte for byte, though the service is made anew under its name and
/// its rings change. After the agent's death it goes on at the byte where it was. Trouble with the disk never stops
/// the capture: what could not be written is counted, told, and shows as a gap. Used by one thread.
/// </summary>
/// <param name="folder">Its files, 0600.</param>
/// <param name="told">Called for losses, the first at once and then each minute as long as there are more.</param>
internal sealed class ServiceLog(LogFolder folder, LogSettings settings, Action<LogLoss> told, TimeProvider time)
    : IDisposable
{
    private static readonly TimeSpan TellEvery = TimeSpan.FromMinutes(1);

    private int _data = -1;
    private int _index = -1;
    private int _marks;
    private long _base;
    private long _end;
    private LogMark _last;
    private long _lost;
    private long _lostUntold;
    private long? _toldAt;

    /// <summary>Read at each append, so that a change holds from the next one on.</summary>
    public LogSettings Settings { get; set; } = settings;

    /// <summary>Bytes captured that did not get into a file.</summary>
    public long BytesLost => Interlocked.Read(ref _lost);

    /// <summary>Where the log ended when this agent found it: what an append that a death cut short had reached.</summary>
    public long Found { get; } = LengthOnDisk(folder);

    /// <summary>Files what was read of a ring, and notes in the ring how far that came.</summary>
    public void Append(Ring ring, RingRead read)
    {
        var from = read.Next - read.Bytes.Length;
        var bytes = read.Bytes.Span;
        if (read.Dropped > 0) Lose(read.Dropped, "the disk was too slow");
        try
        {
            while (!bytes.IsEmpty)
            {
                var piece = bytes[..Prepare(bytes)];
                Mark(ring.Identity, from);
                ring.BeginFiling(from, piece.Length, _end);
                Files.Write(_data, folder.DataAt(_base), piece, _end - _base);
                _end += piece.Length;
                from += piece.Length;
                ring.EndFiling(from);
                bytes = bytes[piece.Length..];
            }
        }
        catch (Exception failure) when (failure is FileFailure or IOException or UnauthorizedAccessException)
        {
            CutBack();
            Close();
            Lose(bytes.Length, failure.Message);
        }

        ring.EndFiling(read.Next);
    }

    public void Dispose() => Close();

    /// <summary>
    /// The newest file is open and has room; answers for how many of the bytes. A file ends with a line where it can.
    /// </summary>
    private int Prepare(ReadOnlySpan<byte> bytes)
    {
        if (_data >= 0 && (!File.Exists(folder.DataAt(_base)) || LengthOf(folder, _base) != _end - _base)) Close();
        if (_data < 0) Open();
        if (_marks >= LogIndex.MostMarks) Next();
        while (true)
        {
            var room = Math.Max(0, Settings.MaxBytes - (_end - _base));
            if (bytes.Length <= room) return bytes.Length;
            var newline = bytes[..(int)room].LastIndexOf((byte)'\n');
            if (newline >= 0) return newline + 1;
            if (_end == _base) return (int)room;
            Next();
        }
    }

    /// <summary>Before the bytes it speaks of: a byte without its mark would be taken for another one.</summary>
    private void Mark(uint ring, long cursor)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var goesOn = _marks > 0 && _last.Ring == ring && cursor - _last.Cursor == _end - _last.Position;
        var age = now - _last.At;
        if (goesOn && age >= 0 && age < LogIndex.Interval(_marks).TotalMilliseconds) return;
        var mark = new LogMark(now, _end, cursor, ring);
        Span<byte> record = stackalloc byte[LogMark.Bytes];
        mark.Write(record);
        Files.Write(_index, folder.IndexAt(_base), record, (long)_marks * LogMark.Bytes);
        _marks++;
        _last = mark;
    }

    /// <summary>
    /// Goes on with the newest file. One that was cut or taken away by somebody else is left as it is.
    /// </summary>
    private void Open()
    {
        folder.Make();
        var end = Math.Max(_end, LengthOnDisk(folder));
        var newest = folder.Files().Select(one => (long?)one).LastOrDefault();
        var goesOn = newest is { } at && at + LengthOf(folder, at) == end;
        _end = end;
        OpenAt(goesOn ? newest!.Value : end);
    }

    private void Next()
    {
        Close();
        OpenAt(_end);
        folder.Keep(Settings.Files);
    }

    private void OpenAt(long position)
    {
        _base = position;
        _data = Files.Open(folder.DataAt(position), create: true);
        _index = Files.Open(folder.IndexAt(position), create: true);

        // Marks of bytes that a power cut took are no marks; a torn one is overwritten.
        var marks = LogIndex.Read(folder.IndexAt(position));
        _marks = marks.Count;
        while (_marks > 0 && marks[_marks - 1].Position > _end) _marks--;
        if (_end == position && _marks >= LogIndex.MostMarks) _marks = 0;
        Files.Resize(_index, folder.IndexAt(position), (long)_marks * LogMark.Bytes);
        _last = default;
    }

    private static long LengthOnDisk(LogFolder folder) =>
        folder.Files() is [.., var newest] ? newest + LengthOf(folder, newest) : 0;

    private static long LengthOf(LogFolder folder, long position) =>
        new FileInfo(folder.DataAt(position)) is { Exists: true } file ? file.Length : 0;

    /// <summary>What half an append left would stand for bytes that are counted as lost.</summary>
    private void CutBack()
    {
        try
        {
            if (_data >= 0) Files.Resize(_data, folder.DataAt(_base), _end - _base);
        }
        catch (FileFailure)
        {
            // It is a failing disk's file: the next one begins where this one should have ended.
        }
    }

    private void Lose(long bytes, string reason)
    {
        _lostUntold += bytes;
        var inAll = Interlocked.Add(ref _lost, bytes);
        var now = time.GetTimestamp();
        if (_toldAt is { } at && time.GetElapsedTime(at, now) < TellEvery) return;
        _toldAt = now;
        told(new(folder.DataAt(_base), _lostUntold, inAll, reason));
        _lostUntold = 0;
    }

    private void Close()
    {
        if (_data >= 0) Files.Close(_data);
        if (_index >= 0) Files.Close(_index);
        _data = _index = -1;
    }
}
