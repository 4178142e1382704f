using System;
using System.Collections.Generic;
using System.IO;
using Agent.Benchmarks;
using Agent.Benchmarks.Supervision;

// Agent.Benchmarks [NAME] [--quick] [--aot PATH]: prints one line for each figure. Nothing fails on a missed budget: what a
// machine shared with others measures is for people to judge.
var aot = Array.IndexOf(args, "--aot") is >= 0 and var at && at + 1 < args.Length ? Path.GetFullPath(args[at + 1]) : null;
var name = args.Length > 0 && !args[0].StartsWith("--", StringComparison.Ordinal) ? args[0] : null;
var builds = new List<Build> { new("net10", Path.Combine(AppContext.BaseDirectory, "agent")) };
if (aot is not null) builds.Add(new("aot", aot));

var benchmarks = new Dictionary<string, Action>(StringComparer.Ordinal)
{
    ["journal"] = JournalBench.Run,
    ["step"] = ReplayBench.Step,
    ["replay"] = ReplayBench.Replay,
    ["start"] = () => builds.ForEach(StartBench.Run),
    ["api"] = () => builds.ForEach(ApiBench.Run),
    ["logs"] = () => builds.ForEach(LogBench.Run),
    ["fleet"] = () => builds.ForEach(FleetBench.Run),
    ["supervision"] = () => SupervisionBench.Run(builds, args.Contains("--quick")),
};
if (name is not null && !benchmarks.ContainsKey(name))
{
    Console.Error.WriteLine($"no benchmark {name}; there are: {string.Join(", ", benchmarks.Keys)}");
    return 2;
}

Report.Head();
foreach (var (one, run) in benchmarks)
{
    if (name is null || name == one) run();
}

return 0;
