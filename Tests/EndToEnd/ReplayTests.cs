using System;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading.Tasks;
using Xunit;

namespace Agent.Tests.EndToEnd;

/// <summary>What was decided can be decided again, and damage is never mistaken for history.</summary>
[Collection(nameof(EndToEndCollection))]
public sealed class ReplayTests
{
    /// JO-4: same build, bit for bit, with the digest that the agent itself gave; twice.
    internal static async Task ReplaysToItsDigestAsync(AgentUnderTest agent)
    {
        var status = await agent.GetAsync("/v1/status");
        var seq = (long)status["journal"]!["seq"]!;
        var digest = (string)status["journal"]!["digest"]!;
        for (var time = 0; time < 2; time++)
        {
            var (code, output, error) = await AgentUnderTest.RunAsync("replay", agent.Journal, "--at", $"{seq}");
            Assert.True(code == 0, error + output);
            Assert.Contains($"replayed {seq} events, digest {digest}", output, StringComparison.Ordinal);
        }
    }

    /// JO-2: one byte changed in the middle: exit code 2, naming file and offset; the agent does not start on it.
    [Fact]
    public async Task A_changed_byte_in_the_middle_is_damage()
    {
        using var agent = await HistoryAsync();
        var file = Segment(agent);
        var bytes = await File.ReadAllBytesAsync(file);
        var middle = TextLength(bytes) / 2;
        bytes[middle] ^= 1;
        await File.WriteAllBytesAsync(file, bytes);

        var (code, output, error) = await AgentUnderTest.RunAsync("replay", agent.Journal);
        Assert.Equal(2, code);
        Assert.Contains(Path.GetFileName(file), error + output, StringComparison.Ordinal);
        Assert.Contains("offset", error + output, StringComparison.Ordinal);
        await Assert.ThrowsAnyAsync<Exception>(() => agent.StartAsync());
    }

    /// JO-2: the last record cut at any byte: the agent starts and says what it dropped.
    [Fact]
    public async Task A_torn_tail_is_cut_and_told()
    {
        using var agent = await HistoryAsync();
        var file = Segment(agent);
        var bytes = await File.ReadAllBytesAsync(file);
        var end = TextLength(bytes);
        var last = Array.LastIndexOf(bytes, (byte)'\n', end - 2) + 1;
        foreach (var cut in new[] { last + 1, last + 8, (last + end) / 2, end - 1 })
        {
            var torn = bytes.ToArray();
            Array.Clear(torn, cut, torn.Length - cut);
            await File.WriteAllBytesAsync(file, torn);
            agent.Errors.Clear();
            await agent.StartAsync();
            Assert.Contains("dropped", agent.Errors.ToString(), StringComparison.Ordinal);
            agent.KillAgent();
        }
    }

    /// JO-4: a record whose decision this build would not make: exit code 1, with the event and both decisions.
    [Fact]
    public async Task A_different_decision_is_told_with_its_event()
    {
        using var agent = await HistoryAsync();
        var file = Segment(agent);
        var text = Encoding.UTF8.GetString(await File.ReadAllBytesAsync(file)).TrimEnd('\0');
        var lines = text.Split('\n');
        var at = Array.FindIndex(lines, line => line.Contains("\"type\":\"sendSignal\"", StringComparison.Ordinal));
        var changed = lines[at][9..].Replace("\"signal\":15", "\"signal\":1", StringComparison.Ordinal);
        lines[at] = $"{Shell.Journal.Crc32C.Of(Encoding.UTF8.GetBytes(changed)):x8} {changed}";
        await File.WriteAllTextAsync(file, string.Join('\n', lines));

        var (code, output, _) = await AgentUnderTest.RunAsync("replay", agent.Journal);
        Assert.Equal(1, code);
        Assert.Contains("stopRequested", output, StringComparison.Ordinal);
        Assert.Contains("\"signal\":1}", output, StringComparison.Ordinal);
        Assert.Contains("\"signal\":15", output, StringComparison.Ordinal);
    }

    /// JO-4: the state at any seq can be shown.
    [Fact]
    public async Task The_state_at_a_seq_can_be_shown()
    {
        using var agent = await HistoryAsync();
        var (code, output, error) = await AgentUnderTest.RunAsync("replay", agent.Journal, "--at", "2", "-o", "json");
        Assert.True(code == 0, error);
        Assert.Contains("\"processes\"", output, StringComparison.Ordinal);
    }

    /// JO-6: what is exported holds no secret and replays, to the same digest, where nothing else of the agent is.
    [Fact]
    public async Task An_export_replays_anywhere_and_holds_no_secret()
    {
        const string Secret = "hush-4711";
        var folder = Directory.CreateTempSubdirectory("agent-export.").FullName;
        try
        {
            string digest;
            using (var agent = new AgentUnderTest($"services:\n  s:\n    command: [/bin/sleep, \"1000\"]\n    env: {{ T: {Secret} }}\n"))
            {
                await agent.StartAsync();
                await agent.SpawnAsync($$"""{"command":["/bin/cat"],"env":{"T":"{{Secret}}"},"prelude":"{{Convert.ToBase64String(Encoding.ASCII.GetBytes(Secret))}}"}""");
                agent.KillAgent();
                var (_, before, _) = await AgentUnderTest.RunAsync("replay", agent.Journal);
                digest = before;
                var (code, _, error) = await AgentUnderTest.RunAsync("journal", "export", agent.Journal, "--to", folder);
                Assert.True(code == 0, error);
            }

            Assert.Equal((0, digest, ""), await AgentUnderTest.RunAsync("replay", folder));
            foreach (var file in Directory.GetFiles(folder))
            {
                Assert.DoesNotContain(Secret, await File.ReadAllTextAsync(file), StringComparison.Ordinal);
            }

            var again = await AgentUnderTest.RunAsync("journal", "export", folder, "--to", folder);
            Assert.Contains("not empty", again.Error, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// JO-4: a file that is no segment is told as that.
    [Fact]
    public async Task What_is_no_segment_is_not_replayed()
    {
        var file = Path.GetTempFileName();
        var (code, _, error) = await AgentUnderTest.RunAsync("replay", file);
        File.Delete(file);
        Assert.Equal(4, code);
        Assert.Contains("no segment of a journal", error, StringComparison.Ordinal);
    }

    private static async Task<AgentUnderTest> HistoryAsync()
    {
        var agent = new AgentUnderTest("services:\n  sleeper:\n    command: [/bin/sleep, \"1000\"]\n");
        await agent.StartAsync();
        for (var n = 0; n < 5; n++)
        {
            var info = await agent.SpawnAsync("""{"command":["/bin/sleep","1000"]}""");
            await agent.PostAsync($"/v1/processes/{(string)info["id"]!}/stop");
        }

        await ReplaysToItsDigestAsync(agent);
        agent.KillAgent();
        return agent;
    }

    private static string Segment(AgentUnderTest agent) => Directory.GetFiles(agent.Journal, "*.log").Single();

    private static int TextLength(byte[] bytes)
    {
        var end = Array.IndexOf(bytes, (byte)0);
        return end < 0 ? bytes.Length : end;
    }
}
