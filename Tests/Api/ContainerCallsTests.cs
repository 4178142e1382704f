using System;
using System.Linq;
using System.Net;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Container;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Shell.Api;
using Agent.Shell.Cli;
using Agent.Tests.Support;
using LanguageExt;
using Xunit;

namespace Agent.Tests.Api;

/// <summary>Containers over the API.</summary>
public sealed class ContainerCallsTests
{
    /// CT-2, CT-5: desired and observed side by side, with a report for each.
    [Fact]
    public async Task What_is_wanted_and_what_is_there_stand_side_by_side()
    {
        await using var world = await WithContainersAsync();
        var (status, body) = await world.GetAsync("/v1/containers");
        Assert.Equal(HttpStatusCode.OK, status);
        var info = ApiWorld.Read(body, WireJson.Default.ContainersInfo);
        Assert.Equal(["paused", "stray", "web"], info.Containers.Select(one => one.Uid));
        Assert.Equal(["failed", "failed", "ok"], info.Containers.Select(one => one.Report));
        Assert.Equal(["paused", "exited", "running"], info.Containers.Select(one => one.State));
        Assert.Equal([true, false, true], info.Containers.Select(one => one.Declared));
        Assert.Equal(3, info.LastPass!.Listed);
    }

    /// CT-7: the user's stop is accepted, and shows at once.
    [Fact]
    public async Task A_stop_is_accepted()
    {
        await using var world = await WithContainersAsync();
        var (status, body) = await world.PostAsync("/v1/containers/web/stop");
        Assert.Equal(HttpStatusCode.Accepted, status);
        var one = ApiWorld.Read(body, WireJson.Default.ContainerInfo);
        Assert.Equal(("stopped", "stop", "working"), (one.Wish, one.UnderWay, one.Report));
    }

    /// CT-2: nothing that is not declared goes without being asked for; asked for, it does.
    [Fact]
    public async Task Orphans_go_when_they_are_asked_to()
    {
        await using var world = await WithContainersAsync();
        var (_, before) = await world.PostAsync("/v1/containers/up");
        var stray = ApiWorld.Read(before, WireJson.Default.ContainersInfo).Containers.Single(one => one.Uid == "stray");
        Assert.Null(stray.UnderWay);
        var (_, after) = await world.PostAsync("/v1/containers/up", """{"removeOrphans":true}""");
        stray = ApiWorld.Read(after, WireJson.Default.ContainersInfo).Containers.Single(one => one.Uid == "stray");
        Assert.Equal("remove", stray.UnderWay);
    }

    /// OB-1: status and metrics count the containers in the same words.
    [Fact]
    public async Task Containers_are_counted()
    {
        await using var world = await WithContainersAsync();
        await world.PostAsync("/v1/containers/paused/stop");
        var (_, body) = await world.GetAsync("/v1/status");
        var status = ApiWorld.Read(body, WireJson.Default.StatusInfo);
        Assert.Equal(new ContainerCounts(2, 1, 1, 0, 1), status.Containers);
        Assert.Contains(
            "containers 2 declared, 1 running, 1 failing, 0 with an open circuit, 1 stopped by their user",
            StatusVerbs.Head(status, 0));
        var (_, metrics) = await world.GetAsync("/metrics");
        foreach (var line in (string[])["declared 2", "running 1", "failing 1", "circuit_open 0", "stopped 1"])
        {
            Assert.Contains($"\nagent_containers_{line}\n", metrics, StringComparison.Ordinal);
        }
    }

    /// OB-1, CT-8: a host without containers has no line of zeros; an open circuit counts as failing, too.
    [Fact]
    public async Task An_open_circuit_is_counted()
    {
        await using var world = await ApiWorld.StartAsync();
        var (_, body) = await world.GetAsync("/v1/status");
        Assert.Null(ApiWorld.Read(body, WireJson.Default.StatusInfo).Containers);

        var now = world.Host.Now;
        var history = ContainerHistory.Empty;
        for (var i = 0; i < ContainerHistory.CircuitRecreations; i++) history = history.WithRecreation(now);
        var broken = ContainerProfile.New(Uid("web")) with
        {
            Spec = Spec("web"),
            Wish = ContainerWish.Installed,
            Seen = new Sighting.Absent(),
            Made = "v1",
            Pulled = "v1",
            History = history,
        };
        var containers = Core.Container.Containers.Empty;
        containers = containers with { All = containers.All.Add(Uid("web"), new ContainerState.Idle(broken)) };
        Assert.Equal(new ContainerCounts(1, 0, 1, 1, 0), MappingContainer.Count(containers, now));
    }

    /// CT-3, SE-1. Upstream: unknown app rejected (prod_orchestrator): of what nobody knows nothing is asked.
    [Theory]
    [InlineData("/v1/containers/nobody/start", "{}", HttpStatusCode.NotFound)]
    [InlineData("/v1/containers/%2e%2e/stop", "{}", HttpStatusCode.NotFound)]
    [InlineData("/v1/containers/up", """{"uids":["nobody"]}""", HttpStatusCode.NotFound)]
    [InlineData("/v1/containers/down", """{"uids":["no body"]}""", HttpStatusCode.BadRequest)]
    [InlineData("/v1/containers/down", """{"everything":true}""", HttpStatusCode.BadRequest)]
    public async Task What_makes_no_sense_is_refused(string path, string body, HttpStatusCode status)
    {
        await using var world = await WithContainersAsync();
        Assert.Equal(status, (await world.PostAsync(path, body)).Status);
    }

    /// CT-7, SE-1: containers are the host's, so only root decides about them; everybody may look.
    [Fact]
    public async Task Only_root_changes_anything()
    {
        await using var world = await WithContainersAsync();
        foreach (var call in (string[])["web/stop", "web/start", "up", "down", "reconcile"])
        {
            Assert.Equal(403, (await world.AskAsync(1000, "POST", "/v1/containers/" + call, "{}")).Status);
        }

        Assert.Equal(200, (await world.AskAsync(1000, "GET", "/v1/containers")).Status);
    }

    private static async Task<ApiWorld> WithContainersAsync()
    {
        var world = await ApiWorld.StartAsync();
        var specs = new[] { Spec("web"), Spec("paused") };
        await TellAsync(world, new ContainersEvent.Declared(specs.ToSeq(), Install: true, UsesRuntime: false));
        var rows = new[]
        {
            Row("web", new ContainerStatus.Running(PidAlive: true)), Row("paused", new ContainerStatus.Paused()),
            Row("stray", new ContainerStatus.Exited(0, OutOfMemory: false)),
        };
        await TellAsync(world, new ContainersEvent.Listed(1, rows.ToSeq()));
        return world;
    }

    private static Task TellAsync(ApiWorld world, ContainersEvent @event) =>
        world.Host.AskAsync(new HostEvent.ContainersReported(@event), CancellationToken.None);

    private static ContainerUid Uid(string text) => ContainerUid.Parse(text).IfNone(() => throw new ArgumentException(text));

    private static ContainerSpec Spec(string uid) => new(
        Uid(uid), "image", PullPolicy.Missing, ContainerRestart.Always, Seq<ContainerDependency>.Empty, false,
        ContainerSpec.DefaultStopGrace, "v1");

    private static ObservedContainer Row(string uid, ContainerStatus status) =>
        new(Uid(uid), "e-" + uid, "v1", status, ContainerHealth.None);
}
