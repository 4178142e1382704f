using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.Json.Nodes;
using System.Threading.Tasks;
using Agent.Shell.Containers;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.EndToEnd;

/// <summary>
/// A real agent with a Compose file of its own, on an engine that others use too, or on one that it keeps itself. At its
/// end its containers are removed through the agent, and its journal is replayed.
/// </summary>
/// <param name="engine">Null: the agent's own.</param>
internal sealed class ContainerStage(EngineAddress? engine) : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    public AgentUnderTest Agent { get; } = new();

    private string Socket => engine?.Path ?? Path.Combine(Agent.Runtime, "docker.sock");

    private string Compose => Path.Combine(Agent.Home, "compose.yaml");

    public async Task<ContainerStage> StartAsync(string compose)
    {
        await File.WriteAllTextAsync(Compose, compose);
        Agent.Configure(engine is null
            ? $"runtime:\n  keep: always\n  dataRoot: {Agent.Home}/docker\n  socket: {Socket}\ncontainers:\n  compose: {Compose}\n"
            : $"containers:\n  compose: {Compose}\n  {engine.Kind}: {engine.Path}\n");
        await Agent.StartAsync();
        return this;
    }

    /// <summary>Another Compose file in the place of the first, and the agent is told to read it.</summary>
    public async Task DeclareAsync(string compose)
    {
        await File.WriteAllTextAsync(Compose, compose);
        Assert.Equal(0, Native.Kill(Agent.Pid, Native.SigHup));
    }

    /// <summary>With the set that the releases of a publisher carry.</summary>
    public async Task<ContainerStage> StartAsync(Publisher publisher)
    {
        Agent.Configure(
            $"{publisher.Yaml}containers:\n  release: {Publisher.Channel}/compose.yaml\n"
            + $"  {engine!.Kind}: {engine.Path}\n");
        await Agent.StartAsync();
        return this;
    }

    /// <summary>kill -9 of the agent, and a new one on the same directories.</summary>
    public async Task RestartAsync()
    {
        Agent.KillAgent();
        await Agent.StartAsync();
    }

    public async Task<JsonNode> FindAsync(string uid) =>
        ((JsonArray)(await Agent.GetAsync("/v1/containers"))["containers"]!).Single(one => (string)one!["uid"]! == uid)!;

    public Task UntilAsync(string uid, string what, Func<JsonNode, bool> condition) => Agent.UntilAsync(
        $"{uid} is {what}", async () => condition(await FindAsync(uid)), Patience);

    public Task UntilRunningAsync(params string[] uids) => Agent.UntilAsync(
        $"{string.Join(", ", uids)} run",
        async () =>
        {
            var all = (JsonArray)(await Agent.GetAsync("/v1/containers"))["containers"]!;
            return uids.All(uid => all.Any(one => (string)one!["uid"]! == uid && (string)one["state"]! == "running"
                && (string)one["report"]! == "ok" && (string?)one["health"] is null or "none" or "healthy"));
        },
        Patience);

    public async Task AskAsync(string path, string body = "{}")
    {
        var (status, answer) = await Agent.PostAsync($"/v1/containers/{path}", body);
        Assert.True(status == 202, $"{path} answered {status}: {answer}");
    }

    /// <summary>What must not change where nothing was done: the engine's ids and the times of their starts.</summary>
    public async Task<IReadOnlyDictionary<string, string>> IdentitiesAsync(params string[] uids)
    {
        var all = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var uid in uids) all[uid] = await InspectAsync(uid, "{{.Id}} {{.State.StartedAt}}");
        return all;
    }

    public async Task<string> InspectAsync(string uid, string format) =>
        (await DockerAsync("inspect", "-f", format, await IdAsync(uid))).Trim();

    public async Task<DateTimeOffset> TimeAsync(string uid, string member) => DateTimeOffset.Parse(
        await InspectAsync(uid, $"{{{{.State.{member}}}}}"), CultureInfo.InvariantCulture);

    /// <summary>An agent that has just started knows it once it has looked.</summary>
    public async Task<string> IdAsync(string uid)
    {
        string? id = null;
        await UntilAsync(uid, "seen", one => (id = (string?)one["engineId"]) is not null);
        return id!;
    }

    /// <summary>`agent containers …`.</summary>
    public Task<(int Code, string Out, string Error)> RunAsync(params string[] words) =>
        AgentUnderTest.RunAsync(["containers", .. words, "--socket", Agent.Socket]);

    /// <summary>The operator at the engine's own command line.</summary>
    public async Task<string> DockerAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("docker") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var word in arguments) start.ArgumentList.Add(word);
        start.Environment["DOCKER_HOST"] = $"unix://{Socket}";
        using var docker = Process.Start(start)!;
        var error = docker.StandardError.ReadToEndAsync();
        var output = await docker.StandardOutput.ReadToEndAsync();
        await docker.WaitForExitAsync();
        Assert.True(docker.ExitCode == 0, $"docker {string.Join(' ', arguments)}: {await error}");
        return output;
    }

    public async ValueTask DisposeAsync()
    {
        using (Agent)
        {
            var removed = await RunAsync("down");
            Assert.True(removed.Code == 0, removed.Error + removed.Out);
            if (engine is null) await Agent.PostAsync("/v1/runtime/stop");
            await ReplayTests.ReplaysToItsDigestAsync(Agent);
        }
    }
}
