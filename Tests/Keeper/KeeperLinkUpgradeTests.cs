using System;
using System.IO;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Shell.Keeper;
using Agent.Tests.Probes;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.Keeper;

/// PR-14: the agent's side of a keeper's upgrade.
public sealed class KeeperLinkUpgradeTests
{
    /// PR-14: what runs goes on, and its end is told by the program that the keeper is then.
    [Fact]
    public async Task A_probe_under_way_is_answered_across_the_upgrade()
    {
        await using var kept = await KeptHost.StartAsync();
        var gate = kept.At("gate");
        var probe = kept.ShellAsync($"while [ ! -e {gate} ]; do sleep 0.02; done; exit 7");
        await kept.Keeper.UpgradeAsync(AgentExecutable.Command);
        Assert.Equal(AgentExecutable.About, kept.Keeper.About);
        await File.WriteAllTextAsync(gate, "");
        var outcome = await probe;
        Assert.Contains("7", outcome.ToString(), StringComparison.Ordinal);
    }

    /// PR-14: each is followed by the connection, with requests under way side by side.
    [Fact]
    public async Task Many_upgrades_in_a_row_are_each_followed()
    {
        await using var kept = await KeptHost.StartAsync();
        for (var n = 0; n < 10; n++)
        {
            var probe = kept.ShellAsync("exit 7");
            await kept.Keeper.UpgradeAsync(AgentExecutable.Command);
            Assert.Contains("7", (await probe).ToString(), StringComparison.Ordinal);
        }
    }

    /// PR-14: a program that takes the keeper's place and does not answer makes way for a keeper of the agent's own.
    [Fact]
    public async Task A_keeper_that_hangs_after_its_upgrade_is_replaced()
    {
        await using var kept = await KeptHost.StartAsync();
        var script = kept.At("hangs");
        Executable.WriteScript(script, "exec sleep 1000");
        await kept.Keeper.UpgradeAsync([script]);
        Assert.Equal(AgentExecutable.About, kept.Keeper.About);
        Assert.IsType<ExitStatus.Exited>(Assert.Single(await EndedAsync(kept)).Exit.Status);
    }

    private static async Task<Agent.Core.Process.ProcessState.Exited[]> EndedAsync(KeptHost kept)
    {
        await kept.ShellAsync("exit 0");
        return await kept.EndedAsync();
    }
}
