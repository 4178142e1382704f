using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading.Tasks;
using Xunit;

namespace Agent.Tests.EndToEnd;

/// <summary>What runs goes on running, whoever of its guardians dies.</summary>
[Collection(nameof(EndToEndCollection))]
public sealed class SurvivalTests
{
    private const int Services = 20;
    private const int Tasks = 5;

    // Writes a numbered line every millisecond or so, for as long as it lives.
    private const string Counter =
        "import itertools,sys,time\\nfor n in itertools.count():\\n print(n, flush=True); time.sleep(0.001)";

    /// PR-14, JO-5: kill -9 of the agent. Same pids, nothing twice, output whole, and an exit that came meanwhile is
    /// told with its code.
    [Fact]
    public async Task Killing_the_agent_touches_no_process() => await SurvivesAsync(agent => agent.KillAgent(), restart: true);

    /// PR-14: kill -9 of the keeper. The children live on and are adopted, none is started twice.
    [Fact]
    public async Task Killing_the_keeper_touches_no_process() => await SurvivesAsync(agent => agent.KillKeeper(), restart: false);

    /// PR-14: kill -9 of both together.
    [Fact]
    public async Task Killing_agent_and_keeper_together_touches_no_process() => await SurvivesAsync(
        agent =>
        {
            agent.KillKeeper();
            agent.KillAgent();
        },
        restart: true);

    /// PR-14, PR-5: a child that ended with code 7 while no agent lived is told with code 7.
    [Fact]
    public async Task An_exit_while_the_agent_was_dead_is_told_with_its_code()
    {
        using var agent = new AgentUnderTest();
        await agent.StartAsync();
        var gate = Path.Combine(agent.Home, "gate");
        var info = await agent.SpawnAsync(
            $$"""{"command":["/bin/sh","-c","while [ ! -e {{gate}} ]; do sleep 0.02; done; echo last words; exit 7"]}""");
        var pid = (int)info["pid"]!;
        agent.KillAgent();
        await File.WriteAllTextAsync(gate, "");
        await agent.UntilAsync("the child is gone", () => Task.FromResult(!ProcessTable.IsAlive(pid)));
        await agent.StartAsync();
        var id = (string)info["id"]!;
        await agent.UntilAsync("its exit is known", async () =>
            (string?)(await agent.GetAsync($"/v1/processes/{id}"))["phase"] == "exited");
        var after = await agent.GetAsync($"/v1/processes/{id}");
        Assert.Equal(7, (int)after["exit"]!["code"]!);
        Assert.Equal("exited", (string)after["exit"]!["reason"]!);
        await agent.UntilAsync("its last words are there", async () =>
            await agent.TextAsync($"/v1/processes/{id}/logs/stdout") == "last words\n");
    }

    private static async Task SurvivesAsync(Action<AgentUnderTest> kill, bool restart)
    {
        using var agent = new AgentUnderTest(ServicesYaml());
        await agent.StartAsync();
        for (var n = 0; n < Tasks; n++)
        {
            await agent.SpawnAsync($$"""{"command":["/bin/sleep","1000"],"label":"task{{n}}"}""");
        }

        var counter = await agent.SpawnAsync(
            $$"""{"command":["/usr/bin/python3","-c","{{Counter}}"],"label":"counter","ringBytes":8388608}""");
        await agent.UntilAsync("everything runs", async () => (await agent.PidsByLabelAsync()).Count == Services + Tasks + 1);
        var before = await agent.PidsByLabelAsync();

        kill(agent);
        if (restart) await agent.StartAsync();

        await agent.UntilAsync("everything is known again", async () =>
            (await agent.ProcessesAsync()).All(info => (string?)info["phase"] == "running"));
        Assert.Equal(before, await agent.PidsByLabelAsync());
        Assert.Equal(Services + Tasks + 1, ChildrenOf(agent).Count);
        await agent.UntilAsync("a keeper is there", () => Task.FromResult(agent.KeeperPid > 0));

        var id = (string)counter["id"]!;
        var (lines, _) = await LinesAsync(agent, id);
        await agent.UntilAsync("the counter is heard on", async () => (await LinesAsync(agent, id)).Count > lines + 200);
        await agent.UntilAsync("a stop is obeyed", async () =>
            (await agent.PostAsync($"/v1/processes/{id}/stop")).Status == 200);
        var (all, text) = await LinesAsync(agent, id);
        Assert.Equal(string.Concat(Enumerable.Range(0, all).Select(n => $"{n}\n")), text);
        await ReplayTests.ReplaysToItsDigestAsync(agent);
    }

    private static async Task<(int Count, string Text)> LinesAsync(AgentUnderTest agent, string id)
    {
        var text = Encoding.ASCII.GetString(await agent.BytesAsync($"/v1/processes/{id}/logs/stdout?max=4194304"));
        var whole = text[..(text.LastIndexOf('\n') + 1)];
        return (whole.Count(c => c == '\n'), whole);
    }

    private static List<ProcessRow> ChildrenOf(AgentUnderTest agent) =>
        [.. ProcessTable.All().Where(row => row.Environment.Contains($"AGENT_RUNTIME={agent.Runtime}", StringComparison.Ordinal))];

    private static string ServicesYaml()
    {
        var yaml = new StringBuilder("services:\n");
        for (var n = 0; n < Services; n++) yaml.Append($"  s{n:00}:\n    command: [/bin/sleep, \"1000\"]\n");
        return yaml.ToString();
    }
}
