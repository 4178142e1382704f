using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Container;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Shell.Containers;
using Agent.Shell.Effects;
using Agent.Tests.Support;
using LanguageExt;
using Xunit;

namespace Agent.Tests.Containers;

/// <summary>The core's decisions carried out on an engine in memory, through the real loop.</summary>
public sealed class ContainerInterpreterTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly FakeEngine _engine = new();
    private readonly DeclaredContainers _declared;
    private CoreHost _host;
    private ContainerInterpreter _interpreter;

    public ContainerInterpreterTests()
    {
        _engine.AddImage(BackendWorld.Image);
        _declared = new(new byte[32], () => "runtime.sock", _ => _engine.Connect("here"));
        (_host, _interpreter) = Begin(null);
    }

    /// CT-2, CT-4, CT-5: what is declared is created and started, once.
    [Fact]
    public async Task What_is_declared_runs()
    {
        await DeclareAsync("web", "db");
        await WhenAsync(containers => Runs(containers, "web") && Runs(containers, "db"));
        Assert.Single(_engine.Calls, call => call == "create web");
        Assert.Single(_engine.Calls, call => call == "start db");
    }

    /// CT-5: a start that hangs holds up its own container only.
    [Fact]
    public async Task A_hanging_call_holds_up_no_other()
    {
        _engine.Faults["start db"] = new EngineFault.Hang();
        await DeclareAsync("web", "db");
        await WhenAsync(containers => Runs(containers, "web") && Find(containers, "db") is ContainerState.Starting);
    }

    /// CT-5, CT-8: a failure is told in the engine's own words, and the call is tried again.
    [Fact]
    public async Task A_failed_call_is_told_and_tried_again()
    {
        _engine.Faults["start web"] = new EngineFault.Fail(ContainerFault.Failed, "no such program: /bin/nowhere");
        await DeclareAsync("web");
        var at = await WhenAsync(containers => Find(containers, "web")?.Profile.History.Failures > 0);
        Assert.True(Find(at, "web")!.Profile.History.LastFailure.TryGet(out var failure));
        Assert.Contains("no such program: /bin/nowhere", failure.Reason, StringComparison.Ordinal);
        _engine.Faults.TryRemove("start web", out _);
        await WhenAsync(containers => Runs(containers, "web"));
    }

    /// CT-6, CT-7: another agent over the same state adopts what runs with a list, and leaves alone what its user stopped.
    [Fact]
    public async Task A_restart_of_the_agent_adopts()
    {
        await DeclareAsync("web", "db");
        await WhenAsync(containers => Runs(containers, "web") && Runs(containers, "db"));
        var stop = new ContainersEvent.One(Rig.Uid("db"), new ContainerEvent.StopRequested());
        await _host.AskAsync(new HostEvent.ContainersRequested(Principal.Root, stop), CancellationToken.None);
        var stopped = await WhenAsync(containers =>
            Find(containers, "db") is ContainerState.Idle { Profile.Seen: Sighting.Present({ Status: ContainerStatus.Exited }) });
        await EndAsync();
        _engine.Calls.Clear();
        (_host, _interpreter) = Begin(HostState.Initial with { Containers = stopped });
        var pass = stopped.Pass;
        await _host.AskAsync(new HostEvent.Started(new BootId("b"), Seq<ObservedProcess>.Empty), CancellationToken.None);
        await WhenAsync(containers => containers.Pass > pass && containers.Passing is PassState.Resting);
        Assert.DoesNotContain(_engine.Calls, call => call != "list");
        Assert.True(Runs(_host.Current.State.Containers, "web"));
    }

    /// CT-5, CT-6: what is declared before the core has heard that the agent started waits for that, for the start takes
    /// nothing to be under way: each call is made once.
    [Fact]
    public async Task A_start_asks_for_nothing_twice()
    {
        await EndAsync();
        var start = new TaskCompletionSource();
        (_host, _interpreter) = Begin(null, start.Task);
        await DeclareAsync("web");
        var listed = _host.Current.State.Containers.Pass;
        await _host.AskAsync(new HostEvent.Started(new BootId("b"), Seq<ObservedProcess>.Empty), CancellationToken.None);
        Assert.True(_host.Current.State.Containers.Pass > listed);
        Assert.Empty(_engine.Calls);
        start.SetResult();
        await WhenAsync(containers => Runs(containers, "web") && containers.Passing is PassState.Resting);
        Assert.Equal("list", _engine.Calls.First());
        Assert.NotEqual("list", _engine.Calls.Skip(1).First());
        Assert.Single(_engine.Calls, call => call == "create web");
    }

    /// CT-4, seed 003 `shutdown_terminates_loop`: at the agent's end nothing more is begun, what answers in time is heard,
    /// and what does not is left to the engine.
    [Fact]
    public async Task At_the_end_nothing_more_is_begun()
    {
        _engine.Faults["start db"] = new EngineFault.Hang();
        await DeclareAsync("web", "db");
        await WhenAsync(containers => Runs(containers, "web") && Find(containers, "db") is ContainerState.Starting);
        await _interpreter.DisposeAsync().AsTask().WaitAsync(Patience);
        _engine.Calls.Clear();
        _interpreter.Run(new ContainerEffect.List(7));
        await _interpreter.DisposeAsync();
        Assert.Empty(_engine.Calls);
        Assert.IsType<ContainerState.Starting>(Find(_host.Current.State.Containers, "db"));
    }

    /// CT-2, seed 003 `failure_in_one_pass_does_not_stop_loop`: a list that fails changes nothing, and is told; the next pass
    /// is run as if nothing had been.
    [Fact]
    public async Task An_engine_that_cannot_be_asked_is_told()
    {
        _engine.Faults["list"] = new EngineFault.Fail(ContainerFault.Unreachable, "nobody listens");
        await DeclareAsync("web");
        var at = await WhenAsync(containers => containers.Last.IsSome);
        Assert.True(at.Last.Bind(last => last.Failure).TryGet(out var why));
        Assert.Equal("nobody listens", why);
        Assert.DoesNotContain(_engine.Calls, call => call != "list");
        _engine.Faults.TryRemove("list", out _);
        var next = new HostEvent.ContainersRequested(Principal.Root, new ContainersEvent.ReconcileRequested());
        await _host.AskAsync(next, CancellationToken.None);
        await WhenAsync(containers => Runs(containers, "web"));
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        _declared.Dispose();
    }

    private (CoreHost, ContainerInterpreter) Begin(HostState? from, Task? start = null)
    {
        ContainerInterpreter? interpreter = null;
        var host = new CoreHost(
            (_, effect) =>
            {
                if (effect is HostEffect.Container(var asked)) interpreter!.Run(asked);
            },
            from);
        interpreter = new(host, _declared, start ?? Task.CompletedTask);
        return (host, interpreter);
    }

    private async Task EndAsync()
    {
        await _interpreter.DisposeAsync();
        _host.Dispose();
    }

    private async Task DeclareAsync(params string[] uids)
    {
        var declared = _declared.Declare(new(
            null, new EngineAddress.Socket("/engine.sock"), Install: true, [.. uids.Select(uid => Rig.Script(uid, "sleep 1000"))]));
        await _host.AskAsync(new HostEvent.Started(new BootId("b"), Seq<ObservedProcess>.Empty), CancellationToken.None);
        await _host.AskAsync(new HostEvent.ContainersReported(declared), CancellationToken.None);
    }

    private async Task<Core.Container.Containers> WhenAsync(Func<Core.Container.Containers, bool> condition)
    {
        using var limit = new CancellationTokenSource(Patience);
        return (await _host.WhenAsync(at => condition(at.State.Containers), limit.Token)).State.Containers;
    }

    private static ContainerState? Find(Core.Container.Containers containers, string uid) =>
        containers.Find(Rig.Uid(uid)).TryGet(out var state) ? state : null;

    private static bool Runs(Core.Container.Containers containers, string uid) => Find(containers, uid) is
        ContainerState.Idle { Profile.Seen: Sighting.Present({ Status: ContainerStatus.Running(PidAlive: true) }) };
}
