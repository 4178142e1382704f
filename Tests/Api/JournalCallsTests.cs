using System;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Http;
using System.Text.Json;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Core.Runtime;
using Agent.Shell.Api;
using Agent.Shell.Cli;
using Agent.Tests.Support;
using LanguageExt;
using Xunit;

namespace Agent.Tests.Api;

/// OB-2, PR-3: the journal over the local API.
public sealed class JournalCallsTests
{
    private static readonly ProcessId One = Id("one");
    private static readonly ProcessId Two = Id("two");

    /// AP-1: the records as they are, from a seq on. Upstream: version monotonic, list-since (store).
    [Fact]
    public async Task Events_are_the_records_from_a_seq_on()
    {
        await using var world = await WithHistoryAsync();
        var (status, body) = await world.GetAsync("/v1/events?since=3");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal([3, 4, 5, 6], Seqs(body));
    }

    /// AP-1: following goes on with what becomes durable. Upstream: added/modified events (store).
    [Fact]
    public async Task Following_events_goes_on_with_new_ones()
    {
        await using var world = await WithHistoryAsync();
        await using var body = await world.Client.GetStreamAsync(
            new Uri("/v1/events?since=6&follow=true", UriKind.Relative));
        using var lines = new StreamReader(body);
        var first = await lines.ReadLineAsync();
        Assert.Equal([6], Seqs(first!));
        world.Records.Step(new HostEvent.Runtime(new RuntimeEvent.EnsureRequested()));
        var second = await lines.ReadLineAsync();
        Assert.Equal([7], Seqs(second!));
    }

    /// PR-3: the journal speaks of everybody, so it is root's.
    [Theory]
    [InlineData("/v1/events")]
    [InlineData("/v1/explain/runtime/runtime")]
    public async Task Only_root_reads_the_journal(string path)
    {
        await using var world = await WithHistoryAsync();
        var (status, body) = await world.AskAsync(1000, "GET", path);
        Assert.Equal((403, "not-allowed"), (status, ApiWorld.ProblemOf(body).Code));
    }

    /// OB-2, upstream audit_process_reports_spawn: what happened to a process and what was decided for it, newest
    /// last, and nothing of its neighbours. Upstream: tagged watch event (models).
    [Fact]
    public async Task A_process_is_explained_by_what_concerns_it()
    {
        await using var world = await WithHistoryAsync();
        var (_, body) = await world.GetAsync($"/v1/explain/process/{One}");
        Assert.Equal([1, 3, 5, 6], Seqs(body));
        Assert.DoesNotContain(Two.Value, body, StringComparison.Ordinal);
        var last = body.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1];
        Assert.StartsWith("""{"seq":6,""", last, StringComparison.Ordinal);
        Assert.Contains(
            ""","event":{"type":"started","observed":[{"id":"one",""", last, StringComparison.Ordinal);
        Assert.Contains(
            """}}]},"effects":[{"type":"adopt","id":"one",""", last, StringComparison.Ordinal);
    }

    /// OB-2, PR-9: what ended while no agent lived is explained by what the next one found, with how it ended.
    [Fact]
    public async Task An_end_that_came_while_no_agent_lived_is_explained()
    {
        await using var world = await WithHistoryAsync();
        var boot = new BootId("boot");
        var killed = new Observation.Ended(new ExitStatus.Signaled(9), TimeSpan.Zero, 0, LanguageExt.Seq<string>.Empty);
        world.Records.Step(new HostEvent.Started(boot, Prelude.Seq(new ObservedProcess(One, 1, killed), Alive(Two, 8, boot))));
        var (_, body) = await world.GetAsync($"/v1/explain/process/{One}");
        var last = body.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1];
        Assert.Contains(
            "the agent started and found web ended with signal 9", Story.Tell(last, new() { ["one"] = "web" }), StringComparison.Ordinal);
        Assert.DoesNotContain(Two.Value, body, StringComparison.Ordinal);
    }

    /// OB-2: the runtime by its own events and the exits of its daemons. Upstream: filter kind (store).
    [Fact]
    public async Task The_runtime_is_explained_by_its_events()
    {
        await using var world = await WithHistoryAsync();
        world.Records.Step(new HostEvent.Runtime(new RuntimeEvent.EnsureRequested()));
        world.Records.Step(new HostEvent.ProcessReported(One, Exit(Prelude.Seq("last", "words"))));
        var (_, body) = await world.GetAsync("/v1/explain/runtime/runtime");
        Assert.Equal([7, 8], Seqs(body));
    }

    /// OB-2: one may have explained what is one's own, and nothing else.
    [Fact]
    public async Task A_user_has_his_own_processes_explained()
    {
        await using var world = await ApiWorld.StartAsync();
        var (_, spawned) = await world.AskAsync(1000, "POST", "/v1/processes", """{"command":["/run"]}""");
        var id = ApiWorld.Read(spawned, WireJson.Default.ProcessInfo).Id;
        world.Records.Step(new HostEvent.SpawnRequested(Id(id), Spec));
        Assert.Equal(200, (await world.AskAsync(1000, "GET", $"/v1/explain/process/{id}")).Status);
        Assert.Equal(404, (await world.AskAsync(1001, "GET", $"/v1/explain/process/{id}")).Status);
    }

    [Fact]
    public async Task What_the_journal_never_spoke_of_is_not_found()
    {
        await using var world = await WithHistoryAsync();
        Assert.Equal(HttpStatusCode.NotFound, (await world.GetAsync("/v1/explain/process/three")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await world.GetAsync("/v1/explain/runtime/runtime")).Status);
    }

    private static ProcessSpec Spec => new(
        ProcessKind.Task, Principal.Root, "task", Prelude.Seq1("/run"), Option<string>.None, Option<string>.None, "",
        StdinMode.None, Overflow.DropOldest, ProcessSpec.DefaultRingBytes, Option<TimeSpan>.None, Option<TimeSpan>.None,
        ProcessSpec.DefaultRetention, Signal.Term, ProcessSpec.DefaultGrace, RestartPolicy.Never,
        LanguageExt.Seq<string>.Empty);

    private static async Task<ApiWorld> WithHistoryAsync()
    {
        var world = await ApiWorld.StartAsync();
        var boot = new BootId("boot");
        world.Records.Step(new HostEvent.SpawnRequested(One, Spec));
        world.Records.Step(new HostEvent.SpawnRequested(Two, Spec));
        world.Records.Step(new HostEvent.ProcessReported(One, new ProcessEvent.SpawnCompleted(1, new(7, 1, boot))));
        world.Records.Step(new HostEvent.ProcessReported(Two, new ProcessEvent.SpawnCompleted(1, new(8, 1, boot))));
        world.Records.Step(new HostEvent.ProcessRequested(
            One, Principal.Root, new ProcessEvent.SignalRequested(Signal.Hangup)));
        world.Records.Step(new HostEvent.Started(boot, Prelude.Seq(Alive(One, 7, boot), Alive(Two, 8, boot))));
        return world;
    }

    private static ObservedProcess Alive(ProcessId id, int pid, BootId boot) =>
        new(id, 1, new Observation.Alive(new(pid, 1, boot)));

    private static ProcessEvent.ExitObserved Exit(LanguageExt.Seq<string> tail) =>
        new(1, new ExitStatus.Exited(1), TimeSpan.Zero, 0, tail);

    private static ProcessId Id(string text) => ProcessId.Parse(text).IfNone(() => throw new FormatException(text));

    private static long[] Seqs(string body) =>
    [
        .. body.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line =>
        {
            using var record = JsonDocument.Parse(line);
            return record.RootElement.GetProperty("seq").GetInt64();
        }),
    ];
}
