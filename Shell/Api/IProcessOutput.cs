using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;

namespace Agent.Shell.Api;

internal enum OutputStream
{
    Stdout,
    Stderr,
}

/// <summary>
/// The captured output and the stdin of processes. It knows nothing of principals: who may call is decided before.
/// Cursors are absolute offsets into a stream and hold across restarts of the agent.
/// </summary>
internal interface IProcessOutput
{
    /// <summary>Bytes lost to full rings since this agent started, those of forgotten processes among them.</summary>
    long BytesDroppedInAll { get; }

    /// <summary>Bytes of services that did not get into their log files since this agent started.</summary>
    long LogBytesLostInAll { get; }

    OutputCounters Count(ProcessId id);

    /// <summary>
    /// At most <paramref name="max"/> bytes from the cursor on; nothing is taken. A service's log may reach back to
    /// before its ring, which has the cursors below 0.
    /// </summary>
    OutputRead Since(ProcessId id, OutputStream stream, long cursor, int max);

    /// <summary>The last lines, cut at the front to at most <paramref name="max"/> bytes.</summary>
    OutputRead Tail(ProcessId id, OutputStream stream, int lines, int max);

    /// <summary>
    /// The cursor of the first line of which a byte came at or after a time; null: no times are kept of this output.
    /// </summary>
    long? CursorAt(ProcessId id, OutputStream stream, long unixMs);

    /// <summary>When the bytes of a range came; null: no times are kept of this output.</summary>
    OutputTimes? Times(ProcessId id, OutputStream stream, long from, long to);

    /// <summary>Ends when the time of the byte at the cursor is known, or never will be.</summary>
    Task WaitForTimesAsync(ProcessId id, OutputStream stream, long cursor, CancellationToken stop);

    /// <summary>The oldest bytes kept, which are gone from the ring afterwards.</summary>
    OutputRead Drain(ProcessId id, OutputStream stream, int max);

    /// <summary>What lies before the cursor may go.</summary>
    OutputAck Ack(ProcessId id, OutputStream stream, long cursor);

    /// <summary>Ends when there are bytes behind the cursor, the stream has ended or there is no such one.</summary>
    Task WaitForMoreAsync(ProcessId id, OutputStream stream, long cursor, CancellationToken stop);

    /// <summary>
    /// Writes after the writes before it. When it is stopped it answers with what went in by then; it never throws
    /// for that.
    /// </summary>
    ValueTask<StdinWrite> WriteAsync(ProcessId id, ReadOnlyMemory<byte> bytes, CancellationToken stop);

    /// <summary>
    /// Once it is closed, closing it again is nothing new. False: stopped before it was known what has become of the process
    /// while no agent ran.
    /// </summary>
    Task<bool> CloseStdinAsync(ProcessId id, CancellationToken stop);
}

/// <summary>Of both streams together. All zero for a process without rings.</summary>
internal readonly record struct OutputCounters(long BufferedBytes, long BytesDropped, bool StdinOpen);

/// <summary>Each mark holds from its cursor to the next one's.</summary>
/// <param name="Known">Up to this cursor.</param>
internal sealed record OutputTimes(IReadOnlyList<(long Cursor, long UnixMs)> Marks, long Known);

/// <summary>What a read found.</summary>
internal abstract record OutputRead
{
    private OutputRead()
    {
    }

    /// <param name="Bytes">The caller's own copy.</param>
    /// <param name="Next">The cursor behind the last of the bytes.</param>
    /// <param name="Dropped">How many bytes between the cursor asked for and the first one here are lost.</param>
    /// <param name="Eof">
    /// Nothing comes after <paramref name="Next"/>: the process ended and its pipe was read to the end.
    /// </param>
    internal sealed record Slice(ReadOnlyMemory<byte> Bytes, long Next, long Dropped, bool Eof) : OutputRead
    {
        /// <summary>The cursor behind the newest byte there was.</summary>
        public long Newest { get; init; }
    }

    /// <summary>The cursor lies behind the newest byte.</summary>
    internal sealed record Beyond(long End) : OutputRead;

    /// <summary>Its output is not kept in rings, as a daemon's is not, or it has none yet.</summary>
    internal sealed record Absent : OutputRead;
}

internal abstract record OutputAck
{
    private OutputAck()
    {
    }

    internal sealed record Freed : OutputAck;

    /// <summary>The cursor lies behind the newest byte.</summary>
    internal sealed record Beyond(long End) : OutputAck;

    internal sealed record Absent : OutputAck;
}

internal abstract record StdinWrite
{
    private StdinWrite()
    {
    }

    /// <summary>So many bytes went in; fewer than given if the child did not read in time.</summary>
    internal sealed record Wrote(int Bytes) : StdinWrite;

    /// <summary>It was closed, by a caller or by the child, or was never open.</summary>
    internal sealed record Closed : StdinWrite;
}
