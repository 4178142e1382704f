using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Threading.Tasks;
using Agent.Tests.EndToEnd;
using Agent.Tests.Support;
using Xunit;
using Xunit.Abstractions;

namespace Agent.Tests.Fleet;

/// <summary>Agents and their plane die at any moment, and in the end both sides tell the same story.</summary>
[Collection(nameof(FleetCollection))]
public sealed class FleetSurvivalTests(ITestOutputHelper output)
{
    private const int Hosts = 4;
    private const int AgentKillsInARound = 5;
    private const int PlaneKillsInARound = 2;

    private static readonly int Rounds = Extent.Of(brief: 2, full: 10);

    // Two rollouts through two waves take about as long, deaths not counted.
    private const int LongestWaitMs = 2500;

    /// RO-10, WI-3, WI-4, FL-1, JO-5: kill -9 of 20 agents and 8 planes (AGENT_LONG=1: 50 and 20), two channels under way
    /// on every host.
    [Fact]
    public async Task Nothing_is_lost_and_nothing_is_counted_twice_whoever_dies_when()
    {
        var random = Seed.Random(output);
        using var fleet = await FleetUnderTest.StartAsync(Hosts);
        var watch = Stopwatch.StartNew();
        for (var n = 0; n < Rounds; n++) await KillThroughRolloutsAsync(fleet, random, isFirst: n == 0);
        var (agents, planes) = (Rounds * AgentKillsInARound, Rounds * PlaneKillsInARound);
        output.WriteLine($"{agents} agents and {planes} planes died in {watch.ElapsedMilliseconds} ms");
        output.WriteLine($"{await FleetAccounts.BalanceAsync(fleet)} tellings taken");
    }

    private async Task KillThroughRolloutsAsync(FleetUnderTest fleet, Random random, bool isFirst)
    {
        var fates = Enumerable.Range(0, 2).Select(_ => isFirst ? Fate.Good : AnyFate(random)).ToArray();
        var rollouts = new[]
        {
            await fleet.PublishAsync(fates[0], [0, 0, 1, 1], "app"),
            await fleet.PublishAsync(fates[1], [1, 1, 0, 0], "web"),
        };
        var victims = Moments(random, AgentKillsInARound).GroupBy(_ => random.Next(Hosts));
        var killings = new List<Task>();
        foreach (var victim in victims)
        {
            var agent = fleet[victim.Key];
            killings.Add(KillAsync(victim, agent.KillAgent, () => agent.StartAsync()));
        }

        var ends = Moments(random, PlaneKillsInARound);
        killings.Add(KillAsync(ends, fleet.Plane.Kill, fleet.Plane.StartAsync));
        await Task.WhenAll(killings);
        for (var n = 0; n < rollouts.Length; n++)
        {
            await fleet.UntilAsync(rollouts[n], fates[n] == Fate.Good ? "converged" : "reverted");
        }

        output.WriteLine($"{fates[0]} and {fates[1]} are decided; the plane died after {string.Join(", ", ends)} ms");
    }

    private static async Task KillAsync(IEnumerable<int> moments, Action kill, Func<Task> start)
    {
        var watch = Stopwatch.StartNew();
        foreach (var moment in moments.Order())
        {
            var wait = TimeSpan.FromMilliseconds(moment) - watch.Elapsed;
            if (wait > TimeSpan.Zero) await Task.Delay(wait);
            kill();
            await start();
        }
    }

    private static int[] Moments(Random random, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => random.Next(LongestWaitMs))];

    private static Fate AnyFate(Random random) => random.Next(10) switch
    {
        < 6 => Fate.Good,
        < 8 => Fate.BadHook,
        _ => Fate.BadProbe,
    };
}
