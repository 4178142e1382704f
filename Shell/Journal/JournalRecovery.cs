using System;
using System.IO;
using System.Linq;
using System.Text;
using Agent.Core.Time;
using Agent.Shell.Journal.Codec;
using Agent.Shell.Loop;

namespace Agent.Shell.Journal;

/// <summary>
/// Folds what is on the disk into the state that stands: the newest whole snapshot and the records since, through
/// the same replayer that `agent replay` uses.
/// </summary>
internal static class JournalRecovery
{
    /// <summary>
    /// The recovered state, a writer that goes on after it, and what had to be dropped, in words, if anything.
    /// </summary>
    public static (Published<TState> State, JournalWriter Writer, string? Notice) Open<TState, TEvent, TEffect>(
        Binding<TState, TEvent, TEffect> machine, string directory, JournalOptions options)
    {
        Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        foreach (var unfinished in Directory.EnumerateFiles(directory, "*" + JournalFiles.Unfinished)) File.Delete(unfinished);
        if (JournalFiles.Seqs(directory, JournalFiles.Segment).Count == 0)
        {
            return (new(0, default, machine.Initial), JournalWriter.Begin(directory, options, nextSeq: 1), null);
        }

        var (state, end, notice) = Fold(machine, directory);
        if (end.DroppedBytes > 0)
        {
            notice = Join(notice, $"dropped {end.DroppedBytes} bytes after seq {end.NextSeq - 1} of {end.File}: "
                + "the last write was cut off before it was acknowledged");
        }

        var writer = JournalWriter.Continue(directory, options, end.SegmentSeq, end.Offset, end.NextSeq);
        return (state, writer, notice);
    }

    /// <summary>
    /// Folds it as a start does and changes nothing, while its writer may go on. The last whole seq; 0 for none.
    /// </summary>
    public static long Look<TState, TEvent, TEffect>(Binding<TState, TEvent, TEffect> machine, string directory)
    {
        if (!Directory.Exists(directory) || JournalFiles.Seqs(directory, JournalFiles.Segment).Count == 0) return 0;
        var (state, _, _) = Fold(machine, directory);
        return state.Seq;
    }

    /// <summary>
    /// The state before the first record of a segment: that of its snapshot, or the initial one before the first.
    /// </summary>
    public static Published<TState> StartOf<TState, TEvent, TEffect>(
        Binding<TState, TEvent, TEffect> machine, string directory, long segmentSeq) => segmentSeq == 1
        ? new(0, default, machine.Initial)
        : TrySnapshot(machine, directory, segmentSeq) ?? throw new JournalDamage(
            JournalFiles.PathOf(directory, segmentSeq, JournalFiles.Snapshot), 0, segmentSeq,
            "the snapshot that this segment begins with is missing or damaged");

    private static (Published<TState> State, JournalEnd End, string? Notice) Fold<TState, TEvent, TEffect>(
        Binding<TState, TEvent, TEffect> machine, string directory)
    {
        var (start, notice) = NewestStart(machine, directory);
        using var replayer = new Replayer<TState, TEvent, TEffect>(machine, start.State);
        var end = JournalReader.Read(directory, start.Seq + 1, (record, _, _) =>
        {
            replayer.Step(record.Seq, record.UnixMilliseconds, record.Body);
            return true;
        });
        var at = replayer.At > start.At ? replayer.At : start.At;
        return (new(end.NextSeq - 1, at, replayer.State), end, notice);
    }

    private static (Published<TState> Start, string? Notice) NewestStart<TState, TEvent, TEffect>(
        Binding<TState, TEvent, TEffect> machine, string directory)
    {
        string? notice = null;
        foreach (var seq in JournalFiles.Seqs(directory, JournalFiles.Segment).AsEnumerable().Reverse())
        {
            if (seq == 1) return (new(0, default, machine.Initial), notice);
            if (TrySnapshot(machine, directory, seq) is { } start) return (start, notice);
            notice = Join(notice, $"the snapshot before seq {seq} is missing or damaged, an older one is used");
        }

        throw new JournalDamage(directory, 0, 1, "no whole snapshot, and the history does not begin at seq 1");
    }

    private static Published<TState>? TrySnapshot<TState, TEvent, TEffect>(
        Binding<TState, TEvent, TEffect> machine, string directory, long seq)
    {
        var path = JournalFiles.PathOf(directory, seq, JournalFiles.Snapshot);
        if (!File.Exists(path)) return null;
        var bytes = File.ReadAllBytes(path);
        var length = bytes.AsSpan().IndexOf((byte)'\n');
        if (length < 0 || !RecordLine.TryRead(bytes.AsSpan(0, length), out var line) || line.Seq != seq) return null;
        if (!line.Body.StartsWith(RecordKeys.State)) return null;
        var from = new JsonIn(line.Body[RecordKeys.State.Length..]);
        return new(seq - 1, new Instant(line.UnixMilliseconds), machine.ReadState(ref from));
    }

    private static string Join(string? first, string second) => first is null ? second : $"{first}; {second}";
}
