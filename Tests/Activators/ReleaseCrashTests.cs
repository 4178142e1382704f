using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Agent.Shell.Activators.Releases;
using Agent.Shell.Linux;
using Agent.Tests.EndToEnd;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.Activators;

/// <summary>Whatever ends it in the middle: releases are whole or absent, the link is the old or the new one.</summary>
public sealed class ReleaseCrashTests
{
    private const int Kills = 30;
    private const int PowerCuts = 20;

    /// RO-11: kill -9 at any moment of import, switch and collect.
    [Fact]
    public async Task A_kill_leaves_nothing_half_done()
    {
        using var world = new StoreWorld();
        var root = Path.Combine(world.Home, "victim");
        var archives = ReleaseCycle.Make(world.Archives).Select(release => release.Path).ToArray();
        var random = new Random(11);
        string? switched = null;
        for (var n = 0; n < Kills; n++)
        {
            using var victim = Victim.Start(["releases", root, .. archives]);
            var said = new List<string>();
            var cycle = Stopwatch.StartNew();
            for (var lines = 0; lines < 1 + (n % 3); lines++) said.Add((await victim.StandardOutput.ReadLineAsync())!);
            await Task.Delay(random.Next(1 + (int)(cycle.ElapsedMilliseconds / (n % 3 == 0 ? 10 : 2))));
            victim.Kill();
            said.AddRange((await victim.StandardOutput.ReadToEndAsync()).Split('\n'));
            await victim.WaitForExitAsync();
            switched = Last(said, "switched ") ?? switched;
            ReleaseCycle.Judge(root, switched, Last(said, "switching ") ?? switched);
            using var store = new ReleaseStore(root);
            switched = store.Current(ReleaseCycle.Channel);
        }

        Assert.NotNull(switched);
    }

    /// RO-11, JO-1: a power cut at any moment: what was told is there after it.
    [SkippableFact]
    public async Task A_power_cut_leaves_nothing_half_done()
    {
        using var world = new StoreWorld();
        var mounted = Directory.CreateDirectory(Path.Combine(world.Home, "disk")).FullName;
        var disk = PowerDisk.Mount(Path.Combine(world.Home, "image"), mounted, 64 << 20);
        try
        {
            var releases = ReleaseCycle.Make(world.Archives);
            var root = Path.Combine(mounted, "releases");
            var random = new Random(12);
            string? switched = null;
            for (var n = 0; n < PowerCuts; n++)
            {
                (switched, var switching) = await CutAsync(root, disk, releases, random, switched);
                disk.PowerOn();
                ReleaseCycle.Judge(root, switched, switching);
                using var store = new ReleaseStore(root);
                switched = store.Current(ReleaseCycle.Channel);
            }

            Assert.NotNull(switched);
        }
        finally
        {
            Assert.True(Mounts.Run("umount", mounted));
        }
    }

    /// <summary>
    /// Works on the store until the power is gone: in the same moment in which a switch was told to be done, before
    /// anything else could make it durable, or some time after one began. What was told last, and what was under way.
    /// </summary>
    private static async Task<(string? Switched, string? Switching)> CutAsync(
        string root, PowerDisk disk, IReadOnlyList<TestRelease> releases, Random random, string? switched)
    {
        var switching = switched;
        using var store = new ReleaseStore(root, ReleaseCycle.Limits);
        store.Sweep();
        var (cycle, cut, after) = (Stopwatch.StartNew(), Task.CompletedTask, random.Next(2));
        var failure = await Assert.ThrowsAnyAsync<Exception>(() => ReleaseCycle.RunAsync(store, releases, (what, sha256) =>
        {
            if (what == "switching") switching = sha256;
            else switched = sha256;
            if (after-- == 0) cut = CutPowerAsync(disk, what == "switched" ? 0 : random.Next(1 + (int)cycle.ElapsedMilliseconds));
        }));
        Assert.True(failure is FileFailure or IOException, failure.ToString());
        await cut;
        return (switched, switching);
    }

    private static async Task CutPowerAsync(PowerDisk disk, int afterMs)
    {
        if (afterMs > 0) await Task.Delay(afterMs);
        disk.Cut();
    }

    private static string? Last(List<string> said, string what)
    {
        // A line that was cut short was not said.
        var whole = said.LastOrDefault(line => line.StartsWith(what, StringComparison.Ordinal) && line.Length == what.Length + 64);
        return whole?[what.Length..];
    }
}
