using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json.Nodes;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Cli;
using Agent.Shell.Manifests;
using Agent.Tests.EndToEnd;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.Fleet;

/// <summary>`agent fleet …` as scripts use it: JSON on standard output, and an exit code with a meaning.</summary>
[Collection(nameof(FleetCollection))]
public sealed class FleetCommandTests
{
    /// FL-5, WI-2: what is halted is offered to nobody, between waves too; resumed, it goes on where it stood. Upstream:
    /// filter node (store): a host is asked what it has.
    [Fact]
    public async Task What_is_halted_waits_until_it_is_resumed()
    {
        using var fleet = await FleetUnderTest.StartAsync(2);
        var first = await PublishedByCommandAsync(fleet);
        await fleet.UntilAsync(first, "converged");

        Assert.True((bool)ChannelOf(await JsonAsync(fleet, "halt", FleetUnderTest.Channel))["halted"]!);
        var next = await fleet.PublishAsync(Fate.Good, [0, 1], soakMs: 2000);
        Assert.Contains("halted", await WhyAsync(fleet, "h0", next), StringComparison.Ordinal);
        Assert.Null(await fleet.OnHostAsync(0, next));

        Assert.False((bool)ChannelOf(await JsonAsync(fleet, "resume", FleetUnderTest.Channel))["halted"]!);
        await fleet.UntilOnHostAsync(0, next, "soaking");
        await fleet.Plane.Operator.PostAsync(
            $"/v1/fleet/channels/{FleetUnderTest.Channel}/halt", CancellationToken.None);
        await fleet.UntilAsync(
            "the first wave is through", seen => seen.Rollouts.Single(one => one.Id == next.Id).Wave == 1);
        Assert.Contains("halted", await WhyAsync(fleet, "h1", next), StringComparison.Ordinal);
        Assert.Null(await fleet.OnHostAsync(1, next));

        Assert.Equal(0, (await fleet.Plane.AskAsync("resume", FleetUnderTest.Channel)).Code);
        await fleet.UntilAsync(next, "converged");
        Assert.Equal("converged", (string)(await JsonAsync(fleet, "show", next.Id))["state"]!);
        Assert.Equal(["2", "1"], Each(await JsonAsync(fleet, "rollouts"), "rollouts", "version"));
        var hosts = await JsonAsync(fleet, "hosts");
        Assert.Equal(["h0", "h1"], Each(hosts, "hosts", "name"));
        Assert.Equal(["online", "online"], Each(hosts, "hosts", "state"));
    }

    /// FL-5: an exit code tells what is wrong: 2 usage, 3 nobody answers, 4 it is not there, 5 not allowed. Upstream:
    /// CLI tokens (server).
    [Fact]
    public async Task Exit_codes_tell_what_was_wrong()
    {
        using var fleet = await FleetUnderTest.StartAsync(1);
        Assert.Equal(4, (await fleet.Plane.AskAsync("explain", "nobody")).Code);
        Assert.Equal(4, (await fleet.Plane.AskAsync("show", "nothing")).Code);
        Assert.Equal(4, (await fleet.Plane.AskAsync("halt", "nothing")).Code);
        Assert.Equal(4, (await fleet.Plane.AskAsync("resume", "nothing")).Code);
        Assert.Equal(2, (await fleet.Plane.AskAsync("token", "no host")).Code);
        Assert.Equal(2, (await fleet.Plane.AskAsync("token", "web", "--for", "soon")).Code);
        Assert.Equal(2, (await fleet.Plane.AskAsync("publish", Path.Combine(fleet.Plane.Home, "none.json"))).Code);

        var token = await JsonAsync(fleet, "token", "web");
        Assert.Equal(("web", 87), ((string)token["host"]!, ((string)token["token"]!).Length));
        Assert.Equal(0, (await fleet.Plane.AskAsync("revoke", "h0")).Code);
        Assert.Equal("revoked", (string)(await JsonAsync(fleet, "explain", "h0"))["state"]!);

        string[] asOperator = ["--identity", fleet.Plane.Identity];
        Assert.Equal(2, (await AgentUnderTest.RunAsync(["fleet", "hosts", .. asOperator])).Code);
        Assert.Equal(2, (await AgentUnderTest.RunAsync("fleet", "hosts", "--plane", fleet.Plane.Url.ToString())).Code);
        Assert.Equal(3, (await AgentUnderTest.RunAsync(
            ["fleet", "hosts", "--plane", "https://127.0.0.1:1", .. asOperator])).Code);
        var hostsOwn = Path.Combine(fleet[0].State, "identity", "identity.pem");
        Assert.Equal(5, (await AgentUnderTest.RunAsync(
            "fleet", "hosts", "--plane", fleet.Plane.Url.ToString(), "--identity", hostsOwn)).Code);
    }

    /// FL-4, WI-2: the plane takes what its publishers have signed, with the release that it names, and nothing else.
    [Fact]
    public async Task Only_what_is_signed_and_whole_is_published()
    {
        using var fleet = await FleetUnderTest.StartAsync(0);
        var signed = fleet.Sign(Fate.Good, [0]);
        var (manifest, archive) = Written(fleet, signed);
        Assert.Equal(4, (await fleet.Plane.AskAsync("publish", "--detach", manifest)).Code);
        string[] publish = ["publish", "--detach", manifest, "--release", archive];
        Assert.Equal(0, (await fleet.Plane.AskAsync(publish)).Code);
        Assert.Equal(signed.Id, (string)(await JsonAsync(fleet, publish))["id"]!);

        var (forged, _) = Written(fleet, fleet.Sign(Fate.Good, [0]));
        var text = await File.ReadAllTextAsync(forged);
        await File.WriteAllTextAsync(forged, text.Replace("\"version\":2", "\"version\":3", StringComparison.Ordinal));
        var (code, _, error) = await fleet.Plane.AskAsync("publish", "--detach", forged, "--release", archive);
        Assert.Equal(1, code);
        Assert.Contains("signature", error, StringComparison.Ordinal);
        Assert.Equal(["1"], Each(await JsonAsync(fleet, "rollouts"), "rollouts", "version"));
    }

    private static async Task<SignedRollout> PublishedByCommandAsync(FleetUnderTest fleet)
    {
        var signed = fleet.Sign(Fate.Good, [0, 1]);
        var (manifest, archive) = Written(fleet, signed);
        var rollout = await JsonAsync(fleet, "publish", "--detach", manifest, "--release", archive);
        Assert.Equal((signed.Id, 1), ((string)rollout["id"]!, (int)rollout["version"]!));
        return signed;
    }

    /// <summary>The documents as a release engineer has them: signatures and descriptor beside them.</summary>
    private static (string Manifest, string Archive) Written(FleetUnderTest fleet, SignedRollout signed)
    {
        var manifest = Path.Combine(fleet.Plane.Home, $"{signed.Id}.json");
        var descriptor = signed.Release.Path + SignVerbs.DescriptorSuffix;
        SignedFile.Install(manifest, signed.Manifest, signed.ManifestSignatures);
        SignedFile.Install(descriptor, signed.Descriptor, signed.DescriptorSignatures);
        return (manifest, signed.Release.Path);
    }

    private static async Task<JsonNode> JsonAsync(FleetUnderTest fleet, params string[] arguments)
    {
        var (code, output, error) = await fleet.Plane.AskAsync([.. arguments, "-o", "json"]);
        Assert.True(code == 0, error);
        return JsonNode.Parse(output)!;
    }

    private static async Task<string> WhyAsync(FleetUnderTest fleet, string host, SignedRollout rollout) =>
        (string)((JsonArray)(await JsonAsync(fleet, "explain", host))["rollouts"]!)
            .Single(one => (string)one!["id"]! == rollout.Id)!["summary"]!;

    private static IEnumerable<string> Each(JsonNode fleet, string list, string field) =>
        ((JsonArray)fleet[list]!).Select(one => one![field]!.ToString());

    private static JsonNode ChannelOf(JsonNode fleet) => ((JsonArray)fleet["channels"]!).Single()!;
}
