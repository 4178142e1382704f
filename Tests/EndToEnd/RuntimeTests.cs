using System;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text.Json.Nodes;
using System.Threading.Tasks;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.EndToEnd;

/// <summary>The container runtime, brought up for real.</summary>
[Collection(nameof(MeasuredCollection))]
public sealed class RuntimeTests
{
    private static readonly TimeSpan EnginePatience = TimeSpan.FromSeconds(90);

    /// RT-2, RT-3, RT-8, RT-11: the first ensure answers at once, fifty callers begin one start, then it is reused;
    /// kill -9 of dockerd is seen, one successor comes, and it is ready again.
    [SkippableFact]
    public async Task The_engine_comes_up_once_and_comes_back()
    {
        Skip.IfNot(File.Exists("/usr/sbin/dockerd") && Environment.UserName == "root", "needs dockerd and root");
        using var agent = new AgentUnderTest();
        agent.Configure($"runtime:\n  keep: always\n  dataRoot: {agent.Home}/docker\n  socket: {agent.Runtime}/docker.sock\n");
        await agent.StartAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => EnsureAsync(agent)));
        Assert.All(answers, answer => Assert.Contains((string)answer["status"]!, new[] { "starting", "reused" }));
        await agent.UntilAsync("it is ready", async () => await StateAsync(agent) == "ready", EnginePatience);
        Assert.Equal("reused", (string)(await EnsureAsync(agent))["status"]!);
        Assert.Equal(1, (int)(await agent.GetAsync("/v1/runtime"))["attempt"]!);
        var first = Assert.Single(Daemons(agent, "dockerd"));

        Assert.Equal(0, Native.Kill(first.Pid, 9));
        await agent.UntilAsync("the loss is seen", async () => await StateAsync(agent) is "degraded" or "starting");
        await agent.UntilAsync("it is ready again", async () =>
        {
            Assert.True(Daemons(agent, "dockerd").Length <= 1, "two engines at one time");
            return await StateAsync(agent) == "ready";
        }, EnginePatience);
        var second = Assert.Single(Daemons(agent, "dockerd"));
        Assert.NotEqual(first.Pid, second.Pid);
        var cause = (await agent.GetAsync("/v1/runtime"))["cause"]!;
        Assert.Equal(9, (int)cause["signal"]!);

        Assert.Equal(202, (await agent.PostAsync("/v1/runtime/stop")).Status);
        await agent.UntilAsync("both daemons are gone", () => Task.FromResult(
            Daemons(agent, "dockerd").Length + Daemons(agent, "containerd").Length == 0));
        await ReplayTests.ReplaysToItsDigestAsync(agent);
    }

    /// RT-2: a probe alone leaves the state as it is.
    [Fact]
    public async Task Asking_without_starting_leaves_the_state()
    {
        using var agent = new AgentUnderTest();
        agent.Configure($"runtime:\n  socket: {agent.Runtime}/docker.sock\n");
        await agent.StartAsync();
        var (status, body) = await agent.PostAsync("/v1/runtime/ensure", """{"startIfNeeded":false}""");
        Assert.Equal(200, status);
        Assert.False((bool)body!["ready"]!);
        Assert.Equal("notStarted", await StateAsync(agent));
    }

    /// RT-5, RT-9: a containerd that prints three lines and exits 3: failed at once, naming the code and the
    /// lines; attempt two starts and still tells the cause of attempt one.
    [Fact]
    public async Task An_early_death_is_told_with_code_and_last_words()
    {
        using var agent = new AgentUnderTest();
        FakeBinaries(agent, containerd: "echo one; echo two; echo three; exit 3", dockerd: "exec sleep 1000");
        await agent.StartAsync();
        var watch = Stopwatch.StartNew();
        Assert.Equal("starting", (string)(await EnsureAsync(agent))["status"]!);
        await agent.UntilAsync("it failed", async () => await StateAsync(agent) == "failed");

        // Far below the 30 s that a containerd which says nothing is given.
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(15), $"it took {watch.Elapsed}");
        CheckCause((await agent.GetAsync("/v1/runtime"))["cause"]!);

        Assert.Equal("starting", (string)(await EnsureAsync(agent))["status"]!);
        var runtime = await agent.GetAsync("/v1/runtime");
        Assert.Equal(2, (int)runtime["attempt"]!);
        await agent.UntilAsync("attempt two failed too", async () => await StateAsync(agent) == "failed");
        await ReplayTests.ReplaysToItsDigestAsync(agent);

        static void CheckCause(JsonNode cause)
        {
            Assert.Equal(1, (int)cause["attempt"]!);
            Assert.Equal(3, (int)cause["exitCode"]!);
            Assert.Equal(["one", "two", "three"], ((JsonArray)cause["logTail"]!).Select(line => (string)line!));
        }
    }

    /// RT-4, RT-9: a dockerd that binds its socket and never answers: failed at the deadline, not later; the attempt
    /// under way tells the cause of the one before.
    [Fact]
    public async Task A_silent_engine_fails_at_the_deadline()
    {
        using var agent = new AgentUnderTest();
        const string Bind = "import socket,sys,time\ns=socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(9); time.sleep(1000)";
        var script = Path.Combine(agent.Home, "bind.py");
        await File.WriteAllTextAsync(script, Bind);
        FakeBinaries(
            agent,
            containerd: $"exec python3 {script} $(echo \"$*\" | grep -oE '[^ ]*containerd[^ ]*[.]sock')",
            dockerd: $"exec python3 {script} {agent.Runtime}/docker.sock",
            timeout: "3s");
        await agent.StartAsync();
        await EnsureAsync(agent);
        var watch = Stopwatch.StartNew();
        await agent.UntilAsync("it failed", async () => await StateAsync(agent) == "failed");
        Assert.InRange(watch.Elapsed.TotalSeconds, 2.5, 4);
        await EnsureAsync(agent);
        var runtime = await agent.GetAsync("/v1/runtime");
        Assert.Equal("starting", (string)runtime["state"]!);
        Assert.Equal(2, (int)runtime["attempt"]!);
        Assert.Equal(1, (int)runtime["cause"]!["attempt"]!);
    }

    private static void FakeBinaries(AgentUnderTest agent, string containerd, string dockerd, string timeout = "90s")
    {
        var bin = Directory.CreateDirectory(Path.Combine(agent.Home, "bin")).FullName;
        foreach (var (name, body) in new[]
        {
            ("containerd", containerd), ("dockerd", dockerd), ("containerd-shim-runc-v2", "exit 0"), ("runc", "exit 0"),
        })
        {
            Executable.WriteScript(Path.Combine(bin, name), body);
        }

        agent.Configure($"""
            runtime:
              keep: onDemand
              searchPath: [{bin}]
              socket: {agent.Runtime}/docker.sock
              dataRoot: {agent.Home}/docker
              startTimeout: {timeout}

            """);
    }

    private static async Task<JsonNode> EnsureAsync(AgentUnderTest agent)
    {
        var (status, body) = await agent.PostAsync("/v1/runtime/ensure", """{"startIfNeeded":true}""");
        Assert.Equal(200, status);
        return body!;
    }

    private static async Task<string> StateAsync(AgentUnderTest agent) => (string)(await agent.GetAsync("/v1/runtime"))["state"]!;

    private static ProcessRow[] Daemons(AgentUnderTest agent, string name) => [.. ProcessTable.All().Where(row =>
        Path.GetFileName(row.CommandLine.Split(' ')[0]) == name
        && row.CommandLine.Contains(agent.Runtime, StringComparison.Ordinal)

        // A child that a daemon has forked and that has not called exec yet looks like the daemon itself.
        && ProcessTable.LeadsItsSession(row.Pid))];
}
