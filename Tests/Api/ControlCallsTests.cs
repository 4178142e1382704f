using System;
using System.Diagnostics;
using System.Linq;
using System.Net;
using System.Net.Http;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Core.Runtime;
using Agent.Shell.Api;
using Agent.Shell.Effects;
using Agent.Tests.Support;
using LanguageExt;
using Xunit;

namespace Agent.Tests.Api;

/// PR-8, PR-9, PR-12: waiting, stopping, starting and signalling over the local API.
public sealed class ControlCallsTests
{
    /// PR-9: an exit is not missed and not taken, whether one waits before it or after.
    [Fact]
    public async Task Everyone_who_waits_gets_the_exit()
    {
        await using var world = await ApiWorld.StartAsync();
        var info = await world.SpawnAsync();
        var early = Enumerable.Range(0, 20).Select(_ => world.PostAsync($"/v1/processes/{info.Id}/wait")).ToArray();
        var (signalled, _) = await world.PostAsync($"/v1/processes/{info.Id}/signal", """{"signal":"usr1"}""");
        Assert.Equal(HttpStatusCode.NoContent, signalled);
        var all = await Task.WhenAll(early);
        var late = await world.PostAsync($"/v1/processes/{info.Id}/wait", """{"timeoutMs":0}""");
        foreach (var (status, body) in all.Append(late))
        {
            var exit = ApiWorld.Read(body, WireJson.Default.ExitInfo);
            Assert.Equal((HttpStatusCode.OK, null, 10, "killed"), (status, exit.Code, exit.Signal, exit.Reason));
            Assert.Equal((12L, 4096L), (exit.CpuMs, exit.PeakMemoryBytes));
        }

        Assert.Equal("exited", await PhaseAsync(world, info.Id));
    }

    /// PR-9: 408 wait-timeout, and the process goes on.
    [Fact]
    public async Task A_wait_ends_with_its_timeout()
    {
        await using var world = await ApiWorld.StartAsync();
        var info = await world.SpawnAsync();
        var (status, body) = await world.PostAsync($"/v1/processes/{info.Id}/wait", """{"timeoutMs":50}""");
        Assert.Equal((HttpStatusCode.RequestTimeout, "wait-timeout"), (status, ApiWorld.ProblemOf(body).Code));
        Assert.Equal("running", await PhaseAsync(world, info.Id));
    }

    /// PR-9: a stop tells the exit and the last lines, and those who stop at once agree.
    [Fact]
    public async Task Stops_at_once_agree_on_the_exit()
    {
        await using var world = await ApiWorld.StartAsync();
        var info = await world.SpawnAsync();
        world.Output.Append(info.Id, OutputStream.Stdout, "one\ntwo\n");
        world.Output.Append(info.Id, OutputStream.Stderr, "no newline");
        world.Output.End(info.Id, OutputStream.Stdout);
        world.Output.End(info.Id, OutputStream.Stderr);
        var stops = await Task.WhenAll(
            Enumerable.Range(0, 20).Select(_ => world.PostAsync($"/v1/processes/{info.Id}/stop")));
        Assert.All(stops, stop => Assert.Equal((HttpStatusCode.OK, stops[0].Body), stop));
        var exit = ApiWorld.Read(stops[0].Body, WireJson.Default.ExitInfo);
        Assert.Equal((15, "stopped"), (exit.Signal, exit.Reason));
        Assert.Equal(["one", "two"], exit.LastOutput!.Stdout);
        Assert.Equal(["no newline"], exit.LastOutput.Stderr);
        Assert.Single(world.Keeper.Effects, effect => effect is HostEffect.Process(ProcessEffect.SendSignal));
    }

    /// PR-9: what ignores the stop signal is killed after the grace that the caller gave.
    [Fact]
    public async Task What_does_not_stop_is_killed_after_the_grace()
    {
        await using var world = await ApiWorld.StartAsync();
        var info = await world.SpawnAsync("/stubborn");
        world.Output.End(info.Id, OutputStream.Stdout);
        world.Output.End(info.Id, OutputStream.Stderr);
        var (_, body) = await world.PostAsync($"/v1/processes/{info.Id}/stop", """{"graceMs":20}""");
        var exit = ApiWorld.Read(body, WireJson.Default.ExitInfo);
        Assert.Equal((9, "stopped"), (exit.Signal, exit.Reason));
    }

    /// PR-9: the stop does not wait for ever for output whose end nobody saw.
    [Fact]
    public async Task A_stop_does_not_wait_for_an_end_of_output_that_never_comes()
    {
        await using var world = await ApiWorld.StartAsync();
        var info = await world.SpawnAsync();
        world.Output.Append(info.Id, OutputStream.Stdout, "said\n");
        var clock = Stopwatch.StartNew();
        var (_, body) = await world.PostAsync($"/v1/processes/{info.Id}/stop");
        Assert.Equal(["said"], ApiWorld.Read(body, WireJson.Default.ExitInfo).LastOutput!.Stdout);
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(10));
    }

    /// PR-9: a caller who goes away takes nothing with him.
    [Fact]
    public async Task A_waiter_who_leaves_leaves_the_others_waiting()
    {
        await using var world = await ApiWorld.StartAsync();
        var info = await world.SpawnAsync();
        using (var leave = new CancellationTokenSource(TimeSpan.FromMilliseconds(100)))
        using (var request = new StringContent("{}", Encoding.UTF8))
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => world.Client.PostAsync(
                new Uri($"/v1/processes/{info.Id}/wait", UriKind.Relative), request, leave.Token));
        }

        var other = world.PostAsync($"/v1/processes/{info.Id}/wait");
        await world.PostAsync($"/v1/processes/{info.Id}/signal", """{"signal":"kill"}""");
        Assert.Equal(9, ApiWorld.Read((await other).Body, WireJson.Default.ExitInfo).Signal);
    }

    /// PR-8: the names of signals.
    [Theory]
    [InlineData("""{"signal":"SIGTERM"}""")]
    [InlineData("""{"signal":"0"}""")]
    [InlineData("{}")]
    public async Task A_signal_without_a_known_name_is_refused(string body)
    {
        await using var world = await ApiWorld.StartAsync();
        var info = await world.SpawnAsync();
        var (status, answer) = await world.PostAsync($"/v1/processes/{info.Id}/signal", body);
        Assert.Equal((HttpStatusCode.BadRequest, "signal"), (status, ApiWorld.ProblemOf(answer).Field));
    }

    /// PR-3, PR-10: what runs is not released; what has ended is, once. Upstream: delete (store).
    [Fact]
    public async Task Only_what_has_ended_is_released()
    {
        await using var world = await ApiWorld.StartAsync();
        var info = await world.SpawnAsync();
        var (running, problem) = await world.SendAsync(HttpMethod.Delete, $"/v1/processes/{info.Id}");
        Assert.Equal((HttpStatusCode.Conflict, "still-running"), (running, ApiWorld.ProblemOf(problem).Code));
        await world.PostAsync($"/v1/processes/{info.Id}/stop");
        var first = await world.SendAsync(HttpMethod.Delete, $"/v1/processes/{info.Id}");
        var second = await world.SendAsync(HttpMethod.Delete, $"/v1/processes/{info.Id}");
        Assert.Equal((HttpStatusCode.NoContent, HttpStatusCode.NotFound), (first.Status, second.Status));
    }

    /// CT-7's sense for services, PR-12: a user's stop stands until a user's start.
    [Fact]
    public async Task A_stopped_service_stays_down_until_it_is_started()
    {
        await using var world = await ApiWorld.StartAsync();
        var id = await DeclareAsync(world, ProcessKind.Service);
        await world.PostAsync($"/v1/processes/{id}/stop");
        await ConfigureAsync(world, id, ProcessKind.Service);
        Assert.Equal("exited", await PhaseAsync(world, id));
        var (status, body) = await world.PostAsync($"/v1/processes/{id}/start");
        var info = ApiWorld.Read(body, WireJson.Default.ProcessInfo);
        Assert.Equal((HttpStatusCode.OK, "service", 2, 1), (status, info.Kind, info.Generation, info.Restarts));
        await RunningAsync(world, id);
        Assert.Equal(HttpStatusCode.OK, (await world.PostAsync($"/v1/processes/{id}/restart")).Status);
        await world.Host.WhenAsync(
            state => state.Processes.All[ProcessOf(id)] is ProcessState.Running { Profile.Generation: 3 },
            TimeSpan.FromSeconds(10));
    }

    /// PR-1: only a service is started again.
    [Theory]
    [InlineData("start")]
    [InlineData("restart")]
    public async Task A_task_is_not_started_again(string call)
    {
        await using var world = await ApiWorld.StartAsync();
        var info = await world.SpawnAsync();
        var (status, body) = await world.PostAsync($"/v1/processes/{info.Id}/{call}");
        Assert.Equal((HttpStatusCode.BadRequest, "invalid-input"), (status, ApiWorld.ProblemOf(body).Code));
        Assert.Equal("running", await PhaseAsync(world, info.Id));
    }

    /// PR-10: waiting is using, for as long as it lasts; looking is not.
    [Fact]
    public async Task A_process_that_its_owner_waits_for_is_not_idle()
    {
        await using var world = await ApiWorld.StartAsync();
        var info = await world.SpawnAsync("/run", ""","idleTimeoutMs":3000 """);
        var (status, _) = await world.PostAsync($"/v1/processes/{info.Id}/wait", """{"timeoutMs":4000}""");
        Assert.Equal(HttpStatusCode.RequestTimeout, status);
        var (_, body) = await world.PostAsync("/v1/processes/status", $$"""{"ids":["{{info.Id}}"]}""");
        Assert.Contains("running", body, StringComparison.Ordinal);
        var end = await world.Host.WhenAsync(
            state => state.Processes.All[ProcessOf(info.Id)] is ProcessState.Exited, TimeSpan.FromSeconds(30));
        Assert.Equal(ExitReason.Idle, ((ProcessState.Exited)end.State.Processes.All[ProcessOf(info.Id)]).Exit.Reason);
    }

    /// PR-10: using it over and over is an event at most once in a sixteenth of the timeout.
    [Fact]
    public async Task Frequent_use_is_seldom_an_event()
    {
        await using var world = await ApiWorld.StartAsync();
        var info = await world.SpawnAsync("/run", ""","idleTimeoutMs":3600000 """);
        var before = world.Host.Current.Seq;
        for (var i = 0; i < 50; i++) await world.GetAsync($"/v1/processes/{info.Id}/logs/stdout");
        Assert.Equal(before, world.Host.Current.Seq);
    }

    /// RT-10: the engine's daemons are the runtime's to start and stop.
    [Theory]
    [InlineData("stop")]
    [InlineData("start")]
    [InlineData("restart")]
    public async Task A_daemon_is_left_to_the_runtime(string call)
    {
        await using var world = await ApiWorld.StartAsync();
        var id = Ids.New();
        await world.Host.AskAsync(new HostEvent.SpawnRequested(id, Spec(ProcessKind.Daemon)), CancellationToken.None);
        await RunningAsync(world, id.Value);
        var (status, body) = await world.PostAsync($"/v1/processes/{id}/{call}");
        Assert.Equal((HttpStatusCode.Forbidden, "not-allowed"), (status, ApiWorld.ProblemOf(body).Code));
        Assert.Equal("running", await PhaseAsync(world, id.Value));
    }

    private static async Task<string> DeclareAsync(ApiWorld world, ProcessKind kind)
    {
        var id = Ids.New().Value;
        await ConfigureAsync(world, id, kind);
        await RunningAsync(world, id);
        return id;
    }

    private static Task<Agent.Shell.Loop.Decision<HostState, HostEffect>> ConfigureAsync(ApiWorld world, string id, ProcessKind kind) =>
        world.Host.AskAsync(
            new HostEvent.Configured(
                RuntimePolicy.Default, Prelude.Seq1(new ServiceDeclaration(ProcessOf(id), Spec(kind)))),
            CancellationToken.None);

    private static Task<Agent.Shell.Loop.Published<HostState>> RunningAsync(ApiWorld world, string id) => world.Host.WhenAsync(
        state => state.Processes.Find(ProcessOf(id)).Exists(process => process is ProcessState.Running),
        TimeSpan.FromSeconds(10));

    private static ProcessSpec Spec(ProcessKind kind) => new(
        kind, Principal.Root, "web", Prelude.Seq1("/run"), Option<string>.None, Option<string>.None, "",
        StdinMode.None, Overflow.DropOldest, ProcessSpec.DefaultRingBytes, Option<TimeSpan>.None, Option<TimeSpan>.None,
        ProcessSpec.DefaultRetention, Signal.Term, ProcessSpec.DefaultGrace, RestartPolicy.Always,
        LanguageExt.Seq<string>.Empty);

    private static ProcessId ProcessOf(string id) => ProcessId.Parse(id).IfNone(() => throw new FormatException(id));

    private static async Task<string> PhaseAsync(ApiWorld world, string id) =>
        ApiWorld.Read((await world.GetAsync($"/v1/processes/{id}")).Body, WireJson.Default.ProcessInfo).Phase;
}
