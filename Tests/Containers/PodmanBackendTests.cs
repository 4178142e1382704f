using System;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Agent.Shell.Containers;
using Agent.Shell.Containers.Engine;
using Agent.Shell.Docker;
using Xunit;

namespace Agent.Tests.Containers;

/// <summary>Podman's service on a socket and in a store of its own.</summary>
public sealed class PodmanWorld : BackendWorld
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly string _directory = Directory.CreateTempSubdirectory("pm-").FullName;
    private Process? _service;

    private string Socket => Path.Combine(_directory, "s");

    public override string? EngineSocket => Socket;

    internal override IContainerBackend Connect(string instance) => new EngineBackend(Socket, new ContainerLabels(instance));

    public override async Task DisposeAsync()
    {
        if (_service is not null)
        {
            _service.Kill();
            await _service.WaitForExitAsync();
            _service.Dispose();
        }

        var mounts = await File.ReadAllLinesAsync("/proc/self/mounts");
        foreach (var mount in mounts.Select(line => line.Split(' ')[1]).Reverse())
        {
            if (!mount.StartsWith(_directory + "/", StringComparison.Ordinal)) continue;
            using var unmount = Process.Start("umount", ["-l", mount]);
            await unmount.WaitForExitAsync();
        }

        Directory.Delete(_directory, recursive: true);
    }

    protected override async Task BeginAsync()
    {
        Missing = !Environment.IsPrivilegedProcess ? "podman needs root here"
            : EngineBinaries.Along([]).Find("podman") is null ? "there is no podman (apt-get install podman)"
            : null;
        if (Missing is not null) return;
        string[] store = ["--root", $"{_directory}/root", "--runroot", $"{_directory}/run", "--tmpdir", $"{_directory}/tmp"];
        string[] manner = ["--cgroup-manager", "cgroupfs", "--events-backend", "file"];
        var start = new ProcessStartInfo("podman") { RedirectStandardError = true };

        // Its default asks for more open files than this host's hard limit may be.
        var configuration = Path.Combine(_directory, "containers.conf");
        await File.WriteAllTextAsync(
            configuration, "[containers]\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=1024:1024\"]\n");
        start.Environment["CONTAINERS_CONF"] = configuration;
        foreach (var word in (string[])[.. store, .. manner, "system", "service", "--time=0", $"unix://{Socket}"])
        {
            start.ArgumentList.Add(word);
        }

        _service = Process.Start(start)!;
        _service.ErrorDataReceived += (_, _) => { };
        _service.BeginErrorReadLine();
        var watch = Stopwatch.StartNew();
        while (await EnginePing.PingAsync(Socket, default) is not PingAnswer.Answered)
        {
            if (watch.Elapsed > Patience || _service.HasExited)
            {
                Missing = "podman's service does not come up here";
                return;
            }

            await Task.Delay(50);
        }
    }
}

/// <summary>The real podman, which speaks the same protocol.</summary>
[Collection(nameof(EngineCollection))]
public sealed class PodmanBackendTests(PodmanWorld world) : EngineConformance(world), IClassFixture<PodmanWorld>;
