using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net.Http;
using System.Text.Json.Nodes;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Api;
using Agent.Shell.Uplink;
using Agent.Tests.EndToEnd;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.Fleet;

/// <summary>A real plane, real agents that are enrolled with it, and whoever publishes for them.</summary>
internal sealed class FleetUnderTest : IDisposable
{
    public const string Channel = Publisher.Channel;

    // What a look costs the plane and the machine is more than what a sooner answer is worth.
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    private readonly Publisher _publisher;
    private readonly Dictionary<string, int> _versions = [];
    private readonly string _home = Directory.CreateTempSubdirectory("fleet-e2e.").FullName;
    private readonly SortedDictionary<string, AgentUnderTest> _hosts = new(StringComparer.Ordinal);

    private FleetUnderTest()
    {
        _publisher = new Publisher(_home);
        Plane = new PlaneUnderTest(_publisher.Trust);
    }

    public PlaneUnderTest Plane { get; }

    /// <summary>By their names: h0, h1 and so on.</summary>
    public IReadOnlyDictionary<string, AgentUnderTest> Hosts => _hosts;

    public AgentUnderTest this[int host] => _hosts[NameOf(host)];

    public static string NameOf(int host) => string.Create(CultureInfo.InvariantCulture, $"h{host}");

    /// <summary>A running plane and as many running agents, each let in with a token of its own.</summary>
    public static async Task<FleetUnderTest> StartAsync(int hosts)
    {
        var fleet = new FleetUnderTest();
        try
        {
            await fleet.Plane.SetUpAsync();
            await fleet.Plane.StartAsync();
            for (var n = 0; n < hosts; n++)
            {
                var agent = new AgentUnderTest(fleet._publisher.YamlFor(NameOf(n)));
                fleet._hosts.Add(NameOf(n), agent);
                await agent.StartAsync();
                var (code, _, error) = await fleet.EnrolAsync(n, await fleet.Plane.TokenAsync(NameOf(n)));
                Assert.True(code == 0, error);
            }

            await fleet.UntilAsync(
                "all hosts are online", seen => seen.Hosts.Count(host => host.State == "online") == hosts);
            return fleet;
        }
        catch
        {
            fleet.Dispose();
            throw;
        }
    }

    /// <summary>`agent enroll`, as the host's owner calls it.</summary>
    public Task<(int Code, string Out, string Error)> EnrolAsync(int host, string token)
    {
        var agent = this[host];
        return AgentUnderTest.RunAsync(
            "enroll", "--plane", Plane.Url.ToString(), "--token", token, "--config", agent.ConfigFile,
            "--state-dir", agent.State, "--runtime-dir", agent.Runtime, "--socket", agent.Socket);
    }

    /// <param name="waves">The wave of each host, the first host's first.</param>
    public SignedRollout Sign(Fate fate, IReadOnlyList<int> waves, string channel = Channel, int soakMs = 200)
    {
        var version = _versions[channel] = _versions.GetValueOrDefault(channel) + 1;
        var hosts = string.Join(", ", waves.Select((wave, host) => $"{NameOf(host)}: {wave}"));
        var check = fate == Fate.BadProbe ? "/bin/false" : "/bin/true";
        return _publisher.Sign(
            channel,
            version,
            $"{{ {hosts} }}",
            $$"""
            policy: { soak: {{soakMs}}ms, failureThreshold: 1s, switchTimeout: 30s }
            probes:
              health: { exec: [{{check}}], interval: 1s }
            """,
            ("version", $"{channel} {version}\n"),
            ("activate", fate == Fate.BadHook ? "#!/bin/sh\nexit 1\n" : "#!/bin/sh\nexit 0\n"));
    }

    public async Task<SignedRollout> PublishAsync(
        Fate fate, IReadOnlyList<int> waves, string channel = Channel, int soakMs = 200)
    {
        var signed = Sign(fate, waves, channel, soakMs);
        await PublishAsync(signed);
        return signed;
    }

    public async Task PublishAsync(SignedRollout signed)
    {
        await using var archive = File.OpenRead(signed.Release.Path);
        var place = $"/v1/fleet/archives/{signed.Release.Sha256}";
        await Plane.Operator.UploadAsync(place, archive, CancellationToken.None);
        var request = new PublishRequest(
            new(signed.Manifest, signed.ManifestSignatures), [new(signed.Descriptor, signed.DescriptorSignatures)]);
        await Plane.Operator.PostAsync(
            "/v1/fleet/publish", request, PlaneRequests.Default.PublishRequest, PlaneAnswers.Default.FleetRolloutInfo,
            CancellationToken.None);
    }

    /// <summary>Looks again, through whatever happens to the plane meanwhile; answers what it saw at last.</summary>
    public async Task<FleetInfo> UntilAsync(string what, Func<FleetInfo, bool> condition)
    {
        var watch = Stopwatch.StartNew();
        var last = "nothing";
        while (watch.Elapsed < PlaneUnderTest.Patience)
        {
            try
            {
                var fleet = await Plane.FleetAsync();
                if (condition(fleet)) return fleet;
                last = string.Join('\n', [.. fleet.Rollouts.Select(Told), .. fleet.Hosts.Select(Told)]);
            }
            catch (PlaneFailure failure)
            {
                last = failure.Message;
            }

            await Task.Delay(LookEvery);
        }

        Assert.Fail($"waited in vain until {what}; last: {last}\nthe plane said:\n{Plane.Said}");
        throw new UnreachableException();
    }

    public Task<FleetInfo> UntilAsync(SignedRollout rollout, string state) => UntilAsync(
        $"{rollout.Id} is {state}", fleet => fleet.Rollouts.Any(one => one.Id == rollout.Id && one.State == state));

    /// <summary>A rollout as its host knows it; null where it was never told of it.</summary>
    public async Task<JsonNode?> OnHostAsync(int host, SignedRollout rollout) =>
        ((JsonArray)await this[host].GetAsync("/v1/rollouts")).FirstOrDefault(one => (string?)one!["id"] == rollout.Id);

    /// <summary>Until the host knows the rollout in one of these states.</summary>
    public Task UntilOnHostAsync(int host, SignedRollout rollout, params string[] states) => this[host].UntilAsync(
        $"{NameOf(host)} has {rollout.Id} {string.Join(" or ", states)}",
        async () => await OnHostAsync(host, rollout) is { } found && states.Contains((string)found["state"]!),
        PlaneUnderTest.Patience);

    /// <summary>Nothing more happens by itself, no host owes the plane anything, and it refused nothing.</summary>
    public async Task UntilAllIsToldAsync()
    {
        foreach (var (name, agent) in _hosts)
        {
            await agent.UntilAsync(
                $"{name} has decided all",
                async () => ((JsonArray)await agent.GetAsync("/v1/rollouts")).All(one => (bool)one!["decided"]!),
                PlaneUnderTest.Patience);
            await agent.UntilAsync(
                $"{name} has told all",
                async () => (string)(await agent.GetAsync("/v1/plane"))["outbox"]!["state"]! == "idle",
                PlaneUnderTest.Patience);
            Assert.Empty((JsonArray)(await agent.GetAsync("/v1/plane"))["outbox"]!["dead"]!);
        }
    }

    public void Dispose()
    {
        foreach (var agent in _hosts.Values) agent.Dispose();
        Plane.Dispose();
        _publisher.Dispose();
        Directory.Delete(_home, recursive: true);
    }

    private static string Told(FleetRolloutInfo rollout) => $"{rollout.Id} {rollout.State}: {rollout.Summary}";

    private static string Told(FleetHostInfo host) => $"{host.Name} {host.State}: {string.Join("; ", host.Rollouts)}";
}
