using System;
using System.Buffers;
using System.Collections.Generic;
using System.Text.Json;
using Agent.Core.Plane;
using Agent.Shell.Journal.Codec;

namespace Agent.Shell.Uplink;

/// <summary>
/// What a host tells its plane, as it goes over the wire: the very form in which both journals have it, so that what
/// is stepped there is what was stepped here.
/// </summary>
internal static class Tellings
{
    /// <summary>What one post may hold: a full batch and a host's rollouts as a whole.</summary>
    public const int Most = 1024;

    public static ReadOnlyMemory<byte> Write(IReadOnlyList<Telling> tellings)
    {
        var bytes = new ArrayBufferWriter<byte>(4096);
        using var to = new JsonOut(bytes);
        to.Begin().BeginList("tellings"u8);
        foreach (var telling in tellings) PlaneCodec.Write(to, telling);
        to.EndList().End();
        to.Flush();
        return bytes.WrittenMemory;
    }

    /// <summary>The tellings, or in words why these bytes are none.</summary>
    public static (IReadOnlyList<Telling>? Tellings, string? Fault) Read(ReadOnlySpan<byte> body)
    {
        try
        {
            var tellings = new List<Telling>();
            var from = new JsonIn(body);
            from.Begin();
            from.BeginList("tellings"u8);
            while (!from.AtListEnd)
            {
                if (tellings.Count == Most) return (null, $"more than {Most} tellings");
                tellings.Add(PlaneCodec.ReadTelling(ref from));
            }

            from.EndList();
            from.End();
            return from.Consumed == body.Length ? (tellings, null) : (null, "something follows the tellings");
        }
        catch (Exception failure) when (failure is UnknownRecordException or JsonException or FormatException
            or OverflowException or InvalidOperationException or ArgumentException)
        {
            return (null, failure.Message);
        }
    }
}
