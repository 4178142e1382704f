using System;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Agent.Shell.Containers;
using Agent.Tests.Containers;
using Xunit;

namespace Agent.Tests.EndToEnd;

/// <summary>The real agent on a stand-in for Apple's `container` command, chosen in its configuration.</summary>
[Collection(nameof(EndToEndCollection))]
public sealed class AppleContainerTests(AppleWorld world) : IClassFixture<AppleWorld>
{
    /// CT-1, CT-4, CT-6, CT-7: a declared set comes up in its order by the command alone, is adopted by the next agent, and
    /// follows its user; the command line's own verbs reach the same engine. Upstream: real Apple lifecycle (e2e), whose
    /// real command needs a Mac.
    [Fact]
    public async Task A_declared_set_is_kept_by_the_command()
    {
        await using var stage = await new ContainerStage(new EngineAddress.Command(world.Program)).StartAsync("""
            services:
              web: { image: "tiny:1", depends_on: [db], restart: always, command: [sh, -c, "echo served; exec sleep 1000"] }
              db: { image: "tiny:1", restart: always, command: [sh, -c, "exec sleep 1000"] }
              job: { image: "tiny:1", command: [sh, -c, "exit 0"] }
            """);
        await stage.UntilRunningAsync("web", "db");
        await stage.AskAsync("reconcile");
        await stage.UntilAsync("job", "done", one => (int?)one["exitCode"] == 0 && (string)one["report"]! == "ok");
        var (web, db) = (await stage.IdAsync("web"), await stage.IdAsync("db"));
        var starts = world.Calls.Split('\n').Where(call => call.StartsWith("start ", StringComparison.Ordinal)).ToList();
        var restarts = (int)(await stage.FindAsync("web"))["restarts"]!
            + (int)(await stage.FindAsync("db"))["restarts"]!;
        Assert.True(starts.Count == 3 + restarts, $"{world.Calls}{await stage.Agent.GetAsync("/v1/containers")}");
        Assert.True(starts.IndexOf($"start {db}") < starts.IndexOf($"start {web}"));

        // What a killed agent's run of the command left may hold a container's environment.
        var left = Path.Combine(stage.Agent.Runtime, "commands", "agent-command-left");
        Directory.CreateDirectory(left);
        await File.WriteAllTextAsync(Path.Combine(left, "env"), "TOKEN=secret\n");
        var pid = world.PidOf(web);
        await stage.RestartAsync();
        Assert.False(Directory.Exists(left));
        Assert.Contains($"--env-file {stage.Agent.Runtime}/commands/", world.Calls, StringComparison.Ordinal);
        await stage.AskAsync("reconcile");
        await stage.UntilRunningAsync("web", "db");
        Assert.Equal(pid, world.PidOf(web));

        await stage.AskAsync("web/stop");
        await stage.UntilAsync("web", "stopped", one => (string)one["state"]! == "exited" && (string)one["wish"]! == "stopped");
        await stage.AskAsync("web/start");
        await stage.UntilRunningAsync("web");

        Assert.Equal((0, "served\n", ""), await stage.RunAsync("logs", "web"));
        Assert.Equal((0, "other:2\n", ""), await stage.RunAsync("pull", "other:2"));
        var (code, stats, _) = await stage.RunAsync("stats");
        Assert.Equal(0, code);
        Assert.StartsWith($"Apple container 1.0.0, API 1, command {world.Program}\n", stats, StringComparison.Ordinal);
        Assert.Matches("(?m)^web +running +0.0 +1s +4 KiB +8 KiB +2 *$", stats);
        Assert.Matches("(?m)^job +exited +- +- +- +- +- *$", stats);
        Assert.Equal("command", (string)(await stage.Agent.GetAsync("/v1/containers"))["engineKind"]!);
    }
}
