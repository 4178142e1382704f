using System;
using System.Buffers;
using System.Text;
using Agent.Shell.Journal.Codec;
using Agent.Shell.Loop;
using LanguageExt;

namespace Agent.Shell.Journal;

/// <summary>
/// Builds the body of a record: the event, the effects decided (left out when there are none) and, from time to time,
/// the digest of the state after it. The buffer is reused; the result is valid until the next call.
/// </summary>
internal sealed class RecordBody<TState, TEvent, TEffect> : IDisposable
{
    private readonly ArrayBufferWriter<byte> _bytes = new(4096);
    private readonly Binding<TState, TEvent, TEffect> _machine;
    private readonly JsonOut _json;

    public RecordBody(Binding<TState, TEvent, TEffect> machine)
    {
        _machine = machine;
        _json = new JsonOut(_bytes);
    }

    public void Dispose() => _json.Dispose();

    public ReadOnlySpan<byte> Of(TEvent @event, Seq<TEffect> effects, string? digest)
    {
        _bytes.ResetWrittenCount();
        _bytes.Write(RecordKeys.Event);
        _json.Reset(_bytes);
        _machine.Write(_json, @event);
        _json.Flush();
        AppendEffects(effects);
        if (digest is not null)
        {
            _bytes.Write(RecordKeys.Digest);
            _bytes.Advance(Encoding.ASCII.GetBytes(digest, _bytes.GetSpan(StateDigest.Length)));
            _bytes.Write("\""u8);
        }

        return _bytes.WrittenSpan;
    }

    /// <summary>Only what follows the event, to be held against what a record says.</summary>
    public ReadOnlySpan<byte> Of(Seq<TEffect> effects)
    {
        _bytes.ResetWrittenCount();
        AppendEffects(effects);
        return _bytes.WrittenSpan;
    }

    private void AppendEffects(Seq<TEffect> effects)
    {
        if (effects.IsEmpty) return;
        _bytes.Write(RecordKeys.Effects);
        _json.Reset(_bytes);
        _machine.Write(_json, effects);
        _json.Flush();
    }
}

/// <summary>What stands before the parts of a record and of a snapshot.</summary>
internal static class RecordKeys
{
    public static ReadOnlySpan<byte> Event => "\"event\":"u8;

    public static ReadOnlySpan<byte> Effects => ",\"effects\":"u8;

    public static ReadOnlySpan<byte> Digest => ",\"digest\":\""u8;

    public static ReadOnlySpan<byte> State => "\"state\":"u8;
}
