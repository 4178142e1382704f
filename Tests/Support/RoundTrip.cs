using System;
using System.Buffers;
using System.Text;
using System.Text.Json;
using Agent.Shell.Journal.Codec;
using Xunit;

namespace Agent.Tests.Support;

/// <summary>What a codec writes, and that it reads back as it was.</summary>
internal static class RoundTrip
{
    public delegate JsonOut Writer<in T>(JsonOut to, T value);

    public delegate T Reader<out T>(ref JsonIn from);

    /// <summary>One whole JSON value of the same case, and the same text again.</summary>
    public static void Check<T>(T value, Writer<T> write, Reader<T> read)
        where T : notnull
    {
        var written = Bytes(value, write);
        using var parsed = JsonDocument.Parse(written);
        var from = new JsonIn(written);
        var again = read(ref from);
        Assert.Equal(written.Length, from.Consumed);
        Assert.Equal(value.GetType(), again.GetType());
        Assert.Equal(Encoding.UTF8.GetString(written), Text(again, write));
    }

    /// <summary>Effects are written only: one JSON object that names its case.</summary>
    public static void CheckObject<T>(T value, Writer<T> write)
    {
        using var parsed = JsonDocument.Parse(Bytes(value, write));
        Assert.NotEmpty(parsed.RootElement.GetProperty("type").GetString()!);
    }

    public static string Text<T>(T value, Writer<T> write) => Encoding.UTF8.GetString(Bytes(value, write));

    private static byte[] Bytes<T>(T value, Writer<T> write)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using var json = new JsonOut(bytes);
        write(json, value).Flush();
        return bytes.WrittenSpan.ToArray();
    }
}
