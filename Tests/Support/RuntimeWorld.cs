using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Runtime;
using Agent.Shell.Docker;
using Agent.Shell.Effects;
using Agent.Shell.Loop;

namespace Agent.Tests.Support;

/// <summary>
/// A directory of its own, the runtime's effects on a real loop in it, and a keeper stand-in. At the end it stops
/// everything that was started and unmounts what the engine left.
/// </summary>
internal sealed class RuntimeWorld : IAsyncDisposable
{
    private readonly string? _owned;
    private readonly string? _binaries;
    private readonly List<Socket> _listeners = [];

    /// <summary>With a directory of fakes these are the only binaries there are, and it goes with the world.</summary>
    public RuntimeWorld(string? root = null, string? binaries = null)
    {
        _binaries = binaries;
        _owned = root is null ? Directory.CreateTempSubdirectory("rt-").FullName : null;
        Root = root ?? _owned!;
        var runtime = Path.Combine(Root, "r");
        var paths = new AgentPaths("", Path.Combine(Root, "s"), runtime, AgentPaths.DefaultSocket(runtime));
        var settings = RuntimeSettings.Default(paths);
        Layout = binaries is null ? EngineLayout.Of(paths, settings) : new(paths, settings, new([binaries]));
        Directory.CreateDirectory(Path.GetDirectoryName(Layout.ContainerdSocket)!);
        Host = new CoreHost(Run);
        Starter = new RuntimeStarter(Host, Keeper, () => Layout);
    }

    public string Root { get; }

    public EngineLayout Layout { get; }

    public ChildKeeper Keeper { get; } = new();

    public CoreHost Host { get; }

    public RuntimeStarter Starter { get; private set; }

    /// <summary>An executable script of that name, in a directory that a world can be given as its only one.</summary>
    public static string FakeBinaries(params (string Name, string Script)[] scripts)
    {
        var directory = Directory.CreateTempSubdirectory("rtbin-").FullName;
        foreach (var (name, script) in scripts)
        {
            Executable.WriteScript(Path.Combine(directory, name), script);
        }

        return directory;
    }

    /// <summary>Binds and listens in the name of a daemon, and never accepts.</summary>
    public Socket Listen(string path)
    {
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen(64);
        _listeners.Add(listener);
        return listener;
    }

    public async Task<RuntimeState.Ready> EnsureReadyAsync()
    {
        await Host.AskAsync(new RuntimeEvent.EnsureRequested());
        var settled = await Host.WhenAsync(
            state => state.Runtime is RuntimeState.Ready or RuntimeState.Failed, TimeSpan.FromSeconds(95));
        return settled.State.Runtime as RuntimeState.Ready ?? throw new InvalidOperationException($"{Host.Runtime}");
    }

    /// <summary>What the agent's own restart does: the start under way is given up and issued anew.</summary>
    public async Task RestartStarterAsync()
    {
        await Starter.DisposeAsync();
        Starter = new RuntimeStarter(Host, Keeper, () => Layout);
        await Host.AskAsync(new RuntimeEvent.Started());
    }

    public async Task StopAsync()
    {
        await Host.AskAsync(new RuntimeEvent.StopRequested());
        await Host.WhenAsync(
            state => Daemons.Living(state, RuntimeMachine.Dockerd) is null
                && Daemons.Living(state, RuntimeMachine.Containerd) is null,
            TimeSpan.FromSeconds(70));
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await TidyAsync();
            await StopAsync();
        }
        finally
        {
            await Starter.DisposeAsync();
            Host.Dispose();
            Keeper.Dispose();
            foreach (var listener in _listeners) listener.Dispose();
            if (_binaries is not null) Directory.Delete(_binaries, recursive: true);
        }

        if (_owned is null) return;
        var mounts = await File.ReadAllLinesAsync("/proc/self/mounts");
        foreach (var mount in mounts.Select(line => line.Split(' ')[1]).Reverse())
        {
            if (!mount.StartsWith(_owned + "/", StringComparison.Ordinal)) continue;
            using var unmount = Process.Start("umount", ["-l", mount]);
            await unmount.WaitForExitAsync();
        }

        Directory.Delete(_owned, recursive: true);
    }

    /// <summary>The networks that were made in an engine of this world's own. One that does not answer keeps them.</summary>
    private async Task TidyAsync()
    {
        if (Host.Runtime is not RuntimeState.Ready ready || !ready.Services.ForAll(service => service.Owned)) return;
        using var engine = new EngineClient(Layout.Settings.Socket);
        try
        {
            await engine.RemoveNetworksAsync().WaitAsync(TimeSpan.FromSeconds(10));
        }
        catch (Exception failure) when (failure is System.Net.Http.HttpRequestException or TimeoutException or InvalidOperationException)
        {
            // What the test found is of more interest.
        }
    }

    private void Run(CoreHost host, HostEffect effect)
    {
        if (effect is HostEffect.Runtime(var runtime)) Starter.Run(runtime);
        else if (effect is HostEffect.Process(var process)) Keeper.Run(host, process);
    }
}
