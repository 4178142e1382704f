using System;
using System.Buffers;
using System.Text.Json;
using Agent.Core.Model;
using Agent.Core.Time;
using LanguageExt;

namespace Agent.Shell.Journal.Codec;

/// <summary>
/// Writes the journal's own JSON: each field under its name, in a fixed order, absent values as null. The order is
/// part of the format, because digests are taken over these bytes and <see cref="JsonIn"/> reads in the same order.
/// </summary>
internal sealed class JsonOut : IDisposable
{
    // The bytes are our own and valid by construction; checking them again would cost a fifth of the replay.
    private static readonly JsonWriterOptions Options = new() { SkipValidation = true };

    private readonly Utf8JsonWriter _writer;

    public JsonOut(IBufferWriter<byte> target) => _writer = new Utf8JsonWriter(target, Options);

    public void Dispose() => _writer.Dispose();

    /// <summary>Ends the value under way and begins one with another target.</summary>
    public void Reset(IBufferWriter<byte> target) => _writer.Reset(target);

    public void Flush() => _writer.Flush();

    public JsonOut Begin(ReadOnlySpan<byte> type)
    {
        _writer.WriteStartObject();
        _writer.WriteString("type"u8, type);
        return this;
    }

    public JsonOut Begin()
    {
        _writer.WriteStartObject();
        return this;
    }

    public JsonOut End()
    {
        _writer.WriteEndObject();
        return this;
    }

    public JsonOut Name(ReadOnlySpan<byte> name)
    {
        _writer.WritePropertyName(name);
        return this;
    }

    public JsonOut Text(ReadOnlySpan<byte> name, string value)
    {
        _writer.WriteString(name, value);
        return this;
    }

    public JsonOut Text(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        _writer.WriteString(name, value);
        return this;
    }

    public JsonOut Text(ReadOnlySpan<byte> name, Option<string> value)
    {
        if (value.TryGet(out var text)) return Text(name, text);
        _writer.WriteNull(name);
        return this;
    }

    public JsonOut Texts(ReadOnlySpan<byte> name, Seq<string> values)
    {
        _writer.WriteStartArray(name);
        foreach (var value in values) _writer.WriteStringValue(value);
        _writer.WriteEndArray();
        return this;
    }

    public JsonOut Number(ReadOnlySpan<byte> name, long value)
    {
        _writer.WriteNumber(name, value);
        return this;
    }

    public JsonOut NumberOrNull(ReadOnlySpan<byte> name, Option<int> value)
    {
        if (value.TryGet(out var number)) return Number(name, number);
        _writer.WriteNull(name);
        return this;
    }

    public JsonOut Flag(ReadOnlySpan<byte> name, bool value)
    {
        _writer.WriteBoolean(name, value);
        return this;
    }

    /// <summary>Whole milliseconds since 1970.</summary>
    public JsonOut At(ReadOnlySpan<byte> name, Instant value) => Number(name, value.UnixMilliseconds);

    public JsonOut At(ReadOnlySpan<byte> name, Option<Instant> value)
    {
        if (value.TryGet(out var at)) return At(name, at);
        _writer.WriteNull(name);
        return this;
    }

    /// <summary>Whole milliseconds.</summary>
    public JsonOut Span(ReadOnlySpan<byte> name, TimeSpan value) => Number(name, (long)value.TotalMilliseconds);

    public JsonOut Span(ReadOnlySpan<byte> name, Option<TimeSpan> value)
    {
        if (value.TryGet(out var span)) return Span(name, span);
        _writer.WriteNull(name);
        return this;
    }

    public JsonOut Null(ReadOnlySpan<byte> name)
    {
        _writer.WriteNull(name);
        return this;
    }

    public JsonOut NullValue()
    {
        _writer.WriteNullValue();
        return this;
    }

    public JsonOut BeginList(ReadOnlySpan<byte> name)
    {
        _writer.WriteStartArray(name);
        return this;
    }

    public JsonOut BeginList()
    {
        _writer.WriteStartArray();
        return this;
    }

    public JsonOut EndList()
    {
        _writer.WriteEndArray();
        return this;
    }
}
