using System;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Agent.Tests.Containers;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.EndToEnd;

/// <summary>Containers on the engine that the agent itself keeps, over the ends of both.</summary>
[Collection(nameof(EngineCollection))]
public sealed class OwnEngineTests
{
    private const string Sleeps = "{ image: 'tiny:1', network_mode: none, restart: always, stop_grace_period: 1s, command: [sleep, '1000'] }";

    private static readonly TimeSpan EnginePatience = TimeSpan.FromSeconds(90);

    /// CT-7, CT-6, CT-4, RT-8: its user's stop stands although the agent is killed and dockerd ends meanwhile; the agent's
    /// supervision brings dockerd back, what ran goes on in the very container that it was, and his start brings the stopped
    /// one back too.
    [SkippableFact]
    public async Task A_users_stop_stands_over_the_ends_of_the_agent_and_of_its_engine()
    {
        Skip.IfNot(DockerWorld.WhyNot is null, DockerWorld.WhyNot ?? "");
        await using var stage = await new ContainerStage(null).StartAsync("services: {}");
        await stage.Agent.UntilAsync("the engine is ready", () => IsReadyAsync(stage), EnginePatience);
        await ImportAsync(stage);
        await stage.DeclareAsync($"services: {{ web: {Sleeps}, sibling: {Sleeps} }}");
        await stage.UntilRunningAsync("web", "sibling");
        var sibling = await stage.IdentitiesAsync("sibling");
        await stage.AskAsync("web/stop");
        await stage.UntilAsync("web", "stopped", one => (string)one["state"]! == "exited" && one["underWay"] is null);
        var web = await stage.IdAsync("web");

        stage.Agent.KillAgent();
        var dockerd = Dockerd(stage);
        Assert.Equal(0, Native.Kill(dockerd, Native.SigTerm));
        await stage.Agent.UntilAsync("dockerd is gone", () => Task.FromResult(!ProcessTable.IsAlive(dockerd)));
        await stage.Agent.StartAsync();
        await stage.Agent.UntilAsync(
            "another dockerd is ready",
            async () => await IsReadyAsync(stage) && Dockerd(stage) is not 0 and var now && now != dockerd,
            EnginePatience);

        await stage.UntilRunningAsync("sibling");
        await stage.AskAsync("reconcile");
        await stage.UntilAsync("web", "seen stopped", one =>
            (string)one["state"]! == "exited" && (string)one["wish"]! == "stopped" && one["underWay"] is null);
        Assert.Equal(sibling, await stage.IdentitiesAsync("sibling"));

        await stage.AskAsync("web/start");
        await stage.UntilRunningAsync("web");
        Assert.Equal(web, await stage.IdAsync("web"));
        Assert.Equal(sibling, await stage.IdentitiesAsync("sibling"));
    }

    private static async Task ImportAsync(ContainerStage stage)
    {
        var archive = Path.Combine(stage.Agent.Home, "image.tar");
        await using (var file = File.Create(archive))
        {
            using var image = await TinyImage.ArchiveAsync("tiny:1");
            await image.CopyToAsync(file);
        }

        Assert.Equal((0, "Loaded image: tiny:1\n", ""), await stage.RunAsync("import", archive));
    }

    private static async Task<bool> IsReadyAsync(ContainerStage stage) =>
        (string)(await stage.Agent.GetAsync("/v1/runtime"))["state"]! == "ready";

    /// <summary>0 where there is none.</summary>
    private static int Dockerd(ContainerStage stage) => ProcessTable.All().Where(row =>
        Path.GetFileName(row.CommandLine.Split(' ')[0]) == "dockerd"
        && row.CommandLine.Contains(stage.Agent.Runtime, StringComparison.Ordinal)
        && ProcessTable.LeadsItsSession(row.Pid)).Select(row => row.Pid).FirstOrDefault();
}
