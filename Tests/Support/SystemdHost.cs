using System;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Tests.EndToEnd;
using Xunit;

namespace Agent.Tests.Support;

/// <summary>
/// A real systemd as the first process of namespaces of its own, on a copy of this machine's files that nothing is written
/// through to. Units are found in <see cref="Units"/>, which is the same folder inside and outside; <see cref="Bin"/> has a
/// `systemctl` that speaks to it and notes what it was asked.
/// </summary>
internal sealed class SystemdHost : IDisposable
{
    private const string Systemd = "/lib/systemd/systemd";
    private const string Target = "stage.target";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly string _home = Directory.CreateTempSubdirectory("agent-systemd.").FullName;
    private readonly string _group;
    private readonly Process _boot;

    private SystemdHost()
    {
        _group = Path.Combine(UnifiedGroups!, Path.GetFileName(_home));
        foreach (var folder in (string[])["layers", "root", "units", "bin"]) Directory.CreateDirectory(Path.Combine(_home, folder));
        Directory.CreateDirectory(_group);

        // The layers on a file system of their own, or they would lie within what they cover.
        Must("mount", "-t", "tmpfs", "tmpfs", $"{_home}/layers");
        Directory.CreateDirectory($"{_home}/layers/upper");
        Directory.CreateDirectory($"{_home}/layers/work");
        Must(
            "mount", "-t", "overlay", "overlay", "-o",
            $"lowerdir=/,upperdir={_home}/layers/upper,workdir={_home}/layers/work", Root);
        File.WriteAllText($"{Units}/{Target}", "[Unit]\nDefaultDependencies=no\nAllowIsolate=yes\n");
        File.WriteAllText($"{_home}/boot", Boot);
        _boot = Process.Start(new ProcessStartInfo("/bin/sh")
        {
            ArgumentList =
            {
                "-c",
                $"echo $$ >{_group}/cgroup.procs && exec unshare --pid --mount --ipc --uts --net --cgroup --fork "
                    + $"/bin/sh {_home}/boot >{_home}/log 2>&1",
            },
        })!;
    }

    /// <summary>Where its units are, in its eyes and in ours.</summary>
    public string Units => Path.Combine(_home, "units");

    /// <summary>To be first on the path of whoever is to speak to it.</summary>
    public string Bin => Path.Combine(_home, "bin");

    private string Root => Path.Combine(_home, "root");

    private static string? UnifiedGroups => File.ReadLines("/proc/mounts").Select(line => line.Split(' '))
        .FirstOrDefault(mount => mount[2] == "cgroup2")?[1];

    /// <summary>Boots it, or skips the test and says why it cannot be booted here.</summary>
    public static async Task<SystemdHost> BootAsync()
    {
        Skip.IfNot(Environment.UserName == "root", "needs root, to mount and to make namespaces");
        Skip.IfNot(File.Exists(Systemd), $"needs {Systemd}");
        Skip.IfNot(File.Exists("/usr/bin/unshare") && File.Exists("/usr/bin/nsenter"), "needs unshare and nsenter (util-linux)");
        Skip.If(UnifiedGroups is null, "needs a mounted cgroup v2");
        Skip.IfNot(MayMakeGroups(), $"needs to make cgroups below {UnifiedGroups}");
        Skip.IfNot(
            Mounts.Run("unshare", "--pid", "--mount", "--ipc", "--uts", "--net", "--cgroup", "--fork", "true"),
            "needs namespaces, and may not make them");
        var host = new SystemdHost();
        try
        {
            await host.ReadyAsync();
            return host;
        }
        catch
        {
            host.Dispose();
            throw;
        }
    }

    /// <summary>What systemctl was asked since this was called last, by the agent and by nobody else.</summary>
    public string[] TakeCalls()
    {
        var file = $"{_home}/calls";
        if (!File.Exists(file)) return [];
        var calls = File.ReadAllLines(file);
        File.Delete(file);
        return [.. calls.Select(line => line.Replace("--no-ask-password ", "", StringComparison.Ordinal))];
    }

    /// <summary>An operator's systemctl.</summary>
    public string Ask(params string[] words)
    {
        var start = new ProcessStartInfo($"{_home}/systemctl") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var word in words) start.ArgumentList.Add(word);
        using var asked = Process.Start(start)!;
        var said = asked.StandardOutput.ReadToEnd();
        asked.WaitForExit();
        return said.Trim();
    }

    /// <summary>Another one after each of its starts.</summary>
    public string InvocationOf(string unit) => Ask("show", unit, "--property=InvocationID", "--value");

    public void Dispose()
    {
        _boot.Kill();
        _boot.WaitForExit();
        File.WriteAllText($"{_group}/cgroup.kill", "1");
        _boot.Dispose();
        Remove(_group);
        Mounts.Release(_home);
        Directory.Delete(_home, recursive: true);
    }

    private async Task ReadyAsync()
    {
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < Patience)
        {
            if (_boot.HasExited) Assert.Fail($"systemd ended at once: {Said}");
            if (First() is { } pid)
            {
                // What is noted is for the agent's alone; who only looks uses the other.
                Executable.WriteScript($"{Bin}/systemctl", $"echo \"$@\" >>{_home}/calls\n{Enter(pid)}");
                Executable.WriteScript($"{_home}/systemctl", Enter(pid));
                if (Ask("is-active", Target) == "active") return;
            }

            await Task.Delay(50);
        }

        Assert.Fail($"systemd did not come up: {Said}");
    }

    private string Said => File.Exists($"{_home}/log") ? File.ReadAllText($"{_home}/log") : "";

    private string Enter(int pid) =>
        $"exec nsenter -t {pid} -p -m -C -i -u -n chroot {Root} /usr/bin/systemctl \"$@\"";

    /// <summary>The first process of its namespace, once it is systemd.</summary>
    private int? First()
    {
        var children = File.ReadAllText($"/proc/{_boot.Id}/task/{_boot.Id}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (children is not [var first]) return null;
        var pid = int.Parse(first, System.Globalization.CultureInfo.InvariantCulture);
        return File.ReadAllText($"/proc/{pid}/cmdline").StartsWith(Systemd, StringComparison.Ordinal) ? pid : null;
    }

    private string Boot => $"""
        set -e
        root={Root}
        mount --make-rprivate /
        mount -t proc proc $root/proc
        mount -t sysfs -o ro sysfs $root/sys
        mount -t cgroup2 cgroup2 $root/sys/fs/cgroup
        mount -t tmpfs tmpfs $root/run
        mount -t tmpfs tmpfs $root/dev
        for device in null:3 zero:5 random:8 urandom:9; do mknod -m 666 $root/dev/$(echo $device | cut -d: -f1) c 1 $(echo $device | cut -d: -f2); done
        mknod -m 622 $root/dev/console c 5 1
        mount --bind {Units} $root{Units}
        exec env -i container=stage PATH=/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD_UNIT_PATH={Units}: \
            chroot $root {Systemd} --unit={Target} --log-target=console --show-status=0
        """ + "\n";

    private static bool MayMakeGroups()
    {
        var group = Path.Combine(UnifiedGroups!, $"agent-try-{AgentUnderTest.Unique()}");
        try
        {
            Directory.CreateDirectory(group);
            Directory.Delete(group);
            return true;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>A group goes once its groups and its processes are gone; those that were killed take a moment.</summary>
    private static void Remove(string group)
    {
        foreach (var inner in Directory.GetDirectories(group)) Remove(inner);
        for (var tries = 0; ; tries++)
        {
            try
            {
                Directory.Delete(group);
                return;
            }
            catch (IOException) when (tries < 100)
            {
                Thread.Sleep(20);
            }
        }
    }

    private static void Must(string command, params string[] arguments) =>
        Assert.True(Mounts.Run(command, arguments), $"{command} {string.Join(' ', arguments)}");
}
