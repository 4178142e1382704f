using System;
using System.Threading;

namespace Agent.Shell.Output;

/// <summary>
/// How far a log file has followed. It is kept here, with what is about to be appended, so that after a death the
/// next follower sees by the file's length how much of it went in, and neither repeats nor skips a byte.
/// </summary>
internal sealed unsafe partial class Ring
{
    // A disk that takes nothing for so long must not hold up a process any longer.
    private static readonly TimeSpan DiskPatience = TimeSpan.FromSeconds(2);

    private Action? _follower;
    private long _acknowledged;
    private long _behindSince;

    /// <summary>Tells this ring's bytes from those of any other that had its path.</summary>
    public uint Identity => (uint)Told(static header => *(uint*)header->Nonce, gone: 0);

    /// <summary>The offset behind the last byte that is in the log file.</summary>
    public long Filed => Told(static header => header->Filed, gone: _lastEnd);

    /// <summary>The bytes from this offset on are about to be appended to a file of that length.</summary>
    public void BeginFiling(long from, int bytes, long length) => Told(
        header =>
        {
            Volatile.Write(ref header->FilingBytes, 0);
            Volatile.Write(ref header->Filed, from);
            Volatile.Write(ref header->FilingFrom, from);
            Volatile.Write(ref header->FilingAt, length);
            Volatile.Write(ref header->FilingBytes, bytes);
            return 0;
        },
        gone: 0);

    public void EndFiling(long filed)
    {
        bool isRoom;
        lock (_gate)
        {
            if (_isGone) return;
            Volatile.Write(ref _header->Filed, filed);
            Volatile.Write(ref _header->FilingBytes, 0);
            _behindSince = 0;
            isRoom = _isWriterWaiting && _header->Backpressure == 0;
            if (isRoom) _isWriterWaiting = false;
            if (_acknowledged > _header->Start) isRoom |= Free(Math.Min(_acknowledged, Leaving));
        }

        FiledMore();
        if (isRoom) Freed?.Invoke();
    }

    /// <summary>
    /// From here on nothing leaves the ring before it was filed, unless the disk takes nothing at all. What came
    /// before is filed as far as it is there.
    /// </summary>
    /// <param name="captured">Called by whoever captures, after each capture; null: nobody files it any more.</param>
    public void FollowedBy(Action? captured)
    {
        lock (_gate)
        {
            if (_isGone) return;
            if (_header->Filed < _header->Start) Volatile.Write(ref _header->Filed, _header->Start);
            _follower = captured;
        }
    }

    /// <summary>Under the gate: what lies before it may leave the ring.</summary>
    private long Leaving => _follower is null ? long.MaxValue : _header->Filed;

    /// <summary>Under the gate: whether the writer has waited for the disk as long as it must.</summary>
    private bool IsDiskStuck()
    {
        var now = Environment.TickCount64;
        if (_behindSince == 0) _behindSince = now;
        return now - _behindSince >= DiskPatience.TotalMilliseconds;
    }

    /// <summary>What the last agent had begun to append: filed as far as the file, now of this length, shows.</summary>
    public void RecoverFiling(long length) => Told(
        header =>
        {
            var done = Math.Clamp(length - header->FilingAt, 0, header->FilingBytes);
            if (header->Filed == header->FilingFrom) Volatile.Write(ref header->Filed, header->Filed + done);
            Volatile.Write(ref header->FilingBytes, 0);
            return 0;
        },
        gone: 0);
}
