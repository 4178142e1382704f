using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.Json.Nodes;
using System.Threading.Tasks;
using Xunit;

namespace Agent.Tests.EndToEnd;

/// <summary>
/// A real agent with a Compose file of its own, on an engine that others use too. At its end its containers are removed
/// through the agent, and its journal is replayed.
/// </summary>
internal sealed class ContainerStage(string engine) : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    public AgentUnderTest Agent { get; } = new();

    private string Compose => Path.Combine(Agent.Home, "compose.yaml");

    public async Task<ContainerStage> StartAsync(string compose)
    {
        await File.WriteAllTextAsync(Compose, compose);
        Agent.Configure($"containers:\n  compose: {Compose}\n  socket: {engine}\n");
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

    public async Task<string> IdAsync(string uid) => (string)(await FindAsync(uid))["engineId"]!;

    /// <summary>`agent containers …`.</summary>
    public Task<(int Code, string Out, string Error)> RunAsync(params string[] words) =>
        AgentUnderTest.RunAsync(["containers", .. words, "--socket", Agent.Socket]);

    /// <summary>The operator at the engine's own command line.</summary>
    public async Task<string> DockerAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("docker") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var word in arguments) start.ArgumentList.Add(word);
        start.Environment["DOCKER_HOST"] = $"unix://{engine}";
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
            await ReplayTests.ReplaysToItsDigestAsync(Agent);
        }
    }
}
