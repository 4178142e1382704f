using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Threading;

namespace Agent.Benchmarks;

/// <summary>PF-5: what an idle agent costs, how soon it answers, and how long a command takes.</summary>
internal static class StartBench
{
    private const int Starts = 15;
    private const int Commands = 20;
    private const int Services = 100;

    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(10);

    public static void Run(Build build)
    {
        var aot = build.Name == "aot";
        Report.Figure(
            $"{build.Name}: first answer", Report.Median(FirstAnswers(build)), "ms", $"PF-5 <= {(aot ? 25 : 200)} ms");
        using (var bare = AgentProcess.Start(build))
        {
            Thread.Sleep(Idle / 5);
            Report.Figure($"{build.Name}: agent and keeper, no service", bare.PssMebibytes, "MiB PSS");
        }

        using var full = AgentProcess.Start(build, AgentProcess.Sleepers(Services));
        full.AwaitRunning(Services);
        Report.Figure($"{build.Name}: `agent ps`", Report.Median(Asking(build, full)), "ms", aot ? "PF-5 <= 6 ms" : "");
        Thread.Sleep(Idle / 5);
        var before = full.CpuTicks;
        Thread.Sleep(Idle);
        Report.Figure(
            $"{build.Name}: agent and keeper, {Services} services", full.PssMebibytes, "MiB PSS",
            $"PF-5 <= {(aot ? 30 : 110)} MiB");
        Report.Figure($"{build.Name}: idle for {Idle.TotalSeconds:0} s", (full.CpuTicks - before) * 10, "ms of cpu", "PF-5 0");
    }

    private static List<double> FirstAnswers(Build build)
    {
        var answers = new List<double>();
        for (var n = 0; n < Starts; n++)
        {
            using var agent = AgentProcess.Start(build);
            answers.Add(agent.FirstAnswer.TotalMilliseconds);
        }

        return answers;
    }

    private static List<double> Asking(Build build, AgentProcess agent) => [.. Enumerable.Range(0, Commands).Select(_ =>
    {
        var watch = Stopwatch.StartNew();
        Programs.Run(build.Path, "ps", "--socket", agent.Socket);
        return watch.Elapsed.TotalMilliseconds;
    })];
}
