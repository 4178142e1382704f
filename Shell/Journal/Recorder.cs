using System;
using System.Buffers;
using Agent.Core.Host;
using Agent.Core.Time;
using Agent.Shell.Journal.Codec;
using Agent.Shell.Loop;
using LanguageExt;

namespace Agent.Shell.Journal;

/// <summary>Writes decisions to the journal and, where a segment ends, the snapshot that begins the next one.</summary>
internal sealed class Recorder(JournalWriter writer) : IRecorder, IDisposable
{
    /// <summary>
    /// A digest costs a pass over the whole state, so one record in this many carries one, and each start of the
    /// agent, where a wrong recovery would begin.
    /// </summary>
    private const int DigestEvery = 1024;

    private readonly RecordBody _body = new();

    public void Append(long seq, Instant at, HostEvent @event, Seq<HostEffect> effects, HostState after)
    {
        var digest = seq % DigestEvery == 0 || @event is HostEvent.Started ? StateDigest.Of(after) : null;
        writer.Append(seq, at.UnixMilliseconds, _body.Of(@event, effects, digest));
    }

    public void Commit(Published after)
    {
        writer.Commit();
        if (writer.WantsRotation) writer.Rotate(after.Seq + 1, after.At.UnixMilliseconds, Snapshot(after));
    }

    public void Dispose()
    {
        _body.Dispose();
        writer.Dispose();
    }

    /// <summary>The state before record <c>seq</c>, as the journal's snapshot line holds it.</summary>
    private static ReadOnlySpan<byte> Snapshot(Published published)
    {
        var bytes = new ArrayBufferWriter<byte>(16 << 10);
        using var json = new JsonOut(bytes);
        bytes.Write(HostCodec.StateKey);
        HostCodec.Write(json, published.State);
        json.Flush();
        return bytes.WrittenSpan;
    }
}
