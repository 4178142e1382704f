using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Net.Sockets;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Container;
using Agent.Shell.Containers;
using Agent.Shell.Containers.Engine;
using Agent.Shell.Linux;
using Agent.Tests.Probes;
using Xunit;

namespace Agent.Tests.Containers;

/// <summary>Answers that no engine should give, from a socket that the test holds (row 92).</summary>
public sealed class EngineFaultTests : IDisposable
{
    private const string Version = """{"Version":"1","ApiVersion":"1.41","MinAPIVersion":"1.12"}""";

    private static readonly EngineLimits Short = new()
    {
        Look = TimeSpan.FromMilliseconds(300),
        Inspect = TimeSpan.FromMilliseconds(300),
        Act = TimeSpan.FromMilliseconds(300),
        AfterGrace = TimeSpan.FromMilliseconds(300),
        Silence = TimeSpan.FromMilliseconds(300),
        ExitNotice = TimeSpan.FromMilliseconds(10),
    };

    // Where an answer comes, a busy machine has time to read it.
    private static readonly EngineLimits Patient = new() { ExitNotice = Short.ExitNotice };

    private readonly string _directory = Directory.CreateTempSubdirectory("engine-").FullName;
    private readonly ContainerLabels _names = new("0123456789abcdef");

    private string Socket => Path.Combine(_directory, "s");

    private static CancellationToken None => CancellationToken.None;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    /// Row 92: no socket is unreachable, at once and for every call.
    [Fact]
    public async Task No_socket_is_unreachable()
    {
        using var backend = new EngineBackend(Socket, _names, Short);
        foreach (var call in Calls(backend)) await Rig.FaultAsync(ContainerFault.Unreachable, call);
    }

    /// Row 92: a socket that takes connections and says nothing costs each call its bound, no more.
    [Fact]
    public async Task Silence_is_bounded()
    {
        await using var engine = Serve((_, _, stop) => LittleServer.HangAsync(stop));
        using var backend = new EngineBackend(Socket, _names, Short);
        foreach (var call in Calls(backend))
        {
            var watch = Stopwatch.StartNew();
            await Rig.FaultAsync(ContainerFault.TimedOut, call);
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), $"it took {watch.Elapsed}");
        }
    }

    /// Row 92: a head that comes byte by byte, without an end, is bounded like silence.
    [Fact]
    public async Task Dripping_is_bounded()
    {
        await using var engine = Serve(async (to, _, stop) =>
        {
            await LittleServer.SayAsync(to, "HTTP/1.1 200 OK\r\nX: ", stop);
            while (true)
            {
                await LittleServer.SayAsync(to, "x", stop);
                await Task.Delay(10, stop);
            }
        });
        using var backend = new EngineBackend(Socket, _names, Short);
        await Rig.FaultAsync(ContainerFault.TimedOut, () => backend.VersionAsync(None));
    }

    /// Row 92: whatever is no answer of an engine's is told as that, in words that name no secret of the runtime.
    [Theory]
    [InlineData("garbage\r\n\r\n", nameof(ContainerFault.Garbage))]
    [InlineData("", nameof(ContainerFault.Unreachable))]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", nameof(ContainerFault.Unreachable))]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{a}", nameof(ContainerFault.Garbage))]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", nameof(ContainerFault.Garbage))]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{\"ApiVersion\":\"1.9\"}", nameof(ContainerFault.Refused))]
    [InlineData("HTTP/1.1 500 No\r\nContent-Length: 13\r\n\r\n{\"message\":1}", nameof(ContainerFault.Failed))]
    [InlineData("HTTP/1.1 302 Found\r\nLocation: http://x/\r\nContent-Length: 0\r\n\r\n", nameof(ContainerFault.Garbage))]
    public async Task What_is_no_answer_is_told(string answer, string fault)
    {
        await using var engine = Serve((to, _, stop) => LittleServer.SayAsync(to, answer, stop));
        using var backend = new EngineBackend(Socket, _names, Patient);
        await Rig.FaultAsync(Enum.Parse<ContainerFault>(fault), () => backend.ListAsync(None));
    }

    /// Row 92: an answer without an end is left as soon as it is larger than any engine's.
    [Fact]
    public async Task An_endless_answer_is_left()
    {
        await using var engine = Serve(async (to, path, stop) =>
        {
            if (path.Contains("/version", StringComparison.Ordinal))
            {
                await SayJsonAsync(to, Version, stop);
                return;
            }

            await LittleServer.SayAsync(to, "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", stop);
            var part = Encoding.ASCII.GetBytes(new string(' ', 1 << 20));
            while (true) await to.WriteAsync(part, stop);
        });
        using var backend = new EngineBackend(Socket, _names, Short with { Look = TimeSpan.FromSeconds(20) });
        var told = await Rig.FaultAsync(ContainerFault.Garbage, () => backend.ListAsync(None));
        Assert.Contains("larger than", told.Message, StringComparison.Ordinal);
        await Rig.FaultAsync(ContainerFault.Garbage, () => backend.PullAsync("a:1", null, new Progress<ImageProgress>(), None));
    }

    /// CT-8, row 93: one that the engine calls running while its process is gone is told so; a container that the engine
    /// does not tell about is unknown, and no other waits for it. Upstream: live, dead and out-of-range pid, health mapping
    /// (prod_orchestrator): a number that no process can have proves nothing. The one that is well shows whose numbers these
    /// are.
    [Fact]
    public async Task Each_container_is_judged_by_itself()
    {
        var gone = GonePid();
        await using var engine = Serve((to, path, stop) => path switch
        {
            _ when path.Contains("/version", StringComparison.Ordinal) => SayJsonAsync(to, Version, stop),
            _ when path.Contains("/containers/json", StringComparison.Ordinal) =>
                SayJsonAsync(to, List("gone", "hung", "odd", "well", "wild"), stop),
            _ when path.Contains("/containers/gone/", StringComparison.Ordinal) => SayStateAsync(to, RunningAs(gone), stop),
            _ when path.Contains("/containers/odd/", StringComparison.Ordinal) =>
                SayStateAsync(to, """{"Status":"levitating"}""", stop),
            _ when path.Contains("/containers/well/", StringComparison.Ordinal) => SayStateAsync(
                to, $$"""{"Status":"running","Pid":{{Environment.ProcessId}},"Health":{"Status":"starting"} }""", stop),
            _ when path.Contains("/containers/wild/", StringComparison.Ordinal) =>
                SayStateAsync(to, RunningAs(gone + (1L << 32)), stop),
            _ => LittleServer.HangAsync(stop),
        });
        using var backend = new EngineBackend(Socket, _names, Short, IsItsOwn);
        var seen = (await backend.ListAsync(None)).ToDictionary(one => one.Uid.Value);

        Assert.Equal(new ContainerStatus.Running(PidAlive: false), seen["gone"].Status);
        Assert.Equal(new ContainerStatus.Unknown("levitating"), seen["odd"].Status);
        Assert.Equal(new ContainerStatus.Running(PidAlive: true), seen["well"].Status);
        Assert.Equal(ContainerHealth.Starting, seen["well"].Health);
        Assert.Equal(new ContainerStatus.Running(PidAlive: true), seen["wild"].Status);
        var hung = Assert.IsType<ContainerStatus.Unknown>(seen["hung"].Status);
        Assert.StartsWith("no answer within", hung.Text, StringComparison.Ordinal);
    }

    /// CT-8: a socket that is forwarded has its listener here and its processes elsewhere. None of its numbers proves that
    /// a container is lost, neither one that nobody has here nor one that another process has, and then has no more.
    [Fact]
    public async Task A_forwarded_engines_processes_are_not_missed_here()
    {
        using var stranger = Process.Start("sleep", "1000");
        await using var engine = ServeRunning(() => ("far", GonePid()), () => ("farther", stranger.Id));
        using var backend = new EngineBackend(Socket, _names, Patient);
        Assert.All(await backend.ListAsync(None), IsAlive);
        stranger.Kill();
        await stranger.WaitForExitAsync(None);
        Assert.All(await backend.ListAsync(None), IsAlive);

        static void IsAlive(ObservedContainer one) => Assert.Equal(new ContainerStatus.Running(PidAlive: true), one.Status);
    }

    /// CT-8: a container that was seen here and whose process is gone is lost, also where it was the only one; an agent
    /// that begins after that cannot know whose number it was, and leaves it.
    [Fact]
    public async Task One_that_was_seen_here_and_is_gone_is_lost()
    {
        using var own = Process.Start("sleep", "1000");
        await using var engine = ServeRunning(() => ("web", own.Id));
        using var backend = new EngineBackend(Socket, _names, Patient, (pid, id) => pid == own.Id && id == "web");
        Assert.Equal(new ContainerStatus.Running(PidAlive: true), Assert.Single(await backend.ListAsync(None)).Status);
        own.Kill();
        await own.WaitForExitAsync(None);
        Assert.Equal(new ContainerStatus.Running(PidAlive: false), Assert.Single(await backend.ListAsync(None)).Status);

        using var late = new EngineBackend(Socket, _names, Patient, (_, _) => false);
        Assert.Equal(new ContainerStatus.Running(PidAlive: true), Assert.Single(await late.ListAsync(None)).Status);
    }

    /// CT-8: of a process that hides from this agent the kernel tells that it is there.
    [Fact]
    public async Task A_process_is_gone_when_nobody_has_its_number()
    {
        Assert.False(Processes.IsGone(Environment.ProcessId));
        Assert.False(Processes.IsGone(1));
        Assert.True(Processes.IsGone(GonePid()));
        Assert.True(Processes.IsInGroupOf(Environment.ProcessId, "/"));
        Assert.False(Processes.IsInGroupOf(GonePid(), "/"));
        using var child = Process.Start("sleep", "1000");
        Assert.False(Processes.IsGone(child.Id));
        child.Kill();
        await child.WaitForExitAsync(None);
        Assert.True(Processes.IsGone(child.Id));
    }

    /// CT-3: a row without this instance's label is nobody's business here, even where an engine ignores the filter.
    [Fact]
    public async Task A_filter_that_is_ignored_shows_nothing_foreign()
    {
        const string Rows = """
            [{"Id":"a","Labels":{"agent.instance":"other","agent.uid":"web"},"Names":["/agent-01234567-web"]},
             {"Id":"b","Labels":null,"Names":["/agent-01234567-web"]},
             {"Id":"../x","Labels":{"agent.instance":"0123456789abcdef","agent.uid":"w"} }]
            """;
        await using var engine = Serve((to, path, stop) => SayJsonAsync(
            to, path.Contains("/version", StringComparison.Ordinal) ? Version : Rows, stop));
        using var backend = new EngineBackend(Socket, _names, Patient);
        Assert.Empty(await backend.ListAsync(None));
        await Rig.FaultAsync(ContainerFault.NotFound, () => backend.StartAsync(Rig.Uid("web"), None));
    }

    /// Row 92: a text that is none (half a character, as a value or as a name) costs its own row at most, and a list that
    /// no engine can mean is refused as a whole.
    [Fact]
    public async Task One_odd_row_is_not_the_whole_list()
    {
        var own = "\"agent.instance\":\"0123456789abcdef\"";
        var rows = $$"""
            [{"Id":"a","Labels":{{{own}},"agent.uid":"\ud800"} },
             {"Id":"\ud800","Labels":{{{own}},"agent.uid":"b"} },
             {"Id":"c","Labels":{{{own}},"agent.uid":"c","agent.spec":"d","\ud800":"\ud800"},"Names":["\ud800","/agent-c"]},
             7]
            """;
        await using var engine = Serve((to, path, stop) => path switch
        {
            _ when path.Contains("/version", StringComparison.Ordinal) => SayJsonAsync(to, Version, stop),
            _ when path.Contains("/containers/json", StringComparison.Ordinal) => SayJsonAsync(to, rows, stop),
            _ => SayStateAsync(to, "{\"Status\":\"\\ud800\"}", stop),
        });
        using var backend = new EngineBackend(Socket, _names, Patient);
        var seen = Assert.Single(await backend.ListAsync(None));
        Assert.Equal(("c", "c", "d"), (seen.Uid.Value, seen.EngineId, seen.Digest));
        Assert.IsType<ContainerStatus.Unknown>(seen.Status);

        rows = $"[{string.Join(',', Enumerable.Repeat("{}", 10_000))}]";
        Assert.Empty(await backend.ListAsync(None));
        rows = $"[{string.Join(',', Enumerable.Repeat("{}", 10_001))}]";
        await Rig.FaultAsync(ContainerFault.Garbage, () => backend.ListAsync(None));
    }

    /// CT-1: a pull that began well and ends in an error has failed, in the registry's words; its progress was told.
    [Fact]
    public async Task A_pull_that_breaks_off_has_failed()
    {
        const string Lines = """
            {"status":"Pulling fs layer","id":"abc","progressDetail":{}}
            {"status":"Downloading","id":"abc","progressDetail":{"current":5,"total":9}}
            {"errorDetail":{"message":"toomanyrequests: slow down"},"error":"toomanyrequests: slow down"}
            """;
        await using var engine = Serve((to, path, stop) => SayJsonAsync(
            to, path.Contains("/version", StringComparison.Ordinal) ? Version : Lines, stop));
        using var backend = new EngineBackend(Socket, _names, Short);
        var seen = new Kept();
        var failed = await Rig.FaultAsync(ContainerFault.Failed, () => backend.PullAsync("registry:5000/a/b", null, seen, None));
        Assert.Equal("toomanyrequests: slow down", failed.Message);
        Assert.Equal([new("abc", "Pulling fs layer", 0, 0), new("abc", "Downloading", 5, 9)], seen.Steps);
        Assert.Contains("fromImage=registry%3A5000%2Fa%2Fb&tag=latest ", engine.Asked, StringComparison.Ordinal);
    }

    /// CT-4: a backend that is disposed ends what it still follows, though its engine keeps the connection open; what is
    /// asked of it later is told the same.
    [Fact]
    public async Task What_is_followed_ends_with_its_backend()
    {
        await using var engine = Serve(async (to, path, stop) =>
        {
            if (path.Contains("/version", StringComparison.Ordinal)) await SayJsonAsync(to, Version, stop);
            else if (path.Contains("/containers/json", StringComparison.Ordinal)) await SayJsonAsync(to, List("web"), stop);
            else if (path.Contains("/containers/web/json", StringComparison.Ordinal)) await SayStateAsync(to, RunningAs(1), stop);
            else
            {
                await LittleServer.SayAsync(to, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", stop);
                await LittleServer.HangAsync(stop);
            }
        });
        var backend = new EngineBackend(Socket, _names, Short with { Silence = TimeSpan.FromMinutes(2) });
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var listening = new TaskCompletionSource();
        var events = FollowAsync(backend.EventsAsync(listening.SetResult, patience.Token));
        var logs = FollowAsync(backend.LogsAsync(Rig.Uid("web"), new LogRequest(Follow: true, null), patience.Token));
        var pull = backend.PullAsync("a:1", null, new Progress<ImageProgress>(), patience.Token);
        await listening.Task.WaitAsync(patience.Token);
        while (!engine.Lines.Any(line => line.Contains("/logs", StringComparison.Ordinal))
            || !engine.Lines.Any(line => line.Contains("/images/create", StringComparison.Ordinal)))
        {
            await Task.Delay(10, patience.Token);
        }

        backend.Dispose();
        foreach (var one in new[] { events, logs, pull }) await Rig.FaultAsync(ContainerFault.Unreachable, () => one);
        await Rig.FaultAsync(
            ContainerFault.Unreachable, () => FollowAsync(backend.EventsAsync(() => { }, patience.Token)));

        static async Task FollowAsync<T>(IAsyncEnumerable<T> all)
        {
            await foreach (var _ in all)
            {
                // Nothing comes.
            }
        }
    }

    /// CT-1: a frame's length is not believed before its bytes are there, and a frame that is none is told.
    [Theory]
    [InlineData("\u0001\0\0\0\0\0\0\u0005ab", nameof(ContainerFault.Unreachable))]
    [InlineData("\u0007\0\0\0\0\0\0\u0001a", nameof(ContainerFault.Garbage))]
    [InlineData("\u0001\0\0", nameof(ContainerFault.Unreachable))]
    public async Task A_broken_log_is_told(string frames, string fault)
    {
        await using var engine = Serve((to, path, stop) => path switch
        {
            _ when path.Contains("/version", StringComparison.Ordinal) => SayJsonAsync(to, Version, stop),
            _ when path.Contains("/containers/json", StringComparison.Ordinal) => SayJsonAsync(to, List("web"), stop),
            _ when path.Contains("/logs", StringComparison.Ordinal) => SayJsonAsync(to, frames, stop),
            _ => SayStateAsync(to, """{"Status":"running"}""", stop),
        });
        using var backend = new EngineBackend(Socket, _names, Patient);
        await Rig.FaultAsync(Enum.Parse<ContainerFault>(fault), () => new Rig(backend).LogsAsync("web"));
    }

    private static IEnumerable<Func<Task>> Calls(EngineBackend backend)
    {
        var none = new Progress<ImageProgress>();
        yield return () => backend.VersionAsync(None);
        yield return () => backend.ListAsync(None);
        yield return () => backend.CreateAsync(Rig.Script("web", ""), "d", None);
        yield return () => backend.StartAsync(Rig.Uid("web"), None);
        yield return () => backend.StopAsync(Rig.Uid("web"), TimeSpan.Zero, None);
        yield return () => backend.RemoveAsync(Rig.Uid("web"), None);
        yield return () => backend.PullAsync("a:1", null, none, None);
        yield return () => backend.LoadAsync(new MemoryStream([1]), null, none, None);
        yield return () => new Rig(backend).LogsAsync("web");
    }

    /// <summary>A process that is no container's stands in for one.</summary>
    private static bool IsItsOwn(int pid, string id) => pid == Environment.ProcessId && id == "well";

    /// <summary>An engine whose containers run as what they are told to.</summary>
    private LittleEngine ServeRunning(params Func<(string Uid, int Pid)>[] containers) => Serve((to, path, stop) =>
    {
        var all = containers.Select(one => one()).ToArray();
        return path.Contains("/version", StringComparison.Ordinal) ? SayJsonAsync(to, Version, stop)
            : path.Contains("/containers/json", StringComparison.Ordinal)
                ? SayJsonAsync(to, List([.. all.Select(one => one.Uid)]), stop)
            : SayStateAsync(
                to, RunningAs(all.Single(one => path.Contains($"/containers/{one.Uid}/", StringComparison.Ordinal)).Pid), stop);
    });

    private string List(params string[] uids) => $"[{string.Join(',', uids.Select(uid => $$"""
        {"Id":"{{uid}}","Labels":{"agent.instance":"{{_names.Instance}}","agent.uid":"{{uid}}","agent.spec":"d"} }
        """))}]";

    private static string RunningAs(long pid) => $$"""{"Status":"running","Pid":{{pid}} }""";

    private static Task SayStateAsync(Stream to, string state, CancellationToken stop) =>
        SayJsonAsync(to, $$"""{"State":{{state}},"Config":{"Tty":false} }""", stop);

    private static Task SayJsonAsync(Stream to, string body, CancellationToken stop) => LittleServer.SayAsync(
        to, $"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}", stop);

    private LittleEngine Serve(Func<Stream, string, CancellationToken, Task> answer) => new(Socket, answer);

    /// <summary>A number that was a process's and is nobody's any more.</summary>
    private static int GonePid()
    {
        using var process = Process.Start("true");
        process.WaitForExit();
        return process.Id;
    }

    private sealed class Kept : IProgress<ImageProgress>
    {
        public List<ImageProgress> Steps { get; } = [];

        public void Report(ImageProgress value) => Steps.Add(value);
    }
}
