using System;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using System.Threading.Tasks;
using Agent.Shell.Containers;
using Agent.Tests.Containers;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.EndToEnd;

/// <summary>
/// The real agent and the real dockerd, with what happens to containers on a bad day. Each test is another agent on the
/// one engine, so all of them together show too that none touches another's.
/// </summary>
[Collection(nameof(EngineCollection))]
public sealed class ContainerTests(DockerWorld world) : IClassFixture<DockerWorld>
{
    private const string Sleeps =
        "{ image: 'tiny:1', network_mode: none, restart: always, stop_grace_period: 1s, command: [sleep, '1000'] }";

    private ContainerStage Stage()
    {
        Skip.IfNot(world.Missing is null, world.Missing ?? "");
        return new(new EngineAddress.Socket(world.Socket));
    }

    /// CT-1, CT-4, CT-6, CT-9: five services come up in the order of their dependencies; kill -9 of the agent and a new
    /// one: not one container is made or started anew. Upstream: Pending→Scheduled→Running→Succeeded, second pass no-op (e2e).
    [SkippableFact]
    public async Task Five_services_come_up_in_order_and_outlive_the_agent()
    {
        await using var stage = await Stage().StartAsync("""
            x-comment: web needs api, api needs what migrate leaves, and migrate a database that answers
            services:
              web:
                image: tiny:1
                stop_grace_period: 1s
                command: [sh, -c, "wget -q -O - http://api:8080/ && exec sleep 1000"]
                depends_on: { api: { condition: service_healthy } }
                restart: always
              api:
                image: tiny:1
                stop_grace_period: 1s
                command: [sh, -c, "echo ${GREETING:-hello} >/tmp/index.html; exec httpd -f -p 8080 -h /tmp"]
                healthcheck: { test: [CMD, wget, -q, -O, "-", "http://127.0.0.1:8080/"], interval: 300ms }
                depends_on:
                  migrate: { condition: service_completed_successfully }
                  cache: { condition: service_started }
                restart: unless-stopped
              migrate:
                image: tiny:1
                command: [sh, -c, "cat /data/ready && echo done"]
                volumes: ["data:/data"]
                depends_on: { db: { condition: service_healthy } }
              db:
                image: tiny:1
                stop_grace_period: 1s
                command: [sh, -c, "sleep 1; touch /data/ready; exec sleep 1000"]
                healthcheck: { test: "test -f /data/ready", interval: 300ms }
                volumes: ["data:/data"]
                restart: always
              cache: { image: "tiny:1", stop_grace_period: 1s, command: [sleep, "1000"], restart: always }
            volumes: { data: }
            """);
        string[] living = ["web", "api", "db", "cache"];
        await stage.UntilRunningAsync(living);
        Assert.Equal(0, (int)(await stage.FindAsync("migrate"))["exitCode"]!);
        Assert.True(await stage.TimeAsync("db", "StartedAt") < await stage.TimeAsync("migrate", "StartedAt"));
        Assert.True(await stage.TimeAsync("migrate", "FinishedAt") < await stage.TimeAsync("api", "StartedAt"));
        Assert.True(await stage.TimeAsync("cache", "StartedAt") < await stage.TimeAsync("api", "StartedAt"));
        Assert.True(await stage.TimeAsync("api", "StartedAt") < await stage.TimeAsync("web", "StartedAt"));
        Assert.Equal("hello\n", await stage.DockerAsync("logs", await stage.IdAsync("web")));

        await CheckVerbsAsync(stage);
        await CheckStatsAsync(stage);
        string[] all = [.. living, "migrate"];
        var before = await stage.IdentitiesAsync(all);
        await stage.RestartAsync();
        await stage.UntilRunningAsync(living);
        await stage.AskAsync("reconcile");
        await stage.UntilRunningAsync(living);
        Assert.Equal(before, await stage.IdentitiesAsync(all));
    }

    /// CL-1: what it said, images from a file and from a registry, each with its exit code.
    private static async Task CheckVerbsAsync(ContainerStage stage)
    {
        Assert.Equal((0, "hello\n", ""), await stage.RunAsync("logs", "web"));
        Assert.Equal((0, "done\n", ""), await stage.RunAsync("logs", "migrate", "-f", "--tail", "1"));
        Assert.Equal(4, (await stage.RunAsync("logs", "nobody")).Code);
        var archive = Path.Combine(stage.Agent.Home, "image.tar");
        await using (var file = File.Create(archive))
        {
            using var image = await TinyImage.ArchiveAsync("imported:1", mark: "imported");
            await image.CopyToAsync(file);
        }

        Assert.Equal((0, "Loaded image: imported:1\n", ""), await stage.RunAsync("import", archive));
        var (code, output, error) = await stage.RunAsync("pull", "localhost:1/no-such:1");
        Assert.Equal((1, ""), (code, output));
        Assert.Contains("connection refused", error, StringComparison.Ordinal);
    }

    /// CT-1: each container of this agent has its row, and only what runs has figures.
    private static async Task CheckStatsAsync(ContainerStage stage)
    {
        var (code, output, error) = await stage.RunAsync("stats", "-o", "json");
        Assert.True(code == 0, error);
        var told = JsonNode.Parse(output)!;
        Assert.Equal(("Docker Engine", "socket"), ((string)told["engine"]!["name"]!, (string)told["engine"]!["kind"]!));
        var rows = ((JsonArray)told["containers"]!).ToDictionary(one => (string)one!["uid"]!, one => one!);
        Assert.Equal(["api", "cache", "db", "migrate", "web"], rows.Keys);
        Assert.Equal(("exited", null), ((string)rows["migrate"]["state"]!, (long?)rows["migrate"]["cpuMs"]));
        Assert.True((string)rows["web"]["state"]! == "running" && (long?)rows["web"]["memoryBytes"] > 0, output);
        Assert.Null(rows["web"]["detail"]);
    }

    /// CT-2, CT-5, CT-8: what happens to one is repaired or told, and its sibling is left as it is.
    [SkippableFact]
    public async Task What_happens_to_one_is_repaired_and_the_other_left()
    {
        await using var stage = await Stage().StartAsync($"services: {{ victim: {Sleeps}, sibling: {Sleeps} }}");
        await stage.UntilRunningAsync("victim", "sibling");
        var sibling = await stage.IdentitiesAsync("sibling");

        // Its process is killed: started again, in the same container.
        var id = await stage.IdAsync("victim");
        var pid = int.Parse(await stage.InspectAsync("victim", "{{.State.Pid}}"), CultureInfo.InvariantCulture);
        Assert.Equal(0, Native.Kill(pid, Native.SigKill));
        await stage.UntilAsync("victim", "restarted", one => (int)one["restarts"]! == 1 && (string)one["state"]! == "running");
        Assert.Equal(id, await stage.IdAsync("victim"));

        // It is removed behind the agent's back: made anew.
        await stage.DockerAsync("rm", "-f", id);
        await stage.UntilAsync(
            "victim", "made anew", one => (string?)one["engineId"] is { } now && now != id && (string)one["state"]! == "running");

        // Somebody paused it: told, and left to whoever did.
        id = await stage.IdAsync("victim");
        await stage.DockerAsync("pause", id);
        await stage.UntilAsync("victim", "paused", one => (string)one["state"]! == "paused");
        await stage.AskAsync("reconcile");
        await stage.DockerAsync("unpause", id);
        await stage.UntilRunningAsync("victim");
        Assert.Equal(id, await stage.IdAsync("victim"));
        Assert.Equal(sibling, await stage.IdentitiesAsync("sibling"));
    }

    /// CT-5, CT-8: what cannot work is told with the engine's reason, tried again with patience, and keeps nobody waiting.
    /// Upstream: mixed failure collected (prod_orchestrator).
    [SkippableFact]
    public async Task What_cannot_work_is_told_and_keeps_nobody_waiting()
    {
        using var taken = new TcpListener(IPAddress.Any, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        await using var stage = await Stage().StartAsync($$"""
            services:
              missing: { image: "localhost:1/no-such:1", command: [sleep, "9"] }
              never: { image: "no-such:1", pull_policy: never }
              wrong: { image: "tiny:1", network_mode: none, command: [/no/such/program] }
              port: { image: "tiny:1", network_mode: bridge, command: [sleep, "9"], ports: ["{{port}}:80"] }
              looping: { image: "tiny:1", network_mode: none, command: ["false"], restart: always }
              sibling: {{Sleeps}}
            """);
        await stage.UntilRunningAsync("sibling");
        var sibling = await stage.IdentitiesAsync("sibling");
        await FailsAsync("missing", "pull", "connection refused");
        await FailsAsync("never", "pull", "never to be pulled");
        await FailsAsync("wrong", "start", "/no/such/program");
        await FailsAsync("port", "start", "address already in use");
        await stage.UntilAsync("looping", "crash-looping", one => (bool)one["crashLooping"]!);
        Assert.Equal(sibling, await stage.IdentitiesAsync("sibling"));

        Task FailsAsync(string uid, string call, string reason) => stage.UntilAsync(uid, $"told to have failed: {reason}", one =>
            one["lastFailure"] is { } failure && (string)failure["call"]! == call
            && ((string)failure["reason"]!).Contains(reason, StringComparison.Ordinal));
    }

    /// CT-7: a user's stop stands above every repair, over a kill -9 of the agent too, until the user's start.
    [SkippableFact]
    public async Task A_users_stop_stands_until_the_users_start()
    {
        await using var stage = await Stage().StartAsync($"services: {{ web: {Sleeps}, sibling: {Sleeps} }}");
        await stage.UntilRunningAsync("web", "sibling");
        var sibling = await stage.IdentitiesAsync("sibling");
        await stage.AskAsync("web/stop");
        await stage.UntilAsync("web", "stopped", one => (string)one["state"]! == "exited" && (string)one["wish"]! == "stopped");

        await stage.RestartAsync();
        await stage.AskAsync("reconcile");
        await stage.UntilRunningAsync("sibling");
        await stage.UntilAsync("web", "seen stopped", one => (string)one["state"]! == "exited" && one["underWay"] is null);

        await stage.AskAsync("web/start");
        await stage.UntilRunningAsync("web");
        Assert.Equal(sibling, await stage.IdentitiesAsync("sibling"));
    }

    /// CT-3, CT-2: two agents on one engine, with the same service names: a change, a removal and a `down` of one leave
    /// the other's as they are, and one whose file declares nothing reaps nothing.
    [SkippableFact]
    public async Task Two_agents_on_one_engine_leave_each_other_alone()
    {
        await using var theirs = await Stage().StartAsync($"services: {{ web: {Sleeps} }}");
        await theirs.UntilRunningAsync("web");
        var before = await theirs.IdentitiesAsync("web");
        await using (var ours = await Stage().StartAsync($"services: {{ web: {Sleeps} }}"))
        {
            await ours.UntilRunningAsync("web");
            Assert.NotEqual(await theirs.IdAsync("web"), await ours.IdAsync("web"));
            await ours.Agent.TerminateAsync();
            await ours.StartAsync("services: {}");
            await ours.AskAsync("reconcile");
            await ours.UntilAsync("web", "left, undeclared", one => !(bool)one["declared"]! && (string)one["state"]! == "running");
        }

        Assert.Equal(before, await theirs.IdentitiesAsync("web"));
    }

    /// CT-6, row 92: the engine is killed under its containers and comes back: the failure was told, and not one container
    /// was made or started anew.
    [SkippableFact]
    public async Task Containers_outlive_a_kill_of_the_engine()
    {
        await using var stage = await Stage().StartAsync($"services: {{ web: {Sleeps} }}");
        await stage.UntilRunningAsync("web");
        var before = await stage.IdentitiesAsync("web");
        await world.KillEngineAsync();
        await stage.AskAsync("reconcile");
        await stage.Agent.UntilAsync(
            "the failure is told", async () => (string?)(await stage.Agent.GetAsync("/v1/containers"))["lastPass"]?["failure"] is { Length: > 0 });
        await world.ReviveEngineAsync();
        await stage.AskAsync("reconcile");
        await stage.Agent.UntilAsync("the engine answers again", async () =>
            (await stage.Agent.GetAsync("/v1/containers"))["lastPass"]!["failure"] is null);
        await stage.UntilRunningAsync("web");
        Assert.Equal(before, await stage.IdentitiesAsync("web"));
    }
}
