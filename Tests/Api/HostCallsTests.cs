using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using System.Net.Http;
using System.Text.Json;
using System.Threading.Tasks;
using Agent.Core.Companion;
using Agent.Core.Container;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Core.Rollout;
using Agent.Core.Runtime;
using Agent.Shell.Api;
using Agent.Shell.Journal;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.Api;

/// AP-1, OB-1: the agent itself, as its local API shows it.
public sealed class HostCallsTests
{
    /// AP-1: a body that names the newest durable state. Upstream: latest version (store).
    [Fact]
    public async Task Status_names_the_newest_durable_state()
    {
        await using var world = await ApiWorld.StartAsync();
        await world.SpawnAsync();
        var (status, body) = await world.GetAsync("/v1/status");
        var info = ApiWorld.Read(body, WireJson.Default.StatusInfo);
        var published = world.Host.Current;
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(new JournalInfo(published.Seq, StateDigest.Of(published.State)), info.Journal);
        Assert.Equal(("1.2.3", "here", true), (info.Version, info.Instance, info.KeeperConnected));
        Assert.Equal(new ProcessCounts(0, 1, 0, 0, 0), info.Counts);
        Assert.Equal("notStarted", info.Runtime.State);
    }

    /// TR-2, OB-1: a machine's clock that the agent's does not follow is told, with what to do.
    [Fact]
    public async Task Status_tells_of_clocks_that_have_parted()
    {
        await using var world = await ApiWorld.StartAsync();
        Assert.Null(await SuspectAsync());
        world.Wall.Ahead = TimeSpan.FromHours(2);
        Assert.Contains("02:00:00 ahead of the agent's", await SuspectAsync(), StringComparison.Ordinal);

        async Task<string?> SuspectAsync()
        {
            var (_, body) = await world.GetAsync("/v1/status");
            return ApiWorld.Read(body, WireJson.Default.StatusInfo).ClockSuspect;
        }
    }

    /// PR-3: a user counts what is his.
    [Fact]
    public async Task Status_counts_only_what_the_caller_may_see()
    {
        await using var world = await ApiWorld.StartAsync();
        await world.SpawnAsync();
        var (_, body) = await world.AskAsync(1000, "GET", "/v1/status");
        Assert.Equal(new ProcessCounts(0, 0, 0, 0, 0), ApiWorld.Read(body, WireJson.Default.StatusInfo).Counts);
    }

    /// OB-1: Prometheus text.
    [Fact]
    public async Task Metrics_are_lines_of_a_name_and_a_number()
    {
        await using var world = await ApiWorld.StartAsync();
        await world.SpawnAsync();
        var (_, body) = await world.GetAsync("/metrics");
        var values = body.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line[0] != '#')
            .Select(line => line.Split(' ')).ToDictionary(parts => parts[0], parts => long.Parse(parts[1]));
        Assert.Equal(world.Host.Current.Seq, values["agent_journal_seq"]);
        Assert.Equal(1, values["agent_processes{phase=\"running\"}"]);
        Assert.Equal(1, values["agent_runtime_state{state=\"notStarted\"}"]);
        Assert.Equal(0, values["agent_runtime_state{state=\"ready\"}"]);
        Assert.True(values["process_resident_memory_bytes"] > 1 << 20);
        Assert.True(values["process_open_fds"] > 3);
        Assert.Contains("agent_restarts_total", values.Keys);
    }

    /// AP-1. Upstream: healthz open (server).
    [Fact]
    public async Task Health_is_ok_as_long_as_it_answers()
    {
        await using var world = await ApiWorld.StartAsync();
        Assert.Equal((HttpStatusCode.OK, """{"status":"ok"}"""), await world.GetAsync("/healthz"));
    }

    /// AP-1: every call that is served is documented, and nothing else is. Upstream: plural (velosctl): each kind has
    /// its one path.
    [Fact]
    public async Task The_document_holds_exactly_the_calls_that_are_served()
    {
        await using var world = await ApiWorld.StartAsync();
        var (_, body) = await world.GetAsync("/openapi.json");
        using var document = JsonDocument.Parse(body);
        var documented = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var path in document.RootElement.GetProperty("paths").EnumerateObject())
        {
            foreach (var operation in path.Value.EnumerateObject().Where(member => member.Name != "parameters"))
            {
                var query = operation.Value.TryGetProperty("parameters", out var parameters)
                    ? parameters.EnumerateArray().Where(one => one.GetProperty("in").GetString() == "query")
                        .Select(one => one.GetProperty("name").GetString()!)
                    : [];
                documented.Add(Line(operation.Name.ToUpperInvariant(), path.Name, query));
            }
        }

        var served = new SortedSet<string>(
            world.Server.Routes.Select(route => Line(route.Method, route.Template, route.Query)),
            StringComparer.Ordinal);
        Assert.Equal(served, documented);
    }

    /// AP-1: every reference within the document leads somewhere.
    [Fact]
    public async Task The_document_refers_to_nothing_that_is_missing()
    {
        await using var world = await ApiWorld.StartAsync();
        var (_, body) = await world.GetAsync("/openapi.json");
        using var document = JsonDocument.Parse(body);
        foreach (var reference in References(document.RootElement))
        {
            var at = document.RootElement;
            foreach (var name in reference.Split('/').Skip(1)) at = at.GetProperty(name);
        }
    }

    /// AP-1: the document's properties are those that the wire types have. Upstream: camelCase (models).
    [Theory]
    [InlineData("Problem", typeof(Problem))]
    [InlineData("Status", typeof(StatusInfo))]
    [InlineData("Counts", typeof(ProcessCounts))]
    [InlineData("ContainerCounts", typeof(ContainerCounts))]
    [InlineData("Runtime", typeof(RuntimeInfo))]
    [InlineData("Cause", typeof(RuntimeCause))]
    [InlineData("Service", typeof(ServiceInfo))]
    [InlineData("EnsureRequest", typeof(EnsureRequest))]
    [InlineData("EnsureAnswer", typeof(EnsureAnswer))]
    [InlineData("SpawnRequest", typeof(SpawnRequest))]
    [InlineData("Process", typeof(ProcessInfo))]
    [InlineData("Usage", typeof(UsageInfo))]
    [InlineData("ProcessUsage", typeof(ProcessUsage))]
    [InlineData("Tree", typeof(TreeInfo))]
    [InlineData("TreeMember", typeof(TreeMember))]
    [InlineData("Exit", typeof(ExitInfo))]
    [InlineData("IdsRequest", typeof(IdsRequest))]
    [InlineData("SignalRequest", typeof(SignalRequest))]
    [InlineData("WaitRequest", typeof(WaitRequest))]
    [InlineData("StopRequest", typeof(StopRequest))]
    [InlineData("Containers", typeof(ContainersInfo))]
    [InlineData("Container", typeof(ContainerInfo))]
    [InlineData("Pass", typeof(PassInfo))]
    [InlineData("ContainerFailure", typeof(ContainerFailureInfo))]
    [InlineData("Companions", typeof(CompanionsInfo))]
    [InlineData("Look", typeof(LookInfo))]
    [InlineData("Companion", typeof(CompanionInfo))]
    [InlineData("CompanionFailure", typeof(CompanionFailureInfo))]
    [InlineData("UpRequest", typeof(UpRequest))]
    [InlineData("DownRequest", typeof(DownRequest))]
    [InlineData("ApplyRequest", typeof(ApplyRequest))]
    [InlineData("Rollout", typeof(RolloutInfo))]
    [InlineData("RolloutFailure", typeof(FailureInfo))]
    [InlineData("RolloutRecovery", typeof(RecoveryInfo))]
    [InlineData("RolloutProbe", typeof(RolloutProbeInfo))]
    public async Task The_document_describes_each_type_property_by_property(string schema, Type type)
    {
        await using var world = await ApiWorld.StartAsync();
        var (_, body) = await world.GetAsync("/openapi.json");
        using var document = JsonDocument.Parse(body);
        var described = document.RootElement.GetProperty("components").GetProperty("schemas").GetProperty(schema)
            .GetProperty("properties").EnumerateObject().Select(property => property.Name).ToList();
        Assert.Equal(WireJson.Default.GetTypeInfo(type)!.Properties.Select(property => property.Name), described);
        Assert.All(described, name => Assert.Matches("^[a-z][A-Za-z0-9]*$", name));
    }

    /// AP-1, upstream err_v11_to_v10_is_total_and_identity, signal_and_log_stream_map_across_versions: stable codes for
    /// every refusal that the core knows. Upstream: stale version 409 (server).
    [Fact]
    public void Every_choice_of_the_core_has_its_name()
    {
        var refusals = Enum.GetValues<ErrorCode>().ToDictionary(code => code, code => ErrorNames.Of(code));
        Assert.Equal(("no-such-process", 404), NameOf(ErrorCode.NoSuchProcess));
        Assert.Equal(("quota", 429), NameOf(ErrorCode.Quota));
        Assert.Equal(("registry-full", 429), NameOf(ErrorCode.RegistryFull));
        Assert.Equal(("invalid-input", 400), NameOf(ErrorCode.InvalidInput));
        Assert.Equal(("still-running", 409), NameOf(ErrorCode.StillRunning));
        Assert.Equal(("stopping", 409), NameOf(ErrorCode.Stopping));
        Assert.Equal(("not-allowed", 403), NameOf(ErrorCode.NotAllowed));
        Assert.All(
            [ErrorCode.Busy, ErrorCode.Stale, ErrorCode.NotLegal], code => Assert.Equal(("busy", 409), NameOf(code)));
        Assert.Equal(("no-such-rollout", 404), NameOf(ErrorCode.NoSuchRollout));
        Assert.Equal(("version-rollback", 422), NameOf(ErrorCode.VersionRollback));
        Assert.Equal(("version-reused", 422), NameOf(ErrorCode.VersionReused));
        Assert.Equal(("outbox-full", 503), NameOf(ErrorCode.OutboxFull));
        Assert.Equal(("no-such-dead-letter", 404), NameOf(ErrorCode.NoSuchDeadLetter));
        Assert.Equal(("no-such-container", 404), NameOf(ErrorCode.NoSuchContainer));
        Assert.Equal(("no-such-companion", 404), NameOf(ErrorCode.NoSuchCompanion));
        Assert.Equal(["nixos", "release"], Enum.GetValues<ActivatorKind>().Select(WireNames.Of));
        Assert.Equal(["enforce", "observe", "disabled"], Enum.GetValues<ProbeMode>().Select(WireNames.Of));
        Assert.Equal(["rollback-and-halt", "halt"], Enum.GetValues<OnFailure>().Select(WireNames.Of));
        Assert.Equal(["task", "service", "daemon", "activation"], Enum.GetValues<ProcessKind>().Select(WireNames.Of));
        Assert.Equal(["ready", "not_ready", "error"], Enum.GetValues<ServiceHealth>().Select(WireNames.Of));
        Assert.Equal("unhealthy", WireNames.Of(Enum.GetValues<ContainerHealth>().Max()));
        Assert.Equal("dropped", WireNames.Of(Enum.GetValues<ContainerWish>().Max()));
        Assert.Equal("remove", WireNames.Of(Enum.GetValues<ContainerAction>().Max()));
        Assert.Equal("remove", WireNames.Of(Enum.GetValues<ContainerCall>().Max()));
        Assert.Equal("remove", WireNames.Of(Enum.GetValues<CompanionAction>().Max()));
        Assert.Equal("removed by its user", WireNames.Of(Enum.GetValues<ContainerStanding>().Max()));
        Assert.Equal("out-of-memory", WireNames.Of(ExitReason.OutOfMemory));
        Assert.Equal("shutdown", WireNames.Of(Enum.GetValues<ExitReason>().Max()));
        Assert.Equal(Enum.GetValues<Signal>().Length, WireNames.SignalNames.Split(", ").Length);

        (string Code, int Status) NameOf(ErrorCode code) => (refusals[code].Code, refusals[code].Status);
    }

    private static string Line(string method, string path, IEnumerable<string> query) =>
        $"{method} {path} {string.Join(' ', query)}";

    private static IEnumerable<string> References(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(
            member => member.NameEquals("$ref") ? [member.Value.GetString()!] : References(member.Value)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(References),
        _ => [],
    };
}
