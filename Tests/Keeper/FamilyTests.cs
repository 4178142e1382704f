using System;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Agent.Tests.EndToEnd;
using Xunit;

namespace Agent.Tests.Keeper;

/// <summary>Who goes with a child that has ended.</summary>
public sealed class FamilyTests
{
    /// PR-9, PR-11: a descendant in a session of its own goes with the child, even one that was there before the child's cgroup.
    [Fact]
    public async Task A_descendant_that_was_started_at_once_goes_with_its_child()
    {
        await using var kept = new KeptDirectory();
        var pidFile = kept.At("pid");
        await kept.SpawnAsync("a.1", Daemon(pidFile, "setsid") + $"; while [ ! -e {pidFile} ]; do sleep 0.01; done");
        await kept.ExitAsync("a.1");
        await UntilAsync(() => !ProcessTable.IsAlive(Pid(pidFile)));
    }

    /// PR-9, PR-11: one that also wiped its environment is known by the cgroup, into which its parent was put meanwhile.
    [SkippableFact]
    public async Task A_descendant_without_its_mark_goes_with_its_child()
    {
        Skip.IfNot(HasCgroups(), "no cgroup v2");
        await using var kept = new KeptDirectory();
        var (pidFile, go) = (kept.At("pid"), kept.At("go"));
        var child = await kept.SpawnAsync(
            "a.1",
            $"while [ ! -e {go} ]; do sleep 0.01; done; {Daemon(pidFile, "env -i setsid")}; while [ ! -e {pidFile} ]; do sleep 0.01; done");
        await UntilAsync(() => IsGrouped(child.Pid));
        await File.WriteAllTextAsync(go, "");
        await kept.ExitAsync("a.1");
        await UntilAsync(() => !ProcessTable.IsAlive(Pid(pidFile)));
    }

    /// PR-11, PR-14: of a family whose leader ended while no keeper lived the next keeper finds the others.
    [Fact]
    public async Task A_family_whose_leader_ended_unseen_goes_at_the_next_start()
    {
        await using var kept = new KeptDirectory();
        var (pidFile, go) = (kept.At("pid"), kept.At("go"));
        var child = await kept.SpawnAsync("a.1", Daemon(pidFile, "setsid") + $"; while [ ! -e {go} ]; do sleep 0.01; done");
        await UntilAsync(() => File.Exists(pidFile));
        Assert.Equal(0, Native.Kill(kept.KeeperPid, Native.SigKill));
        await File.WriteAllTextAsync(go, "");
        await UntilAsync(() => !ProcessTable.IsAlive(child.Pid));
        Assert.True(ProcessTable.IsAlive(Pid(pidFile)));
        await kept.ExitAsync("a.1");
        await UntilAsync(() => !ProcessTable.IsAlive(Pid(pidFile)));
    }

    /// PR-9, CT-1: what an engine's daemon started outlives it, also where the daemon ended at once.
    [SkippableFact]
    public async Task A_daemon_that_ended_at_once_takes_nobody_along()
    {
        Skip.IfNot(HasCgroups(), "no cgroup v2");
        await using var kept = new KeptDirectory();
        var pidFile = kept.At("pid");
        await kept.SpawnAsync("d.1", KeptDirectory.Shell(Daemon(pidFile, "setsid")) with { Tree = false });
        await kept.ExitAsync("d.1");
        await UntilAsync(() => File.Exists(pidFile));
        try
        {
            // By then the keeper has looked after everybody who waited for a cgroup.
            var other = await kept.SpawnAsync("a.1", "sleep 1000");
            await UntilAsync(() => IsGrouped(other.Pid));
            Assert.True(ProcessTable.IsAlive(Pid(pidFile)));
        }
        finally
        {
            Assert.Equal(0, Native.Kill(Pid(pidFile), Native.SigKill));
        }
    }

    /// PR-9: the kernel keeps the group of those who were killed until they are gone; then it goes.
    [SkippableFact]
    public async Task A_group_goes_with_the_last_who_was_killed_in_it()
    {
        Skip.IfNot(HasCgroups(), "no cgroup v2");
        await using var kept = new KeptDirectory();
        for (var round = 1; round <= 5; round++)
        {
            var child = await kept.SpawnAsync("a.1", "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do sleep 1000 & done; wait");
            await UntilAsync(() => IsGrouped(child.Pid));
            var group = Mount() + GroupOf(child.Pid);
            Assert.True(Directory.Exists(group));
            await kept.AskAsync("killTree", "a.1");
            await kept.AskAsync("forget", "a.1");
            await UntilAsync(() => !Directory.Exists(group));
        }
    }

    private static string GroupOf(int pid) =>
        File.ReadLines($"/proc/{pid}/cgroup").Single(line => line.StartsWith("0::", StringComparison.Ordinal))[3..];

    private static string Mount() => File.ReadLines("/proc/self/mountinfo")
        .Single(line => line.Contains(" - cgroup2 ", StringComparison.Ordinal)).Split(' ')[4];

    private static bool HasCgroups() =>
        File.ReadAllText("/proc/self/mountinfo").Contains(" - cgroup2 ", StringComparison.Ordinal);

    private static bool IsGrouped(int pid) => File.ReadAllText($"/proc/{pid}/cgroup").Contains("/a.1", StringComparison.Ordinal);

    private static string Daemon(string pidFile, string how) =>
        $"({how} sh -c 'echo $$ > {pidFile}.new; mv {pidFile}.new {pidFile}; exec sleep 1000' &)";

    private static int Pid(string pidFile) => int.Parse(File.ReadAllText(pidFile));

    private static async Task UntilAsync(Func<bool> condition)
    {
        for (var patience = 0; !condition(); patience++)
        {
            Assert.True(patience < 1000, "waited in vain");
            await Task.Delay(10);
        }
    }
}
