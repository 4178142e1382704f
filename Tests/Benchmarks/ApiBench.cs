using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Threading;

namespace Agent.Benchmarks;

/// <summary>PF-6: what callers wait for over the socket, and what durability costs them.</summary>
internal static class ApiBench
{
    private const int Calls = 5000;
    private const int CallsPerSecond = 1000;
    private const int Connections = 64;
    private const int Runs = 3;

    private static readonly TimeSpan RunFor = TimeSpan.FromSeconds(1);
    private static readonly byte[] Ensure = RawConnection.Post("/v1/runtime/ensure", """{"startIfNeeded":true}""");
    private static readonly byte[] Durable = RawConnection.Post("/v1/runtime/stop", "{}");
    private static readonly byte[] Plain = RawConnection.Get("/v1/runtime");

    public static void Run(Build build)
    {
        using (var agent = AgentProcess.Start(build, AgentProcess.SilentRuntime))
        {
            var waits = Latencies(agent.Socket);
            Report.Figure($"{build.Name}: ensure while starting, p50", waits[Calls / 2], "ms");
            Report.Figure($"{build.Name}: ensure while starting, p99", waits[Calls * 99 / 100], "ms", "PF-6 <= 5 ms");
        }

        using var bare = AgentProcess.Start(build);
        var durable = new List<double>();
        var plain = new List<double>();
        Rate(bare.Socket, Durable);
        Rate(bare.Socket, Plain);
        for (var n = 0; n < Runs; n++)
        {
            durable.Add(Rate(bare.Socket, Durable));
            plain.Add(Rate(bare.Socket, Plain));
        }

        Report.Ratio(
            $"{build.Name}: durable beside plain, {Connections} connections", Report.Median(durable), Report.Median(plain),
            "req/s", "PF-6 ratio >= 0.5");
    }

    /// <summary>Sorted, in milliseconds, each from the instant it was due: a late call counts its lateness.</summary>
    private static List<double> Latencies(string socket)
    {
        using var connection = new RawConnection(socket);
        for (var n = 0; n < Calls / 5; n++) Require(connection.Ask(Ensure));
        var waits = new List<double>(Calls);
        var watch = Stopwatch.StartNew();
        for (var n = 0; n < Calls; n++)
        {
            var due = TimeSpan.FromSeconds((double)n / CallsPerSecond);
            while (watch.Elapsed < due) Thread.Sleep(TimeSpan.Zero);
            Require(connection.Ask(Ensure));
            waits.Add((watch.Elapsed - due).TotalMilliseconds);
        }

        return [.. waits.Order()];
    }

    /// <summary>Requests per second with one under way on each connection at all times, from one thread.</summary>
    private static double Rate(string socket, byte[] request)
    {
        var connections = Enumerable.Range(0, Connections).Select(_ => new RawConnection(socket)).ToList();
        try
        {
            foreach (var connection in connections) connection.Send(request);
            var answers = 0;
            var watch = Stopwatch.StartNew();
            while (watch.Elapsed < RunFor)
            {
                foreach (var connection in connections)
                {
                    Require(connection.Receive());
                    connection.Send(request);
                    answers++;
                }
            }

            return answers / watch.Elapsed.TotalSeconds;
        }
        finally
        {
            foreach (var connection in connections) connection.Dispose();
        }
    }

    private static void Require(int status)
    {
        if (status is not (200 or 202)) throw new IOException($"the agent answered {status}");
    }
}
