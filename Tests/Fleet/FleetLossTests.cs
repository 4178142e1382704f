using System.Diagnostics;
using System.Globalization;
using System.Threading.Tasks;
using Agent.Tests.EndToEnd;
using Agent.Tests.Support;
using Xunit;
using Xunit.Abstractions;

namespace Agent.Tests.Fleet;

/// <summary>A network that loses packets, made by the kernel itself.</summary>
[Collection(nameof(EndToEndCollection))]
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
            var rollout = await fleet.PublishAsync(Fate.Good, [0]);
            await fleet.UntilOnHostAsync(0, rollout, "converged");
            output.WriteLine($"converged after {watch.ElapsedMilliseconds} ms");
            await fleet.UntilAllIsToldAsync();
            output.WriteLine($"told after {watch.ElapsedMilliseconds} ms, {loss.Lost} packets lost");
            Assert.True(loss.Lost > 10, "packets were to be lost");
        }

        output.WriteLine($"{await FleetAccounts.BalanceAsync(fleet)} tellings taken");
    }
}
