using System;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.EndToEnd;

/// <summary>A pid that has passed to somebody else is nobody's child: made to happen, in a pid namespace.</summary>
[Collection(nameof(EndToEndCollection))]
public sealed class PidReuseTests
{
    private const string Yaml = """
        services:
          kept: { command: [/bin/sleep, "1000"], restart: always }
        """;

    /// PR-8, PR-14: agent and keeper are killed, a task and a service end unseen, and strangers get their pids. Both are
    /// told as lost, the service is started anew, and nothing that is done to either touches a stranger.
    [SkippableFact]
    public async Task A_stranger_with_the_pid_of_a_lost_child_is_left_alone()
    {
        using var space = PidNamespace.Open();
        using var agent = new AgentUnderTest(Yaml);
        await agent.StartAsync(space.Enter);
        await agent.UntilAsync("the service runs", async () => (await agent.PidsByLabelAsync()).ContainsKey("kept"));
        var service = (await agent.PidsByLabelAsync())["kept"];
        var task = await agent.SpawnAsync("""{"command":["/bin/sleep","1000"],"label":"task"}""");
        var (id, pid) = ((string)task["id"]!, (int)task["pid"]!);

        agent.KillKeeper();
        Kill(AgentIn(agent));
        Kill(space.Outside(pid)!.Value);
        Kill(space.Outside(service)!.Value);
        var strangers = new[] { space.Take(pid), space.Take(service) };

        await agent.StartAsync(space.Enter);
        await agent.UntilAsync("the service runs anew", async () =>
            (await agent.PidsByLabelAsync()).TryGetValue("kept", out var now) && now != service);
        var info = await agent.GetAsync($"/v1/processes/{id}");
        Assert.Equal("exited", (string)info["phase"]!);
        Assert.Equal("lost", (string)info["exit"]!["reason"]!);
        Assert.Null(info["exit"]!["code"]);
        Assert.Equal(400, (await agent.PostAsync($"/v1/processes/{id}/signal", """{"signal":"kill"}""")).Status);
        Assert.Equal("lost", (string)(await agent.PostAsync($"/v1/processes/{id}/stop", """{"graceMs":0}""")).Body!["reason"]!);
        Assert.Equal(204, await agent.DeleteAsync($"/v1/processes/{id}"));
        var kept = (string)(await agent.ProcessesAsync()).Single()["id"]!;
        Assert.Equal(200, (await agent.PostAsync($"/v1/processes/{kept}/stop")).Status);
        Assert.All(strangers, stranger => Assert.True(ProcessTable.IsAlive(stranger), "a stranger was killed"));
    }

    private static int AgentIn(AgentUnderTest agent) => ProcessTable.All().Single(row =>
        row.CommandLine.StartsWith($"{AgentUnderTest.Binary} run ", StringComparison.Ordinal)
        && row.CommandLine.Contains(agent.Runtime, StringComparison.Ordinal)).Pid;

    private static void Kill(int pid)
    {
        Assert.Equal(0, Native.Kill(pid, Native.SigKill));
        while (ProcessTable.IsAlive(pid)) Thread.Yield();
    }
}
