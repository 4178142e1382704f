using System;
using System.IO;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Core.Runtime;
using Agent.Shell.Docker;
using Agent.Shell.Effects;
using Agent.Tests.Support;
using LanguageExt;
using Xunit;

namespace Agent.Tests.Runtime;

/// <summary>The real containerd and dockerd.</summary>
[Collection(nameof(EngineCollection))]
public sealed class RealEngineTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// RT-4: the start is real: both daemons run, owned and with their pids, and a container runs in them.
    [SkippableFact]
    public async Task The_engine_starts_and_runs_a_container()
    {
        RequireEngine();
        await using var world = new RuntimeWorld();
        var ready = await world.EnsureReadyAsync();

        Assert.Equal(world.Layout.Endpoint, ready.Endpoint);
        Assert.Contains("started containerd; started dockerd", ready.Message, StringComparison.Ordinal);
        foreach (var service in ready.Services)
        {
            Assert.Equal((ServiceHealth.Ready, true), (service.Health, service.Owned));
            Assert.True(service.Pid.TryGet(out var pid) && Directory.Exists($"/proc/{pid}"));
        }

        using var engine = new EngineClient(world.Layout.Settings.Socket);
        await engine.ImportBusyboxAsync("busybox:local");
        Assert.Equal("hello from inside\n", await engine.RunAsync("busybox:local", "echo hello from inside"));
    }

    /// RT-6: asked again, from Ready and after it was given up for dead, no second daemon is spawned.
    [SkippableFact]
    public async Task A_second_start_finds_a_living_engine_and_spawns_nothing()
    {
        RequireEngine();
        await using var world = new RuntimeWorld();
        await world.EnsureReadyAsync();
        await world.EnsureReadyAsync();

        await world.Host.AskAsync(new RuntimeEvent.DaemonExited(
            new("dockerd", new ExitStatus.Lost(), Seq<string>.Empty)));
        var again = await world.EnsureReadyAsync();

        Assert.Equal("the engine is up", again.Message);
        Assert.Equal(["containerd", "dockerd"], world.Keeper.Spawned);
    }

    /// RT-6, RT-8: a containerd that died is started again under the engine that lives.
    [SkippableFact]
    public async Task A_dead_containerd_is_started_again_beside_the_living_engine()
    {
        RequireEngine();
        await using var world = new RuntimeWorld();
        await world.EnsureReadyAsync();
        world.Keeper.Kill(Daemons.Living(world.Host.Current.State, "containerd")!.Profile.Id, (int)Signal.Kill);
        var degraded = await world.Host.RuntimeAsync<RuntimeState.Degraded>(Patience);
        Assert.Contains("containerd ended while ready with signal 9", degraded.Cause.Cause, StringComparison.Ordinal);

        await world.EnsureReadyAsync();

        Assert.Equal(["containerd", "dockerd", "containerd"], world.Keeper.Spawned);
        using var engine = new EngineClient(world.Layout.Settings.Socket);
        await engine.ImportBusyboxAsync("busybox:local");
        Assert.Equal("again\n", await engine.RunAsync("busybox:local", "echo again"));
    }

    /// RT-4: a container outlives the engine that started it, and the next engine knows it.
    [SkippableFact]
    public async Task A_container_outlives_a_stop_of_the_engine()
    {
        RequireEngine();
        await using var world = new RuntimeWorld();
        await world.EnsureReadyAsync();
        using var engine = new EngineClient(world.Layout.Settings.Socket);
        await engine.ImportBusyboxAsync("busybox:local");
        var container = await engine.StartAsync("busybox:local", "sleep 1000");
        var pid = await engine.PidOfAsync(container);

        await world.StopAsync();
        Assert.True(Directory.Exists($"/proc/{pid}"));
        await world.EnsureReadyAsync();

        Assert.Equal(pid, await engine.PidOfAsync(container));
        await engine.RemoveAsync(container);
    }

    /// RT-7: an engine that somebody else started is adopted, and a stop leaves it alone.
    [SkippableFact]
    public async Task A_system_engine_is_adopted_and_never_stopped()
    {
        RequireEngine();
        await using var system = new RuntimeWorld();
        var theirs = await system.EnsureReadyAsync();
        await using (var world = new RuntimeWorld(system.Root))
        {
            var ready = await world.EnsureReadyAsync();

            Assert.StartsWith("adopted the engine", ready.Message, StringComparison.Ordinal);
            Assert.Empty(world.Keeper.Spawned);
            Assert.False(ready.Services.Exists(service => service.Owned));
            Assert.True(ready.Services[1].Pid.TryGet(out var seen));
            Assert.True(theirs.Services[1].Pid.TryGet(out var real));
            Assert.Equal(real, seen);
            await world.StopAsync();
            Assert.IsType<RuntimeState.NotStarted>(world.Host.Runtime);
        }

        using var engine = new EngineClient(system.Layout.Settings.Socket);
        await engine.ImportBusyboxAsync("busybox:local");
    }

    /// RT-2: a probe looks and touches nothing.
    [SkippableFact]
    public async Task A_probe_tells_what_is_there()
    {
        RequireEngine();
        await using var world = new RuntimeWorld();
        var probe = new RuntimeProbe(() => world.Layout);
        var before = await probe.ProbeAsync(default);
        Assert.Equal(new RuntimeProbeAnswer(false, "", $"{world.Layout.Settings.Socket} does not exist"), before);

        await world.EnsureReadyAsync();
        var after = await probe.ProbeAsync(default);
        Assert.Equal((true, world.Layout.Endpoint), (after.Ready, after.Endpoint));
        Assert.StartsWith("Docker/", after.Detail, StringComparison.Ordinal);
    }

    private static void RequireEngine()
    {
        Skip.IfNot(Environment.IsPrivilegedProcess, "containerd and dockerd need root");
        var missing = EngineBinaries.Along([]).DescribeMissing(
            EngineBinaries.Containerd, EngineBinaries.Dockerd, EngineBinaries.Shim, EngineBinaries.Runc);
        Skip.IfNot(missing is null, missing ?? "");
        Skip.IfNot(File.Exists("/bin/busybox"), "the image is made of /bin/busybox (apt-get install busybox-static)");
    }
}
