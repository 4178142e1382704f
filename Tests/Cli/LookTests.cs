using System;
using System.Linq;
using System.Text.Json.Nodes;
using System.Threading.Tasks;
using Agent.Tests.EndToEnd;
using Xunit;

namespace Agent.Tests.Cli;

/// CL-1, OB-1: what processes are made of and what they take.
[Collection(nameof(EndToEndCollection))]
public sealed class LookTests
{
    // A grandchild in a session of its own whose parents have ended is what a look at parents alone would miss.
    private const string Family = """
        services:
          family: { command: [/bin/sh, -c, "setsid sh -c 'sleep 1001 & exec sleep 1002' & (setsid sleep 1003 &) ; exec sleep 1004"] }
          busy: { command: [/bin/sh, -c, "while :; do echo 0123456789; done"] }
        """;

    /// PR-11: the whole family, those that fled included, and nobody else's.
    [Fact]
    public async Task A_tree_is_the_whole_family()
    {
        using var agent = new AgentUnderTest(Family);
        await agent.StartAsync();
        var commands = Array.Empty<string>();
        await agent.UntilAsync("all are there", async () =>
        {
            var (code, output, error) = await AgentUnderTest.RunAsync("tree", "family", "-o", "json", "--socket", agent.Socket);
            Assert.True(code == 0, error);
            commands = [.. ((JsonArray)JsonNode.Parse(output)!["processes"]!)
                .Select(one => string.Join(' ', ((JsonArray)one!["command"]!).Select(word => (string)word!))).Order(StringComparer.Ordinal)];
            return commands.Length >= 4 && commands.All(one => one.StartsWith("sleep", StringComparison.Ordinal));
        });
        Assert.Equal(["sleep 1001", "sleep 1002", "sleep 1003", "sleep 1004"], commands);

        var (_, text, _) = await AgentUnderTest.RunAsync("tree", "--socket", agent.Socket);
        Assert.Contains("sleep 1003", text, StringComparison.Ordinal);
        Assert.Contains("0123456789", text, StringComparison.Ordinal);
    }

    /// OB-1: the busiest first, with what it takes and says.
    [Fact]
    public async Task Top_tells_who_is_busy()
    {
        using var agent = new AgentUnderTest(Family);
        await agent.StartAsync();
        await agent.UntilAsync("both run", async () => (await agent.PidsByLabelAsync()).Count == 2);
        var (code, output, error) = await AgentUnderTest.RunAsync("top", "--once", "-o", "json", "--socket", agent.Socket);
        Assert.True(code == 0, error);
        var rows = ((JsonArray)JsonNode.Parse(output)!["processes"]!).Select(one => one!).ToList();
        Assert.Equal(["busy", "family"], rows.Select(one => (string)one["label"]!));
        Assert.True((double)rows[0]["cpuPercent"]! > 1, output);
        Assert.True((long)rows[0]["outputBytesPerSecond"]! > 1000, output);
        Assert.Equal(0, (long)rows[1]["outputBytesPerSecond"]!);
        Assert.All(rows, one => Assert.True((long)one["residentBytes"]! > 100_000 && (long)one["upMs"]! >= 0, output));

        var (_, table, _) = await AgentUnderTest.RunAsync("top", "--once", "--interval", "250ms", "--socket", agent.Socket);
        Assert.StartsWith("ID", table, StringComparison.Ordinal);
        Assert.Equal(3, table.TrimEnd().Split('\n').Length);
    }

    /// CL-1: names and ids are completed by asking the agent, and in silence where there is none.
    [Fact]
    public async Task Names_are_completed()
    {
        using var agent = new AgentUnderTest(Family);
        await agent.StartAsync();
        await agent.UntilAsync("fam is completed", async () =>
        {
            var (code, output, _) = await AgentUnderTest.RunAsync("__complete", "--socket", agent.Socket, "attach", "fa");
            Assert.Equal(0, code);
            return output == "family\n";
        });
        agent.KillEverything();
        Assert.Equal((0, "", ""), await AgentUnderTest.RunAsync("__complete", "--socket", agent.Socket, "tree", "fa"));
    }
}
