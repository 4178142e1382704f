using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using Agent.Core.Process;
using Agent.Shell.Journal;
using Agent.Shell.Linux;

namespace Agent.Shell.Keeper;

/// <summary>In whose cgroup a process is, and so what it starts.</summary>
internal enum CgroupHome
{
    /// <summary>In the keeper's own, or there are none: where every child begins.</summary>
    Keeper,

    /// <summary>In a child's.</summary>
    Child,

    /// <summary>Somebody else has put it there, as a container engine does, or systemd.</summary>
    Elsewhere,
}

/// <summary>
/// A cgroup v2 of its own for each child, where the host has a writable one: what the kernel itself knows as the
/// child's family, whatever the family does. Where there is none, the environment marker has to do.
/// </summary>
internal sealed class Cgroups
{
    /// <summary>
    /// The group of the agent and the keeper themselves where the children's are beside it: a group that hands controllers
    /// on may hold no process.
    /// </summary>
    private const string OwnGroup = "supervisor";

    // No key of a child has such a letter.
    private const string Strangers = "_strangers";

    private const int CpuPeriodMicroseconds = 100_000;

    // Of a family that grew larger within moments, the rest is known by its mark.
    private const int MostMoved = 64;

    private static readonly string[] Controllers = ["memory", "cpu", "pids"];

    private readonly string? _root;

    // As /proc tells them: the keeper's own path, and what those of the children's groups begin with.
    private readonly string _own = OwnPath();
    private readonly string? _below;

    // Groups that could not go yet: who was killed in them is not gone.
    private readonly HashSet<string> _leftovers = new(StringComparer.Ordinal);

    public Cgroups(string runtimeDir)
    {
        if (Base() is not { } above) return;
        var name = Crc32C.Of(Encoding.UTF8.GetBytes(runtimeDir)).ToString("x8", CultureInfo.InvariantCulture);
        var root = Path.Combine(above, "agent-" + name);
        if (!Try(() => Directory.CreateDirectory(root))) return;
        _root = root;
        _below = root[Mount()!.Length..] + "/";
        foreach (var group in (string[])[above, root])
        {
            foreach (var controller in Controllers)
            {
                Try(() => File.WriteAllText(Path.Combine(group, "cgroup.subtree_control"), "+" + controller));
            }
        }
    }

    /// <summary>Why this host cannot hold a process to such limits, and what to do; null if it can.</summary>
    public static string? WhyNot(ProcessLimits limits)
    {
        var available = Base() is { } above ? Words(Path.Combine(above, "cgroup.controllers")) : [];
        foreach (var (what, controller, asked) in (ReadOnlySpan<(string, string, bool)>)
            [("cpus", "cpu", limits.CpuThousandths.IsSome), ("pids", "pids", limits.Pids.IsSome)])
        {
            if (asked && !available.Contains(controller, StringComparer.Ordinal))
            {
                return $"{what} cannot be enforced here: the cgroup controller {controller} is not delegated to the agent "
                    + "(with systemd 254 or later: Delegate=yes and DelegateSubgroup=supervisor)";
            }
        }

        return null;
    }

    /// <summary>
    /// Makes a child's group with its limits. Answers the file through which it enters, null where no controller is needed;
    /// or why it cannot be held to them.
    /// </summary>
    public (string? Joins, string? Fault) Bound(string key, SpawnLimit? limits)
    {
        if (limits is null) return default;
        var mine = _root is null ? [] : Words(Path.Combine(_root, "cgroup.subtree_control"));
        var bounds = new List<(string File, string Value)>();
        foreach (var (controller, file, value) in Settings(limits))
        {
            if (mine.Contains(controller, StringComparer.Ordinal)) bounds.Add((file, value));

            // Memory has the kernel's limit of one process to fall back on; the others have nothing.
            else if (controller != "memory") return (null, $"the cgroup controller {controller} is not delegated to the keeper");
        }

        if (bounds.Count == 0) return default;
        var directory = Path.Combine(_root!, key);
        var done = Try(() =>
        {
            Directory.CreateDirectory(directory);
            foreach (var (file, value) in bounds) File.WriteAllText(Path.Combine(directory, file), value);
        });
        return done ? (Path.Combine(directory, "cgroup.procs"), null) : (null, $"{directory} does not take the limits");
    }

    /// <summary>Whether the kernel killed any of its members at the limit of memory.</summary>
    public bool RanOutOfMemory(string key)
    {
        if (_root is null) return false;
        var file = Path.Combine(_root, key, "memory.events");
        return File.Exists(file) && File.ReadLines(file).Any(line => line.StartsWith("oom_kill ", StringComparison.Ordinal) && line != "oom_kill 0");
    }

    public bool Exist => _root is not null;

    public bool Has(string key) => _root is not null && Directory.Exists(Path.Combine(_root, key));

    /// <summary>
    /// Puts a process, all it started so far, and so all their future descendants, into the child's group. Each goes before
    /// its children are asked for, so that whoever it starts meanwhile is in the group already. Whom somebody else has put
    /// into another group stays there. Tells whether anybody went.
    /// </summary>
    public bool Join(string key, int pid)
    {
        if (_root is null) return false;
        var directory = Path.Combine(_root, key);
        if (!Directory.Exists(directory) && !Try(() => Directory.CreateDirectory(directory))) return false;

        // One that an earlier keeper started is where that one was, and so is its family.
        var begin = IsEmpty(key) ? PathOf(pid.ToString(CultureInfo.InvariantCulture)) : null;
        var family = new Queue<int>([pid]);
        var moved = 0;
        for (var asked = 0; asked < MostMoved && family.TryDequeue(out var member); asked++)
        {
            var home = HomeOf(member);
            if (home == CgroupHome.Child) continue;
            if (home == CgroupHome.Elsewhere && (begin is null || PathOf(member.ToString(CultureInfo.InvariantCulture)) != begin)) continue;
            if (!Try(() => File.WriteAllText(Path.Combine(directory, "cgroup.procs"), member.ToString(CultureInfo.InvariantCulture)))) continue;
            moved++;
            foreach (var child in Processes.ChildrenOf(member)) family.Enqueue(child);
        }

        return moved > 0;
    }

    /// <summary>In whose group it is; also of one that has ended and is not reaped.</summary>
    public CgroupHome HomeOf(int pid)
    {
        if (_below is null || PathOf(pid.ToString(CultureInfo.InvariantCulture)) is not { } path) return CgroupHome.Keeper;
        return path.StartsWith(_below, StringComparison.Ordinal) ? CgroupHome.Child
            : path.TrimEnd('/') == _own ? CgroupHome.Keeper
            : CgroupHome.Elsewhere;
    }

    /// <summary>An orphan of which nobody knows whose it was: it and its own are known as such from here on.</summary>
    public void SetAside(int pid) => Join(Strangers, pid);

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

    /// <summary>At once, or by <see cref="Sweep"/>: while somebody who was killed in it is not gone, the kernel keeps it.</summary>
    public void Remove(string key)
    {
        if (_root is null) return;
        var directory = Path.Combine(_root, key);
        if (Directory.Exists(directory) && !Try(() => Directory.Delete(directory))) _leftovers.Add(key);
    }

    public bool HasLeftovers => _leftovers.Count > 0;

    /// <summary>Removes what could not go before.</summary>
    public void Sweep()
    {
        foreach (var key in _leftovers.ToList())
        {
            var directory = Path.Combine(_root!, key);
            if (!Directory.Exists(directory) || Try(() => Directory.Delete(directory))) _leftovers.Remove(key);
        }
    }

    /// <summary>Removes the groups of children that are not known any more, as an earlier keeper left them.</summary>
    public void RemoveAllBut(IReadOnlyCollection<string> keys)
    {
        if (_root is null) return;
        foreach (var directory in Directory.GetDirectories(_root))
        {
            var key = Path.GetFileName(directory);
            if (key != Strangers && !keys.Contains(key)) Remove(key);
        }
    }

    private static IEnumerable<(string Controller, string File, string Value)> Settings(SpawnLimit limits)
    {
        if (limits.MemoryBytes is { } bytes) yield return ("memory", "memory.max", bytes.ToString(CultureInfo.InvariantCulture));
        if (limits.CpuThousandths is { } cpu)
        {
            var quota = (long)cpu * (CpuPeriodMicroseconds / 1000);
            yield return ("cpu", "cpu.max", string.Create(CultureInfo.InvariantCulture, $"{quota} {CpuPeriodMicroseconds}"));
        }

        if (limits.Pids is { } pids) yield return ("pids", "pids.max", pids.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Where the children's groups go; null without a cgroup v2.</summary>
    private static string? Base()
    {
        if (Mount() is not { } mount) return null;
        var own = mount + OwnPath();
        return Path.GetFileName(own) == OwnGroup ? Path.GetDirectoryName(own) : own;
    }

    private static string[] Words(string file) => File.Exists(file)
        ? File.ReadAllText(file).Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries)
        : [];

    private static string? Mount()
    {
        foreach (var line in File.ReadLines("/proc/self/mountinfo"))
        {
            var dash = line.IndexOf(" - cgroup2 ", StringComparison.Ordinal);
            if (dash > 0) return line[..dash].Split(' ')[4];
        }

        return null;
    }

    private static string OwnPath() => PathOf("self")?.TrimEnd('/') ?? "";

    private static string? PathOf(string process)
    {
        try
        {
            foreach (var line in File.ReadLines($"/proc/{process}/cgroup"))
            {
                if (line.StartsWith("0::", StringComparison.Ordinal)) return line[3..];
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // It is gone, or hidden from us.
        }

        return null;
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
