using System;
using System.Globalization;
using System.IO;
using System.Text.Json.Nodes;
using System.Threading.Tasks;
using Agent.Shell.Containers;
using Agent.Tests.Containers;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.EndToEnd;

/// <summary>Releases that carry their host's containers, on a real dockerd: switched to, gone back from, refused.</summary>
[Collection(nameof(EngineCollection))]
public sealed class ReleasedContainerTests(DockerWorld world) : IClassFixture<DockerWorld>
{
    private const string Judged = """
        policy: { soak: 500ms, failureThreshold: 1s, switchTimeout: 30s }
        probes:
          web: { container: web, interval: 1s }
        """;

    /// RO-4, RO-5, RO-11, RO-12, CT-2, CT-6, CT-9: the set follows the release, forward and back, through a kill -9;
    /// what cannot run is rolled back with its reason, and a file with mistakes changes nothing at all.
    [SkippableFact]
    public async Task The_containers_follow_the_release_forward_and_back()
    {
        Skip.IfNot(world.Missing is null, world.Missing ?? "");
        var folder = Directory.CreateTempSubdirectory("released-").FullName;
        using var publisher = new Publisher(folder);
        await using (var stage = await new ContainerStage(new EngineAddress.Socket(world.Socket)).StartAsync(publisher))
        {
            var version = 0;
            await ApplyAsync("converged", Web(1));
            Assert.Equal("1", await VersionAsync(stage));
            var before = await stage.IdentitiesAsync("web");

            // Its image cannot be had: the old container was never touched.
            var story = await ApplyAsync("reverted", "{ image: 'localhost:1/no-such:1' }");
            Assert.Contains("pull failed", story, StringComparison.Ordinal);
            await stage.UntilRunningAsync("web");
            Assert.Equal(before, await stage.IdentitiesAsync("web"));

            // It runs and is no good: what ran before is made again.
            const string Sick = ", healthcheck: { test: 'false', interval: 300ms, retries: 1 }";
            story = await ApplyAsync("reverted", Web(3, Sick));
            Assert.Contains("its health check fails", story, StringComparison.Ordinal);
            await stage.UntilRunningAsync("web");
            await stage.UntilAsync("web", "the former", one => (bool?)one["current"] == true);
            Assert.Equal("1", await VersionAsync(stage));
            before = await stage.IdentitiesAsync("web");

            // Its file is not understood: nothing was switched.
            story = await ApplyAsync("failed", "{ image: 'tiny:1', privileged: true }");
            Assert.Contains("compose-invalid", story, StringComparison.Ordinal);
            Assert.Contains("compose.yaml:1:", story, StringComparison.Ordinal);
            Assert.Equal(before, await stage.IdentitiesAsync("web"));

            await ApplyAsync("converged", Web(5));
            Assert.Equal("5", await VersionAsync(stage));
            before = await stage.IdentitiesAsync("web");
            await stage.RestartAsync();
            await stage.AskAsync("reconcile");
            await stage.UntilRunningAsync("web");
            Assert.Equal(before, await stage.IdentitiesAsync("web"));
            var id = await stage.IdAsync("web");
            await stage.DockerAsync("rm", "-f", id);
            await stage.UntilAsync("web", "made anew", one =>
                (string?)one["engineId"] is { } now && now != id && (string)one["state"]! == "running");
            Assert.Equal("5", await VersionAsync(stage));

            // What led to the outcome, as the journal tells it.
            async Task<string> ApplyAsync(string outcome, string web)
            {
                var next = publisher.Publish(++version, Judged, ("compose.yaml", $"services: {{ web: {web} }}\n"));
                var (status, body) = await stage.Agent.PostAsync("/v1/rollouts", next.Body);
                Assert.True(status is 200 or 201, $"{status}: {body}");
                JsonNode? info = null;
                await stage.Agent.UntilAsync($"{next.Id} is decided", async () =>
                {
                    info = await stage.Agent.GetAsync($"/v1/rollouts/{next.Id}");
                    return (bool)info["decided"]!;
                }, ContainerStage.Patience);
                Assert.True((string)info!["state"]! == outcome, info.ToJsonString());
                return await stage.Agent.TextAsync($"/v1/explain/rollout/{next.Id}");
            }
        }

        Directory.Delete(folder, recursive: true);
    }

    private static string Web(int version, string more = "") => string.Create(
        CultureInfo.InvariantCulture,
        $"{{ image: 'tiny:1', network_mode: none, restart: always, environment: {{ VERSION: '{version}' }}, ")
        + $"stop_grace_period: 1s, command: [sleep, '1000']{more} }}";

    private static async Task<string> VersionAsync(ContainerStage stage)
    {
        var environment = await stage.InspectAsync("web", "{{range .Config.Env}}{{println .}}{{end}}");
        return environment.Split("VERSION=")[1].Split('\n')[0];
    }
}
