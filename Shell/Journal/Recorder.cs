using System;
using System.Buffers;
using Agent.Core.Time;
using Agent.Shell.Journal.Codec;
using Agent.Shell.Loop;
using LanguageExt;

namespace Agent.Shell.Journal;

/// <summary>Writes decisions to the journal and, where a segment ends, the snapshot that begins the next one.</summary>
internal sealed class Recorder<TState, TEvent, TEffect>(Binding<TState, TEvent, TEffect> machine, JournalWriter writer)
    : IRecorder<TState, TEvent, TEffect>, IDisposable
{
    /// <summary>
    /// A digest costs a pass over the whole state, so one record in this many carries one, and each start of the
    /// agent, where a wrong recovery would begin.
    /// </summary>
    private const int DigestEvery = 1024;

    // Many large events that come at once are synced in turns: no buffer has to hold all of them.
    private const int FullBytes = 16 << 20;

    private readonly RecordBody<TState, TEvent, TEffect> _body = new(machine);

    public bool IsFull => writer.Pending >= FullBytes;

    public void Append(long seq, Instant at, TEvent @event, Seq<TEffect> effects, TState after)
    {
        var digest = seq % DigestEvery == 0 || machine.IsStart(@event) ? StateDigest.Of(machine, after) : null;
        writer.Append(seq, at.UnixMilliseconds, _body.Of(@event, effects, digest));
    }

    public void Commit(Published<TState> after)
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
    private ReadOnlySpan<byte> Snapshot(Published<TState> published)
    {
        var bytes = new ArrayBufferWriter<byte>(16 << 10);
        using var json = new JsonOut(bytes);
        bytes.Write(RecordKeys.State);
        machine.Write(json, published.State);
        json.Flush();
        return bytes.WrittenSpan;
    }
}
