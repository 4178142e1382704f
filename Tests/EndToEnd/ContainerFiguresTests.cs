using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using System.Threading.Tasks;
using Agent.Shell.Containers;
using Agent.Tests.Containers;
using Agent.Tests.Support;
using Xunit;
using Xunit.Abstractions;

namespace Agent.Tests.EndToEnd;

/// <summary>
/// What passes cost on a real dockerd, counted on its socket. There a list is a question for the version, one for the list
/// and one for each container's account, since only that has exit codes and pids; none of them changes anything.
/// </summary>
[Collection(nameof(EngineCollection))]
public sealed class ContainerFiguresTests(DockerWorld world, ITestOutputHelper output) : IClassFixture<DockerWorld>
{
    private const int Count = 20;

    private const string Sleeps =
        "{ image: 'tiny:1', network_mode: none, restart: always, command: [sh, -c, \"trap 'exit 0' TERM; sleep 1000 & wait\"] }";

    /// CT-4, CT-5: twenty installed, looked at, and three of them gone behind the agent's back: each change costs the calls
    /// that it needs, once, and what did not change costs none.
    [SkippableFact]
    public async Task A_pass_costs_a_list_and_the_calls_for_what_changed()
    {
        Skip.IfNot(world.Missing is null, world.Missing ?? "");
        string[] uids = [.. Enumerable.Range(0, Count).Select(i => string.Create(CultureInfo.InvariantCulture, $"c{i:00}"))];
        await using var proxy = await EngineProxy.OpenAsync(world.Socket);
        await using var stage = await new ContainerStage(new EngineAddress.Socket(proxy.Socket)).StartAsync(
            $"services:\n{string.Concat(uids.Select(uid => $"  {uid}: {Sleeps}\n"))}");
        var watch = Stopwatch.StartNew();
        await stage.UntilRunningAsync(uids);
        Tell(proxy, "installed", watch.Elapsed);
        foreach (var twice in uids.Where(uid => proxy.Changes.Count(call => call.EndsWith($"create {uid}", StringComparison.Ordinal)) > 1))
        {
            output.WriteLine((await AgentUnderTest.RunAsync("explain", "container", twice, "--socket", stage.Agent.Socket)).Out);
        }

        Assert.Equal(Each(uids, "POST /containers/create {0}", "POST /containers/{0}/start"), proxy.Changes.Order());

        await QuietAsync(stage, proxy);
        await CleanPassesAsync(stage, proxy, uids);

        // The agent sees nothing of it until all three are gone.
        var gone = uids[..3];
        var ids = await Task.WhenAll(gone.Select(stage.IdAsync));
        Assert.Equal(0, Native.Kill(stage.Agent.Pid, Native.SigStop));
        await stage.DockerAsync(["rm", "-f", .. ids]);
        proxy.Asked.Clear();
        watch.Restart();
        Assert.Equal(0, Native.Kill(stage.Agent.Pid, Native.SigCont));
        foreach (var (uid, id) in gone.Zip(ids))
        {
            await stage.UntilAsync(uid, "made anew", one => (string?)one["engineId"] != id && (string)one["state"]! == "running");
        }

        Tell(proxy, "three gone", watch.Elapsed);
        Assert.Equal(Each(gone, "POST /containers/create {0}", "POST /containers/{0}/start"), proxy.Changes.Order());
        Assert.DoesNotContain(proxy.Asked, call => uids[3..].Any(uid => call.Contains($"{uid}/", StringComparison.Ordinal)
            && call != $"GET /containers/{uid}/json"));
    }

    private async Task CleanPassesAsync(ContainerStage stage, EngineProxy proxy, IReadOnlyList<string> uids)
    {
        const int Passes = 5;
        var before = Footprint.Of(stage.Agent.Pid).CpuSeconds;
        var took = TimeSpan.Zero;
        for (var i = 0; i < Passes; i++)
        {
            proxy.Asked.Clear();
            var pass = await PassAsync(stage);
            var watch = Stopwatch.StartNew();
            await stage.AskAsync("reconcile");
            await stage.Agent.UntilAsync("the pass is over", async () => await PassAsync(stage) > pass);
            took += watch.Elapsed;
            Assert.Equal(
                [.. Each(uids, "GET /containers/{0}/json"), "GET /containers/json", "GET /version"], proxy.Asked.Order(StringComparer.Ordinal));
        }

        var cpu = Footprint.Of(stage.Agent.Pid).CpuSeconds - before;
        output.WriteLine(FormattableString.Invariant(
            $"{Count} containers, nothing to do: {proxy.Asked.Count} questions, {took.TotalMilliseconds / Passes:0} ms a pass, ")
            + FormattableString.Invariant($"{1000 * cpu / Passes:0} ms of cpu with all that asks for it"));
    }

    private static async Task<int> PassAsync(ContainerStage stage)
    {
        var info = await stage.Agent.GetAsync("/v1/containers");
        return (string)info["passing"]! == "resting" ? (int)info["lastPass"]!["pass"]! : 0;
    }

    /// <summary>What the engine told of all that is done has led to its last look.</summary>
    private static async Task QuietAsync(ContainerStage stage, EngineProxy proxy)
    {
        var still = Stopwatch.StartNew();
        var count = -1;
        await stage.Agent.UntilAsync("nothing more is asked", () =>
        {
            if (proxy.Asked.Count != count) (count, still) = (proxy.Asked.Count, Stopwatch.StartNew());
            return Task.FromResult(still.Elapsed > TimeSpan.FromSeconds(2));
        });
    }

    private static IEnumerable<string> Each(IEnumerable<string> uids, params string[] calls) =>
        calls.SelectMany(call => uids.Select(uid => string.Format(CultureInfo.InvariantCulture, call, uid))).Order();

    private void Tell(EngineProxy proxy, string what, TimeSpan took)
    {
        var calls = proxy.Asked.ToArray();
        output.WriteLine(FormattableString.Invariant(
            $"{Count} containers, {what}: {calls.Count(call => !call.StartsWith("GET ", StringComparison.Ordinal))} changes, ")
            + FormattableString.Invariant($"{calls.Count(call => call == "GET /containers/json")} lists, {calls.Length} requests ")
            + FormattableString.Invariant($"in {took.TotalMilliseconds:0} ms"));
    }
}
