using System;
using System.IO;
using System.Threading.Tasks;
using Agent.Tests.Support;
using Xunit;
using Xunit.Abstractions;

namespace Agent.Tests.EndToEnd;

/// <summary>Deaths of the guardians without end. AGENT_LONG=1 makes it three hundred.</summary>
[Collection(nameof(EndToEndCollection))]
public sealed class KillCycleTests(ITestOutputHelper told)
{
    /// PR-5, PR-6, PR-14, JO-4, JO-5: kill -9 of agent, keeper or both at any moment, while twenty children start, talk
    /// and end: no exit is lost that a keeper could see, nothing runs twice, nothing is left over, no byte is lost or
    /// doubled, and the journal replays.
    [Fact]
    public async Task Kills_at_any_moment_lose_nothing_and_double_nothing()
    {
        var cycles = Extent.Of(brief: 6, full: 300);
        var random = Seed.Random(told);
        var accounts = Directory.CreateTempSubdirectory("agent-accounts.").FullName;
        try
        {
            using var agent = new AgentUnderTest(KillCycle.Yaml(accounts));
            await agent.StartAsync();
            var cycle = new KillCycle(agent, accounts, random);
            await agent.UntilAsync("the steady ones run", async () => (await cycle.SteadyPidsAsync()).Count == KillCycle.Steady);
            var steady = await cycle.SteadyPidsAsync();
            for (var n = 1; n <= cycles; n++)
            {
                var work = cycle.WorkAsync();

                // Blow upon blow half of the time; otherwise there is time for ends that both live to see.
                await Task.Delay(random.Next(0, n % 2 == 0 ? 150 : 3000));
                var who = random.Next(3);
                await cycle.KillAsync(kill: who != 1, keeper: who != 0);
                await work;
                Assert.Equal(steady, await cycle.SteadyPidsAsync());
                if (n % 10 == 0) await ReplayTests.ReplaysToItsDigestAsync(agent);
            }

            await cycle.FinishAsync();
            await ReplayTests.ReplaysToItsDigestAsync(agent);
            told.WriteLine(
                $"{cycles} kills, {cycle.Released} tasks read to their end, {cycle.Bytes >> 10} KiB, {cycle.Lost} exits lost for want of a keeper, "
                + $"{cycle.Cut} outputs cut for want of either");
        }
        finally
        {
            Directory.Delete(accounts, recursive: true);
        }
    }
}
