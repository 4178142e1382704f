using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Threading;

namespace Agent.Benchmarks.Supervision;

/// <summary>
/// PF-3 to PF-5: what supervisors are for, of ours and of others, measured in one run with one child program. Idle cpu is
/// measured of all at the same time; everything else of one after the other.
/// </summary>
internal sealed class SupervisionBench(IReadOnlyList<Contender> contenders, Table table, bool quick)
{
    private const int Many = 100;
    private const int Victims = 5;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(4);

    private static readonly Row StartOfOne = new("start until 1 service runs", "ms");
    private static readonly Row StartOfMany = new($"start until {Many} services run", "ms", "PF-3 <= 100 ms");
    private static readonly Row Respawn = new("kill -9 of a service until it runs again", "ms", "PF-3 <= 2 ms");
    private static readonly Row MemoryOfOne = new("memory with 1 service", "MiB PSS");
    private static readonly Row MemoryOfMany = new($"memory with {Many} services", "MiB PSS", "PF-5 <= 30 MiB, net10 110");
    private static readonly Row Idle = new($"idle with {Many} services, of a second", "ms of cpu", "PF-5 0");
    private static readonly Row Twice = new("manager killed, started: run twice", $"of {Many}", "PF-3 0");
    private static readonly Row Anew = new("manager killed, started: started although they ran", $"of {Many - Victims}");
    private static readonly Row Lost = new("manager killed, started: ends it cannot tell", $"of {Victims}");
    private static readonly Row HelperTwice = new("keeper, runsv, s6-supervise killed: run twice", $"of {Many}", "PF-3 0");
    private static readonly Row Leaked = new("stop: grandchild in its own session left", "of 1", "PF-3 0");
    private static readonly Row CaptureTime = new("a GiB of lines into rotated files", "s", "PF-4 <= supervisord");
    private static readonly Row CaptureCpu = new("a GiB of lines into rotated files, manager", "cpu s", "PF-4 <= supervisord");

    public static void Run(IReadOnlyList<Build> builds, bool quick)
    {
        using var folder = new TempFolder();
        if (Child.Compile(folder.Path) is not { } child)
        {
            Report.Skipped("supervision", "gcc is not here");
            return;
        }

        var ours = builds.Select(build => new Contender(build.Name, () => new Ours(build, child))).ToList();
        var peers = Peers.Here(child);
        var table = new Table([.. ours.Select(one => one.Name)], [.. peers.Select(one => one.Name)]);
        new SupervisionBench([.. ours, .. peers], table, quick).Measure();
        table.Print();
    }

    private void Measure()
    {
        foreach (var one in contenders) table.Set(StartOfOne, one.Name, MedianStart(one, 1, MemoryOfOne));
        foreach (var one in contenders) table.Set(StartOfMany, one.Name, MedianStart(one, Many, MemoryOfMany));
        var running = new List<(string Name, Supervisor Supervisor)>();
        try
        {
            foreach (var one in contenders)
            {
                var supervisor = one.Make();
                running.Add((one.Name, supervisor));
                Started(supervisor, Many);
            }

            foreach (var (name, supervisor) in running) table.Set(Respawn, name, MedianRespawn(supervisor));
            MeasureIdle(running);
            foreach (var (name, supervisor) in running) KillManager(name, supervisor);
            foreach (var (name, supervisor) in running) table.Set(HelperTwice, name, KillHelper(supervisor));
        }
        finally
        {
            foreach (var (_, supervisor) in running) supervisor.Dispose();
        }

        foreach (var one in contenders) table.Set(Leaked, one.Name, LeakedGrandchildren(one));
        foreach (var one in contenders) MeasureCapture(one);
    }

    /// <summary>Milliseconds from the launch until each service said that it runs; null when one never did.</summary>
    private static double? Started(Supervisor supervisor, int services, Work work = Work.Sleep)
    {
        supervisor.Prepare(services, work);
        var launched = Stopwatch.GetTimestamp();
        supervisor.Start();
        return supervisor.Said.AwaitAll(services, Patience) is { } at
            ? Stopwatch.GetElapsedTime(launched, at).TotalMilliseconds
            : null;
    }

    /// <summary>Of up to five starts, fewer of those who take long; the memory is measured at the end of the last.</summary>
    private double? MedianStart(Contender contender, int services, Row memory)
    {
        const int Most = 5;
        var enough = TimeSpan.FromSeconds(quick ? 0 : 4);
        var taken = new List<double>();
        for (var spent = TimeSpan.Zero; ;)
        {
            using var supervisor = contender.Make();
            if (Started(supervisor, services) is not { } took) return null;
            taken.Add(took);
            spent += TimeSpan.FromMilliseconds(took);
            if (spent < enough && taken.Count < Most) continue;
            Thread.Sleep(Settled);
            table.Set(memory, contender.Name, Belongings.PssMebibytes(supervisor.Own()));
            return Report.Median(taken);
        }
    }

    /// <summary>Each time another service, so that none is slowed down for having ended before.</summary>
    private double? MedianRespawn(Supervisor supervisor)
    {
        var taken = new List<double>();
        for (var number = 0; number < (quick ? 5 : 21); number++)
        {
            var old = supervisor.Said.Pid(number);
            var killed = Stopwatch.GetTimestamp();
            Belongings.Kill(old);
            if (supervisor.Said.Await(one => one.Number == number && one.Pid != old, Patience) is not { } next) return null;
            taken.Add(Stopwatch.GetElapsedTime(killed, next.At).TotalMilliseconds);
        }

        return Report.Median(taken);
    }

    private void MeasureIdle(IReadOnlyList<(string Name, Supervisor Supervisor)> running)
    {
        var span = TimeSpan.FromSeconds(quick ? 10 : 60);
        Thread.Sleep(Settled);
        var own = running.ToDictionary(one => one.Name, one => one.Supervisor.Own());
        var before = own.ToDictionary(one => one.Key, one => Belongings.CpuSeconds(one.Value));
        Thread.Sleep(span);
        foreach (var (name, pids) in own)
        {
            table.Set(Idle, name, (Belongings.CpuSeconds(pids) - before[name]) * 1000 / span.TotalSeconds);
        }
    }

    /// <summary>Services end while their manager is dead; then it is started again as an operator would.</summary>
    private void KillManager(string name, Supervisor supervisor)
    {
        supervisor.RecordEnds();
        var before = supervisor.Running();
        supervisor.KillManager();
        for (var number = Many - Victims; number < Many; number++) Belongings.Kill(supervisor.Said.Pid(number));
        Thread.Sleep(Settled);
        supervisor.Start();
        AwaitQuiet(supervisor);
        var after = supervisor.Running();
        table.Set(Twice, name, after.Count(service => service.Count() > 1));
        table.Set(Anew, name, after.Count(service =>
            service.Key < Many - Victims && service.Any(pid => !before[service.Key].Contains(pid))));
        table.Set(Lost, name, Enumerable.Range(Many - Victims, Victims).Count(number => !supervisor.TellsEnd(number)));
    }

    private static double? KillHelper(Supervisor supervisor)
    {
        var before = supervisor.Running();
        if (!supervisor.KillHelper()) return null;
        AwaitQuiet(supervisor);
        return supervisor.Running().Count(service => service.Count() > before[service.Key].Count());
    }

    private static void AwaitQuiet(Supervisor supervisor)
    {
        for (var since = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(since) < Patience;)
        {
            if (Stopwatch.GetElapsedTime(Math.Max(since, supervisor.Said.LastAt)) > Quiet) return;
            Thread.Sleep(Quiet / 40);
        }
    }

    private static double? LeakedGrandchildren(Contender contender)
    {
        using var supervisor = contender.Make();
        if (Started(supervisor, 1, Work.Grandchild) is null
            || supervisor.Said.Await(one => one.Number == Child.GrandchildNumber, Patience) is null) return null;
        Thread.Sleep(Settled);
        supervisor.StopOne(0);
        for (var watch = Stopwatch.StartNew(); supervisor.Running().Contains(0) && watch.Elapsed < Patience;)
        {
            Thread.Sleep(Settled / 40);
        }

        Thread.Sleep(Settled);
        return supervisor.Running()[Child.GrandchildNumber].Count();
    }

    private void MeasureCapture(Contender contender)
    {
        using var supervisor = contender.Make();
        table.Set(CaptureTime, contender.Name, null);
        if (!supervisor.Captures || Started(supervisor, 1, Work.Write) is null) return;
        Thread.Sleep(Settled);
        var own = supervisor.Own();
        var before = Belongings.CpuSeconds(own);
        File.WriteAllText(Path.Combine(supervisor.Home, Child.Go), "");
        var began = supervisor.Said.Await(one => one.Kind == 'w', Patience);
        var ended = supervisor.Said.Await(one => one.Kind == 'e', Patience);
        if (began is null || ended is null) return;
        table.Set(CaptureTime, contender.Name, Stopwatch.GetElapsedTime(began.Value.At, ended.Value.At).TotalSeconds);
        table.Set(CaptureCpu, contender.Name, Belongings.CpuSeconds(own) - before);
    }
}
