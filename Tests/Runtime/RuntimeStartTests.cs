using System;
using System.Diagnostics;
using System.IO;
using System.Linq;
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

/// <summary>The start against daemons that misbehave: shell scripts, whose sockets the test itself holds.</summary>
public sealed class RuntimeStartTests
{
    private const string Sleeps = "exec /bin/sleep 1000";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// RT-5: a daemon that exits during the start ends the attempt at once, with its code and its last lines.
    [Fact]
    public async Task A_daemon_that_dies_fails_the_start_at_once_with_its_last_words()
    {
        var fakes = Fakes("echo one; echo two >&2; echo three; exit 3", Sleeps);
        await using var world = new RuntimeWorld(binaries: fakes);
        var clock = Stopwatch.StartNew();
        await world.Host.AskAsync(new RuntimeEvent.EnsureRequested());

        var failed = await world.Host.RuntimeAsync<RuntimeState.Failed>(Patience);

        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5), $"{clock.Elapsed}");
        Assert.True(failed.Cause.Exit.TryGet(out var exit), failed.Cause.Cause);
        Assert.Equal("containerd", exit.Daemon);
        Assert.Equal(new ExitStatus.Exited(3), exit.Status);
        Assert.Equal(["one", "three", "two"], exit.LogTail.Order(StringComparer.Ordinal));
    }

    /// RT-4: the attempt's deadline bounds a dockerd that binds its socket and never answers.
    [Fact]
    public async Task A_dockerd_that_binds_and_never_answers_fails_at_the_deadline_and_not_later()
    {
        var fakes = Fakes(Sleeps, Sleeps);
        await using var world = new RuntimeWorld(binaries: fakes);
        await world.Host.ConfigureAsync(TimeSpan.FromSeconds(5));
        using var containerd = world.Listen(world.Layout.ContainerdSocket);
        var clock = Stopwatch.StartNew();
        await world.Host.AskAsync(new RuntimeEvent.EnsureRequested());
        await world.Host.WhenAsync(state => Lives(state, "dockerd"), Patience);
        using var dockerd = world.Listen(world.Layout.Settings.Socket);

        var failed = await world.Host.RuntimeAsync<RuntimeState.Failed>(Patience);

        Assert.InRange(clock.Elapsed.TotalSeconds, 4.9, 6);
        Assert.Contains("no runtime within 5 s", failed.Cause.Cause, StringComparison.Ordinal);
        Assert.Contains(
            "dockerd: it accepts connections but does not answer", failed.Cause.Cause, StringComparison.Ordinal);
        Assert.Equal(["dockerd"], world.Keeper.Spawned);
        await world.Host.WhenAsync(state => Daemons.Living(state, "dockerd") is null, Patience);
    }

    /// RT-4: the missing binaries are named, all of them, and how to get them.
    [Fact]
    public async Task Missing_binaries_are_all_named()
    {
        var fakes = RuntimeWorld.FakeBinaries(("containerd", Sleeps), ("runc", Sleeps));
        await using var world = new RuntimeWorld(binaries: fakes);
        await world.Host.AskAsync(new RuntimeEvent.EnsureRequested());

        var failed = await world.Host.RuntimeAsync<RuntimeState.Failed>(Patience);

        Assert.StartsWith("not found: dockerd, containerd-shim-runc-v2;", failed.Cause.Cause, StringComparison.Ordinal);
        Assert.Contains("apt-get install containerd docker.io", failed.Cause.Cause, StringComparison.Ordinal);
        Assert.Contains(fakes, failed.Cause.Cause, StringComparison.Ordinal);
        Assert.Empty(world.Keeper.Spawned);
    }

    /// RT-3: an unexpected exception in the start settles as Failed with its text.
    [Fact]
    public async Task What_throws_in_the_start_settles_as_failed_with_its_text()
    {
        var fakes = Fakes(Sleeps, Sleeps);
        await using var world = new RuntimeWorld(binaries: fakes);
        Directory.CreateDirectory(Path.GetDirectoryName(world.Layout.Settings.DataRoot)!);
        await File.WriteAllTextAsync(world.Layout.Settings.DataRoot, "a file where a directory belongs");
        await world.Host.AskAsync(new RuntimeEvent.EnsureRequested());

        var failed = await world.Host.RuntimeAsync<RuntimeState.Failed>(Patience);

        Assert.StartsWith("IOException: ", failed.Cause.Cause, StringComparison.Ordinal);
        Assert.Contains(world.Layout.Settings.DataRoot, failed.Cause.Cause, StringComparison.Ordinal);
    }

    /// RT-6: a start issued again while a daemon of ours lives and does not serve yet waits for it and spawns none.
    [Fact]
    public async Task A_start_after_the_agents_restart_waits_for_the_daemon_that_lives()
    {
        var fakes = Fakes(Sleeps, Sleeps);
        await using var world = new RuntimeWorld(binaries: fakes);
        await world.Host.AskAsync(new RuntimeEvent.EnsureRequested());
        await world.Host.WhenAsync(state => Lives(state, "containerd"), Patience);

        await world.RestartStarterAsync();
        using var containerd = world.Listen(world.Layout.ContainerdSocket);
        await world.Host.WhenAsync(state => Lives(state, "dockerd"), Patience);

        Assert.Equal(["containerd", "dockerd"], world.Keeper.Spawned);
    }

    /// RT-10: what the agent started is stopped, the engine first and to its end, then its containerd.
    [Fact]
    public async Task A_stop_ends_the_engine_before_its_containerd()
    {
        var fakes = Fakes(Sleeps, "trap '/bin/sleep 1; exit 0' TERM; while :; do /bin/sleep 0.05; done");
        await using var world = new RuntimeWorld(binaries: fakes);
        await world.Host.AskAsync(new RuntimeEvent.EnsureRequested());
        await world.Host.WhenAsync(state => Lives(state, "containerd"), Patience);
        using var containerd = world.Listen(world.Layout.ContainerdSocket);
        var both = await world.Host.WhenAsync(state => Lives(state, "dockerd"), Patience);

        await world.StopAsync();

        Assert.Equal(
            [Daemons.Living(both.State, "dockerd")!.Profile.Id, Daemons.Living(both.State, "containerd")!.Profile.Id],
            world.Host.Events.OfType<HostEvent.ProcessReported>()
                .Where(report => report.Event is ProcessEvent.ExitObserved).Select(report => report.Id));
    }

    /// RT-6: while the old daemon is still stopping the new one waits for its end.
    [Fact]
    public async Task A_start_right_after_a_stop_waits_for_the_end_of_the_old_daemon()
    {
        var fakes = Fakes("trap '/bin/sleep 1; exit 0' TERM; while :; do /bin/sleep 0.05; done", Sleeps);
        await using var world = new RuntimeWorld(binaries: fakes);
        await world.Host.AskAsync(new RuntimeEvent.EnsureRequested());
        var first = await world.Host.WhenAsync(state => Lives(state, "containerd"), Patience);
        var old = Daemons.Living(first.State, "containerd")!.Profile.Id;
        await world.Host.AskAsync(new RuntimeEvent.StopRequested());
        await world.Host.AskAsync(new RuntimeEvent.EnsureRequested());

        await world.Host.WhenAsync(
            state => Daemons.Living(state, "containerd") is ProcessState.Running next && next.Profile.Id != old,
            Patience);

        Assert.Equal(["containerd", "containerd"], world.Keeper.Spawned);
        Assert.Equal(1, world.Keeper.MostAlive("containerd"));
    }

    /// RT-6, RT-7: somebody else's daemon that listens and is not ready yet is waited for, not run over.
    [Fact]
    public async Task A_strangers_socket_is_waited_for()
    {
        var fakes = Fakes(Sleeps, Sleeps);
        await using var world = new RuntimeWorld(binaries: fakes);
        await world.Host.ConfigureAsync(TimeSpan.FromSeconds(8));
        using var containerd = world.Listen(world.Layout.ContainerdSocket);
        using var dockerd = world.Listen(world.Layout.Settings.Socket);
        await world.Host.AskAsync(new RuntimeEvent.EnsureRequested());

        var failed = await world.Host.RuntimeAsync<RuntimeState.Failed>(Patience);

        var (below, engine) = (failed.Services[0], failed.Services[1]);
        Assert.Equal((ServiceHealth.Ready, false), (below.Health, below.Owned));
        Assert.Equal((ServiceHealth.NotReady, false), (engine.Health, engine.Owned));
        Assert.True(below.Pid.TryGet(out var pid));
        Assert.Equal(Environment.ProcessId, pid);
        Assert.Empty(world.Keeper.Spawned);
    }

    /// RT-4: dockerd refuses a pid file whose pid lives, whoever that is; only a dockerd called with it counts.
    [Fact]
    public async Task A_stale_pid_file_is_removed_and_a_rivals_is_not()
    {
        await using var world = new RuntimeWorld();
        world.Layout.Prepare();
        await File.WriteAllTextAsync(world.Layout.PidFile, $"{Environment.ProcessId}");
        Assert.Null(world.Layout.ClearPidFile());
        Assert.False(File.Exists(world.Layout.PidFile));

        using var rival = new Process
        {
            StartInfo = new("/bin/sh", ["-c", "read line", "--pidfile", world.Layout.PidFile])
            {
                RedirectStandardInput = true,
            },
        };
        rival.Start();
        await File.WriteAllTextAsync(world.Layout.PidFile, $"{rival.Id}");
        Assert.Contains($"pid {rival.Id}", world.Layout.ClearPidFile(), StringComparison.Ordinal);
        Assert.True(File.Exists(world.Layout.PidFile));
        rival.Kill();
        await rival.WaitForExitAsync();
    }

    /// RT-4: a socket path that Linux would refuse fails the start with its reason.
    [Fact]
    public async Task A_socket_path_that_is_too_long_is_refused_before_anything_is_spawned()
    {
        var root = Directory.CreateDirectory(
            Path.Combine(Path.GetTempPath(), $"rt-{Guid.NewGuid():N}-{new string('x', 40)}")).FullName;
        await using (var world = new RuntimeWorld(root))
        {
            await world.Host.AskAsync(new RuntimeEvent.EnsureRequested());
            var failed = await world.Host.RuntimeAsync<RuntimeState.Failed>(Patience);
            Assert.Contains("bytes and Linux takes 107", failed.Cause.Cause, StringComparison.Ordinal);
            Assert.Empty(world.Keeper.Spawned);
        }

        Directory.Delete(root, recursive: true);
    }

    private static string Fakes(string containerd, string dockerd) => RuntimeWorld.FakeBinaries(
        ("containerd", containerd), ("dockerd", dockerd), ("runc", Sleeps), ("containerd-shim-runc-v2", Sleeps));

    private static bool Lives(HostState state, string name) => Daemons.Living(state, name) is ProcessState.Running;
}
