using System;
using System.IO;
using System.Threading.Tasks;
using Xunit;

namespace Agent.Tests.EndToEnd;

/// <summary>A disk that fails: nothing is claimed that is not durable, and what runs goes on running.</summary>
[Collection(nameof(EndToEndCollection))]
public sealed class DiskTests
{
    /// JO-1: EIO on fdatasync stops the agent with the file and the reason; the supervised process lives on.
    [SkippableFact]
    public async Task A_failed_sync_stops_the_agent_and_nothing_else()
    {
        Skip.IfNot(File.Exists("/usr/bin/strace"), "needs strace");
        using var agent = new AgentUnderTest();
        await agent.StartAsync();
        var kept = await agent.SpawnAsync("""{"command":["/bin/sleep","1000"],"label":"kept"}""");
        agent.KillAgent();

        await agent.StartAsync(
            "/usr/bin/strace", "-f", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO:when=20+");
        var refused = 0;
        for (var n = 0; n < 100 && refused == 0; n++)
        {
            try
            {
                var (status, _) = await agent.PostAsync("/v1/processes", """{"command":["/bin/true"]}""");
                if (status != 201) refused = status;
            }
            catch (Exception failure) when (failure is System.Net.Http.HttpRequestException or IOException)
            {
                refused = -1;
            }
        }

        Assert.NotEqual(0, refused);
        Assert.NotEqual(0, await agent.ExitCodeAsync());
        Assert.Contains("EIO", agent.Errors.ToString(), StringComparison.Ordinal);
        Assert.Contains(".log", agent.Errors.ToString(), StringComparison.Ordinal);
        Assert.True(ProcessTable.IsAlive((int)kept["pid"]!));

        await agent.StartAsync();
        var again = await agent.GetAsync($"/v1/processes/{(string)kept["id"]!}");
        Assert.Equal((int)kept["pid"]!, (int)again["pid"]!);
    }

    /// JO-1: a full disk. What was answered is there after the next start; the message names the file and why.
    [SkippableFact]
    public async Task A_full_disk_claims_nothing()
    {
        using var agent = new AgentUnderTest();
        var image = Path.Combine(agent.Home, "disk");
        await using (var file = File.Create(image)) file.SetLength(16 << 20);
        Skip.IfNot(
            Mounts.Run("mkfs.ext4", "-q", "-m0", "-F", image) && Mounts.Run("mount", "-o", "loop", image, agent.State),
            "needs mkfs.ext4 and loop mounts");
        await agent.StartAsync();
        var kept = await agent.SpawnAsync("""{"command":["/bin/sleep","1000"],"label":"kept"}""");
        await FillAsync(Path.Combine(agent.State, "filler"));
        long seq = 0;
        try
        {
            while (true)
            {
                var (status, body) = await agent.PostAsync("/v1/processes", """{"command":["/bin/true"],"exitRetentionMs":0}""");
                if (status == 201) seq = (long)(await agent.GetAsync("/v1/status"))["journal"]!["seq"]!;
                else if ((string?)body?["code"] is not ("quota" or "registry-full")) break;
            }

            // What needs a file of its own is refused by now; records still fit into what the journal wrote ahead.
            while ((await agent.PostAsync("/v1/runtime/stop")).Status == 202) seq = Math.Max(seq, 1) + 1;
        }
        catch (Exception failure) when (failure is System.Net.Http.HttpRequestException or IOException)
        {
            // The agent stopped in mid-answer, as it should.
        }

        Assert.NotEqual(0, await agent.ExitCodeAsync());
        Assert.Contains("ENOSPC", agent.Errors.ToString(), StringComparison.Ordinal);
        Assert.True(ProcessTable.IsAlive((int)kept["pid"]!));
        File.Delete(Path.Combine(agent.State, "filler"));
        await agent.StartAsync();
        Assert.True((long)(await agent.GetAsync("/v1/status"))["journal"]!["seq"]! >= seq);
        Assert.Equal((int)kept["pid"]!, (int)(await agent.GetAsync($"/v1/processes/{(string)kept["id"]!}"))["pid"]!);
    }

    private static async Task FillAsync(string path)
    {
        var block = new byte[64 << 10];
        await using var file = File.Create(path);
        try
        {
            while (true) await file.WriteAsync(block);
        }
        catch (IOException)
        {
            // Full.
        }
    }
}
