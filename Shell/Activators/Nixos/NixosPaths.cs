using System;
using System.Collections.Generic;
using System.IO;
using Agent.Core.Model;
using Agent.Shell.Linux;

namespace Agent.Shell.Activators.Nixos;

/// <summary>
/// Where a NixOS host keeps what a switch reads and writes. <paramref name="StoreRoot"/> is what stands before
/// `/nix/store` on the disk: empty on a running host. <paramref name="Environment"/> is the whole environment of every
/// command, so its PATH is where nix and systemd are looked for. <paramref name="MinFreeBytes"/> must be free before
/// anything is fetched.
/// </summary>
internal sealed record NixosPaths(
    string Profile,
    string CurrentSystem,
    string GcRoots,
    string SystemdRuntime,
    string StoreRoot,
    IReadOnlyDictionary<string, string> Environment,
    long MinFreeBytes)
{
    /// <summary>
    /// How large a closure is cannot be known before it is asked for; with less than this the host itself is in
    /// trouble.
    /// </summary>
    public const long DefaultMinFreeBytes = 256L << 20;

    // The profile leads to a generation and that to the store; more is a loop or no profile.
    private const int MaxHops = 8;

    public static NixosPaths Standard { get; } = new(
        "/nix/var/nix/profiles/system",
        "/run/current-system",
        "/nix/var/nix/gcroots/agent",
        "/run/systemd/system",
        StoreRoot: "",
        new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["HOME"] = "/root",
            ["PATH"] = "/run/current-system/sw/bin:/nix/var/nix/profiles/default/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        },
        DefaultMinFreeBytes);

    /// <summary>PID 1 is systemd: the same test as sd_booted's.</summary>
    public bool HasSystemd => Directory.Exists(SystemdRuntime);

    public string Store => OnDisk(ReleaseId.StorePrefix);

    /// <summary>Where a path of the store lies on the disk.</summary>
    public string OnDisk(string storePath) => StoreRoot + storePath;

    /// <summary>The script by which a system makes itself the running one.</summary>
    public string SwitchScript(ReleaseId system) => OnDisk(system.Value + "/bin/switch-to-configuration");

    /// <summary>The system a link leads to, in one hop or a few; null where that is none.</summary>
    public static ReleaseId? Follow(string link)
    {
        for (var hop = 0; hop < MaxHops; hop++)
        {
            if (new FileInfo(link).LinkTarget is not { } target) return null;
            if (ReleaseId.Parse(target).TryGet(out var release)) return release;
            link = Path.GetFullPath(target, Path.GetDirectoryName(link)!);
        }

        return null;
    }

    /// <summary>Lets a link name a path, at once and whatever it named before.</summary>
    public static void Point(string link, string path)
    {
        var beside = link + ".new";
        File.Delete(beside);
        File.CreateSymbolicLink(beside, path);
        Files.Rename(beside, link);
    }
}
