using System;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Agent.Tests.Support;
using Xunit;
using Xunit.Abstractions;

namespace Agent.Tests.EndToEnd;

/// <summary>
/// Rollouts go to their end whatever dies on the way: the host runs the old release or the new one, never anything
/// between, and the state says which.
/// </summary>
[Collection(nameof(FleetCollection))]
public sealed class RolloutSurvivalTests(ITestOutputHelper output)
{
    // From the request to the verdict a quick rollout takes little more.
    private const int LongestWaitMs = 600;

    private static readonly int Kills = Extent.Of(brief: 16, full: 100);
    private static readonly int PowerCuts = Extent.Of(brief: 4, full: 20);

    /// RO-3, RO-4, RO-8, RO-11, JO-5: kill -9 at any moment of a rollout, of the agent or of its keeper too.
    [Fact]
    public async Task Kills_at_any_moment_leave_a_rollout_decided_and_nothing_done_twice()
    {
        var random = Seed.Random(output);
        using var host = new ReleaseHost();
        await host.Agent.StartAsync();
        await host.BeginAsync();
        for (var kills = 0; kills < Kills;) kills += await KillInARolloutAsync(host, random);
        await ReplayTests.ReplaysToItsDigestAsync(host.Agent);
    }

    /// RO-4, RO-8, RO-11, JO-1: a power cut at any moment of a rollout; what was acknowledged is there after it.
    [SkippableFact]
    public async Task Power_cuts_at_any_moment_leave_a_rollout_decided_and_nothing_done_twice()
    {
        var random = Seed.Random(output);
        using var host = new ReleaseHost();
        var disk = PowerDisk.Mount(Path.Combine(host.Agent.Home, "disk"), host.Agent.State, 256 << 20);
        await BootAsync(host);
        await host.BeginAsync();
        for (var n = 0; n < PowerCuts; n++) await CutPowerInARolloutAsync(host, disk, random);
        await ReplayTests.ReplaysToItsDigestAsync(host.Agent);
    }

    /// <summary>How many times the agent was killed.</summary>
    private async Task<int> KillInARolloutAsync(ReleaseHost host, Random random)
    {
        var fate = AnyFate(random);
        var next = host.Publish(fate, hookMs: AnyHook(random), soakMs: random.Next(200, 400));
        var (wait, again) = (random.Next(LongestWaitMs), random.Next(3) == 0 ? random.Next(LongestWaitMs / 2) : 0);
        await host.Agent.UntilAsync("its keeper is there", () => Task.FromResult(host.Agent.Keepers.Any()));
        var keeper = random.Next(8) == 0 ? host.Agent.KeeperPid : 0;

        var asked = host.AskAsync(next);
        await Task.Delay(wait);
        if (keeper != 0) Assert.Equal(0, Native.Kill(keeper, Native.SigKill));
        host.Agent.KillAgent();
        var acknowledged = await asked;
        host.LeadsToOldOr(next);
        await host.Agent.StartAsync();
        await host.AskAgainAsync(next, acknowledged);
        if (again > 0)
        {
            await Task.Delay(again);
            host.Agent.KillAgent();
            host.LeadsToOldOr(next);
            await host.Agent.StartAsync();
        }

        var info = await host.DecidedAsync(next);
        output.WriteLine(
            $"{fate} after {wait} ms, again {again}, keeper {keeper != 0}, acknowledged {acknowledged}: {info["state"]}");
        host.Judge(next, fate, info, lossy: keeper != 0);
        return again > 0 ? 2 : 1;
    }

    private async Task CutPowerInARolloutAsync(ReleaseHost host, PowerDisk disk, Random random)
    {
        var fate = AnyFate(random);
        var next = host.Publish(fate, hookMs: AnyHook(random), soakMs: random.Next(200, 400));
        var wait = random.Next(LongestWaitMs);

        var asked = host.AskAsync(next, losesDisk: true);
        await Task.Delay(wait);
        disk.Cut();
        host.Agent.KillEverything();
        var acknowledged = await asked;
        disk.PowerOn();
        host.LeadsToOldOr(next);
        await BootAsync(host);
        await host.AskAgainAsync(next, acknowledged);

        var info = await host.DecidedAsync(next);
        output.WriteLine($"{fate} after {wait} ms, acknowledged {acknowledged}: {info["state"]} {info["cause"]?["detail"]}");
        host.Judge(next, fate, info, lossy: true);
    }

    /// <summary>Starts the agent on a boot of its own: what a tmpfs held is gone, and the kernel's id is another.</summary>
    private static async Task BootAsync(ReleaseHost host)
    {
        if (Directory.Exists(host.Agent.Runtime)) Directory.Delete(host.Agent.Runtime, recursive: true);
        var boot = Path.Combine(host.Agent.Home, "boot_id");
        await File.WriteAllTextAsync(boot, $"{Guid.NewGuid()}\n");
        await host.Agent.StartAsync(
            "unshare", "-m", "sh", "-c", $"mount --bind {boot} /proc/sys/kernel/random/boot_id && exec \"$0\" \"$@\"");
    }

    private static Fate AnyFate(Random random) => random.Next(10) switch
    {
        < 6 => Fate.Good,
        < 8 => Fate.BadHook,
        _ => Fate.BadProbe,
    };

    /// <summary>Most hooks take their time, so that many a kill finds one at work.</summary>
    private static int AnyHook(Random random) => random.Next(4) == 0 ? 0 : random.Next(50, 150);
}
