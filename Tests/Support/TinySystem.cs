using System;
using System.Collections.Generic;
using System.IO;

namespace Agent.Tests.Support;

/// <summary>
/// A NixOS system in a few files. The parts that need a reboot are links into the store, named by version. <see
/// cref="Before"/> and <see cref="After"/> are lines of shell around what its switch script does; there, `$root` is the
/// world's folder, `$system` its own store path and `$1` the action.
/// </summary>
internal sealed record TinySystem(string Name)
{
    public string Kernel { get; init; } = "6.1";

    public string Initrd { get; init; } = "1";

    public string Systemd { get; init; } = "254";

    public string Dbus { get; init; } = "1.14";

    public string Before { get; init; } = "";

    public string After { get; init; } = "";

    /// <summary>Without its script it is a folder of the store like any other.</summary>
    public bool Switches { get; init; } = true;

    /// <summary>Further files of the system, by their path in it.</summary>
    public IReadOnlyDictionary<string, string> Files { get; init; } =
        new Dictionary<string, string>(StringComparer.Ordinal);

    public void WriteTo(string folder, string root)
    {
        Directory.CreateDirectory($"{folder}/bin");
        Directory.CreateDirectory($"{folder}/sw/bin");
        Link($"{folder}/kernel", $"linux-{Kernel}", "/bzImage");
        Link($"{folder}/kernel-modules", $"linux-{Kernel}-modules", "");
        Link($"{folder}/initrd", $"initrd-{Initrd}", "/initrd");
        Link($"{folder}/systemd", $"systemd-{Systemd}", "");
        Link($"{folder}/sw/bin/dbus-daemon", $"dbus-{Dbus}", "/bin/dbus-daemon");
        foreach (var (path, text) in Files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName($"{folder}/{path}")!);
            File.WriteAllText($"{folder}/{path}", text);
        }

        if (!Switches) return;
        var script = $"{folder}/bin/switch-to-configuration";
        Executable.Write(script, Script(root));
    }

    private static void Link(string link, string package, string inside) =>
        File.CreateSymbolicLink(link, $"/nix/store/{new string('0', 32)}-{package}{inside}");

    /// <summary>As NixOS's own: the bootloader first, then the links that name what runs.</summary>
    private string Script(string root) => $$"""
        #!/bin/sh
        set -eu
        root={{root}}
        folder=$(cd "$(dirname "$0")/.." && pwd -P)
        system=/nix/store/$(basename "$folder")
        point() { ln -sfn "$2" "$1.new"; mv -T "$1.new" "$1"; }
        echo "$1 $system" >>"$root/runs"
        {{Before}}
        point "$root/bootloader" "$system"
        if [ "$1" = switch ]; then
            point "$root/running" "$folder"
            point "$root/current-system" "$system"
        fi
        {{After}}
        """ + "\n";
}
