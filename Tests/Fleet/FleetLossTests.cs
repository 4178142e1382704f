using System.Diagnostics;
using System.Globalization;
using System.Threading.Tasks;
using Agent.Shell.Uplink;
using Agent.Tests.EndToEnd;
using Agent.Tests.Support;
using Xunit;
using Xunit.Abstractions;

namespace Agent.Tests.Fleet;

/// <summary>A network that loses packets, made by the kernel itself.</summary>
[Collection(nameof(FleetCollection))]
public sealed class FleetLossTests(ITestOutputHelper output)
{
    /// WI-4, RO-10: of each two packets to and from the plane one is lost; the rollout goes its way, and plane and host
    /// agree in the end.
    [SkippableFact]
    public async Task A_rollout_converges_though_half_of_all_packets_are_lost()
    {
        using var fleet = await FleetUnderTest.StartAsync(1);
        using (var loss = PacketLoss.Half(fleet.Plane.Url.Port))
        {
            var watch = Stopwatch.StartNew();
            var rollout = fleet.Sign(Fate.Good, [0]);
            await PublishAsync(fleet, rollout);
            await fleet.UntilOnHostAsync(0, rollout, "converged");
            output.WriteLine($"converged after {watch.ElapsedMilliseconds} ms");
            await fleet.UntilAllIsToldAsync();
            output.WriteLine($"told after {watch.ElapsedMilliseconds} ms, {loss.Lost} packets lost");
            Assert.True(loss.Lost > 10, "packets were to be lost");
        }

        output.WriteLine($"{await FleetAccounts.BalanceAsync(fleet)} tellings taken");
    }

    /// <summary>As somebody who is told that there was no answer in time: again, which publishes nothing twice.</summary>
    private static async Task PublishAsync(FleetUnderTest fleet, SignedRollout rollout)
    {
        const int Tries = 10;
        for (var left = Tries - 1; ; left--)
        {
            try
            {
                await fleet.PublishAsync(rollout);
                return;
            }
            catch (PlaneFailure) when (left > 0)
            {
                // Half of all packets are lost, now and then all of a whole exchange.
            }
        }
    }
}
