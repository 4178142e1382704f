using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using System.Threading.Tasks;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.EndToEnd;

/// <summary>Services tell that they are ready, and what comes after them waits for it.</summary>
[Collection(nameof(EndToEndCollection))]
public sealed class ReadinessTests
{
    private const string Notify =
        "import os,socket,sys,time\\nwhile not os.path.exists(sys.argv[1]): time.sleep(0.02)\\n"
        + "name=os.environ['NOTIFY_SOCKET']\\n"
        + "socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM).sendto(b'STATUS=up\\\\nREADY=1', chr(0)+name[1:])\\ntime.sleep(1000)";

    /// PR-13: by a command, by a port and by a web page; whoever comes after begins when all are ready, and no sooner.
    [Fact]
    public async Task What_comes_after_waits_for_readiness()
    {
        using var agent = new AgentUnderTest();
        using var port = new TcpListener(IPAddress.Loopback, 0);
        port.Start();
        var (tcp, http) = (((IPEndPoint)port.LocalEndpoint).Port, FreePort());
        agent.Configure($$"""
            services:
              file: { command: [/bin/sleep, "1000"], ready: { exec: [/usr/bin/test, -e, {{agent.Home}}/go], every: 100ms } }
              port: { command: [/bin/sleep, "1000"], ready: { tcp: "127.0.0.1:{{tcp}}", every: 100ms } }
              page: { command: [/usr/bin/python3, -m, http.server, "{{http}}", --bind, 127.0.0.1], cwd: {{agent.Home}}, ready: { http: "http://127.0.0.1:{{http}}/agent.yaml", every: 100ms } }
              early: { command: [/bin/sleep, "1000"], afterStarted: [file] }
              late: { command: [/bin/sleep, "1000"], after: [file, port, page] }
            """);
        await agent.StartAsync();
        await agent.UntilAsync("two are ready", async () => await IsReadyAsync(agent, "port") && await IsReadyAsync(agent, "page"));
        await agent.UntilAsync("the early one runs", async () => (string)(await OfAsync(agent, "early"))["phase"]! == "running");
        Assert.False(await IsReadyAsync(agent, "file"));
        Assert.Equal("running", (string)(await OfAsync(agent, "file"))["phase"]!);
        Assert.Equal("starting", (string)(await OfAsync(agent, "late"))["phase"]!);

        await File.WriteAllTextAsync(Path.Combine(agent.Home, "go"), "");
        await agent.UntilAsync("the late one runs", async () => await IsReadyAsync(agent, "late"));
        Assert.True(await IsReadyAsync(agent, "file"));
        await ReplayTests.ReplaysToItsDigestAsync(agent);
    }

    /// PR-13, PR-14: a service says READY=1 while the agent, and then the keeper too, is another one; it is heard.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_readiness_told_while_the_agent_is_dead_is_heard(bool keeperToo)
    {
        using var agent = new AgentUnderTest();
        agent.Configure($$"""
            services:
              slow: { command: [/usr/bin/python3, -c, "{{Notify}}", {{agent.Home}}/go], ready: { notify: true } }
              late: { command: [/bin/sleep, "1000"], after: [slow] }
            """);
        await agent.StartAsync();
        await agent.UntilAsync("it runs", async () => (string)(await OfAsync(agent, "slow"))["phase"]! == "running");
        var pid = (int)(await OfAsync(agent, "slow"))["pid"]!;
        if (keeperToo)
        {
            // While no keeper is there nobody could hear it. Another is started only once the connection to the first is gone.
            var first = agent.KeeperPid;
            agent.KillKeeper();
            await agent.UntilAsync(
                "another keeper is there",
                async () => agent.Keepers.Except([first]).Any() && (bool)(await agent.GetAsync("/v1/status"))["keeperConnected"]!);
        }

        agent.KillAgent();
        await File.WriteAllTextAsync(Path.Combine(agent.Home, "go"), "");
        await agent.StartAsync();
        await agent.UntilAsync("the late one runs", async () => await IsReadyAsync(agent, "late"));
        Assert.Equal(pid, (int)(await OfAsync(agent, "slow"))["pid"]!);
        await ReplayTests.ReplaysToItsDigestAsync(agent);
    }

    /// PR-13, SE-1: the socket's name is no secret, so only the service's own user and root speak for it.
    [Fact]
    public async Task A_stranger_cannot_say_that_a_service_is_ready()
    {
        using var agent = new AgentUnderTest();
        agent.Configure($$"""
            services:
              slow: { command: [/usr/bin/python3, -c, "import os,sys\nopen(sys.argv[1]+'/name.new','w').write(os.environ['NOTIFY_SOCKET'])\nos.rename(sys.argv[1]+'/name.new',sys.argv[1]+'/name')\n{{Notify}}", {{agent.Home}}], ready: { notify: true } }
            """.Replace("sys.argv[1]): time", "sys.argv[1]+'/go'): time", System.StringComparison.Ordinal));
        await agent.StartAsync();
        var file = Path.Combine(agent.Home, "name");
        await agent.UntilAsync("it tells the name", () => Task.FromResult(File.Exists(file)));
        var name = (await File.ReadAllTextAsync(file))[1..];
        var say = $"import socket;socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM).sendto(b'READY=1',chr(0)+'{name}')";
        Assert.True(Mounts.Run("/usr/bin/setpriv", "--reuid=65534", "--clear-groups", "/usr/bin/python3", "-c", say));

        // The keeper has one thread: an answer to a later request comes after it has heard the stranger.
        var task = await agent.SpawnAsync("""{"command":["/bin/true"]}""");
        Assert.Equal(200, (await agent.PostAsync($"/v1/processes/{(string)task["id"]!}/wait", """{"timeoutMs":10000}""")).Status);
        Assert.False(await IsReadyAsync(agent, "slow"));

        Assert.True(Mounts.Run("/usr/bin/python3", "-c", say));
        await agent.UntilAsync("its own user is believed", async () => await IsReadyAsync(agent, "slow"));
    }

    /// PR-12, PR-13: what is not ready in time is stopped and restarted as its policy says, and the reason is told.
    [Fact]
    public async Task A_service_that_is_not_ready_in_time_is_restarted()
    {
        using var agent = new AgentUnderTest("""
            services:
              never: { command: [/bin/sleep, "1000"], ready: { exec: [/bin/false], every: 100ms, within: 500ms } }
            """);
        await agent.StartAsync();
        await agent.UntilAsync("it backs off", async () => (string)(await OfAsync(agent, "never"))["phase"]! == "backoff");
        var seen = await OfAsync(agent, "never");
        Assert.Equal("not-ready", (string)seen["exit"]!["reason"]!);
        Assert.True((int)seen["restarts"]! >= 1);
    }

    /// PR-13: all end in the reverse of their order, and come back with the agent.
    [Fact]
    public async Task An_agent_that_ends_with_everything_ends_it_in_order_and_brings_it_back()
    {
        using var agent = new AgentUnderTest { Options = ["--stop-all"] };
        string Tell(string name) => $"trap 'sleep 0.2; echo {name} >>{agent.Home}/ends; exit 0' TERM; while :; do sleep 0.02; done";
        agent.Configure($$"""
            services:
              web: { command: [/bin/sh, -c, "{{Tell("web")}}"], after: [app] }
              app: { command: [/bin/sh, -c, "{{Tell("app")}}"], after: [db] }
              db: { command: [/bin/sh, -c, "{{Tell("db")}}"] }
            """);
        await agent.StartAsync();
        await agent.UntilAsync("all run", async () => await IsReadyAsync(agent, "web"));
        Assert.Equal(0, await agent.TerminateAsync());
        Assert.Equal(["web", "app", "db"], await File.ReadAllLinesAsync(Path.Combine(agent.Home, "ends")));

        await agent.StartAsync();
        await agent.UntilAsync("all run again", async () => await IsReadyAsync(agent, "web"));
        Assert.Equal(0, await agent.TerminateAsync());
        var (code, output, error) = await AgentUnderTest.RunAsync("replay", agent.Journal);
        Assert.True(code == 0, error + output);
    }

    private static async Task<bool> IsReadyAsync(AgentUnderTest agent, string label) => (bool)(await OfAsync(agent, label))["ready"]!;

    private static async Task<JsonNode> OfAsync(AgentUnderTest agent, string label) =>
        (await agent.ProcessesAsync()).Single(one => (string)one["label"]! == label);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
