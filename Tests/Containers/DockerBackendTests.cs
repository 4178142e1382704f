using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.IO;
using System.Linq;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Container;
using Agent.Core.Process;
using Agent.Core.Runtime;
using Agent.Shell.Containers;
using Agent.Shell.Containers.Engine;
using Agent.Shell.Docker;
using Agent.Shell.Effects;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.Containers;

/// <summary>A dockerd and a containerd of the tests' own, started as the agent starts them.</summary>
[SuppressMessage("Design", "CA1001", Justification = "the runner ends it as IAsyncLifetime")]
public sealed class DockerWorld : BackendWorld
{
    private RuntimeWorld? _world;

    internal string Socket => _world!.Layout.Settings.Socket;

    public override string? EngineSocket => Socket;

    internal override IContainerBackend Connect(string instance) => new EngineBackend(Socket, new ContainerLabels(instance));

    /// <summary>kill -9 of dockerd, and its end seen.</summary>
    internal async Task KillEngineAsync()
    {
        var world = _world!;
        world.Keeper.Kill(Daemons.Living(world.Host.Current.State, "dockerd")!.Profile.Id, (int)Signal.Kill);
        await world.Host.RuntimeAsync<RuntimeState.Degraded>(TimeSpan.FromSeconds(20));
    }

    internal Task ReviveEngineAsync() => _world!.EnsureReadyAsync();

    public override async Task DisposeAsync()
    {
        if (_world is not null) await _world.DisposeAsync();
    }

    /// <summary>Why there can be no such engine here; null where there can.</summary>
    internal static string? WhyNot =>
        !Environment.IsPrivilegedProcess ? "containerd and dockerd need root"
            : EngineBinaries.Along([]).Find("docker") is null ? "there is no docker command (apt-get install docker.io)"
            : !File.Exists("/bin/busybox") ? "the image is made of /bin/busybox (apt-get install busybox-static)"
            : EngineBinaries.Along([]).DescribeMissing(
                EngineBinaries.Containerd, EngineBinaries.Dockerd, EngineBinaries.Shim, EngineBinaries.Runc);

    protected override async Task BeginAsync()
    {
        Missing = WhyNot;
        if (Missing is not null) return;
        _world = new RuntimeWorld();
        await _world.EnsureReadyAsync();
    }
}

/// <summary>The real dockerd.</summary>
[Collection(nameof(EngineCollection))]
public sealed class DockerBackendTests(DockerWorld world) : EngineConformance(world), IClassFixture<DockerWorld>
{
    private readonly DockerWorld _world = world;

    private static CancellationToken None => CancellationToken.None;

    /// Row 94: a kill for memory is told from every other 137.
    [SkippableFact]
    public async Task A_kill_for_memory_is_told_apart()
    {
        await using var rig = Connect();
        await rig.RunAsync(Rig.Script("eater", "exec tail /dev/zero") with { Limits = new(32 << 20, null, null) });
        Assert.Equal(new ContainerStatus.Exited(137, OutOfMemory: true), await rig.UntilAsync<ContainerStatus.Exited>("eater"));
    }

    /// Row 94: a stop that its program ignores ends in a kill after the grace, which is no kill for memory.
    [SkippableFact]
    public async Task A_stop_kills_after_its_grace()
    {
        await using var rig = Connect();
        await rig.RunAsync(Rig.Script("deaf", "trap '' TERM; echo deaf; while true; do sleep 1; done"));
        await rig.Backend.StopAsync(Rig.Uid("deaf"), TimeSpan.FromSeconds(1), None);
        Assert.Equal(new ContainerStatus.Exited(137, OutOfMemory: false), (await rig.FindAsync("deaf"))!.Status);
    }

    /// Row 93: identity is in the labels. One that was renamed is still found; one that took the name is not.
    [SkippableFact]
    public async Task A_name_proves_nothing()
    {
        var names = new ContainerLabels(Rig.NewInstance());
        await using var rig = new Rig(new EngineBackend(ConnectedSocket, names));
        var id = await rig.RunAsync(Rig.Script("web", "sleep 1000"));
        await DockerAsync($"rename {id} renamed-{id[..12]}");
        await DockerAsync($"run -d --network none --name {names.NameOf(Rig.Uid("web"))} {BackendWorld.Image} sleep 1000");

        Assert.Equal(id, Assert.Single(await rig.Backend.ListAsync(None)).EngineId);
        await rig.Backend.RemoveAsync(Rig.Uid("web"), None);
        Assert.Empty(await rig.Backend.ListAsync(None));
        var taken = await Rig.FaultAsync(ContainerFault.Conflict, () => rig.CreateAsync(Rig.Script("web", "")));
        Assert.Contains("already in use", taken.Message, StringComparison.Ordinal);
        await DockerAsync($"rm -f {names.NameOf(Rig.Uid("web"))}");
    }

    /// Row 93: another program recreated it from another image and copied its labels: not what the digest says.
    [SkippableFact]
    public async Task Copied_labels_on_another_image_are_no_digest()
    {
        var names = new ContainerLabels(Rig.NewInstance());
        await using var rig = new Rig(new EngineBackend(ConnectedSocket, names));
        await rig.RunAsync(Rig.Script("web", "sleep 1000"), "digest");
        var image = await DockerAsync($"inspect -f {{{{.Image}}}} {names.NameOf(Rig.Uid("web"))}");
        using var archive = await TinyImage.ArchiveAsync("tiny:other", mark: "other");
        await rig.Backend.LoadAsync(archive, null, new Progress<ImageProgress>(), None);
        await rig.Backend.RemoveAsync(Rig.Uid("web"), None);
        await DockerAsync(
            $"run -d --network none --name {names.NameOf(Rig.Uid("web"))} --label agent.instance={names.Instance} "
            + $"--label agent.uid=web --label agent.spec=digest --label agent.image={image.Trim()} tiny:other sleep 1000");
        Assert.Equal("", (await rig.FindAsync("web"))!.Digest);
    }

    /// CT-1: a refusal has the engine's words, and the container is still only made.
    [SkippableFact]
    public async Task A_refusal_has_the_engines_words()
    {
        await using var rig = Connect();
        await rig.CreateAsync(Rig.Script("wrong", "") with { Command = ["/no/such/program"] });
        var refused = await Rig.FaultAsync(
            ContainerFault.Refused, () => rig.Backend.StartAsync(Rig.Uid("wrong"), None));
        Assert.Contains("/no/such/program", refused.Message, StringComparison.Ordinal);
        Assert.IsType<ContainerStatus.Created>((await rig.FindAsync("wrong"))!.Status);

        using var taken = new TcpListener(System.Net.IPAddress.Any, 0);
        taken.Start();
        var port = ((System.Net.IPEndPoint)taken.LocalEndpoint).Port;
        await rig.CreateAsync(Rig.Script("port", "sleep 9") with
        {
            NetworkMode = "bridge",
            Ports = [new("", port, 80, "tcp")],
        });
        var failed = await Rig.FaultAsync(ContainerFault.Failed, () => rig.Backend.StartAsync(Rig.Uid("port"), None));
        Assert.Contains("address already in use", failed.Message, StringComparison.Ordinal);
        await Rig.FaultAsync(ContainerFault.Refused, () => rig.CreateAsync(Rig.Script("disk", "") with
        {
            Mounts = [new(MountKind.Bind, "/no/such/directory", "/data", ReadOnly: false)],
        }));
    }

    /// CT-1, CT-9, upstream wrap_with_injections_emits_ro_bind_pair, process_write_path_is_bound_read_write,
    /// mask_arg_uses_tmpfs_for_dir_and_dev_null_bind_for_file: everything in a definition reaches the container, and
    /// siblings find each other by uid. Upstream: manifest translation, capabilities, read-only and tmpfs volumes,
    /// quoting (quadlet).
    [SkippableFact]
    public async Task A_definition_reaches_the_container()
    {
        await using var rig = Connect();
        await rig.RunAsync(Rig.Script("server", "echo served >/tmp/index.html; exec httpd -f -p 80 -h /tmp") with
        {
            NetworkMode = null,
            Healthcheck = new(
                ["CMD", "wget", "-q", "-O", "-", "http://127.0.0.1/"], TimeSpan.FromMilliseconds(200), null, null, 3),
        });
        await rig.UntilAsync("server", one => one.Health == ContainerHealth.Healthy);

        using var secret = new TemporaryFile("geheim");
        const string Script =
            "echo $MARK; id -u; busybox pwd; cat /run/secret; cat /etc/hosts | busybox grep -c 10.1.2.3; "
            + "touch /new 2>/dev/null || echo read-only; busybox hostname; wget -q -O - http://server/";
        await rig.RunAsync(Rig.Script("client", Script) with
        {
            NetworkMode = null,
            Environment = new Dictionary<string, string> { ["MARK"] = "a=b c" },
            User = "7:7",
            WorkingDirectory = "/tmp",
            Hostname = "inside",
            ReadOnlyRoot = true,
            Init = File.Exists("/usr/bin/docker-init"),
            ExtraHosts = [new("other", "10.1.2.3")],
            Limits = new(64 << 20, 500, 50),
            DroppedCapabilities = ["NET_RAW"],
            Mounts =
            [
                new(MountKind.Bind, secret.Path, "/run/secret", ReadOnly: true),
                new(MountKind.Tmpfs, "", "/data", ReadOnly: false, 1 << 20),
                new(MountKind.Volume, "kept", "/kept", ReadOnly: false),
            ],
        });
        await rig.UntilAsync<ContainerStatus.Exited>("client");
        var (output, error) = await rig.LogsAsync("client");
        Assert.Equal(("a=b c\n7\n/tmp\ngeheim1\nread-only\ninside\nserved\n", ""), (output, error));
    }

    /// CT-1, CT-3: what an instance made for its containers goes with them: a nameless volume with its container, their
    /// network with the last. A volume with a name stays, and so does a network that somebody else uses.
    [SkippableFact]
    public async Task What_an_instance_made_goes_with_its_last_container()
    {
        var names = new ContainerLabels(Rig.NewInstance());
        await using var rig = new Rig(new EngineBackend(ConnectedSocket, names));
        foreach (var uid in (string[])["one", "two"]) await MakeAsync(uid);
        var mounted = (await DockerAsync($"inspect -f \"{{{{range .Mounts}}}}{{{{.Name}}}} {{{{end}}}}\" {names.NameOf(Rig.Uid("one"))}"))
            .Split(' ', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var kept = $"{names.Prefix}-kept";
        var nameless = Assert.Single(mounted, volume => volume != kept);

        await rig.Backend.RemoveAsync(Rig.Uid("one"), None);
        Assert.DoesNotContain(nameless, await VolumesAsync());
        Assert.NotEmpty(await NetworkAsync());
        await rig.Backend.RemoveAsync(Rig.Uid("two"), None);
        Assert.Empty(await NetworkAsync());
        Assert.Contains(kept, await VolumesAsync());

        await MakeAsync("one");
        var theirs = await DockerAsync($"run -d --network {names.Prefix} {BackendWorld.Image} sleep 1000");
        await rig.Backend.RemoveAsync(Rig.Uid("one"), None);
        Assert.NotEmpty(await NetworkAsync());
        await DockerAsync($"rm -f {theirs}");

        Task<string> MakeAsync(string uid) => rig.CreateAsync(Rig.Script(uid, "sleep 9") with
        {
            NetworkMode = null,
            Mounts = [new(MountKind.Volume, "", "/nameless", false), new(MountKind.Volume, "kept", "/kept", false)],
        });

        Task<string> NetworkAsync() => DockerAsync($"network ls -q -f name={names.Prefix}");

        async Task<string[]> VolumesAsync() => (await DockerAsync("volume ls -q")).Split('\n');
    }

    /// CT-1: what it uses is told.
    [SkippableFact]
    public async Task What_it_uses_is_told()
    {
        await using var rig = Connect();
        await rig.RunAsync(Rig.Script("busy", "while true; do true; done"));
        await rig.UntilAsync<ContainerStatus.Running>("busy");
        var stats = await rig.Backend.StatsAsync(Rig.Uid("busy"), None);
        Assert.True(stats is { MemoryBytes: > 0, Processes: >= 1 } && stats.Cpu > TimeSpan.Zero, $"{stats}");
    }

    /// CT-1: a tar of files becomes an image of the name that it is given.
    [SkippableFact]
    public async Task Files_become_an_image()
    {
        await using var rig = Connect();
        using var files = new MemoryStream(await TinyImage.LayerAsync("files"));
        await rig.Backend.LoadAsync(files, "files:3", new Progress<ImageProgress>(), None);
        Assert.True(await rig.Backend.ImageExistsAsync("files:3", None));
    }

    private string ConnectedSocket
    {
        get
        {
            Skip.IfNot(_world.Missing is null, _world.Missing ?? "");
            return _world.Socket;
        }
    }

    /// <summary>The operator at the engine's own command line.</summary>
    private async Task<string> DockerAsync(string arguments)
    {
        var start = new System.Diagnostics.ProcessStartInfo("docker", arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["DOCKER_HOST"] = $"unix://{_world.Socket}";
        using var docker = System.Diagnostics.Process.Start(start)!;
        var output = docker.StandardOutput.ReadToEndAsync();
        var error = await docker.StandardError.ReadToEndAsync();
        await docker.WaitForExitAsync();
        return docker.ExitCode == 0 ? await output : throw new InvalidOperationException($"docker {arguments}: {error}");
    }
}
