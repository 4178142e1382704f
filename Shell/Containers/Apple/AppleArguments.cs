using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace Agent.Shell.Containers.Apple;

/// <summary>A definition as arguments of `container create`. What the command cannot do is refused, never left out.</summary>
internal static class AppleArguments
{
    public static IReadOnlyList<string> Of(
        ContainerDefinition one, ContainerLabels names, string digest, string environmentFile)
    {
        if (Impossible(one) is { } what)
        {
            throw new ContainerException(ContainerFault.Refused, $"Apple's container command knows no {what} ({one.Uid})");
        }

        var arguments = new List<string> { "create", "--name", names.NameOf(one.Uid), "--env-file", environmentFile };
        foreach (var (key, value) in one.Labels) arguments.AddRange(["--label", $"{key}={value}"]);
        arguments.AddRange(["--label", $"{ContainerLabels.InstanceKey}={names.Instance}"]);
        arguments.AddRange(["--label", $"{ContainerLabels.UidKey}={one.Uid}"]);
        arguments.AddRange(["--label", $"{ContainerLabels.SpecKey}={digest}"]);
        if (one.NetworkMode is not null) arguments.AddRange(["--network", one.NetworkMode]);
        if (one.User is not null) arguments.AddRange(["--user", one.User]);
        if (one.WorkingDirectory is not null) arguments.AddRange(["--workdir", one.WorkingDirectory]);
        if (one.Limits.MemoryBytes is { } memory) arguments.AddRange(["--memory", Text(memory)]);
        if (one.Limits.CpuThousandths is { } cpu) arguments.AddRange(["--cpus", Text(cpu / 1000)]);
        foreach (var port in one.Ports) arguments.AddRange(["--publish", Published(port)]);
        foreach (var mount in one.Mounts) arguments.AddRange(Mounted(mount, names));
        if (one.Entrypoint is [var program, ..]) arguments.AddRange(["--entrypoint", program]);
        return [.. arguments, one.Image, .. (one.Entrypoint ?? []).Skip(1), .. one.Command ?? []];
    }

    private static string? Impossible(ContainerDefinition one) =>
        one.Healthcheck is { IsOff: false } ? "health check"
        : one.NetworkMode is "host" or "bridge" ? $"network_mode {one.NetworkMode}"
        : one.Hostname is not null ? "hostname"
        : one.ExtraHosts.Count > 0 ? "extra_hosts"
        : one.AddedCapabilities.Count + one.DroppedCapabilities.Count > 0 ? "capabilities"
        : one.ReadOnlyRoot ? "read_only"
        : one.Init ? "init"
        : one.StopSignal is not null ? "stop_signal"
        : one.Limits.Pids is not null ? "limit of pids"
        : one.Limits.CpuThousandths % 1000 is > 0 ? "part of a processor"
        : one.Ports.Any(port => port.HostPort is null) ? "port of its own choice"
        : one.Mounts.Any(mount => mount is { Kind: MountKind.Volume, Source: "" } or { TmpfsBytes: not null }) ? "such volume"
        : one.Environment.Any(pair => (pair.Key + pair.Value).Contains('\n', StringComparison.Ordinal)) ? "variable of many lines"
        : null;

    private static string Published(PublishedPort port)
    {
        var address = port.HostAddress.Length == 0 ? "" : $"{port.HostAddress}:";
        return string.Create(
            CultureInfo.InvariantCulture, $"{address}{port.HostPort}:{port.ContainerPort}/{port.Protocol}");
    }

    private static string[] Mounted(ContainerMount mount, ContainerLabels names)
    {
        if (mount.Kind == MountKind.Tmpfs) return ["--tmpfs", mount.Target];
        var source = mount.Kind == MountKind.Volume ? $"{names.Prefix}-{mount.Source}" : mount.Source;
        return ["--volume", $"{source}:{mount.Target}{(mount.ReadOnly ? ":ro" : "")}"];
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
