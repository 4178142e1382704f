using System;
using System.Linq;
using System.Net;
using System.Net.Http;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Process;
using Agent.Shell.Api;
using Agent.Shell.Effects;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.Api;

/// PR-1, PR-2, PR-3, PR-16: spawning, listing and looking at processes over the local API.
public sealed class ProcessCallsTests
{
    /// PR-1, upstream register_adds_pid: what is answered is a running process. Upstream: create stamps uid/version
    /// (server): here an id and a generation.
    [Fact]
    public async Task A_spawn_is_answered_once_it_runs()
    {
        await using var world = await ApiWorld.StartAsync();
        var info = await world.SpawnAsync("/run", ""","label":"web","stdin":"open" """);
        Assert.Equal(("web", "task", 0u, "running", 1), (info.Label, info.Kind, info.Uid, info.Phase, info.Generation));
        Assert.True(info.Pid > 0 && info.StdinOpen && info.Exit is null && !info.Adopted);
        Assert.Equal(["/run"], info.Command);
        var (status, body) = await world.GetAsync($"/v1/processes/{info.Id}");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(info.Pid, ApiWorld.Read(body, WireJson.Default.ProcessInfo).Pid);
    }

    /// PR-16: values of the environment and the prelude go to the secrets and never into an event.
    [Fact]
    public async Task Environment_and_prelude_go_around_the_journal()
    {
        await using var world = await ApiWorld.StartAsync();
        var info = await world.SpawnAsync("/run", ""","env":{"TOKEN":"hidden"},"prelude":"aGk=" """);
        Assert.Equal("hidden", world.Keeper.Secrets[info.Id].Environment["TOKEN"]);
        Assert.Equal("hi"u8.ToArray(), world.Keeper.Secrets[info.Id].Prelude);
        Assert.DoesNotContain(world.Host.Events, @event => $"{@event}".Contains("hidden", StringComparison.Ordinal));
    }

    /// PR-1: a command that cannot run is the caller's mistake, and nothing of it stays.
    [Theory]
    [InlineData("never")]
    [InlineData("always")]
    public async Task A_command_that_cannot_run_is_invalid_input(string restart)
    {
        await using var world = await ApiWorld.StartAsync();
        var (status, body) = await world.PostAsync(
            "/v1/processes", $$"""{"command":["/missing"],"restart":"{{restart}}"}""");
        Assert.Equal((HttpStatusCode.BadRequest, "invalid-input"), (status, ApiWorld.ProblemOf(body).Code));
        Assert.Contains("there is no /missing", ApiWorld.ProblemOf(body).Detail, StringComparison.Ordinal);
        Assert.Equal("[]", (await world.GetAsync("/v1/processes")).Body);
        Assert.Empty(world.Keeper.Secrets);
    }

    /// PR-2, upstream concurrent_cap_enforced_and_stop_reaps, rejects_background_procs_over_cap,
    /// accepts_background_procs_at_cap: the ninth task of a user is refused, and its secrets are forgotten.
    [Fact]
    public async Task The_ninth_task_of_a_user_is_over_his_quota()
    {
        await using var world = await ApiWorld.StartAsync();
        for (var i = 0; i < 8; i++)
        {
            Assert.Equal(201, (await world.AskAsync(1000, "POST", "/v1/processes", """{"command":["/run"]}""")).Status);
        }

        var (status, body) = await world.AskAsync(1000, "POST", "/v1/processes", """{"command":["/run"]}""");
        Assert.Equal((429, "quota"), (status, ApiWorld.ProblemOf(body).Code));
        Assert.Equal(8, world.Keeper.Secrets.Count);
        Assert.Equal(201, (await world.AskAsync(1001, "POST", "/v1/processes", """{"command":["/run"]}""")).Status);
    }

    /// PR-3: a list shows what is the caller's; root sees all; a label is matched whole. Upstream: selectors (server),
    /// filter label (store).
    [Fact]
    public async Task A_list_shows_what_the_caller_may_see()
    {
        await using var world = await ApiWorld.StartAsync();
        var mine = await world.SpawnAsync("/run", ""","label":"mine" """);
        await world.AskAsync(1000, "POST", "/v1/processes", """{"command":["/run"],"label":"his"}""");
        Assert.Equal(["his", "mine"], Labels((await world.GetAsync("/v1/processes")).Body).Order());
        Assert.Equal(["his"], Labels((await world.AskAsync(1000, "GET", "/v1/processes")).Body));
        Assert.Equal(["mine"], Labels((await world.GetAsync("/v1/processes?label=mine")).Body));
        Assert.Empty(Labels((await world.GetAsync("/v1/processes?label=min")).Body));
        var foreign = await world.AskAsync(1000, "POST", "/v1/processes/status", $$"""{"ids":["{{mine.Id}}"]}""");
        Assert.Empty(Labels(foreign.Body));
    }

    /// PR-3: several at once, in the order asked for; unknown ones are left out.
    [Fact]
    public async Task Several_are_answered_in_the_order_asked_for()
    {
        await using var world = await ApiWorld.StartAsync();
        var a = await world.SpawnAsync("/run", ""","label":"a" """);
        var b = await world.SpawnAsync("/run", ""","label":"b" """);
        foreach (var (ids, labels) in new[]
        {
            ($"\"{b.Id}\",\"{a.Id}\"", "ba"), ($"\"{a.Id}\",\"no\",\"NO ID\",\"{b.Id}\"", "ab"),
        })
        {
            var (_, body) = await world.PostAsync("/v1/processes/status", $$"""{"ids":[{{ids}}]}""");
            Assert.Equal(labels, string.Concat(Labels(body)));
        }
    }

    /// SE-1: a question names at most 1024.
    [Theory]
    [InlineData(1024, HttpStatusCode.OK)]
    [InlineData(1025, HttpStatusCode.BadRequest)]
    public async Task A_question_may_name_1024(int count, HttpStatusCode expected)
    {
        await using var world = await ApiWorld.StartAsync();
        var ids = string.Join(',', Enumerable.Repeat("\"abcdefghijklmnopqrstuvwxyz\"", count));
        Assert.Equal(expected, (await world.PostAsync("/v1/processes/status", $$"""{"ids":[{{ids}}]}""")).Status);
    }

    /// PR-3, upstream process_handle_rejects_a_different_principal, trap release oracle: on every call a foreign id
    /// answers exactly as one that never was.
    [Fact]
    public async Task A_foreign_id_answers_as_one_that_never_was()
    {
        await using var world = await ApiWorld.StartAsync();
        var info = await world.SpawnAsync("/run", ""","stdin":"open","idleTimeoutMs":16000 """);
        var never = Ids.New().Value;
        Route[] calls =
            [.. world.Server.Routes.Where(route => route.Template.Contains("{id}", StringComparison.Ordinal)
                && !route.Template.Contains("/rollouts/", StringComparison.Ordinal))];
        Assert.Equal(13, calls.Length);
        var before = world.Host.Current.Seq;
        foreach (var call in calls)
        {
            var body = call.Template.EndsWith("/signal", StringComparison.Ordinal) ? """{"signal":"term"}""" : "";
            var query = call.Template.EndsWith("/ack", StringComparison.Ordinal) ? "?cursor=0" : "";
            var foreign = await AskAsync(info.Id);
            Assert.Equal((404, "no-such-process"), (foreign.Status, ApiWorld.ProblemOf(foreign.Body).Code));
            var unknown = await AskAsync(never);
            Assert.Equal(unknown, (foreign.Status, foreign.Body.Replace(info.Id, never, StringComparison.Ordinal)));

            Task<(int Status, string Body)> AskAsync(string id) => world.AskAsync(
                1000, call.Method, PathOf(call.Template, id) + query, body);
        }

        Assert.Equal(before, world.Host.Current.Seq);
    }

    /// PR-5: a spawn that nobody answers shows as starting.
    [Fact]
    public async Task A_spawn_under_way_shows_as_starting()
    {
        await using var world = await ApiWorld.StartAsync();
        var spawn = world.PostAsync("/v1/processes", """{"command":["/silent"]}""");
        var published = await world.Host.WhenAsync(at => at.State.Processes.All.Count == 1, CancellationToken.None);
        var starting = published.State.Processes.All.Values.Single();
        var (_, body) = await world.GetAsync($"/v1/processes/{starting.Profile.Id}");
        Assert.Equal("starting", ApiWorld.Read(body, WireJson.Default.ProcessInfo).Phase);
        Assert.False(spawn.IsCompleted);
        await world.Host.AskAsync(
            new HostEvent.ProcessReported(
                starting.Profile.Id, new ProcessEvent.SpawnCompleted(1, new(77, 1, new("boot")))),
            CancellationToken.None);
        Assert.Equal(77, ApiWorld.Read((await spawn).Body, WireJson.Default.ProcessInfo).Pid);
    }

    private static string PathOf(string template, string id) => template
        .Replace("{id}", id, StringComparison.Ordinal)
        .Replace("{stream}", "stdout", StringComparison.Ordinal)
        .Replace("{kind}", "process", StringComparison.Ordinal);

    private static string[] Labels(string body) =>
        [.. ApiWorld.Read(body, WireJson.Default.IReadOnlyListProcessInfo).Select(info => info.Label)];
}
