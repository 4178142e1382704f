using System;
using System.Diagnostics;
using System.Linq;
using System.Text.Json.Nodes;
using System.Threading.Tasks;
using Agent.Shell.Containers;
using Agent.Tests.Containers;
using Xunit;

namespace Agent.Tests.EndToEnd;

/// <summary>A real engine whose word for one container is not true.</summary>
[Collection(nameof(EngineCollection))]
public sealed class ContainerLieTests(DockerWorld world) : IClassFixture<DockerWorld>
{
    private const string Sleeps = "{ image: 'tiny:1', network_mode: none, restart: always, stop_grace_period: 1s, command: [sleep, '1000'] }";

    /// CT-8: the engine calls it running and its pid is gone: it is replaced, five times and no more; then it is told and
    /// left, until its user starts it. Its sibling is left as it is throughout. Upstream: dead pid (prod_orchestrator).
    [SkippableFact]
    public async Task What_only_seems_to_run_is_replaced_until_its_circuit_opens()
    {
        Skip.IfNot(world.Missing is null, world.Missing ?? "");
        await using var proxy = await EngineProxy.OpenAsync(world.Socket);
        await using var stage = await new ContainerStage(new EngineAddress.Socket(proxy.Socket))
            .StartAsync($"services: {{ victim: {Sleeps}, sibling: {Sleeps} }}");
        await stage.UntilRunningAsync("victim", "sibling");
        var (first, sibling) = (await stage.IdAsync("victim"), await stage.IdentitiesAsync("sibling"));
        Assert.Equal(1, Made(proxy));

        var gone = GonePid();
        proxy.Account = (uid, account) =>
        {
            if (uid == "victim" && (string?)account["State"]!["Status"] == "running") account["State"]!["Pid"] = gone;
            return account;
        };
        await stage.AskAsync("reconcile");
        await stage.UntilAsync("victim", "left to its user", IsLeft);
        Assert.Equal(1 + 5, Made(proxy));
        Assert.NotEqual(first, await stage.IdAsync("victim"));
        Assert.Equal("process-gone", (string)(await stage.FindAsync("victim"))["state"]!);

        var changes = proxy.Changes.Count;
        await stage.AskAsync("reconcile");
        await stage.UntilAsync("victim", "left to its user still", IsLeft);
        Assert.Equal(changes, proxy.Changes.Count);

        await stage.AskAsync("victim/start");
        await stage.Agent.UntilAsync("it is made anew at once", () => Task.FromResult(Made(proxy) > 1 + 5));
        proxy.Account = (_, account) => account;
        await stage.UntilRunningAsync("victim");
        Assert.Equal(sibling, await stage.IdentitiesAsync("sibling"));
    }

    private static int Made(EngineProxy proxy) => proxy.Changes.Count(call => call == "POST /containers/create victim");

    private static bool IsLeft(JsonNode one) =>
        ((string)one["detail"]!).Contains("it was made anew 5 times in 30 min", StringComparison.Ordinal);

    /// <summary>A number that was a process's and is nobody's any more.</summary>
    private static int GonePid()
    {
        using var process = Process.Start("true");
        process.WaitForExit();
        return process.Id;
    }
}
