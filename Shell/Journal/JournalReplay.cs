using System;
using System.Buffers;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using Agent.Shell.Journal.Codec;
using Agent.Shell.Loop;

namespace Agent.Shell.Journal;

/// <summary>Replays a journal, or one segment of it, from the state that it begins with.</summary>
internal static class JournalReplay
{
    /// <summary>Replays up to and including a seq; each difference is told as it is found.</summary>
    public static ReplayOutcome<TState> Run<TState, TEvent, TEffect>(
        Binding<TState, TEvent, TEffect> machine, string path, long until, Action<Difference> tell)
    {
        var files = FilesOf(path);
        var first = long.Parse(Path.GetFileNameWithoutExtension(files[0]), CultureInfo.InvariantCulture);
        var start = JournalRecovery.StartOf(machine, Path.GetDirectoryName(Path.GetFullPath(files[0]))!, first);
        using var replayer = new Replayer<TState, TEvent, TEffect>(machine, start.State);
        long events = 0;
        long differences = 0;
        var end = JournalReader.Read(files, first, (record, _, _) =>
        {
            if (record.Seq > until) return false;
            events++;
            if (replayer.Step(record.Seq, record.UnixMilliseconds, record.Body) is { } difference)
            {
                differences++;
                tell(difference);
            }

            return true;
        });
        return new(events, differences, end.DroppedBytes, replayer.State);
    }

    /// <summary>A state in its written form.</summary>
    public static string Show<TState, TEvent, TEffect>(Binding<TState, TEvent, TEffect> machine, TState state)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using var json = new JsonOut(bytes);
        machine.Write(json, state);
        json.Flush();
        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    /// <summary>The segments at a path, which is a journal's directory or one segment.</summary>
    public static List<string> FilesOf(string path)
    {
        if (File.Exists(path))
        {
            var (name, kind) = (Path.GetFileNameWithoutExtension(path), Path.GetExtension(path));
            if (kind == JournalFiles.Segment && long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out _)) return [path];
            throw new FileNotFoundException(
                $"{path} is no segment of a journal, whose name is its first seq; `agent journal export --to FOLDER` makes a "
                + "copy that can be replayed elsewhere");
        }

        if (!Directory.Exists(path)) throw new FileNotFoundException($"there is no journal at {path}");
        var files = JournalFiles.Seqs(path, JournalFiles.Segment)
            .Select(seq => JournalFiles.PathOf(path, seq, JournalFiles.Segment)).ToList();
        return files.Count > 0 ? files : throw new FileNotFoundException($"{path} holds no journal");
    }
}

/// <summary>What a replay found.</summary>
internal sealed record ReplayOutcome<TState>(long Events, long Differences, long DroppedBytes, TState State);
