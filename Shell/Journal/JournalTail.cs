using System;
using System.Collections.Generic;
using System.IO;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Loop;

namespace Agent.Shell.Journal;

/// <summary>
/// Reads the journal of a living agent: from a seq on, and then what comes. Only what is published, and so durable,
/// is ever handed out. It remembers its place in the segment, so following costs what is new.
/// </summary>
internal sealed class JournalTail<TState, TEvent, TEffect>(string directory, ILoop<TState, TEvent, TEffect> loop)
{
    // One look at the disk: some thousand records.
    private const int ChunkBytes = 1 << 20;

    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(
        long since, bool follow, [EnumeratorCancellation] CancellationToken stop)
    {
        var place = Find(since);
        while (true)
        {
            var durable = loop.Current.Seq;
            while (Next(ref place, since, durable) is { } records)
            {
                foreach (var record in records) yield return record;
            }

            if (!follow) yield break;
            await loop.WhenAsync(published => published.Seq > durable, stop).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// The next records up to the given seq; empty for a chunk that holds none of interest, null at the end.
    /// </summary>
    private List<byte[]>? Next(ref Place place, long since, long durable)
    {
        if (place.NextSeq > durable) return null;
        var path = JournalFiles.PathOf(directory, place.Segment, JournalFiles.Segment);
        if (!File.Exists(path)) return null;
        var chunk = Chunk(path, place.Offset, ChunkBytes);

        // A single record may be longer than that.
        for (var size = ChunkBytes; chunk.Length == size && chunk.AsSpan().IndexOf((byte)'\n') < 0 && chunk[^1] != 0; size *= 2)
        {
            chunk = Chunk(path, place.Offset, size * 2);
        }

        var records = new List<byte[]>();
        var at = 0;
        while (at < chunk.Length && place.NextSeq <= durable)
        {
            var length = chunk.AsSpan(at).IndexOf((byte)'\n');
            if (length < 0 || !RecordLine.TryRead(chunk.AsSpan(at, length), out var record)) break;
            if (record.Seq >= since) records.Add(record.Json.ToArray());
            at += length + 1;
            place = place with { Offset = place.Offset + length + 1, NextSeq = record.Seq + 1 };
        }

        if (at > 0) return records;

        // Nothing whole here though more is durable: it goes on in the segment that begins with the next seq.
        if (place.Segment == place.NextSeq) return null;
        place = new(place.NextSeq, 0, place.NextSeq);
        return records;
    }

    private static byte[] Chunk(string path, long offset, int size)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 0);
        file.Seek(offset, SeekOrigin.Begin);
        var chunk = new byte[size];
        return chunk[..file.ReadAtLeast(chunk, size, throwOnEndOfStream: false)];
    }

    private Place Find(long since)
    {
        var segments = JournalFiles.Seqs(directory, JournalFiles.Segment);
        var segment = segments[Math.Max(0, segments.FindLastIndex(seq => seq <= since))];
        return new(segment, 0, segment);
    }

    private readonly record struct Place(long Segment, long Offset, long NextSeq);
}
