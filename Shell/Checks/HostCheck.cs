using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net.Sockets;
using System.Text.Json.Serialization;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Config;
using Agent.Shell.Docker;
using Agent.Shell.Linux;
using Agent.Shell.Loop;

namespace Agent.Shell.Checks;

/// <summary>One thing looked at: ok, warn or fail, what was seen, and what to do about it.</summary>
internal sealed record Finding(string Subject, string Verdict, string Detail, string? Advice = null);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Finding))]
internal sealed partial class CheckJson : JsonSerializerContext;

/// <summary>What `agent check` looks at: everything that the agent will need, tried rather than assumed.</summary>
internal static class HostCheck
{
    private const long EnoughDisk = 2L << 30;

    public static async Task<IReadOnlyList<Finding>> RunAsync(AgentPaths paths, bool configIsDefault, CancellationToken stop)
    {
        var findings = new List<Finding>
        {
            User(), Kernel(), Cgroups(), Directory("state", paths.StateDir), Directory("runtime dir", paths.RuntimeDir),
            Disk(paths.StateDir), Clock(),
        };
        findings.AddRange(Programs(paths, configIsDefault));
        findings.Add(await SocketAsync(paths.Socket, stop).ConfigureAwait(false));
        return findings;
    }

    private static Finding User() => Processes.EffectiveUser == 0
        ? new("user", "ok", "root")
        : new("user", "warn", $"uid {Processes.EffectiveUser}", "the container runtime and other users' processes need root: sudo agent run");

    private static Finding Kernel()
    {
        var release = File.ReadAllText("/proc/sys/kernel/osrelease").Trim();
        var parts = release.Split('.', '-');
        var recent = Version.TryParse($"{parts[0]}.{parts[1]}", out var version) && version >= new Version(5, 4);
        return recent
            ? new("kernel", "ok", release)
            : new("kernel", "fail", release, "pidfds need Linux 5.4 or newer");
    }

    private static Finding Cgroups()
    {
        var line = File.ReadLines("/proc/self/mountinfo").FirstOrDefault(one => one.Contains(" - cgroup2 ", StringComparison.Ordinal));
        return line is not null
            ? new("cgroup v2", "ok", line.Split(' ')[4])
            : new("cgroup v2", "warn", "not mounted", "descendants are found by their environment instead, which costs more; mount cgroup2");
    }

    private static Finding Directory(string subject, string path)
    {
        var probe = Path.Combine(path, ".check");
        try
        {
            System.IO.Directory.CreateDirectory(path);
            var fd = Files.Open(probe, create: true);
            Files.Write(fd, probe, "x"u8, 0);
            Files.SyncData(fd, probe);
            Files.Close(fd);
            File.Delete(probe);
            return new(subject, "ok", $"{path} takes writes and syncs them");
        }
        catch (Exception failure) when (failure is FileFailure or IOException or UnauthorizedAccessException)
        {
            return new(subject, "fail", failure.Message, "name another directory, or make this one writable for the agent");
        }
    }

    private static Finding Disk(string path)
    {
        var free = new DriveInfo(System.IO.Directory.Exists(path) ? path : "/").AvailableFreeSpace;
        return free >= EnoughDisk
            ? new("disk", "ok", $"{Sizes.Show(free)} free")
            : new("disk", "warn", $"{Sizes.Show(free)} free", $"journal, logs and images want {Sizes.Show(EnoughDisk)}");
    }

    private static Finding Clock() => DateTime.UtcNow.Year is >= 2025 and < 2100
        ? new("clock", "ok", DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture))
        : new("clock", "warn", DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), "set the clock; signatures and certificates depend on it");

    private static IEnumerable<Finding> Programs(AgentPaths paths, bool configIsDefault)
    {
        AgentConfig? config = null;
        Finding configured;
        try
        {
            config = ConfigReader.Read(paths, configIsDefault);
            configured = new("config", "ok", $"{paths.Config}: {config.Services.Count} services");
        }
        catch (ConfigException failure)
        {
            configured = new("config", "fail", failure.Message, "agent config validate");
        }

        yield return configured;
        var settings = config?.Runtime ?? RuntimeSettings.Default(paths);
        var missing = EngineBinaries.Along(settings.SearchPath).DescribeMissing(
            EngineBinaries.Containerd, EngineBinaries.Dockerd, EngineBinaries.Shim, EngineBinaries.Runc);
        yield return missing is null
            ? new("engine", "ok", "containerd, dockerd, runc and the shim are there")
            : new("engine", "warn", missing, "apt-get install containerd docker.io");
        foreach (var (program, package, why) in Helpers)
        {
            yield return Find(program) is { } path
                ? new(program, "ok", path)
                : new(program, "warn", $"not found: {why}", $"apt-get install {package}");
        }
    }

    private static (string Program, string Package, string Why)[] Helpers =>
    [
        ("iptables", "iptables", "dockerd sets up container networks with it"),
        ("setpriv", "util-linux", "processes of other users are started through it"),
    ];

    private static readonly string[] Directories =
        ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

    private static string? Find(string program) =>
        Directories.Select(directory => Path.Combine(directory, program)).FirstOrDefault(File.Exists);

    private static async Task<Finding> SocketAsync(string path, CancellationToken stop)
    {
        if (!File.Exists(path)) return new("socket", "ok", $"{path} is free");
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), stop).ConfigureAwait(false);
            return new("socket", "ok", $"an agent answers on {path}");
        }
        catch (SocketException)
        {
            return new("socket", "ok", $"{path} is left over from an agent that ended; the next one takes it");
        }
    }
}
