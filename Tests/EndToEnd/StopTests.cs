using System;
using System.Diagnostics;
using System.IO;
using System.Threading.Tasks;
using Xunit;

namespace Agent.Tests.EndToEnd;

/// <summary>A stop is a stop, for the whole family.</summary>
[Collection(nameof(MeasuredCollection))]
public sealed class StopTests
{
    /// PR-9, PR-11, upstream KILL escalation: a child that ignores TERM and has a grandchild in a session of its own:
    /// the stop returns within
    /// the grace and a second, and both are gone.
    [Fact]
    public async Task A_stubborn_child_and_its_hidden_grandchild_are_gone_by_grace_and_a_second()
    {
        using var agent = new AgentUnderTest();
        await agent.StartAsync();
        var pidFile = Path.Combine(agent.Home, "grandchild");
        var script = $"trap '' TERM; setsid sh -c 'trap \\\"\\\" TERM; echo $$ > {pidFile}; while :; do sleep 1; done' & while :; do sleep 1; done";
        var info = await agent.SpawnAsync($$"""{"command":["/bin/sh","-c","{{script}}"],"graceMs":1000}""");
        await agent.UntilAsync("the grandchild is there", () => Task.FromResult(File.Exists(pidFile) && new FileInfo(pidFile).Length > 1));
        var grandchild = int.Parse(await File.ReadAllTextAsync(pidFile));
        var child = (int)info["pid"]!;

        var watch = Stopwatch.StartNew();
        var (status, exit) = await agent.PostAsync($"/v1/processes/{(string)info["id"]!}/stop");
        watch.Stop();

        Assert.Equal(200, status);
        Assert.Equal("stopped", (string)exit!["reason"]!);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(2), $"the stop took {watch.Elapsed}");
        Assert.False(ProcessTable.IsAlive(child));
        Assert.False(ProcessTable.IsAlive(grandchild));
    }

    /// PR-9: an agent told to end with all that it supervises waits for a stubborn service's grace, then ends with 0.
    [Fact]
    public async Task An_agent_that_ends_with_everything_waits_until_everything_ended()
    {
        using var agent = new AgentUnderTest("""
            services:
              stubborn: { command: [/bin/sh, -c, "trap '' TERM; while :; do sleep 0.1; done"], grace: 3s }
            """) { Options = ["--stop-all"] };
        await agent.StartAsync();
        await agent.UntilAsync("it runs", async () => (await agent.PidsByLabelAsync()).ContainsKey("stubborn"));
        var pid = (await agent.PidsByLabelAsync())["stubborn"];

        Assert.Equal(0, await agent.TerminateAsync());

        Assert.False(ProcessTable.IsAlive(pid));
    }

    /// PR-3: an ended process is released once; afterwards it is as unknown as any other.
    [Fact]
    public async Task A_released_process_is_unknown()
    {
        using var agent = new AgentUnderTest();
        await agent.StartAsync();
        var info = await agent.SpawnAsync("""{"command":["/bin/true"]}""");
        var id = (string)info["id"]!;
        Assert.Equal(200, (await agent.PostAsync($"/v1/processes/{id}/wait", """{"timeoutMs":10000}""")).Status);
        var (code, _, error) = await AgentUnderTest.RunAsync("rm", id, "--socket", agent.Socket);
        Assert.True(code == 0, error);
        var (status, body) = await agent.PostAsync($"/v1/processes/{id}/stop");
        Assert.Equal(404, status);
        Assert.Equal("no-such-process", (string)body!["code"]!);
    }
}
