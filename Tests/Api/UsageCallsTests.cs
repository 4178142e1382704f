using System;
using System.Linq;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Shell.Api;
using Agent.Shell.Cli;
using Agent.Shell.Linux;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.Api;

/// AP-1, PR-3: what processes are made of and what they take.
public sealed class UsageCallsTests
{
    /// PR-3: somebody else's process is as unknown as any other, and is not counted among one's own.
    [Fact]
    public async Task A_foreign_process_is_unknown()
    {
        await using var world = await ApiWorld.StartAsync();
        var info = await world.SpawnAsync();
        var (own, tree) = await world.GetAsync($"/v1/processes/{info.Id}/tree");
        var (foreign, refusal) = await world.AskAsync(1000, "GET", $"/v1/processes/{info.Id}/tree");
        var (never, unknown) = await world.AskAsync(1000, "GET", "/v1/processes/zzzz/tree");
        Assert.Equal(info.Id, ApiWorld.Read(tree, WireJson.Default.TreeInfo).Id);
        Assert.Equal((200, 404, 404), ((int)own, foreign, never));
        Assert.Equal(("no-such-process", "no-such-process"), (ApiWorld.ProblemOf(refusal).Code, ApiWorld.ProblemOf(unknown).Code));

        var (_, all) = await world.GetAsync("/v1/processes/usage");
        var (_, none) = await world.AskAsync(1000, "GET", "/v1/processes/usage");
        Assert.Equal(info.Id, Assert.Single(ApiWorld.Read(all, WireJson.Default.UsageInfo).Processes).Id);
        Assert.Empty(ApiWorld.Read(none, WireJson.Default.UsageInfo).Processes);
    }

    /// OB-1: all that was ever written counts, whether it is still there or not.
    [Fact]
    public async Task Output_is_counted_from_the_beginning()
    {
        await using var world = await ApiWorld.StartAsync();
        var info = await world.SpawnAsync();
        world.Output.Append(info.Id, OutputStream.Stdout, "12345");
        world.Output.Append(info.Id, OutputStream.Stderr, "678");
        world.Output.Drop(info.Id, OutputStream.Stdout, 4);
        var (_, body) = await world.GetAsync("/v1/processes/usage");
        Assert.Equal(8, Assert.Single(ApiWorld.Read(body, WireJson.Default.UsageInfo).Processes).OutputBytes);
    }

    /// PR-11: children, their children, and whoever is in the session; not who was given the pid of one that ended.
    [Fact]
    public async Task A_family_is_told_by_parents_and_sessions()
    {
        await using var world = await ApiWorld.StartAsync();
        var first = State(world, await world.SpawnAsync());
        var second = State(world, await world.SpawnAsync());
        var root = first.Identity.Pid;
        RunningProcess[] machine =
        [
            One(root, 7, root, first.Identity.StartTime), One(50_001, root, root), One(50_002, 50_001, 50_002),
            One(50_003, 1, root), One(50_004, 50_003, 50_004), One(7, 1, 7), One(50_005, 7, 50_005), One(50_006, 50_006, 0),
            One(second.Identity.Pid, 7, second.Identity.Pid, second.Identity.StartTime + 1),
        ];
        var members = new Families(() => machine).Of([first, second]);
        Assert.Equal([root, 50_001, 50_002, 50_003, 50_004], members.Of(first.Profile.Id).Select(one => one.Pid));
        Assert.Empty(members.Of(second.Profile.Id));
    }

    /// OB-1: whatever a program calls itself.
    [Fact]
    public void A_line_of_stat_is_read_whatever_its_name()
    {
        const string Line = "42 (a) R 9 (x) S 7 42 42 0 -1 4194560 100 0 0 0 150 50 25 5 20 0 1 0 8000 1000000 300 0 0";
        var expected = new RunningProcess(42, 7, 42, 'S', 8000, 2300, 300L * Environment.SystemPageSize);
        Assert.Equal(expected, RunningProcess.Parse(42, Line));
        Assert.Null(RunningProcess.Parse(42, "42 (a"));
        Assert.Null(RunningProcess.Parse(42, "42 (a) S 7"));
    }

    /// OB-1: a rate is what came between two looks; what began anew in between counts as nothing, not as less.
    [Fact]
    public void Rates_lie_between_two_looks()
    {
        ProcessInfo[] processes = [Info("a"), Info("b"), Info("new"), Info("unseen")];
        var before = new UsageInfo(1000, [new("a", 1, 100, 10, 0, 5), new("b", 2, 900, 10, 500, 5)]);
        var now = new UsageInfo(3000, [new("a", 1, 1100, 10, 4000, 5), new("b", 1, 20, 10, 500, 5), new("new", 1, 5, 10, 0, 1)]);
        var rows = TopVerb.Rows(processes, now, before);
        Assert.Equal(["a", "b", "new"], rows.Select(one => one.Id));
        Assert.Equal([50.0, 0.0, null], rows.Select(one => one.CpuPercent));
        Assert.Equal([2000L, 0L, null], rows.Select(one => one.OutputBytesPerSecond));
    }

    private static ProcessState.Running State(ApiWorld world, ProcessInfo info) =>
        (ProcessState.Running)world.Host.Current.State.Processes.All.Values.Single(one => one.Profile.Id.Value == info.Id);

    private static RunningProcess One(int pid, int parent, int session, long start = 1) => new(pid, parent, session, 'S', start, 0, 0);

    private static ProcessInfo Info(string id) => new(
        id, id, "task", 0, ["/run"], 1, "running", null, null, 0, 0, 0, 0, false, 0, false, 1, false, true);
}
