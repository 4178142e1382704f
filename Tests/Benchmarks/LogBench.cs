using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;

namespace Agent.Benchmarks;

/// <summary>
/// PF-4: a GiB of lines of a hundred bytes, from a service through the agent into rotated files, beside the same
/// writer into `cat` into one file, which is the least that anybody can do with a pipe between two processes.
/// </summary>
internal static class LogBench
{
    private const int Runs = 3;
    private const long Bytes = 1L << 30;

    // A block of lines, written as a program does whose output is buffered.
    private const string Source = """
        #include <string.h>
        #include <unistd.h>

        int main(void) {
            static char block[65500];
            for (int i = 0; i < 655; i++) {
                memset(block + i * 100, 'a' + i % 26, 99);
                block[i * 100 + 99] = '\n';
            }
            for (long left = 1L << 30; left > 0; ) {
                ssize_t put = write(1, block, left < (long)sizeof block ? left : (long)sizeof block);
                if (put < 0) return 1;
                left -= put;
            }
            return 0;
        }
        """;

    public static void Run(Build build)
    {
        using var folder = new TempFolder();
        if (!File.Exists("/usr/bin/gcc"))
        {
            Report.Skipped("logs: 1 GiB of lines", "gcc is not here");
            return;
        }

        var writer = Path.Combine(folder.Path, "writer");
        File.WriteAllText(writer + ".c", Source);
        Programs.Run("/usr/bin/gcc", "-O2", "-o", writer, writer + ".c");
        var (ours, theirs) = (new List<Measured>(), new List<Measured>());
        for (var n = 0; n < Runs; n++)
        {
            theirs.Add(Cat(writer, folder.Path));
            ours.Add(Agent(build, writer));
        }

        Report.Ratio(
            $"logs: a GiB into rotated files, {build.Name}", Median(ours, one => one.Seconds), Median(theirs, one => one.Seconds),
            "s", "PF-4 supervisord 1.05 s");
        Report.Ratio(
            $"logs: cpu of agent and keeper, {build.Name}", Median(ours, one => one.CpuSeconds),
            Median(theirs, one => one.CpuSeconds), "s", "PF-4 supervisord 1.1 s");
        Report.Figure($"logs: memory more than before, {build.Name}", Median(ours, one => one.Mebibytes), "MiB", "PF-4 flat");
    }

    /// <summary>Until all of it is in files; the writer waits for a sign, so that no start is measured.</summary>
    private static Measured Agent(Build build, string writer)
    {
        using var agent = AgentProcess.Start(build, home => $"""
            services:
              talker:
                command: [/bin/sh, -c, 'while [ ! -e {home}/go ]; do sleep 0.01; done; {writer}; exec sleep 1000']
                log: {"{"} maxSize: 10MB, files: 5 {"}"}

            """);
        agent.AwaitRunning("sleep 0.01");
        var logs = Path.Combine(agent.Home, "s", "logs", "talker");
        var before = (Cpu: agent.CpuTicks, Pss: agent.PssMebibytes);
        var watch = Stopwatch.StartNew();
        File.WriteAllText(Path.Combine(agent.Home, "go"), "");
        AgentProcess.Await("all of it is filed", () => Filed(logs) >= Bytes);
        return new(watch.Elapsed.TotalSeconds, (agent.CpuTicks - before.Cpu) / 100.0, agent.PssMebibytes - before.Pss);
    }

    private static Measured Cat(string writer, string folder)
    {
        var file = Path.Combine(folder, "all");
        var watch = Stopwatch.StartNew();
        var times = Programs.Run("/bin/bash", "-c", $"{writer} | {{ cat > {file}; times; }}");
        var seconds = watch.Elapsed.TotalSeconds;
        File.Delete(file);

        // The second line is of the children: user and system, as 0m0.012s.
        var cpu = times.Split('\n')[1].Split(' ').Sum(one =>
            (double.Parse(one[..one.IndexOf('m', StringComparison.Ordinal)], CultureInfo.InvariantCulture) * 60)
            + double.Parse(one[(one.IndexOf('m', StringComparison.Ordinal) + 1)..^1], CultureInfo.InvariantCulture));
        return new(seconds, cpu, 0);
    }

    /// <summary>The position that the log has reached: its newest file's name and length.</summary>
    private static long Filed(string logs)
    {
        var newest = Directory.Exists(logs)
            ? new DirectoryInfo(logs).GetFiles("stdout.*.log").MaxBy(file => file.Name)
            : null;
        return newest is null
            ? 0
            : long.Parse(newest.Name.Split('.')[1], CultureInfo.InvariantCulture) + new FileInfo(newest.FullName).Length;
    }

    private static double Median(IEnumerable<Measured> all, Func<Measured, double> what) => Report.Median(all.Select(what));

    private sealed record Measured(double Seconds, double CpuSeconds, double Mebibytes);
}
