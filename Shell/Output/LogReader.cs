using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;

namespace Agent.Shell.Output;

/// <summary>
/// Reads the log of one stream of one service, while it is written or when it is not. It knows of the writer only what
/// is in the files; of them it keeps where bytes lay in rings, which is little, and reads times when they are asked for.
/// </summary>
internal sealed class LogReader(LogFolder folder)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<long, Known> _known = [];

    /// <summary>What the files hold, as cursors of that ring.</summary>
    public LogMap MapFor(uint ring)
    {
        lock (_gate)
        {
            var files = folder.Files();
            foreach (var gone in _known.Keys.Except(files).ToList()) _known.Remove(gone);
            var found = new List<(LogRun Run, uint Ring)>();
            for (var n = 0; n < files.Count; n++)
            {
                var end = files[n] + LengthOf(files[n]);
                if (n + 1 < files.Count) end = Math.Min(end, files[n + 1]);
                found.AddRange(Runs(files[n], end));
            }

            return new(folder, found, ring);
        }
    }

    /// <summary>
    /// The position of the first byte that came at or after this time. As a mark's time holds for a while, there may be
    /// earlier ones behind it, of a tenth of a second; where the marks are rare, of a second or a minute.
    /// </summary>
    public long PositionAt(long unixMs)
    {
        var files = folder.Files();
        if (files.Count == 0) return 0;
        var position = files[^1] + LengthOf(files[^1]);
        for (var n = files.Count - 1; n >= 0; n--)
        {
            var marks = LogIndex.Read(folder.IndexAt(files[n]));
            var first = Enumerable.Range(0, marks.Count).FirstOrDefault(
                one => marks[one].At + (long)LogIndex.Interval(one).TotalMilliseconds > unixMs, -1);
            if (first < 0) return position;
            position = Math.Min(position, marks[first].Position);
            if (first > 0) return position;
        }

        return position;
    }

    private IEnumerable<(LogRun Run, uint Ring)> Runs(long file, long end)
    {
        if (!_known.TryGetValue(file, out var known)) _known[file] = known = new Known();
        known.Learn(folder.IndexAt(file));
        var starts = known.Starts;

        // Bytes without a mark before them belong to no ring.
        yield return (new(file, file, starts.Count > 0 ? Math.Min(end, starts[0].Position) : end, 0), 0);
        for (var n = 0; n < starts.Count; n++)
        {
            var to = n + 1 < starts.Count ? Math.Min(end, starts[n + 1].Position) : end;
            var from = Math.Max(file, starts[n].Position);
            yield return (new(file, from, to, starts[n].Cursor + from - starts[n].Position), starts[n].Ring);
        }
    }

    private long LengthOf(long file) => new FileInfo(folder.DataAt(file)) is { Exists: true } one ? one.Length : 0;

    /// <summary>The marks of one file that begin another run.</summary>
    private sealed class Known
    {
        private int _read;
        private LogMark _last;

        public List<LogMark> Starts { get; } = [];

        public void Learn(string index)
        {
            foreach (var mark in LogIndex.Read(index, _read, _last))
            {
                var goesOn = _read > 0 && mark.Ring == _last.Ring && mark.Cursor - mark.Position == _last.Cursor - _last.Position;
                if (!goesOn) Starts.Add(mark);
                _last = mark;
                _read++;
            }
        }
    }
}
