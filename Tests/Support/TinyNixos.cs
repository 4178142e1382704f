using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using Agent.Core.Model;
using Agent.Shell.Activators.Nixos;

namespace Agent.Tests.Support;

/// <summary>
/// A NixOS host in a folder: a real Nix store of its own, a profile, a bootloader that is a link, a binary cache, and
/// systems that switch by their own script. Needs Nix and no network, no daemon and no systemd; nothing outside the
/// folder is touched.
/// </summary>
internal sealed class TinyNixos : IDisposable
{
    /// <summary>What a test that is skipped says.</summary>
    public const string Missing = "needs Nix: apt-get install nix-bin";

    private readonly string _searchPath = Environment.GetEnvironmentVariable("PATH") ?? "/usr/bin:/bin";
    private int _built;

    public TinyNixos()
    {
        Root = Directory.CreateTempSubdirectory("tiny-nixos-").FullName;
        foreach (var directory in (string[])["home", "conf", "store/nix/store", "cache"])
        {
            Directory.CreateDirectory(Path.Combine(Root, directory));
        }

        Run("store", "mkfifo", Gate);
        Configure($"file://{Root}/cache");
        var environment = new Dictionary<string, string>(EnvironmentOf("store"), StringComparer.Ordinal);
        Paths = new NixosPaths(
            Profile: $"{Root}/store/nix/var/nix/profiles/system",
            CurrentSystem: $"{Root}/current-system",
            GcRoots: $"{Root}/store/nix/var/nix/gcroots/agent",
            SystemdRuntime: $"{Root}/no-systemd",
            StoreRoot: $"{Root}/store",
            environment,
            MinFreeBytes: 1 << 20);
    }

    public static bool IsAvailable => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
        .Any(directory => File.Exists(Path.Combine(directory, "nix-store")));

    public string Root { get; }

    public NixosPaths Paths { get; }

    /// <summary>A pipe; a script that reads it waits until somebody has opened it for writing and closed it.</summary>
    public string Gate => $"{Root}/gate";

    /// <summary>What runs.</summary>
    public ReleaseId? Current => NixosPaths.Follow(Paths.CurrentSystem);

    /// <summary>What the next boot starts.</summary>
    public ReleaseId? Bootloader => NixosPaths.Follow($"{Root}/bootloader");

    /// <summary>What the profile's newest generation is.</summary>
    public ReleaseId? Profile => NixosPaths.Follow(Paths.Profile);

    /// <summary>The same system as <see cref="Current"/>, as a folder whose files can be read; for probes.</summary>
    public string RunningFolder => $"{Root}/running";

    /// <summary>Every run of a switch script: the action and the system.</summary>
    public string[] Runs => File.Exists($"{Root}/runs") ? File.ReadAllLines($"{Root}/runs") : [];

    /// <summary>Puts a system into the host's store.</summary>
    public ReleaseId Build(TinySystem system) => Add("store", system);

    /// <summary>Puts a system where the host can only fetch it: into the binary cache that it trusts.</summary>
    public ReleaseId Publish(TinySystem system, bool signed = true)
    {
        var release = Add("builder", system);
        Run("builder", "nix", "copy", "--to", $"file://{Root}/cache", release.Value);
        if (signed) return release;

        // What its content does not vouch for needs a signature, and it has none.
        var name = release.Value[ReleaseId.StorePrefix.Length..][..32];
        var narinfo = $"{Root}/cache/{name}.narinfo";
        var lines = File.ReadAllLines(narinfo).Where(line => !line.StartsWith("CA:", StringComparison.Ordinal));
        File.WriteAllLines(narinfo, lines);
        return release;
    }

    /// <summary>Installs a system as an installer does: the profile's newest generation, and booted.</summary>
    public ReleaseId Install(TinySystem system)
    {
        var release = Build(system);
        Run("store", "nix-env", "--profile", Paths.Profile, "--set", release.Value);
        NixosPaths.Point($"{Root}/bootloader", release.Value);
        Reboot();
        return release;
    }

    /// <summary>Power off and on: what the bootloader names runs.</summary>
    public void Reboot() => Start(Bootloader ?? throw new InvalidOperationException("nothing was ever installed"));

    /// <summary>Somebody switches by hand.</summary>
    public void Start(ReleaseId system)
    {
        NixosPaths.Point(Paths.CurrentSystem, system.Value);
        NixosPaths.Point(RunningFolder, Paths.OnDisk(system.Value));
    }

    /// <summary>A bit of the disk flips.</summary>
    public void Corrupt(ReleaseId system)
    {
        var script = Paths.SwitchScript(system);
        Unlock(Paths.OnDisk(system.Value));
        File.AppendAllText(script, "# flipped\n");
    }

    /// <summary>Somebody deletes what Nix believes to have.</summary>
    public void Remove(ReleaseId system)
    {
        Unlock(Paths.OnDisk(system.Value));
        Directory.Delete(Paths.OnDisk(system.Value), recursive: true);
    }

    /// <summary>The network is gone: what is fetched from fails.</summary>
    public void CutOff()
    {
        Directory.Delete($"{Root}/cache", recursive: true);
        Configure("http://127.0.0.1:1/");
    }

    /// <summary>Keeps the newest generation and what is protected, and deletes everything else.</summary>
    public void CollectGarbage()
    {
        Run("store", "nix-env", "--profile", Paths.Profile, "--delete-generations", "old");
        Run("store", "nix-store", "--gc");
    }

    public void Dispose()
    {
        Unlock(Root);
        Directory.Delete(Root, recursive: true);
    }

    private ReleaseId Add(string store, TinySystem system)
    {
        // The name within the store is that of the folder.
        var folder = $"{Root}/build/{++_built}/nixos-system-tiny-{system.Name}";
        system.WriteTo(folder, Root);
        var path = Run(store, "nix-store", "--add", folder).Trim();
        return ReleaseId.Parse(path).IfNoneUnsafe(() => throw new InvalidOperationException($"nix-store said {path}"))!;
    }

    private void Configure(string substituters) => File.WriteAllLines($"{Root}/conf/nix.conf",
    [
        $"substituters = {substituters}", "sandbox = false", "build-users-group =", "connect-timeout = 1",
        "download-attempts = 1", "experimental-features = nix-command",
    ]);

    private Dictionary<string, string> EnvironmentOf(string store) => new(StringComparer.Ordinal)
    {
        ["PATH"] = _searchPath,
        ["HOME"] = $"{Root}/home",
        ["NIX_CONF_DIR"] = $"{Root}/conf",
        ["NIX_REMOTE"] = $"{Root}/{store}",
    };

    private string Run(string store, params ReadOnlySpan<string> command)
    {
        var start = new ProcessStartInfo(command[0], command[1..].ToArray())
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Clear();
        foreach (var (name, value) in EnvironmentOf(store)) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? output
            : throw new InvalidOperationException($"{command[0]} ended with {process.ExitCode}: {errors.Result}");
    }

    /// <summary>Nix takes away everybody's right to write, the owner's too.</summary>
    private static void Unlock(string folder)
    {
        File.SetUnixFileMode(folder, File.GetUnixFileMode(folder) | UnixFileMode.UserWrite);
        foreach (var entry in new DirectoryInfo(folder).EnumerateFileSystemInfos())
        {
            if (entry.LinkTarget is not null) continue;
            if (entry is DirectoryInfo) Unlock(entry.FullName);
            else if (entry is FileInfo file) file.UnixFileMode |= UnixFileMode.UserWrite;
        }
    }
}
