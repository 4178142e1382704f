using System;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Agent.Tests.Support;
using Xunit;
using Xunit.Abstractions;

namespace Agent.Tests.EndToEnd;

/// <summary>Starts and ends in great number leave nothing behind. AGENT_LONG=1 makes it ten thousand.</summary>
[Collection(nameof(MeasuredCollection))]
public sealed class StartsTests(ITestOutputHelper told)
{
    private const int AtOnce = 16;

    // What warms up late, and what a collector keeps for its next round; two kilobytes a start would be as much.
    private const long SlackKiB = 20 << 10;

    private const string Yaml = """
        services:
          again: { command: [/bin/sleep, "1000"], restart: always }
        """;

    /// PR-14, PF-5, upstream clear_on_return_resets_orphaned_resources, concurrent_cap_enforced_and_stop_reaps: tasks
    /// that run, that fail to start and that are stopped, and a service that is restarted: descriptors, threads,
    /// memory, cgroups, FIFOs, rings, sockets, secrets and the keeper's log are afterwards what they were.
    [Fact]
    public async Task Ten_thousand_starts_leave_nothing_behind()
    {
        var starts = Extent.Of(brief: 200, full: 10_000);
        using var agent = new AgentUnderTest(Yaml);
        await agent.StartAsync();
        await agent.UntilAsync("the service runs", async () => (await agent.PidsByLabelAsync()).ContainsKey("again"));
        await StartAsync(agent, starts);
        var before = await AtRestAsync(agent);
        var watch = Stopwatch.StartNew();
        await StartAsync(agent, starts);
        var rate = starts / watch.Elapsed.TotalSeconds;
        var after = await AtRestAsync(agent);
        told.WriteLine($"{starts} starts after {starts} others, {rate:F0} a second\nbefore: {before}\nafter:  {after}");
        Assert.Equal(before.Files, after.Files);
        IsNoMore(before.Agent, after.Agent);
        IsNoMore(before.Keeper, after.Keeper);
        Assert.InRange(after.KeeperLog, 0, 2 << 20);
        Assert.Single(await agent.ProcessesAsync());
    }

    private static async Task StartAsync(AgentUnderTest agent, int starts)
    {
        var service = (string)(await agent.ProcessesAsync()).Single()["id"]!;
        await Parallel.ForAsync(0, starts, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (n, _) =>
        {
            if (n % 40 == 0)
            {
                Assert.Equal(200, (await agent.PostAsync($"/v1/processes/{service}/restart")).Status);
            }
            else if (n % 10 == 1)
            {
                Assert.Equal(400, (await agent.PostAsync("/v1/processes", """{"command":["/nowhere/at/all"]}""")).Status);
            }
            else if (n % 10 == 2)
            {
                var id = (string)(await agent.SpawnAsync("""{"command":["/bin/sleep","1000"],"stdin":"open"}"""))["id"]!;
                Assert.Equal(200, (await agent.PostAsync($"/v1/processes/{id}/stop")).Status);
                Assert.Equal(204, await agent.DeleteAsync($"/v1/processes/{id}"));
            }
            else
            {
                var body = $$"""{"command":["/bin/sh","-c","echo hello; exit {{n % 5}}"],"env":{"A":"b"} }""";
                var id = (string)(await agent.SpawnAsync(body))["id"]!;
                var (_, exit) = await agent.PostAsync($"/v1/processes/{id}/wait", """{"timeoutMs":30000}""");
                Assert.Equal(n % 5, (int)exit!["code"]!);
                Assert.Equal(204, await agent.DeleteAsync($"/v1/processes/{id}"));
            }
        });
    }

    /// <summary>The sample of when all that was begun has been cleared away: two in a row that agree on files.</summary>
    private static async Task<Sample> AtRestAsync(AgentUnderTest agent)
    {
        await agent.UntilAsync("the service runs again", async () =>
            (string)(await agent.ProcessesAsync()).Single()["phase"]! == "running");
        var sample = Take(agent);
        await agent.UntilAsync("all is cleared away", async () =>
        {
            var earlier = sample;
            await Task.Delay(300);
            sample = Take(agent);
            return sample.Files == earlier.Files && sample.Agent.Descriptors == earlier.Agent.Descriptors
                && sample.Keeper.Descriptors == earlier.Keeper.Descriptors;
        });
        return sample;
    }

    private static Sample Take(AgentUnderTest agent) => new(
        Footprint.Of(agent.Pid),
        Footprint.Of(agent.KeeperPid),
        new(
            Count(agent.Runtime, "io"),
            Count(agent.Runtime, "rings"),
            Count(agent.State, "secrets"),
            Directory.GetFileSystemEntries(agent.Runtime).Length,
            Cgroups(agent)),
        new FileInfo(Path.Combine(agent.State, "keeper", "children.log")).Length);

    private static int Count(string root, string folder) => Directory.GetFileSystemEntries(Path.Combine(root, folder)).Length;

    private static int Cgroups(AgentUnderTest agent)
    {
        var name = $"agent-{Shell.Journal.Crc32C.Of(System.Text.Encoding.UTF8.GetBytes(agent.Runtime)):x8}";
        return Directory.Exists("/sys/fs/cgroup")
            ? Directory.EnumerateDirectories("/sys/fs/cgroup", name, new EnumerationOptions
            {
                RecurseSubdirectories = true, MaxRecursionDepth = 4, IgnoreInaccessible = true,
            }).Sum(folder => Directory.GetDirectories(folder).Length)
            : 0;
    }

    private static void IsNoMore(Footprint before, Footprint after)
    {
        // Connections and pool threads come and go; what leaks does not stop at these.
        Assert.InRange(after.Descriptors, 0, before.Descriptors + 4);
        Assert.InRange(after.Threads, 0, before.Threads + AtOnce);
        Assert.InRange(after.PssKiB, 0, before.PssKiB + SlackKiB);
    }

    private sealed record Left(int Fifos, int Rings, int Secrets, int InRuntime, int Cgroups);

    private sealed record Sample(Footprint Agent, Footprint Keeper, Left Files, long KeeperLog);
}
