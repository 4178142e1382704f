using System;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text.Json.Nodes;
using System.Threading.Tasks;
using Agent.Shell.Uplink;
using Agent.Tests.EndToEnd;
using Agent.Tests.Support;
using Xunit;
using Xunit.Abstractions;

namespace Agent.Tests.Fleet;

/// <summary>Releases go through a fleet wave by wave, and what is bad goes no further than it must.</summary>
[Collection(nameof(FleetCollection))]
public sealed class FleetWaveTests(ITestOutputHelper output)
{
    private static readonly int[] TwoWaves = [0, 1, 1];

    /// FL-1, FL-3, RO-6, RO-10, WI-3, JO-4: a good release reaches every wave in turn; a bad one is rolled back where
    /// it was, is shut away, and is never seen by the next wave; the next good one finds the way free.
    [Fact]
    public async Task A_bad_release_never_leaves_the_first_wave()
    {
        using var fleet = await FleetUnderTest.StartAsync(3);
        for (var good = 0; good < 2; good++) await ConvergesInTurnAsync(fleet);

        var bad = await fleet.PublishAsync(Fate.BadProbe, TwoWaves);
        var seen = await fleet.UntilAsync(bad, "reverted");
        Assert.Equal("reverted", (string)(await fleet.OnHostAsync(0, bad))!["state"]!);
        Assert.Equal([new(1, 0, 0, 1), new WaveInfo(2, 0, 0, 0)], seen.Rollouts.Single(one => one.Id == bad.Id).Waves);
        var entry = Assert.Single(Assert.Single(seen.Channels).Quarantine);
        Assert.Equal((bad.Id, "h0"), (entry.Rollout, entry.Host));
        Assert.EndsWith(bad.Release.Sha256, entry.Release, StringComparison.Ordinal);
        foreach (var host in seen.Hosts.Skip(1))
        {
            Assert.Contains("rolled back", Assert.Single(host.Rollouts).Summary, StringComparison.Ordinal);
        }

        await ConvergesInTurnAsync(fleet);
        Assert.Empty(Assert.Single((await fleet.Plane.FleetAsync()).Channels).Quarantine);
        foreach (var host in (int[])[1, 2]) Assert.Null(await fleet.OnHostAsync(host, bad));
        output.WriteLine($"{await FleetAccounts.BalanceAsync(fleet)} tellings taken");
    }

    /// WI-6, RO-6, RO-10, FL-3, WI-4: a host needs no plane to go back; the plane hears all of it afterwards, in order.
    [Fact]
    public async Task A_host_goes_back_by_itself_while_the_plane_is_dead()
    {
        using var fleet = await FleetUnderTest.StartAsync(2);
        await fleet.UntilAsync(await fleet.PublishAsync(Fate.Good, [0, 1]), "converged");

        var bad = await fleet.PublishAsync(Fate.BadProbe, [0, 1], soakMs: 3000);
        await fleet.UntilOnHostAsync(0, bad, "pending", "activating", "soaking");
        fleet.Plane.Kill();
        var known = await FleetAccounts.ReplayedAsync(fleet.Plane.Journal, long.MaxValue);
        Assert.Equal("active", (string)RolloutOf(known, bad)["phase"]!["type"]!);
        await fleet.UntilOnHostAsync(0, bad, "reverted");

        await fleet.Plane.StartAsync();
        var seen = await fleet.UntilAsync(bad, "reverted");
        Assert.Equal(bad.Id, Assert.Single(Assert.Single(seen.Channels).Quarantine).Rollout);
        await FleetAccounts.BalanceAsync(fleet);
        Assert.Null(await fleet.OnHostAsync(1, bad));
    }

    /// FL-4: manifests say what is to be, hosts say what is; no operator does anything, and no heartbeat is waited for.
    [Fact]
    public async Task A_plane_that_lost_its_state_is_soon_the_plane_it_was()
    {
        using var fleet = await FleetUnderTest.StartAsync(2);
        await fleet.UntilAsync(await fleet.PublishAsync(Fate.Good, [0, 1]), "converged");
        var bad = await fleet.PublishAsync(Fate.BadProbe, [0, 1]);
        await fleet.UntilAsync(bad, "reverted");
        await fleet.UntilAllIsToldAsync();
        var before = await fleet.Plane.FleetAsync();

        fleet.Plane.Kill();
        Directory.Delete(fleet.Plane.State, recursive: true);
        await fleet.Plane.StartAsync();
        var watch = Stopwatch.StartNew();
        await fleet.UntilAsync("it knows what it knew", seen => Memory(seen) == Memory(before));
        output.WriteLine($"rebuilt {watch.ElapsedMilliseconds} ms after its start");
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(30), $"it took {watch.Elapsed}");

        await fleet.UntilAsync(await fleet.PublishAsync(Fate.Good, [0, 1]), "converged");
        await FleetAccounts.BalanceAsync(fleet);
        Assert.Null(await fleet.OnHostAsync(1, bad));
    }

    /// <summary>The second wave begins when the first has ended, and not before.</summary>
    private static async Task ConvergesInTurnAsync(FleetUnderTest fleet)
    {
        var good = await fleet.PublishAsync(Fate.Good, TwoWaves);
        await fleet.UntilAsync(good, "converged");
        var first = At(await fleet.OnHostAsync(0, good), "since");
        foreach (var host in (int[])[1, 2]) Assert.True(At(await fleet.OnHostAsync(host, good), "receivedAt") >= first);

        static DateTimeOffset At(JsonNode? info, string name) => (DateTimeOffset)info![name]!;
    }

    /// <summary>What must survive; not when it was said, nor what heartbeats say besides.</summary>
    private static string Memory(FleetInfo fleet) => string.Join('\n', [
        .. fleet.Channels.Select(one => $"{one.Name} {one.Newest}"),
        .. fleet.Channels.SelectMany(one => one.Quarantine).Select(one => $"{one.Release} {one.Rollout} {one.Host}"),
        .. fleet.Rollouts.Where(one => one.Newest).Select(one => $"{one.Id} {one.State} {string.Join(' ', one.Waves)}"),
        .. fleet.Hosts.Select(one => $"{one.Name} {one.State} {Newest(one)}"),
    ]);

    private static string Newest(FleetHostInfo host) =>
        string.Join(' ', host.Rollouts.Select(one => $"{one.Id} {one.State} {one.Seq}"));

    private static JsonNode RolloutOf(JsonNode plane, SignedRollout rollout) =>
        ((JsonArray)plane["rollouts"]!).Single(one => (string)one!["order"]!["id"]! == rollout.Id)!;
}
