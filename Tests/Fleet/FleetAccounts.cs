using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.Json.Nodes;
using System.Threading.Tasks;
using Agent.Tests.EndToEnd;
using Xunit;

namespace Agent.Tests.Fleet;

/// <summary>
/// The books of a fleet that is at rest: what the plane has written down is what the hosts have, and every journal
/// leads to the state that its owner had.
/// </summary>
internal static class FleetAccounts
{
    /// <summary>Closes the plane. Answers how many events of hosts its journal has taken.</summary>
    public static async Task<int> BalanceAsync(FleetUnderTest fleet)
    {
        await fleet.UntilAllIsToldAsync();
        var own = new Dictionary<string, JsonArray>();
        foreach (var (name, agent) in fleet.Hosts)
        {
            await ReplayTests.ReplaysToItsDigestAsync(agent);
            var seq = (long)(await agent.GetAsync("/v1/status"))["journal"]!["seq"]!;
            own.Add(name, (JsonArray?)(await ReplayedAsync(agent.Journal, seq))["rollouts"]?["all"] ?? []);
        }

        var (last, digest) = await fleet.Plane.EndAsync();
        var (code, output, error) = await AgentUnderTest.RunAsync("replay", fleet.Plane.Journal);
        Assert.True(code == 0, error + output);
        Assert.Contains($"digest {digest}", output, StringComparison.Ordinal);
        var plane = await ReplayedAsync(fleet.Plane.Journal, last);
        foreach (var (name, rollouts) in own) MirrorsAre(plane, name, rollouts);
        TalliesAreOf(plane);
        return await ToldOnceAndInOrderAsync(fleet.Plane);
    }

    /// <summary>The state that a journal leads to, decided anew; no decision differs.</summary>
    public static async Task<JsonNode> ReplayedAsync(string journal, long seq)
    {
        var (code, output, error) = await AgentUnderTest.RunAsync("replay", journal, "--at", $"{seq}", "-o", "json");
        Assert.True(code == 0, error + output);
        return JsonNode.Parse(output)!;
    }

    /// <summary>Field by field: the state of each rollout, its seq, its probes, its instants.</summary>
    private static void MirrorsAre(JsonNode plane, string name, JsonArray rollouts)
    {
        var host = ((JsonArray)plane["hosts"]!).Single(one => (string)one!["host"]! == name)!;
        Assert.Equal(ById(rollouts), ById((JsonArray)host["mirrors"]!));

        static IEnumerable<string> ById(JsonArray rollouts) =>
            rollouts.OrderBy(IdOf, StringComparer.Ordinal).Select(one => one!.ToJsonString());
    }

    /// <summary>Counted change by change, the waves say what counting all mirrors at the end says.</summary>
    private static void TalliesAreOf(JsonNode plane)
    {
        foreach (var rollout in (JsonArray)plane["rollouts"]!)
        {
            var states = ((JsonArray)plane["hosts"]!).SelectMany(host => (JsonArray)host!["mirrors"]!)
                .Where(mirror => IdOf(mirror) == IdOf(rollout)).Select(mirror => (string)mirror!["type"]!).ToList();
            int Sum(string field) => ((JsonArray)rollout!["waves"]!).Sum(wave => (int)wave![field]!);
            Assert.Equal(states.Count(state => state is "converged" or "superseded" or "deferred"), Sum("done"));
            Assert.Equal(states.Count(state => state is "reverted"), Sum("reverted"));
            Assert.Equal(states.Count(state => state is "failed"), Sum("failed"));
        }
    }

    /// <summary>
    /// The seqs that the plane has stepped of each host's rollout follow one another without a gap, and none comes
    /// twice; only a rollout told as a whole may leap ahead.
    /// </summary>
    private static async Task<int> ToldOnceAndInOrderAsync(PlaneUnderTest plane)
    {
        var (code, records, error) = await AgentUnderTest.RunAsync("journal", "export", plane.Journal);
        Assert.True(code == 0, error);
        var reached = new Dictionary<(string Host, string Id), long>();
        var taken = 0;
        foreach (var line in records.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var record = JsonNode.Parse(line)!;
            foreach (var (telling, verdict) in ToldIn(record))
            {
                if ((string)verdict["type"]! != "accepted") continue;
                taken++;
                var whole = telling["state"];
                if (whole is null && (string)telling["type"]! != "happened") continue;
                var key = ((string)record["event"]!["host"]!, whole is null ? (string)telling["id"]! : IdOf(whole));
                var (before, seq) = (reached.GetValueOrDefault(key), (long)(whole ?? telling)["seq"]!);

                // One that still waits for its turn is told as a whole at seq 0.
                var follows = whole is null ? seq == before + 1 : seq > before || !reached.ContainsKey(key);
                Assert.True(follows, $"{key} came to {seq} after {before}");
                reached[key] = seq;
            }
        }

        return taken;
    }

    /// <summary>Each thing that a host told in this record, with what the plane said to it.</summary>
    private static IEnumerable<(JsonNode Telling, JsonNode Verdict)> ToldIn(JsonNode record)
    {
        if ((string)record["event"]!["type"]! != "told") return [];
        var answer = ((JsonArray?)record["effects"])?.SingleOrDefault(effect => (string)effect!["type"]! == "answer");
        if (answer is null) return [];
        var tellings = (JsonArray)record["event"]!["tellings"]!;
        return tellings.Zip((JsonArray)answer["verdicts"]!, (telling, verdict) => (telling!, verdict!));
    }

    private static string IdOf(JsonNode? rollout) => (string)rollout!["order"]!["id"]!;
}
