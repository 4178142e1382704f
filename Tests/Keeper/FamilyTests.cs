using System;
using System.IO;
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
