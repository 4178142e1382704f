using System;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Http;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Runtime;
using Agent.Shell.Api;
using Agent.Shell.Loop;
using Agent.Tests.Support;
using LanguageExt;
using Xunit;

namespace Agent.Tests.Api;

/// RT-2, RT-3, RT-9, RT-10, RT-11: the runtime over the local API.
public sealed class RuntimeCallsTests
{
    private const string Endpoint = "unix:///run/agent/docker.sock";

    private static Seq<ServiceStatus> Table => Prelude.Seq(
        new ServiceStatus("containerd", ServiceHealth.Ready, "answers", 41, true),
        new ServiceStatus("dockerd", ServiceHealth.NotReady, "starts", Option<int>.None, false));

    /// RT-2, RT-3: any number of callers at once begin one start, and none waits for it.
    [Fact]
    public async Task Fifty_callers_begin_one_start()
    {
        await using var world = await ApiWorld.StartAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => EnsureAsync(world, start: true)));
        Assert.All(answers, answer => Assert.Equal((false, "starting"), (answer.Ready, answer.Status)));
        Assert.Single(world.Keeper.Effects, effect => effect is HostEffect.Runtime(RuntimeEffect.StartRuntime));
    }

    /// RT-2: ready is reused, with its endpoint.
    [Fact]
    public async Task A_ready_runtime_is_reused()
    {
        await using var world = await ReadyAsync();
        Assert.Equal(new EnsureAnswer(true, Endpoint, "version 27", "reused"), await EnsureAsync(world, start: true));
        Assert.Equal(0, world.Probes);
    }

    /// RT-11: who polls is answered from the published state.
    [Fact]
    public async Task Polling_a_starting_or_ready_runtime_steps_nothing()
    {
        await using var world = await ApiWorld.StartAsync();
        await EnsureAsync(world, start: true);
        var starting = world.Host.Current.Seq;
        for (var i = 0; i < 20; i++) await EnsureAsync(world, start: true);
        Assert.Equal(starting, world.Host.Current.Seq);
        await CompleteAsync(world);
        var ready = world.Host.Current.Seq;
        for (var i = 0; i < 20; i++) await EnsureAsync(world, start: true);
        await world.GetAsync("/v1/runtime");
        Assert.Equal(ready, world.Host.Current.Seq);
    }

    /// RT-2: without a wish to start, one look is answered and the state is untouched.
    [Fact]
    public async Task Asked_without_a_start_it_looks_and_leaves_the_state_alone()
    {
        await using var world = await ApiWorld.StartAsync();
        Assert.Equal(new EnsureAnswer(false, null, "nobody answers", "failed"), await EnsureAsync(world, start: false));
        world.Engine = (true, Endpoint, "version 27");
        Assert.Equal(new EnsureAnswer(true, Endpoint, "version 27", "reused"), await EnsureAsync(world, start: false));
        Assert.Equal((2, 0L), (world.Probes, world.Host.Current.Seq));
        await EnsureAsync(world, start: true);
        Assert.Equal("starting", (await EnsureAsync(world, start: false)).Status);
        Assert.Equal(2, world.Probes);
    }

    /// RT-9: the cause stays to be seen while the next attempt runs.
    [Fact]
    public async Task The_last_cause_is_shown_while_the_next_attempt_runs()
    {
        await using var world = await ApiWorld.StartAsync();
        await EnsureAsync(world, start: true);
        await world.Host.AskAsync(new RuntimeEvent.StartProgressed(1, Table));
        await world.Host.AskAsync(new RuntimeEvent.DaemonExited(
            new("dockerd", new ExitStatus.Exited(3), Prelude.Seq("last", "words"))));
        var failed = await RuntimeAsync(world);
        await EnsureAsync(world, start: true);
        var starting = await RuntimeAsync(world);
        Assert.Equal(("failed", 1, "starting", 2), (failed.State, failed.Attempt, starting.State, starting.Attempt));
        foreach (var cause in new[] { failed.Cause!, starting.Cause! })
        {
            Assert.Equal(("dockerd", 3, null, false), (cause.Daemon, cause.ExitCode, cause.Signal, cause.CircuitOpen));
            Assert.Equal(["last", "words"], cause.LogTail);
            Assert.Contains("during the start", cause.Text, StringComparison.Ordinal);
        }

        Assert.Equal(
            [new("containerd", "ready", "answers", 41, true), new("dockerd", "not_ready", "starts", null, false)],
            failed.Services);
    }

    /// RT-10: a line per change, and the end with ready. Upstream: watch frames (server).
    [Fact]
    public async Task Watching_tells_every_change_and_ends_when_it_is_ready()
    {
        await using var world = await ApiWorld.StartAsync();
        await using var body = await world.Client.GetStreamAsync(new Uri("/v1/runtime/watch", UriKind.Relative));
        using var lines = new StreamReader(body);
        Assert.Equal("notStarted", await NextAsync(lines));
        await EnsureAsync(world, start: true);
        Assert.Equal("starting", await NextAsync(lines));
        await CompleteAsync(world);
        Assert.Equal("ready", await NextAsync(lines));
        Assert.Null(await lines.ReadLineAsync());
    }

    /// RT-10: or with failed.
    [Fact]
    public async Task Watching_ends_when_it_has_failed()
    {
        await using var world = await ApiWorld.StartAsync();
        await EnsureAsync(world, start: true);
        await using var body = await world.Client.GetStreamAsync(new Uri("/v1/runtime/watch", UriKind.Relative));
        using var lines = new StreamReader(body);
        Assert.Equal("starting", await NextAsync(lines));
        await world.Host.AskAsync(new RuntimeEvent.StartFailed(1, "no room", Table));
        Assert.Equal("failed", await NextAsync(lines));
        Assert.Null(await lines.ReadLineAsync());
    }

    /// RT-10: root stops it; others have it in common.
    [Fact]
    public async Task Only_root_stops_the_runtime()
    {
        await using var world = await ReadyAsync();
        var (foreign, problem) = await world.AskAsync(1000, "POST", "/v1/runtime/stop");
        Assert.Equal((403, "not-allowed"), (foreign, ApiWorld.ProblemOf(problem).Code));
        var (status, body) = await world.PostAsync("/v1/runtime/stop");
        Assert.Equal(HttpStatusCode.Accepted, status);
        Assert.Equal("notStarted", ApiWorld.Read(body, WireJson.Default.RuntimeInfo).State);
        Assert.Contains(world.Keeper.Effects, effect => effect is HostEffect.Runtime(RuntimeEffect.StopDaemons));
    }

    private static async Task<ApiWorld> ReadyAsync()
    {
        var world = await ApiWorld.StartAsync();
        await EnsureAsync(world, start: true);
        await CompleteAsync(world);
        return world;
    }

    private static Task<Decision<HostState, HostEffect>> CompleteAsync(ApiWorld world) =>
        world.Host.AskAsync(new RuntimeEvent.StartCompleted(1, Endpoint, "version 27", Table));

    private static async Task<EnsureAnswer> EnsureAsync(ApiWorld world, bool start)
    {
        var (status, body) = await world.PostAsync(
            "/v1/runtime/ensure", start ? """{"startIfNeeded":true}""" : "{}");
        Assert.Equal(HttpStatusCode.OK, status);
        return ApiWorld.Read(body, WireJson.Default.EnsureAnswer);
    }

    private static async Task<RuntimeInfo> RuntimeAsync(ApiWorld world) =>
        ApiWorld.Read((await world.GetAsync("/v1/runtime")).Body, WireJson.Default.RuntimeInfo);

    private static async Task<string?> NextAsync(StreamReader lines)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        var line = await lines.ReadLineAsync(limit.Token);
        return line is null ? null : ApiWorld.Read(line, WireJson.Default.RuntimeInfo).State;
    }
}
