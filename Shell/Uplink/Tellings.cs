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

    /// <summary>
    /// What one telling may take beside its rollout's order: ten times what a large one does. A plane keeps it in its
    /// snapshots, and of a rollout that it has not published the order too.
    /// </summary>
    public const int MostBytesOfOne = 256 << 10;

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

    /// <summary>Each telling with the bytes that it took, or in words why these bytes are none.</summary>
    public static (IReadOnlyList<(Telling Telling, long Bytes)>? Tellings, string? Fault) Read(ReadOnlySpan<byte> body)
    {
        try
        {
            var tellings = new List<(Telling Telling, long Bytes)>();
            var from = new JsonIn(body, isForeign: true);
            from.Begin();
            from.BeginList("tellings"u8);
            while (!from.AtListEnd)
            {
                if (tellings.Count == Most) return (null, $"more than {Most} tellings");
                var begin = from.Consumed;
                tellings.Add((PlaneCodec.ReadTelling(ref from), from.Consumed - begin));
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
