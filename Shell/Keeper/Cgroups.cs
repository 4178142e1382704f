using System;
using System.Globalization;
using System.IO;
using System.Text;
using Agent.Shell.Journal;

namespace Agent.Shell.Keeper;

/// <summary>
/// A cgroup v2 of its own for each child, where the host has a writable one: what the kernel itself knows as the
/// child's family, whatever the family does. Where there is none, the environment marker has to do.
/// </summary>
internal sealed class Cgroups
{
    private readonly string? _root;

    public Cgroups(string runtimeDir)
    {
        if (Mount() is not { } mount) return;
        var name = Crc32C.Of(Encoding.UTF8.GetBytes(runtimeDir)).ToString("x8", CultureInfo.InvariantCulture);
        var root = Path.Combine(mount + OwnPath(), "agent-" + name);
        if (Try(() => Directory.CreateDirectory(root))) _root = root;
    }

    public bool Exist => _root is not null;

    /// <summary>Puts a process, and so all its future descendants, into the child's group.</summary>
    public bool Join(string key, int pid) => _root is not null && Try(() =>
    {
        var directory = Path.Combine(_root, key);
        Directory.CreateDirectory(directory);
        File.WriteAllText(Path.Combine(directory, "cgroup.procs"), pid.ToString(CultureInfo.InvariantCulture));
    });

    /// <summary>Kills all its members at once, those that fork meanwhile too.</summary>
    public void Kill(string key)
    {
        if (_root is null) return;
        var file = Path.Combine(_root, key, "cgroup.kill");
        if (File.Exists(file)) _ = Try(() => File.WriteAllText(file, "1"));
    }

    public bool IsEmpty(string key) => _root is null
        || !File.Exists(Path.Combine(_root, key, "cgroup.events"))
        || File.ReadAllText(Path.Combine(_root, key, "cgroup.events")).Contains("populated 0", StringComparison.Ordinal);

    /// <summary>Fails harmlessly while a zombie is still in it; an empty directory costs nothing.</summary>
    public void Remove(string key)
    {
        if (_root is null) return;
        var directory = Path.Combine(_root, key);
        if (Directory.Exists(directory)) _ = Try(() => Directory.Delete(directory));
    }

    private static string? Mount()
    {
        foreach (var line in File.ReadLines("/proc/self/mountinfo"))
        {
            var dash = line.IndexOf(" - cgroup2 ", StringComparison.Ordinal);
            if (dash > 0) return line[..dash].Split(' ')[4];
        }

        return null;
    }

    private static string OwnPath()
    {
        foreach (var line in File.ReadLines("/proc/self/cgroup"))
        {
            if (line.StartsWith("0::", StringComparison.Ordinal)) return line[3..].TrimEnd('/');
        }

        return "";
    }

    private static bool Try(Action action)
    {
        try
        {
            action();
            return true;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
