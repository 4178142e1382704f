using System.Collections.Generic;
using System.IO;
using System.Linq;
using Agent.Core.Model;

namespace Agent.Shell.Activators.Nixos;

/// <summary>
/// The parts of a system that only a reboot exchanges. Each is a link into the store, so two systems share a part
/// exactly when their links lead to the same path.
/// </summary>
internal static class SystemComponents
{
    // A system's link leads through its software collection to a package; more is a loop.
    private const int MaxHops = 16;

    private static readonly (string Name, string Path)[] NeedReboot =
    [
        ("kernel", "kernel"),
        ("initrd", "initrd"),
        ("kernel-modules", "kernel-modules"),
        ("systemd", "systemd"),
        ("dbus", "sw/bin/dbus-daemon"),
        ("dbus-broker", "sw/bin/dbus-broker"),
    ];

    /// <summary>The parts that both systems have and that differ, listed for people; null if there are none.</summary>
    public static string? Differing(NixosPaths paths, ReleaseId running, ReleaseId target)
    {
        var differing = new List<string>();
        foreach (var (name, path) in NeedReboot)
        {
            if (Identity(paths, running, path) is not { } old) continue;
            if (Identity(paths, target, path) is { } next && next != old) differing.Add(name);
        }

        return differing.Count == 0 ? null : string.Join(", ", differing);
    }

    /// <summary>
    /// Where a name within a system leads, link by link, as a path of the store; null if there is no such name. The
    /// end of the last link need not exist.
    /// </summary>
    private static string? Identity(NixosPaths paths, ReleaseId system, string inside)
    {
        var (at, hops, present) = (system.Value, 0, true);
        foreach (var name in inside.Split('/'))
        {
            at = $"{at}/{name}";
            present = Path.Exists(paths.OnDisk(at));
            while (hops < MaxHops && new FileInfo(paths.OnDisk(at)).LinkTarget is { } target)
            {
                (at, present) = (Path.GetFullPath(target, Path.GetDirectoryName(at)!), true);
                hops++;
            }
        }

        return present ? at : null;
    }
}
