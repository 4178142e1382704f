using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading.Tasks;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.EndToEnd;

/// <summary>The agent and its keeper become another program; what they keep does not notice.</summary>
[Collection(nameof(EndToEndCollection))]
public sealed class UpgradeTests
{
    private const int Services = 20;

    // Writes a numbered line every millisecond or so, for as long as it lives.
    private const string Counter =
        "import itertools,sys,time\\nfor n in itertools.count():\\n print(n, flush=True); time.sleep(0.001)";

    /// PR-14, PR-5: same pids, nothing started again, output whole, cursors and stdin as they were, an exit in the midst of
    /// it told with its code, and a journal that replays.
    [Fact]
    public async Task An_upgrade_touches_no_process()
    {
        using var agent = await FullAsync();
        var counter = await agent.SpawnAsync(
            $$"""{"command":["/usr/bin/python3","-c","{{Counter}}"],"label":"counter","ringBytes":8388608}""");
        var echo = await agent.SpawnAsync("""{"command":["/bin/cat"],"label":"echo","stdin":"open"}""");

        // It ends while no agent answers.
        var ends = await agent.SpawnAsync(
            $$"""{"command":["/bin/sh","-c","while [ -S {{agent.Socket}} ]; do sleep 0.01; done; echo last words; exit 7"],"label":"ends"}""");
        await agent.PostAsync($"/v1/processes/{echo["id"]}/stdin", "before\n");
        await agent.UntilAsync("the counter is heard", async () => (await OutputAsync(agent, counter)).Length > 1000);
        await agent.UntilAsync("all of it runs", async () => (await agent.PidsByLabelAsync()).Count == Services + 3);
        var before = await agent.PidsByLabelAsync();
        var (agentPid, keeperPid) = (agent.Pid, agent.KeeperPid);
        var half = await OutputAsync(agent, counter);

        var next = Copy(agent);
        var (code, output, error) = await UpgradeAsync(agent, next);
        Assert.True(code == 0, error + output);
        Assert.Contains(next, output, StringComparison.Ordinal);

        var status = await agent.GetAsync("/v1/status");
        Assert.Equal((next, next), ((string)status["program"]!, (string)status["keeperProgram"]!));
        Assert.Equal(keeperPid, agent.KeeperPid);
        Assert.Equal(next, new FileInfo($"/proc/{agentPid}/exe").LinkTarget);
        Assert.Equal(next, new FileInfo($"/proc/{keeperPid}/exe").LinkTarget);
        await agent.UntilAsync("the exit is known", async () =>
            (string?)(await agent.GetAsync($"/v1/processes/{ends["id"]}"))["phase"] == "exited");
        Assert.Equal(7, (int)(await agent.GetAsync($"/v1/processes/{ends["id"]}"))["exit"]!["code"]!);
        Assert.Equal("last words\n", await agent.TextAsync($"/v1/processes/{ends["id"]}/logs/stdout"));
        var after = await agent.PidsByLabelAsync();
        Assert.Equal(Without(before, "ends"), Without(after, "ends"));

        await agent.PostAsync($"/v1/processes/{echo["id"]}/stdin", "after\n");
        await agent.UntilAsync("stdin is heard", async () =>
            await agent.TextAsync($"/v1/processes/{echo["id"]}/logs/stdout") == "before\nafter\n");
        await agent.UntilAsync("the counter is heard on", async () => (await OutputAsync(agent, counter)).Length > half.Length + 1000);
        await agent.PostAsync($"/v1/processes/{counter["id"]}/stop");
        var rest = await agent.BytesAsync($"/v1/processes/{counter["id"]}/logs/stdout?max=4194304&cursor={half.Length}");
        var lines = (half + Encoding.ASCII.GetString(rest)).Split('\n')[..^1];
        Assert.Equal(Enumerable.Range(0, lines.Length).Select(n => $"{n}"), lines);
        await ReplayTests.ReplaysToItsDigestAsync(agent);
    }

    /// PR-14: a program that cannot run here is refused before anything is touched, and the refusal says why.
    [Fact]
    public async Task A_program_that_cannot_run_is_refused()
    {
        using var agent = await FullAsync();
        var keeper = agent.KeeperPid;
        foreach (var (text, why) in ((string, string)[])[
            ("echo the disk is made of cheese >&2; exit 1", "the disk is made of cheese"), ("echo hello", "is no agent: it answered hello")])
        {
            var (code, _, error) = await UpgradeAsync(agent, Script(agent, text));
            Assert.Equal(1, code);
            Assert.Contains(why, error, StringComparison.Ordinal);
        }

        Assert.Equal(1, (await UpgradeAsync(agent, Path.Combine(agent.Home, "nowhere"))).Code);
        var status = await agent.GetAsync("/v1/status");
        Assert.Equal(AgentUnderTest.Binary, (string)status["program"]!);
        Assert.Equal(keeper, agent.KeeperPid);
    }

    /// PR-14: a program that says it can run and then ends, or never answers: the one before is back, says why, and has
    /// everything that it had.
    [Theory]
    [InlineData("exit 1", "it ended before it answered")]
    [InlineData("exec sleep 1000", "it did not answer within 3 s")]
    public async Task A_program_that_does_not_answer_gives_way_to_the_one_before(string end, string why)
    {
        using var agent = await FullAsync();
        var before = await agent.PidsByLabelAsync();
        var liar = Script(agent, $"case \"$*\" in *--check*) exec {AgentUnderTest.Binary} \"$@\";; esac; {end}");
        var (code, _, error) = await UpgradeAsync(agent, liar, "--timeout", "3s");
        Assert.Equal(1, code);
        Assert.Contains(why, error, StringComparison.Ordinal);
        var status = await agent.GetAsync("/v1/status");
        Assert.Equal(AgentUnderTest.Binary, (string)status["program"]!);
        Assert.Contains(why, (string)status["upgradeFailure"]!, StringComparison.Ordinal);
        await agent.UntilAsync("all is known again", async () => (await agent.ProcessesAsync())
            .Where(info => (string?)info["kind"] == "service").All(info => (string?)info["phase"] == "running"));
        Assert.Equal(before, await agent.PidsByLabelAsync());

        // And the way forward is open: what failed is forgotten with the next that does not.
        Assert.Equal(0, (await UpgradeAsync(agent, Copy(agent))).Code);
        Assert.Null((await agent.GetAsync("/v1/status"))["upgradeFailure"]);
        Assert.Equal(before, await agent.PidsByLabelAsync());
        await ReplayTests.ReplaysToItsDigestAsync(agent);
    }

    private static async Task<AgentUnderTest> FullAsync()
    {
        var yaml = new StringBuilder("services:\n");
        for (var n = 0; n < Services; n++) yaml.Append($"  s{n:00}:\n    command: [/bin/sleep, \"1000\"]\n");
        var agent = await new AgentUnderTest(yaml.ToString()).StartAsync();
        await agent.UntilAsync("everything runs", async () => (await agent.PidsByLabelAsync()).Count == Services);
        return agent;
    }

    private static Dictionary<string, int> Without(IReadOnlyDictionary<string, int> pids, string label) =>
        pids.Where(one => one.Key != label).ToDictionary(one => one.Key, one => one.Value);

    private static Task<(int Code, string Out, string Error)> UpgradeAsync(AgentUnderTest agent, params string[] words) =>
        AgentUnderTest.RunAsync(["--socket", agent.Socket, "upgrade", .. words]);

    private static async Task<string> OutputAsync(AgentUnderTest agent, System.Text.Json.Nodes.JsonNode process) =>
        Encoding.ASCII.GetString(await agent.BytesAsync($"/v1/processes/{process["id"]}/logs/stdout?max=4194304"));

    /// <summary>The same build at another path, with all that it consists of.</summary>
    private static string Copy(AgentUnderTest agent)
    {
        var to = Path.Combine(agent.Home, "next");
        Assert.True(Mounts.Run("cp", "-r", Path.GetDirectoryName(AgentUnderTest.Binary)!, to));
        return Path.Combine(to, Path.GetFileName(AgentUnderTest.Binary));
    }

    private static string Script(AgentUnderTest agent, string text)
    {
        var path = Path.Combine(agent.Home, $"script{AgentUnderTest.Unique()}");
        Executable.WriteScript(path, text);
        return path;
    }
}
