using System;
using System.Collections.Generic;
using System.Text.Json;
using Agent.Core.Time;
using LanguageExt;

namespace Agent.Shell.Journal.Codec;

/// <summary>
/// Reads what <see cref="JsonOut"/> writes, field by field in the same order; anything else is no record of ours.
/// </summary>
internal ref struct JsonIn
{
    // What others tell is stepped with, summed up and shown. A thousand years from now, and spans of a hundred, leave room
    // for that within what a date can be.
    private const long LatestOfOthers = 32_503_680_000_000;
    private const long LongestOfOthers = 3_155_760_000_000;

    private readonly bool _isForeign;
    private Utf8JsonReader _reader;

    /// <param name="isForeign">
    /// Somebody else wrote it, and not this program's own disk: instants and spans have bounds.
    /// </param>
    public JsonIn(ReadOnlySpan<byte> json, bool isForeign = false)
    {
        _isForeign = isForeign;
        _reader = new Utf8JsonReader(json);
        Read();
    }

    /// <summary>Bytes read, the value under way included.</summary>
    public readonly long Consumed => _reader.BytesConsumed;

    public readonly bool IsNull => _reader.TokenType == JsonTokenType.Null;

    /// <summary>The object under way has no further field.</summary>
    public readonly bool AtObjectEnd => _reader.TokenType == JsonTokenType.EndObject;

    public readonly bool AtListEnd => _reader.TokenType == JsonTokenType.EndArray;

    /// <summary>Enters an object and reads its type.</summary>
    public string BeginTyped()
    {
        Begin();
        return Text("type"u8);
    }

    public void Begin()
    {
        Expect(JsonTokenType.StartObject);
        Read();
    }

    /// <summary>Leaves the object. Its value is complete; a following one is read by the next call.</summary>
    public void End()
    {
        Expect(JsonTokenType.EndObject);
        ReadIfMore();
    }

    public void Name(ReadOnlySpan<byte> name)
    {
        if (!AtName(name))
        {
            throw new UnknownRecordException($"expected \"{System.Text.Encoding.UTF8.GetString(name)}\"", Consumed);
        }

        Read();
    }

    /// <summary>Whether a field that may be left out is the next one.</summary>
    public readonly bool AtName(ReadOnlySpan<byte> name) =>
        _reader.TokenType == JsonTokenType.PropertyName && _reader.ValueTextEquals(name);

    /// <summary>Passes over the name of a field that may be left out, and says whether it is there.</summary>
    public bool TakeName(ReadOnlySpan<byte> name)
    {
        if (!AtName(name)) return false;
        Read();
        return true;
    }

    public string Text(ReadOnlySpan<byte> name)
    {
        Name(name);
        return TextValue();
    }

    public Option<string> TextOrNone(ReadOnlySpan<byte> name)
    {
        Name(name);
        return TakeNull() ? Option<string>.None : TextValue();
    }

    public Seq<string> Texts(ReadOnlySpan<byte> name)
    {
        var values = new List<string>();
        BeginList(name);
        while (!AtListEnd) values.Add(TextValue());
        EndList();
        return values.ToArray().ToSeq();
    }

    public long Number(ReadOnlySpan<byte> name)
    {
        Name(name);
        return NumberValue();
    }

    public int Int(ReadOnlySpan<byte> name) => checked((int)Number(name));

    public Option<int> IntOrNone(ReadOnlySpan<byte> name)
    {
        Name(name);
        return TakeNull() ? Option<int>.None : checked((int)NumberValue());
    }

    public bool Flag(ReadOnlySpan<byte> name)
    {
        Name(name);
        if (_reader.TokenType is not (JsonTokenType.True or JsonTokenType.False)) Expect(JsonTokenType.True);
        var value = _reader.GetBoolean();
        ReadIfMore();
        return value;
    }

    public Instant At(ReadOnlySpan<byte> name)
    {
        Name(name);
        return InstantValue();
    }

    public Option<Instant> AtOrNone(ReadOnlySpan<byte> name)
    {
        Name(name);
        return TakeNull() ? Option<Instant>.None : InstantValue();
    }

    public TimeSpan Span(ReadOnlySpan<byte> name)
    {
        Name(name);
        return SpanValue();
    }

    public Option<TimeSpan> SpanOrNone(ReadOnlySpan<byte> name)
    {
        Name(name);
        return TakeNull() ? Option<TimeSpan>.None : SpanValue();
    }

    public void BeginList(ReadOnlySpan<byte> name)
    {
        Name(name);
        BeginList();
    }

    public void BeginList()
    {
        Expect(JsonTokenType.StartArray);
        Read();
    }

    public void EndList()
    {
        Expect(JsonTokenType.EndArray);
        ReadIfMore();
    }

    /// <summary>Passes over a null and says whether there was one.</summary>
    public bool TakeNull()
    {
        if (!IsNull) return false;
        ReadIfMore();
        return true;
    }

    private Instant InstantValue()
    {
        var value = NumberValue();
        if (_isForeign && value is < 0 or > LatestOfOthers) throw new UnknownRecordException($"{value} is no time", Consumed);
        return new(value);
    }

    private TimeSpan SpanValue()
    {
        var value = NumberValue();
        if (_isForeign && value is < 0 or > LongestOfOthers) throw new UnknownRecordException($"{value} is no span", Consumed);
        return TimeSpan.FromMilliseconds(value);
    }

    private string TextValue()
    {
        Expect(JsonTokenType.String);
        var value = _reader.GetString()!;
        ReadIfMore();
        return value;
    }

    private long NumberValue()
    {
        Expect(JsonTokenType.Number);
        if (!_reader.TryGetInt64(out var value)) throw new UnknownRecordException("expected a whole number", Consumed);
        ReadIfMore();
        return value;
    }

    private readonly void Expect(JsonTokenType type)
    {
        if (_reader.TokenType != type) throw new UnknownRecordException($"expected {type}", Consumed);
    }

    private void Read()
    {
        if (!_reader.Read()) throw new UnknownRecordException("ends too early", Consumed);
    }

    // The outermost value may be followed by the rest of its record, which is not this reader's business.
    private void ReadIfMore()
    {
        if (_reader.CurrentDepth > 0 || _reader.TokenType is JsonTokenType.PropertyName) Read();
    }
}

/// <summary>A record that this build does not know, or that no build ever wrote.</summary>
internal sealed class UnknownRecordException : Exception
{
    public UnknownRecordException()
    {
    }

    public UnknownRecordException(string message)
        : base(message)
    {
    }

    public UnknownRecordException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    public UnknownRecordException(string detail, long offset)
        : this($"unknown record: {detail} near byte {offset} of its object")
    {
    }
}
