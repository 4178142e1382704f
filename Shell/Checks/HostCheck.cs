using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Serialization;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Runtime;
using Agent.Shell.Config;
using Agent.Shell.Docker;
using Agent.Shell.Linux;
using Agent.Shell.Loop;

namespace Agent.Shell.Checks;

/// <summary>One thing looked at: ok, warn or fail, what was seen, and what to do about it.</summary>
internal sealed record Finding(string Subject, string Verdict, string Detail, string? Advice = null)
{
    public static Finding Ok(string subject, string detail) => new(subject, "ok", detail);

    public static Finding Warn(string subject, string detail, string advice) => new(subject, "warn", detail, advice);

    public static Finding Fail(string subject, string detail, string advice) => new(subject, "fail", detail, advice);
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Finding))]
internal sealed partial class CheckJson : JsonSerializerContext;

/// <summary>What `agent check` looks at: everything that the agent will need, tried rather than assumed.</summary>
internal static class HostCheck
{
    private const int LongestSocketPath = 107;
    private static readonly Version OldestKernel = new(5, 4);

    /// <param name="binaries">Where programs are looked for; left out, where the configuration says.</param>
    public static async Task<IReadOnlyList<Finding>> RunAsync(
        AgentPaths paths, bool configIsDefault, EngineBinaries? binaries, CancellationToken stop)
    {
        var findings = new List<Finding>
        {
            User(), Kernel(), Cgroups(), DirectoryCheck.State(paths.StateDir), DirectoryCheck.Runtime(paths.RuntimeDir),
            DirectoryCheck.Disk(paths.StateDir), Clock(DateTime.UtcNow),
        };
        var (configured, config) = Configuration(paths, configIsDefault);
        findings.Add(configured);
        binaries ??= EngineBinaries.Along(config?.Runtime.SearchPath ?? []);
        findings.Add(Engine(binaries, config?.Policy.Keep ?? Keep.OnDemand));
        findings.Add(Program(binaries, "iptables", "iptables", "dockerd sets up container networks with it"));
        findings.Add(Program(binaries, "setpriv", "util-linux", "processes of other users are started through it"));
        findings.Add(await SocketAsync(paths.Socket, stop).ConfigureAwait(false));
        return findings;
    }

    private static Finding User() => Processes.EffectiveUser == 0
        ? Finding.Ok("user", "root")
        : Finding.Warn(
            "user", $"uid {Processes.EffectiveUser}", "the container runtime and other users' processes need root: sudo agent run");

    private static Finding Kernel()
    {
        var release = File.ReadAllText("/proc/sys/kernel/osrelease").Trim();
        var number = new string([.. release.TakeWhile(c => char.IsAsciiDigit(c) || c == '.')]).TrimEnd('.');
        return Version.TryParse(number, out var version) && version >= OldestKernel
            ? Finding.Ok("kernel", release)
            : Finding.Fail("kernel", release, $"pidfds need Linux {OldestKernel} or newer");
    }

    private static Finding Cgroups()
    {
        var line = File.ReadLines("/proc/self/mountinfo")
            .FirstOrDefault(one => one.Contains(" - cgroup2 ", StringComparison.Ordinal));
        if (line is null)
        {
            return Finding.Warn(
                "cgroup v2", "not mounted", "descendants are found by their environment instead, which costs more; mount cgroup2");
        }

        var root = line.Split(' ')[4];
        var file = Path.Combine(root, "cgroup.controllers");
        var controllers = File.Exists(file) ? File.ReadAllText(file).Trim() : "";
        return Finding.Ok("cgroup v2", $"{root}, controllers: {(controllers.Length > 0 ? controllers : "none")}");
    }

    /// <summary>A clock before this program was written is surely wrong; certificates and deadlines depend on it.</summary>
    private static Finding Clock(DateTime now)
    {
        var shown = now.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        return now.Year is >= 2025 and < 2100
            ? Finding.Ok("clock", shown)
            : Finding.Warn("clock", shown, "set the clock, or let chrony or systemd-timesyncd do it");
    }

    private static (Finding Finding, AgentConfig? Config) Configuration(AgentPaths paths, bool isDefault)
    {
        try
        {
            var config = ConfigReader.Read(paths, isDefault);
            var place = File.Exists(paths.Config) ? paths.Config : $"{paths.Config} is not there, which is fine";
            return (Finding.Ok("config", $"{place}: {config.Services.Count} services"), config);
        }
        catch (ConfigException failure)
        {
            var more = failure.Mistakes.Count > 1 ? $" (and {failure.Mistakes.Count - 1} more)" : "";
            return (Finding.Fail("config", failure.Mistakes[0] + more, "agent config validate tells all that is wrong"), null);
        }
    }

    /// <summary>Without it an agent still keeps processes, unless it was told to keep the engine up.</summary>
    private static Finding Engine(EngineBinaries binaries, Keep keep)
    {
        string[] names = [EngineBinaries.Containerd, EngineBinaries.Dockerd, EngineBinaries.Shim, EngineBinaries.Runc];
        if (binaries.DescribeMissing(names) is null)
        {
            return Finding.Ok("engine", string.Join(", ", names.Select(binaries.Find)));
        }

        var missing = $"not found: {string.Join(", ", names.Where(name => binaries.Find(name) is null))}";
        const string Advice = "apt-get install containerd docker.io, or name their directory in runtime.searchPath";
        return keep == Keep.Always ? Finding.Fail("engine", missing, Advice) : Finding.Warn("engine", missing, Advice);
    }

    private static Finding Program(EngineBinaries binaries, string name, string package, string why) =>
        binaries.Find(name) is { } path
            ? Finding.Ok(name, path)
            : Finding.Warn(name, $"not found; {why}", $"apt-get install {package}");

    private static async Task<Finding> SocketAsync(string path, CancellationToken stop)
    {
        if (Encoding.UTF8.GetByteCount(path) > LongestSocketPath)
        {
            return Finding.Fail("socket", $"{path} is longer than {LongestSocketPath} bytes", "name a shorter one with --socket");
        }

        if (!File.Exists(path)) return Finding.Ok("socket", $"{path} is free");
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), stop).ConfigureAwait(false);
            return Finding.Ok("socket", $"an agent answers on {path}");
        }
        catch (SocketException failure) when (failure.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return Finding.Ok("socket", $"{path} is left over from an agent that ended; the next one takes it");
        }
        catch (SocketException failure)
        {
            return Finding.Fail("socket", $"{path}: {failure.Message}", "name another one with --socket, or ask as root");
        }
    }
}
