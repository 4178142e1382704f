using System;
using System.Linq;
using System.Text.Json.Nodes;
using System.Threading.Tasks;
using Agent.Shell.Containers;
using Agent.Tests.Containers;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.EndToEnd;

/// <summary>Made, removed and made anew on a real dockerd. AGENT_LONG=1 makes it five times.</summary>
[Collection(nameof(EngineCollection))]
public sealed class ContainerLifecycleTests(DockerWorld world) : IClassFixture<DockerWorld>
{
    /// CT-2, CT-4, CT-7. Upstream: install, uninstall, no ghost, reinstall (lifecycle gate, looped five times). After `down`
    /// the engine has nothing of this instance but the volume with a name, and what that holds is there after `up`.
    [SkippableFact]
    public async Task Removal_leaves_no_ghost_and_up_brings_it_all_back()
    {
        Skip.IfNot(world.Missing is null, world.Missing ?? "");
        await using var stage = await new ContainerStage(new EngineAddress.Socket(world.Socket)).StartAsync("""
            services:
              web: { image: "tiny:1", stop_grace_period: 1s, command: [sh, -c, "echo up >>/kept/starts; sleep 1000"], volumes: ["/nameless", "kept:/kept"] }
              db: { image: "tiny:1", stop_grace_period: 1s, command: [sleep, "1000"], restart: always }
            volumes: { kept: }
            """);
        var instance = (string)(await stage.Agent.GetAsync("/v1/containers"))["instance"]!;
        var (label, prefix) = ($"label=agent.instance={instance}", $"agent-{instance[..8]}");
        await stage.UntilRunningAsync("web", "db");
        var rounds = Extent.Of(2, 5);
        for (var round = 1; round <= rounds; round++)
        {
            var id = await stage.IdAsync("web");
            var nameless = (await stage.InspectAsync("web", "{{range .Mounts}}{{.Name}}\n{{end}}")).Split('\n')
                .Single(volume => volume.Trim() != $"{prefix}-kept").Trim();
            var (code, output, error) = await stage.RunAsync("down");
            Assert.True(code == 0, error + output);
            await stage.UntilAsync("web", "gone", IsGone);
            await stage.UntilAsync("db", "gone", IsGone);
            Assert.Equal("", await stage.DockerAsync("ps", "-aq", "--filter", label));
            Assert.Equal("", await stage.DockerAsync("network", "ls", "-q", "--filter", $"name={prefix}"));
            var volumes = (await stage.DockerAsync("volume", "ls", "-q")).Split('\n');
            Assert.Contains($"{prefix}-kept", volumes);
            Assert.DoesNotContain(nameless, volumes);

            await stage.AskAsync("reconcile");
            await stage.UntilAsync("web", "gone still", IsGone);
            (code, output, error) = await stage.RunAsync("up");
            Assert.True(code == 0, error + output);
            await stage.UntilRunningAsync("web", "db");
            Assert.NotEqual(id, await stage.IdAsync("web"));
        }

        var starts = await stage.DockerAsync("exec", await stage.IdAsync("web"), "cat", "/kept/starts");
        Assert.Equal(rounds + 1, starts.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    private static bool IsGone(JsonNode one) => (string)one["wish"]! == "removed" && (string)one["state"]! == "absent";
}
