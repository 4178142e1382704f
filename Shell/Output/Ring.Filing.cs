using System;
using System.Threading;

namespace Agent.Shell.Output;

/// <summary>
/// How far a log file has followed. It is kept here, with what is about to be appended, so that after a death the
/// next follower sees by the file's length how much of it went in, and neither repeats nor skips a byte.
/// </summary>
internal sealed unsafe partial class Ring
{
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

    public void EndFiling(long filed) => Told(
        header =>
        {
            Volatile.Write(ref header->Filed, filed);
            Volatile.Write(ref header->FilingBytes, 0);
            return 0;
        },
        gone: 0);

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
