using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading.Tasks;
using Xunit;

namespace Agent.Tests.EndToEnd;

/// <summary>What services said, from the files and from the rings, as an operator reads it.</summary>
[Collection(nameof(EndToEndCollection))]
public sealed class LogTests
{
    private const int Kills = 30;

    // Numbered lines of a hundred bytes, as fast as the pipe takes them in bursts, until the file `stop` is there.
    private const string Counter =
        "import itertools,os,sys\nfor n in itertools.count():\n print(f'{n:099d}', flush=n%50==0)\n"
        + " if n%500==0 and os.path.exists(sys.argv[1]): break\nsys.stdout.flush()\nos.execvp('sleep',['sleep','1000'])";

    // The same, a few megabytes in each second.
    private static readonly string Slower = Counter.Replace(
        "n%50==0)", "n%50==0);n%50==0 and __import__('time').sleep(0.002)", StringComparison.Ordinal);

    /// PR-6, PR-14: the agent killed thirty times while a service writes: every line is in the files, once.
    [Fact]
    public async Task Killing_the_agent_thirty_times_leaves_the_files_exact()
    {
        using var agent = new AgentUnderTest();
        agent.Configure(Service(agent, Slower, "log: { maxSize: 1MiB, files: 100 }"));
        for (var kill = 0; kill < Kills; kill++)
        {
            var before = Files(agent).Sum(file => file.Length);
            await agent.StartAsync();
            await agent.UntilAsync("more is filed", () => Task.FromResult(Files(agent).Sum(file => file.Length) > before));
            agent.KillAgent();
        }

        await agent.StartAsync();
        await File.WriteAllTextAsync(Path.Combine(agent.Home, "stop"), "");
        var end = await QuietAsync(agent);
        await agent.UntilAsync("all of it is filed", () => Task.FromResult(Files(agent).Sum(file => file.Length) == end));
        var n = 0;
        foreach (var line in Lines(string.Concat(Files(agent).Select(file => File.ReadAllText(file.FullName)))))
        {
            Assert.Equal(n++.ToString("D99", CultureInfo.InvariantCulture), line);
        }

        Assert.Equal(end, n * 100L);
        Assert.True(n > 500, $"only {n} lines");
    }

    /// PR-6: the command line reads across rotated files into the ring: by lines, by time, whole, and with times.
    [Fact]
    public async Task Logs_are_read_back_across_files()
    {
        using var agent = new AgentUnderTest();
        agent.Configure(Service(agent, Counter, "log: { maxSize: 64KiB, files: 100 }", "ringBytes: 4KiB"));
        await agent.StartAsync();
        await agent.UntilAsync("files change", () => Task.FromResult(Files(agent).Length > 3));
        await File.WriteAllTextAsync(Path.Combine(agent.Home, "stop"), "");
        var end = await QuietAsync(agent);
        var lines = (int)(end / 100);
        var expected = Enumerable.Range(0, lines).Select(n => n.ToString("D99", CultureInfo.InvariantCulture)).ToArray();

        var oldest = Files(agent)[0].Name.Split('.')[1];
        var first = (int)(long.Parse(oldest, CultureInfo.InvariantCulture) / 100);
        Assert.Equal(expected[first..], Lines((await LogsAsync(agent)).Out));
        Assert.Equal(expected[^2000..], Lines((await LogsAsync(agent, "--tail", "2000")).Out));
        Assert.Equal(expected[first..], Lines((await LogsAsync(agent, "--since", "1h")).Out));
        Assert.Empty(Lines((await LogsAsync(agent, "--since", "2999-01-01T00:00:00Z")).Out));
        var timed = Lines((await LogsAsync(agent, "--tail", "1500", "-t")).Out);
        Assert.Equal(expected[^1500..], timed.Select(line => line[25..]));
        var (least, most) = (DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow);
        Assert.All(timed, line => Assert.InRange(DateTimeOffset.Parse(line[..24], CultureInfo.InvariantCulture), least, most));
    }

    /// PR-6: --since takes what came after a moment, though files have changed since.
    [Fact]
    public async Task Since_takes_what_came_after_a_moment()
    {
        using var agent = new AgentUnderTest();
        const string Script = "for n in 1 2 3; do while [ ! -e \"$0$n\" ]; do sleep 0.05; done; "
            + "head -c 50000 /dev/zero | tr '\\0' x; echo; echo word$n; done; exec sleep 1000";
        agent.Configure($"services:\n  web:\n    command: [/bin/sh, -c, {Quoted(Script)}, {agent.Home}/go]\n"
            + "    log: { maxSize: 64KiB, files: 5 }\n    ringBytes: 4KiB\n");
        await agent.StartAsync();
        var moments = new DateTimeOffset[4];
        for (var n = 1; n <= 3; n++)
        {
            moments[n] = DateTimeOffset.UtcNow;
            await File.WriteAllTextAsync(Path.Combine(agent.Home, $"go{n}"), "");
            await agent.UntilAsync($"word {n} is said", async () =>
                (await LogsAsync(agent, "--tail", "1")).Out == $"word{n}\n");

            // Times are kept to a tenth of a second.
            await Task.Delay(300);
        }

        for (var n = 1; n <= 3; n++)
        {
            var since = moments[n].ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
            var words = Lines((await LogsAsync(agent, "--since", since)).Out)
                .Where(line => line.StartsWith("word", StringComparison.Ordinal));
            Assert.Equal(Enumerable.Range(n, 4 - n).Select(one => $"word{one}"), words);
        }

        Assert.True(Files(agent).Length > 1);
        var (code, _, error) = await LogsAsync(agent, "--since", "yesterdayish");
        Assert.Equal((2, true), (code, error.Contains("--since", StringComparison.Ordinal)));
    }

    /// PR-6: who follows from the oldest line through rotated files into what comes gets every byte once.
    [Theory]
    [InlineData("")]
    [InlineData("-t")]
    public async Task Following_goes_on_across_files_without_a_seam(string timestamps)
    {
        using var agent = new AgentUnderTest();
        agent.Configure(Service(agent, Slower, "log: { maxSize: 64KiB, files: 100 }", "ringBytes: 4KiB"));
        await agent.StartAsync();
        await agent.UntilAsync("files change", () => Task.FromResult(Files(agent).Length > 2));
        var start = new ProcessStartInfo(AgentUnderTest.Binary) { RedirectStandardOutput = true };
        foreach (var word in (string[])["--socket", agent.Socket, "logs", "web", "-f", "--stdout"]) start.ArgumentList.Add(word);
        if (timestamps.Length > 0) start.ArgumentList.Add(timestamps);

        using var follower = Process.Start(start)!;
        var skip = timestamps.Length > 0 ? 25 : 0;
        for (var n = 0; n < 6000; n++)
        {
            var line = await follower.StandardOutput.ReadLineAsync().WaitAsync(AgentUnderTest.Patience);
            Assert.Equal(n.ToString("D99", CultureInfo.InvariantCulture), line![skip..]);
        }

        Assert.True(Files(agent).Length > 4);
        follower.Kill();
        await follower.WaitForExitAsync();
    }

    /// PR-6, JO-1: EIO on a log's file costs the log its bytes; the capture, the service and the agent go on.
    [SkippableFact]
    public async Task A_log_that_fails_stops_nothing()
    {
        Skip.IfNot(File.Exists("/usr/bin/strace"), "needs strace");
        using var agent = new AgentUnderTest();
        const string Script = "n=0; while :; do n=$((n+1)); echo word$n; while [ ! -e \"$0$n\" ]; do sleep 0.05; done; done";
        agent.Configure($"services:\n  web:\n    command: [/bin/sh, -c, {Quoted(Script)}, {agent.Home}/go]\n");
        var log = Path.Combine(agent.State, "logs", "web", "stdout.00000000000000000000.log");
        await agent.StartAsync(
            "/usr/bin/strace", "-f", "-o", "/dev/null", "-P", log, "-e", "trace=pwrite64", "-e", "inject=pwrite64:error=EIO:when=2+");
        await agent.UntilAsync("it speaks", async () => (await LogsAsync(agent)).Out == "word1\n");
        await File.WriteAllTextAsync(Path.Combine(agent.Home, "go1"), "");
        await agent.UntilAsync("what the log lacks is in the ring", async () => (await LogsAsync(agent)).Out == "word1\nword2\n");
        await agent.UntilAsync("the loss is counted", async () =>
            (await agent.TextAsync("/metrics")).Contains("agent_log_bytes_lost_total 6\n", StringComparison.Ordinal));
        Assert.Contains("EIO", agent.Errors.ToString(), StringComparison.Ordinal);
        Assert.Equal("word1\n", await File.ReadAllTextAsync(log));
        agent.KillEverything();
        Directory.Delete(agent.Runtime, recursive: true);
        await agent.StartAsync();
        await agent.UntilAsync("it is logged again", async () =>
            (await LogsAsync(agent, "--tail", "9")).Out.StartsWith("word1\nword1\nword2\n", StringComparison.Ordinal));
    }

    /// PR-6: a service that was withdrawn and declared again goes on in its log; `log: off` keeps nothing.
    [Fact]
    public async Task A_log_belongs_to_the_name()
    {
        using var agent = new AgentUnderTest();
        const string Says = "services:\n  web:\n    command: [/bin/sh, -c, \"echo first; exec sleep 1000\"]\n"
            + "  silent:\n    command: [/bin/sh, -c, \"echo unheard; exec sleep 1000\"]\n    log: off\n";
        agent.Configure(Says);
        await agent.StartAsync();
        await agent.UntilAsync("it spoke", async () => (await LogsAsync(agent)).Out == "first\n");
        agent.KillEverything();
        Directory.Delete(agent.Runtime, recursive: true);
        agent.Configure(Says.Replace("first", "second", StringComparison.Ordinal));
        await agent.StartAsync();
        await agent.UntilAsync("it spoke again", async () => (await LogsAsync(agent)).Out == "second\n");
        Assert.Equal("first\nsecond\n", (await LogsAsync(agent, "--tail", "5")).Out);
        Assert.Equal("first\nsecond\n", (await LogsAsync(agent, "--since", "1h")).Out);
        Assert.False(Directory.Exists(Path.Combine(agent.State, "logs", "silent")));
        var (code, _, error) = await AgentUnderTest.RunAsync("--socket", agent.Socket, "logs", "silent", "--since", "1h");
        Assert.NotEqual(0, code);
        Assert.Contains("no times are kept", error, StringComparison.Ordinal);
    }

    private static string Service(AgentUnderTest agent, string script, params string[] more) =>
        $"services:\n  web:\n    command: [/usr/bin/python3, -c, {Quoted(script)}, {agent.Home}/stop]\n"
        + string.Concat(more.Select(line => $"    {line}\n"));

    private static string Quoted(string text) => "\"" + text.Replace("\\", "\\\\", StringComparison.Ordinal)
        .Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal) + "\"";

    /// <summary>Where the service's output ends, once it says no more.</summary>
    private static async Task<long> QuietAsync(AgentUnderTest agent)
    {
        await agent.UntilAsync("the service has stopped writing", () => Task.FromResult(ProcessTable.All().Any(row =>
            row.CommandLine == "sleep 1000" && row.Environment.Contains(agent.Runtime, StringComparison.Ordinal))));
        var id = (string)(await agent.ProcessesAsync()).Single()["id"]!;
        long end = -1;
        await agent.UntilAsync("all of it is captured", async () =>
        {
            var before = end;
            var tail = await agent.TextAsync($"/v1/processes/{id}/logs/stdout?tail=1");
            end = tail.Length == 100 ? (long.Parse(tail, CultureInfo.InvariantCulture) + 1) * 100 : -1;
            return end > 0 && end == before;
        });
        return end;
    }

    private static FileInfo[] Files(AgentUnderTest agent)
    {
        var folder = new DirectoryInfo(Path.Combine(agent.State, "logs", "web"));
        return folder.Exists
            ? [.. folder.GetFiles("stdout.*.log").OrderBy(file => file.Name, StringComparer.Ordinal)]
            : [];
    }

    private static Task<(int Code, string Out, string Error)> LogsAsync(AgentUnderTest agent, params string[] more) =>
        AgentUnderTest.RunAsync(["--socket", agent.Socket, "logs", "web", "--stdout", .. more]);

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
