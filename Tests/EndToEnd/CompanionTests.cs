using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json.Nodes;
using System.Threading.Tasks;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.EndToEnd;

/// <summary>A real agent and a real systemd: units are written, started, repaired and taken away.</summary>
[Collection(nameof(EndToEndCollection))]
public sealed class CompanionTests
{
    private const string Hangup = "1";

    /// CT-10: the whole life of a companion, and of one that is beside it.
    [SkippableFact]
    public async Task A_companion_is_kept_as_it_is_declared()
    {
        using var systemd = await SystemdHost.BootAsync();
        using var agent = new AgentUnderTest();
        await StartAsync(agent, systemd, Companion("cache.service", Sleeper(1000)), Companion("other.service", Sleeper(1000)));
        await UntilWellAsync(agent, "cache.service", "other.service");
        var calls = systemd.TakeCalls();
        Assert.Single(calls, call => call == "daemon-reload");
        var file = Path.Combine(systemd.Units, "cache.service");
        var (written, cache, other) = (File.GetLastWriteTimeUtc(file), systemd.InvocationOf("cache.service"), systemd.InvocationOf("other.service"));
        Assert.Equal("active", systemd.Ask("is-active", "cache.service"));

        // Unchanged: not touched by a pass.
        await PassAsync(agent);
        Assert.Equal(written, File.GetLastWriteTimeUtc(file));
        Assert.All(systemd.TakeCalls(), call => Assert.StartsWith("show ", call, StringComparison.Ordinal));

        // The file is deleted: written again, and nothing restarted.
        File.Delete(file);
        await AskAsync(agent, "reconcile");
        await agent.UntilAsync("it is written again", () => Task.FromResult(File.Exists(file)));
        await UntilWellAsync(agent, "cache.service");
        Assert.Equal(cache, systemd.InvocationOf("cache.service"));

        // Stopped: started.
        systemd.Ask("stop", "cache.service");
        await AskAsync(agent, "reconcile");
        await agent.UntilAsync("it is started again", () => Task.FromResult(systemd.Ask("is-active", "cache.service") == "active"));
        await UntilWellAsync(agent, "cache.service");
        var again = systemd.InvocationOf("cache.service");
        Assert.NotEqual(cache, again);

        // Its bytes change: written, read, restarted.
        systemd.TakeCalls();
        Configure(agent, systemd, Companion("cache.service", Sleeper(2000)), Companion("other.service", Sleeper(1000)));
        Assert.True(Mounts.Run("kill", $"-{Hangup}", $"{agent.Pid}"));
        await agent.UntilAsync("it was restarted", () => Task.FromResult(systemd.InvocationOf("cache.service") != again));
        await UntilWellAsync(agent, "cache.service");
        Assert.Contains("sleep 2000", systemd.Ask("show", "cache.service", "--property=ExecStart"), StringComparison.Ordinal);
        Assert.Equal(
            ["daemon-reload", "restart --no-block cache.service"],
            systemd.TakeCalls().Where(call => !call.StartsWith("show ", StringComparison.Ordinal)));

        // The agent is killed and started: it looks, and that is all.
        var last = systemd.InvocationOf("cache.service");
        agent.KillAgent();
        await agent.StartAsync(Prefix(systemd));
        await PassAsync(agent);
        await UntilWellAsync(agent, "cache.service", "other.service");
        Assert.All(systemd.TakeCalls(), call => Assert.StartsWith("show ", call, StringComparison.Ordinal));
        Assert.Equal(last, systemd.InvocationOf("cache.service"));

        // Declared no more: stopped, disabled and deleted, and forgotten; the other was never concerned.
        Configure(agent, systemd, Companion("other.service", Sleeper(1000)));
        Assert.True(Mounts.Run("kill", $"-{Hangup}", $"{agent.Pid}"));
        await agent.UntilAsync("it is forgotten", async () => (await NamesAsync(agent)).SequenceEqual(["other.service"]));
        Assert.False(File.Exists(file));
        Assert.Equal("inactive", systemd.Ask("is-active", "cache.service"));
        Assert.Equal("not-found", systemd.Ask("show", "cache.service", "--property=LoadState", "--value"));
        Assert.Equal(
            ["stop --no-block cache.service", "disable --no-reload --quiet cache.service", "daemon-reload"],
            systemd.TakeCalls().Where(call => !call.StartsWith("show ", StringComparison.Ordinal)));
        Assert.Equal(other, systemd.InvocationOf("other.service"));
        await ReplayTests.ReplaysToItsDigestAsync(agent);
    }

    /// CT-5, CT-10: what is wrong with a unit is told in systemd's words and concerns no other; what others wrote is left.
    [SkippableFact]
    public async Task What_cannot_be_kept_is_told_and_concerns_no_other()
    {
        using var systemd = await SystemdHost.BootAsync();
        using var agent = new AgentUnderTest();
        var strangers = Path.Combine(systemd.Units, "stranger.service");
        await File.WriteAllTextAsync(strangers, Sleeper(3000));
        await StartAsync(
            agent,
            systemd,
            Companion("good.service", Sleeper(1000)),
            Companion("broken.service", "[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=not/absolute\n"),
            Companion("failing.service", "[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/sh -c 'exit 3'\n"),
            Companion("stranger.service", Sleeper(1000)));
        await UntilWellAsync(agent, "good.service");
        var good = systemd.InvocationOf("good.service");
        await UntilAsync(agent, "broken.service", one => Why(one).Contains("bad unit file setting", StringComparison.Ordinal));
        await UntilAsync(agent, "failing.service", one => Why(one).Contains("Result=exit-code, exited with 3", StringComparison.Ordinal));
        await UntilAsync(agent, "stranger.service", one => (string)one["report"]! == "failed" && (string)one["file"]! == "foreign");
        Assert.Equal(Sleeper(3000), await File.ReadAllTextAsync(strangers));
        Assert.Equal("inactive", systemd.Ask("is-active", "stranger.service"));
        Assert.Equal(good, systemd.InvocationOf("good.service"));
        Assert.DoesNotContain(systemd.TakeCalls(), call => call.Contains("stranger", StringComparison.Ordinal)
            && !call.StartsWith("show ", StringComparison.Ordinal));
        var (code, output, error) = await AgentUnderTest.RunAsync("companions", "--socket", agent.Socket);
        Assert.True(code == 0, error);
        Assert.Contains("was not written by this agent", output, StringComparison.Ordinal);
        (code, output, error) = await AgentUnderTest.RunAsync("explain", "companion", "failing.service", "--socket", agent.Socket);
        Assert.True(code == 0, error);
        Assert.Contains("start failing.service", output, StringComparison.Ordinal);
        await ReplayTests.ReplaysToItsDigestAsync(agent);
    }

    /// CT-10: a start waits until what it comes after says that it is ready.
    [SkippableFact]
    public async Task A_start_waits_until_what_it_comes_after_is_active()
    {
        using var systemd = await SystemdHost.BootAsync();
        using var agent = new AgentUnderTest();
        var gate = Path.Combine(systemd.Units, "gate");
        await StartAsync(
            agent,
            systemd,
            Companion(
                "base.service",
                "[Unit]\nDefaultDependencies=no\n[Service]\nType=notify\nNotifyAccess=all\n"
                    + $"ExecStart=/bin/sh -c 'while ! test -e {gate}; do sleep 0.1; done; systemd-notify --ready; exec sleep 1000'\n"),
            Companion("top.service", Sleeper(1000)) + "\n    after: [base.service]");
        await UntilAsync(agent, "base.service", one => (string)one["state"]! == "activating");
        await UntilAsync(agent, "top.service", one => Why(one) == "waits for base.service to be active");
        Assert.Equal("inactive", systemd.Ask("is-active", "top.service"));
        await File.WriteAllTextAsync(gate, "");
        await UntilWellAsync(agent, "base.service", "top.service");
        await ReplayTests.ReplaysToItsDigestAsync(agent);
    }

    private static string Sleeper(int seconds) =>
        $"[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/sleep {seconds}\n";

    private static string Companion(string name, string unit) =>
        $"  {name}:\n    content: |\n{string.Concat(unit.TrimEnd('\n').Split('\n').Select(line => $"      {line}\n"))}".TrimEnd('\n');

    private static void Configure(AgentUnderTest agent, SystemdHost systemd, params string[] companions) =>
        agent.Configure($"systemd:\n  units: {systemd.Units}\ncompanions:\n{string.Join('\n', companions)}\n");

    private static Task<AgentUnderTest> StartAsync(AgentUnderTest agent, SystemdHost systemd, params string[] companions)
    {
        Configure(agent, systemd, companions);
        return agent.StartAsync(Prefix(systemd));
    }

    private static string[] Prefix(SystemdHost systemd) =>
        ["/usr/bin/env", $"PATH={systemd.Bin}:{Environment.GetEnvironmentVariable("PATH")}"];

    private static async Task AskAsync(AgentUnderTest agent, string what)
    {
        var (status, answer) = await agent.PostAsync($"/v1/companions/{what}");
        Assert.True(status == 202, $"{what} answered {status}: {answer}");
    }

    /// <summary>A pass from its beginning to its end.</summary>
    private static async Task PassAsync(AgentUnderTest agent)
    {
        await AskAsync(agent, "reconcile");
        await agent.UntilAsync("the pass is over", async () => (string)(await agent.GetAsync("/v1/companions"))["passing"]! == "resting");
    }

    private static async Task<IEnumerable<string>> NamesAsync(AgentUnderTest agent) =>
        ((JsonArray)(await agent.GetAsync("/v1/companions"))["companions"]!).Select(one => (string)one!["name"]!);

    private static Task UntilAsync(AgentUnderTest agent, string name, Func<JsonNode, bool> condition) => agent.UntilAsync(
        $"{name} is as awaited",
        async () => condition(((JsonArray)(await agent.GetAsync("/v1/companions"))["companions"]!)
            .Single(one => (string)one!["name"]! == name)!));

    private static async Task UntilWellAsync(AgentUnderTest agent, params string[] names)
    {
        foreach (var name in names)
        {
            await UntilAsync(agent, name, one => (string)one["report"]! == "ok" && (string)one["file"]! == "current"
                && (string)one["state"]! == "active");
        }
    }

    private static string Why(JsonNode one) => (string?)one["lastFailure"]?["reason"] is { } reason ? reason : (string)one["detail"]!;
}
