using System;
using System.Diagnostics;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Core.Time;
using Agent.Shell.Containers;
using Agent.Shell.Pki;
using Agent.Shell.Uplink;
using Agent.Tests.Containers;
using Agent.Tests.Support;
using Agent.Tests.Uplink;
using Microsoft.AspNetCore.Http;
using Xunit;
using Xunit.Abstractions;

namespace Agent.Tests.EndToEnd;

/// <summary>An engine that takes a call and does not come back. AGENT_LONG=1 makes it a minute.</summary>
[Collection(nameof(EngineCollection))]
public sealed class ContainerHangTests(DockerWorld world, ITestOutputHelper output) : IClassFixture<DockerWorld>
{
    private const string Sleeps = "{ image: 'tiny:1', network_mode: none, restart: always, stop_grace_period: 1s, command: [sleep, '1000'] }";

    private const string Start = "POST /containers/held/start";
    private const string Pull = "POST /images/create localhost:1/absent:1";

    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(Extent.Of(8, 60));
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(75);

    /// <summary>Far above what an answer takes on a busy machine, and far below the hang.</summary>
    private static readonly TimeSpan Usual = TimeSpan.FromSeconds(2);

    /// CT-5: while one container's start and another's pull hang, the others come up and are repaired, the agent answers,
    /// and its plane hears of it; the two come up when the engine comes back to itself.
    [SkippableFact]
    public async Task A_call_that_hangs_holds_up_no_other_and_no_heartbeat()
    {
        Skip.IfNot(world.Missing is null, world.Missing ?? "");
        await using var proxy = await EngineProxy.OpenAsync(world.Socket);
        proxy.Hold(Start, Pull);
        var stage = new ContainerStage(new EngineAddress.Socket(proxy.Socket));
        await using var ended = await stage.StartAsync($$"""
            services:
              held: {{Sleeps}}
              pulled: { image: "localhost:1/absent:1", network_mode: none, stop_grace_period: 1s, command: [sleep, "1000"] }
              first: {{Sleeps}}
              second: {{Sleeps}}
            """);
        await proxy.HeldAsync(Start);
        await proxy.HeldAsync(Pull);
        var hanging = Stopwatch.StartNew();
        await stage.UntilRunningAsync("first", "second");
        output.WriteLine(FormattableString.Invariant($"the others ran {hanging.Elapsed.TotalSeconds:0.0} s into the hang"));

        // Asked to join its plane now, the agent tells it at once that it lives, and every minute from then on.
        var beats = new SemaphoreSlim(0);
        using var authority = Authority.Init(Path.Combine(stage.Agent.Home, "authority"), ["localhost"], Now);
        await using var plane = await new FalsePlane(authority, http => BeatAsync(http, beats)).StartAsync();
        Join(stage, authority, plane.Url);
        Assert.True(await beats.WaitAsync(Hang), "no heartbeat while the engine hangs");
        output.WriteLine(FormattableString.Invariant($"the plane heard of it {hanging.Elapsed.TotalSeconds:0.0} s into the hang"));

        var id = await stage.IdAsync("first");
        await stage.DockerAsync("rm", "-f", id);
        await stage.UntilAsync("first", "made anew", one =>
            (string?)one["engineId"] is { } now && now != id && (string)one["state"]! == "running");
        await AnswersAsync(stage, hanging);
        if (Extent.IsFull) Assert.True(await beats.WaitAsync(Beat), "no second heartbeat while the engine hangs");
        Assert.NotEqual("running", (string)(await stage.FindAsync("held"))["state"]!);
        Assert.Equal("pull", (string)(await stage.FindAsync("pulled"))["underWay"]!);

        using (var archive = await TinyImage.ArchiveAsync("localhost:1/absent:1"))
        using (var engine = world.Connect("0"))
        {
            await engine.LoadAsync(archive, null, new Progress<ImageProgress>(), CancellationToken.None);
        }

        proxy.LetGo();
        await stage.UntilRunningAsync("held", "first", "second", "pulled");
    }

    private static Instant Now => new(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());

    /// <summary>Asks on and on, for as long as the hang is to last.</summary>
    private async Task AnswersAsync(ContainerStage stage, Stopwatch hanging)
    {
        var (answers, slowest) = (0, TimeSpan.Zero);
        do
        {
            var watch = Stopwatch.StartNew();
            await stage.Agent.GetAsync("/v1/containers");
            await stage.AskAsync("reconcile");
            (answers, slowest) = (answers + 2, watch.Elapsed > slowest ? watch.Elapsed : slowest);
            await Task.Delay(20);
        }
        while (hanging.Elapsed < Hang);

        output.WriteLine(FormattableString.Invariant(
            $"{answers} answers while it hung, the slowest two took {slowest.TotalMilliseconds:0} ms"));
        Assert.True(slowest < Usual, $"an answer took {slowest}");
    }

    /// <summary>As if it had been enrolled: a key, a certificate for it, and the plane's address.</summary>
    private static void Join(ContainerStage stage, Authority authority, Uri plane)
    {
        Assert.True(HostName.Parse("box").TryGet(out var name));
        using (var identity = ClientIdentity.Open(Path.Combine(stage.Agent.State, "identity")))
        {
            identity.Accept(authority.Issue(identity.Request(name), name, Now).Pem, name, Now, authority.Pem);
        }

        File.AppendAllText(stage.Agent.ConfigFile, $"host: {{ name: box }}\nplane: {{ url: \"{plane.GetLeftPart(UriPartial.Authority)}\" }}\n");
        Assert.Equal(0, Native.Kill(stage.Agent.Pid, Native.SigHup));
    }

    private static async Task BeatAsync(HttpContext http, SemaphoreSlim beats)
    {
        switch (http.Request.Path.Value)
        {
            case Protocol.Heartbeat:
                await FalsePlane.Json("""{"replay":[]}""")(http);
                beats.Release();
                break;
            case Protocol.Dispatch:
                await Task.Delay(TimeSpan.FromSeconds(1), http.RequestAborted);
                goto default;
            default:
                http.Response.StatusCode = StatusCodes.Status204NoContent;
                break;
        }
    }
}
