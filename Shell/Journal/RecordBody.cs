using System;
using System.Buffers;
using System.Text;
using Agent.Core.Host;
using Agent.Shell.Journal.Codec;
using LanguageExt;

namespace Agent.Shell.Journal;

/// <summary>
/// Builds the body of a record: the event, the effects decided (left out when there are none) and, from time to time,
/// the digest of the state after it. The buffer is reused; the result is valid until the next call.
/// </summary>
internal sealed class RecordBody : IDisposable
{
    private readonly ArrayBufferWriter<byte> _bytes = new(4096);
    private readonly JsonOut _json;

    public RecordBody() => _json = new JsonOut(_bytes);

    public void Dispose() => _json.Dispose();

    public ReadOnlySpan<byte> Of(HostEvent @event, Seq<HostEffect> effects, string? digest)
    {
        _bytes.ResetWrittenCount();
        _bytes.Write(HostCodec.EventKey);
        _json.Reset(_bytes);
        HostCodec.Write(_json, @event);
        _json.Flush();
        AppendEffects(effects);
        if (digest is not null)
        {
            _bytes.Write(HostCodec.DigestKey);
            _bytes.Advance(Encoding.ASCII.GetBytes(digest, _bytes.GetSpan(StateDigest.Length)));
            _bytes.Write("\""u8);
        }

        return _bytes.WrittenSpan;
    }

    /// <summary>Only what follows the event, to be held against what a record says.</summary>
    public ReadOnlySpan<byte> Of(Seq<HostEffect> effects)
    {
        _bytes.ResetWrittenCount();
        AppendEffects(effects);
        return _bytes.WrittenSpan;
    }

    private void AppendEffects(Seq<HostEffect> effects)
    {
        if (effects.IsEmpty) return;
        _bytes.Write(HostCodec.EffectsKey);
        _json.Reset(_bytes);
        HostCodec.Write(_json, effects);
        _json.Flush();
    }
}
