using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using Agent.Core.Host;
using Agent.Shell.Journal;
using Agent.Shell.Loop;

namespace Agent.Benchmarks;

/// <summary>PF-1: durable events by the real writer, beside a loop in C that overwrites zeroed blocks.</summary>
internal static class JournalBench
{
    private const int Runs = 5;
    private const int Records = 1000;

    private static readonly TimeSpan RunFor = TimeSpan.FromMilliseconds(400);

    public static void Run()
    {
        using var folder = new TempFolder();
        var bodies = Bodies();
        Report.Figure("journal: mean record body", bodies.Average(body => body.Length), "bytes");
        var lines = Path.Combine(folder.Path, "lines");
        File.WriteAllBytes(lines, Lines(bodies));
        var limit = CLoop.Compile(folder.Path);
        if (limit is null) Report.Skipped("journal: the limit", "gcc is not here");
        foreach (var group in (int[])[1, 10, 100, 1000])
        {
            var ours = new List<double>();
            var theirs = new List<double>();
            for (var n = 0; n < Runs; n++)
            {
                ours.Add(Ours(Path.Combine(folder.Path, $"journal-{group}-{n}"), bodies, group));
                if (limit is not null) theirs.Add(Theirs(limit, folder.Path, lines, group));
            }

            var what = $"journal: {group} events a commit";
            if (limit is null) Report.Figure(what, Report.Median(ours), "events/s");
            else Report.Ratio(what, Report.Median(ours), Report.Median(theirs), "events/s", "PF-1 ratio >= 0.8");
        }
    }

    /// <summary>Records of a living host, taken where it has warmed up.</summary>
    private static List<byte[]> Bodies()
    {
        var bodies = new List<byte[]>();
        using var body = new RecordBody<HostState, HostEvent, HostEffect>(HostBinding.Instance);
        new Trace(1).Play(Records * 2, (input, decided) => bodies.Add(body.Of(input.Event, decided.Effects, null).ToArray()));
        return bodies[Records..];
    }

    private static byte[] Lines(List<byte[]> bodies)
    {
        var lines = new MemoryStream();
        var line = new byte[64 << 10];
        for (var n = 0; n < bodies.Count; n++)
        {
            var length = RecordLine.Write(line, n + 1, 1, 1_760_000_000_000, bodies[n]);
            lines.Write(line, 0, length);
        }

        return lines.ToArray();
    }

    private static double Ours(string directory, List<byte[]> bodies, int group)
    {
        Directory.CreateDirectory(directory);
        using var writer = JournalWriter.Begin(directory, JournalOptions.Default, nextSeq: 1);
        long seq = 1;
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < RunFor)
        {
            for (var n = 0; n < group; n++, seq++)
            {
                writer.Append(seq, 1_760_000_000_000 + seq, bodies[(int)(seq % bodies.Count)]);
            }

            writer.Commit();
            if (writer.WantsRotation) writer.Rotate(seq, 1_760_000_000_000 + seq, bodies[0]);
        }

        return (seq - 1) / watch.Elapsed.TotalSeconds;
    }

    private static double Theirs(string program, string folder, string lines, int group) => double.Parse(
        Programs.Run(
            program, Path.Combine(folder, "zeroed"), lines, group.ToString(CultureInfo.InvariantCulture),
            RunFor.TotalMilliseconds.ToString(CultureInfo.InvariantCulture)),
        CultureInfo.InvariantCulture);
}
