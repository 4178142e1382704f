using System;
using System.Collections.Generic;
using System.IO;
using Agent.Core.Host;
using Agent.Core.Time;
using Agent.Shell.Journal;
using Agent.Shell.Loop;

namespace Agent.Benchmarks;

/// <summary>PF-2: a million events from the disk, each decided anew and held against its record; and the step alone.</summary>
internal static class ReplayBench
{
    private const int Events = 1_000_000;
    private const int Runs = 3;

    // As large as a batch of the loop gets.
    private const int CommitEvery = 1024;

    public static void Replay()
    {
        using var folder = new TempFolder();
        var bytes = Write(folder.Path);
        Report.Figure("replay: journal on the disk", bytes / (double)Events, "bytes/event");
        var scans = new List<double>();
        var replays = new List<double>();
        for (var n = 0; n < Runs; n++)
        {
            scans.Add(Rate(() => JournalReader.Read(folder.Path, 1, (_, _, _) => true)));
            replays.Add(Rate(() => Check(JournalReplay.Run(HostBinding.Instance, folder.Path, long.MaxValue, _ => { }))));
        }

        Report.Figure("replay: scan alone, checksums included", Report.Median(scans), "events/cpu s");
        Report.Figure("replay: decisions and digests checked", Report.Median(replays), "events/cpu s", "PF-2 >= 1,000,000");
    }

    public static void Step()
    {
        var trace = new List<Timed<HostEvent>>(Events);
        new Trace(1).Play(Events, (input, _) => trace.Add(input));
        var rates = new List<double>();
        for (var n = 0; n < Runs; n++)
        {
            rates.Add(Rate(() =>
            {
                var state = HostState.Initial;
                foreach (var input in trace) state = HostMachine.Step(state, input).State;
            }));
        }

        Report.Figure("step: in memory", Report.Median(rates), "steps/cpu s");
    }

    /// <summary>Through the recorder, as the agent writes it; nothing is ever removed.</summary>
    private static long Write(string directory)
    {
        var options = JournalOptions.Default with { KeepSegments = int.MaxValue };
        using var recorder = new Recorder<HostState, HostEvent, HostEffect>(HostBinding.Instance, JournalWriter.Begin(directory, options, nextSeq: 1));
        long seq = 0;
        new Trace(1).Play(Events, (input, decided) =>
        {
            recorder.Append(++seq, input.At, input.Event, decided.Effects, decided.State);
            if (seq % CommitEvery == 0 || seq == Events) recorder.Commit(new Published<HostState>(seq, input.At, decided.State));
        });
        long bytes = 0;
        foreach (var file in new DirectoryInfo(directory).GetFiles("*.log")) bytes += file.Length;
        return bytes;
    }

    private static void Check(ReplayOutcome<HostState> outcome)
    {
        if (outcome is { Events: Events, Differences: 0 }) return;
        throw new InvalidOperationException($"{outcome.Events} events and {outcome.Differences} differences");
    }

    // Processor time, not the clock's: the budget is for one core, and this machine's may be shared.
    private static double Rate(Action run)
    {
        var before = Environment.CpuUsage.TotalTime;
        run();
        return Events / (Environment.CpuUsage.TotalTime - before).TotalSeconds;
    }
}
