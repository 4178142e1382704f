using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net.Http;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Container;
using Agent.Shell.Containers;
using Agent.Shell.Containers.Engine;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.Containers;

/// <summary>
/// What the agent takes for granted of every engine behind the seam (CT-1). Each backend passes the same suite, the fake
/// that other tests are built on among them.
/// </summary>
public abstract class BackendConformance(BackendWorld world)
{
    private static CancellationToken None => CancellationToken.None;

    /// CT-1, CT-3; seed 004 `fake_runtime_run_list_exit_remove`: made, seen, ended, gone, each under its uid.
    [SkippableFact]
    public async Task A_container_is_run_listed_ended_and_removed()
    {
        await using var rig = Connect();
        var id = await rig.CreateAsync(Rig.Script("web", "sleep 1000"), "digest");
        var made = await rig.FindAsync("web");
        Assert.Equal(
            new ObservedContainer(Rig.Uid("web"), id, "digest", new ContainerStatus.Created(), ContainerHealth.None), made);

        await rig.Backend.StartAsync(Rig.Uid("web"), None);
        Assert.Equal(new ContainerStatus.Running(PidAlive: true), (await rig.FindAsync("web"))!.Status);

        await rig.Backend.StopAsync(Rig.Uid("web"), TimeSpan.Zero, None);
        Assert.Equal(new ContainerStatus.Exited(137, OutOfMemory: false), await rig.UntilAsync<ContainerStatus.Exited>("web"));

        await rig.Backend.RemoveAsync(Rig.Uid("web"), None);
        Assert.Empty(await rig.Backend.ListAsync(None));
    }

    /// CT-1, row 94: an exit is told with its own code, 0 and 137 among them; only a kill for memory is one.
    [SkippableTheory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(137)]
    public async Task An_exit_is_told_with_its_code(int code)
    {
        await using var rig = Connect();
        await rig.RunAsync(Rig.Script("job", $"exit {code}"));
        Assert.Equal(new ContainerStatus.Exited(code, OutOfMemory: false), await rig.UntilAsync<ContainerStatus.Exited>("job"));
    }

    /// CT-1: what is so already is as good as done.
    [SkippableFact]
    public async Task Asking_twice_does_it_once()
    {
        await using var rig = Connect();
        var id = await rig.RunAsync(Rig.Script("web", "sleep 1000"));
        await rig.Backend.StartAsync(Rig.Uid("web"), None);
        Assert.Equal(id, (await rig.FindAsync("web"))!.EngineId);
        await rig.Backend.StopAsync(Rig.Uid("web"), TimeSpan.Zero, None);
        await rig.UntilAsync<ContainerStatus.Exited>("web");
        await rig.Backend.StopAsync(Rig.Uid("web"), TimeSpan.Zero, None);
        await rig.Backend.StopAsync(Rig.Uid("web"), TimeSpan.FromSeconds(1), None);
        await rig.Backend.RemoveAsync(Rig.Uid("web"), None);
        await rig.Backend.RemoveAsync(Rig.Uid("web"), None);
    }

    /// CT-1: one uid is one container; a second is refused and the first stays as it is.
    [SkippableFact]
    public async Task A_uid_is_taken_once()
    {
        await using var rig = Connect();
        var first = await rig.RunAsync(Rig.Script("web", "sleep 1000"));
        await Rig.FaultAsync(ContainerFault.Conflict, () => rig.CreateAsync(Rig.Script("web", "sleep 5")));
        var seen = Assert.Single(await rig.Backend.ListAsync(None));
        Assert.Equal((first, true), (seen.EngineId, seen.Status is ContainerStatus.Running));
    }

    /// CT-3; seed 004 `parse_list_filters_to_velos_instances_by_name_prefix`; upstream: list filter (prod_orchestrator):
    /// another agent's container of the same uid is neither seen nor touched.
    [SkippableFact]
    public async Task Another_instance_is_neither_seen_nor_touched()
    {
        await using var theirs = Connect();
        await using var ours = Connect();
        var id = await theirs.RunAsync(Rig.Script("web", "sleep 1000"));

        Assert.Empty(await ours.Backend.ListAsync(None));
        await Rig.FaultAsync(
            ContainerFault.NotFound, () => ours.Backend.StopAsync(Rig.Uid("web"), TimeSpan.Zero, None));
        await ours.Backend.RemoveAsync(Rig.Uid("web"), None);
        var mine = await ours.RunAsync(Rig.Script("web", "sleep 1000"));

        Assert.NotEqual(id, mine);
        var seen = Assert.Single(await theirs.Backend.ListAsync(None));
        Assert.Equal((id, true), (seen.EngineId, seen.Status is ContainerStatus.Running));
    }

    /// CT-1: the list is in the order of the uids, whatever the engine's.
    [SkippableFact]
    public async Task The_list_is_in_order()
    {
        await using var rig = Connect();
        foreach (var uid in (string[])["b", "a", "C"]) await rig.CreateAsync(Rig.Script(uid, "sleep 1000"));
        Assert.Equal(["C", "a", "b"], (await rig.Backend.ListAsync(None)).Select(one => one.Uid.Value));
    }

    /// CT-1: what is not there is told as that.
    [SkippableFact]
    public async Task What_is_not_there_is_not_found()
    {
        await using var rig = Connect();
        await Rig.FaultAsync(ContainerFault.NotFound, () => rig.Backend.StartAsync(Rig.Uid("web"), None));
        await Rig.FaultAsync(
            ContainerFault.NotFound, () => rig.Backend.StopAsync(Rig.Uid("web"), TimeSpan.FromSeconds(1), None));
        await Rig.FaultAsync(
            ContainerFault.NotFound, () => rig.CreateAsync(Rig.Script("web", "") with { Image = "no-such-image:1" }));
        Assert.False(await rig.Backend.ImageExistsAsync("no-such-image:1", None));
        Assert.True(await rig.Backend.ImageExistsAsync(BackendWorld.Image, None));
    }

    /// CT-1: an archive that an engine saved is loaded without any registry, and one that is none is refused.
    [SkippableFact]
    public async Task An_archive_is_loaded()
    {
        await using var rig = Connect();
        var name = $"loaded-{Rig.NewInstance()}:2";
        using var archive = await TinyImage.ArchiveAsync(name, mark: name);
        var told = await rig.Backend.LoadAsync(archive, null, new Progress<ImageProgress>(), None);
        Assert.Contains(name, string.Join('\n', told), StringComparison.Ordinal);
        Assert.True(await rig.Backend.ImageExistsAsync(name, None));

        using var garbage = new MemoryStream(new byte[4096].Select((_, i) => (byte)(i * 7)).ToArray());
        await Rig.FaultAsync(
            ContainerFault.Failed, () => rig.Backend.LoadAsync(garbage, null, new Progress<ImageProgress>(), None));
    }

    /// CT-1: what it printed is told apart by stream, from the end where that is asked for, and to the end where it is
    /// followed.
    [SkippableFact]
    public async Task Logs_are_told_by_stream()
    {
        await using var rig = Connect();
        await rig.RunAsync(Rig.Script("talk", "echo one; echo two; echo oops >&2; sleep 0.2; echo three"));
        var all = world.TellsStreamsApart ? ("one\ntwo\nthree\n", "oops\n") : ("one\ntwo\noops\nthree\n", "");
        Assert.Equal(all, await rig.LogsAsync("talk", follow: true));
        await rig.UntilAsync<ContainerStatus.Exited>("talk");
        Assert.Equal(all, await rig.LogsAsync("talk"));
        Assert.Equal(("three\n", ""), await rig.LogsAsync("talk", tail: 1));
    }

    /// CT-4: what changes is told at once, and only what is ours.
    [SkippableFact]
    public async Task Changes_are_told()
    {
        Skip.IfNot(world.HasEvents, "this engine tells of no changes");
        await using var theirs = Connect();
        await using var rig = Connect();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var told = new List<ContainerChange>();
        var listening = new TaskCompletionSource();
        await using var changes = rig.Backend.EventsAsync(listening.SetResult, patience.Token)
            .GetAsyncEnumerator(patience.Token);
        var next = changes.MoveNextAsync().AsTask();
        await listening.Task.WaitAsync(patience.Token);

        // An engine may take a moment more: asked again until it tells.
        for (var i = 0; !next.IsCompleted; i++)
        {
            await theirs.RunAsync(Rig.Script($"other{i}", "exit 0"));
            await rig.RunAsync(Rig.Script($"job{i}", "exit 0"));
            await Task.WhenAny(next, Task.Delay(100, patience.Token));
        }

        while (!told.Exists(one => one.What is "die" or "died"))
        {
            Assert.True(await next);
            told.Add(changes.Current);
            next = changes.MoveNextAsync().AsTask();
        }

        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            // What has come already is told before.
            while (await next) next = changes.MoveNextAsync().AsTask();
        });
        Assert.All(told, one => Assert.StartsWith("job", one.Uid.Value, StringComparison.Ordinal));
        Assert.Contains(told, one => one.What == "start");
    }

    /// CT-1: an engine tells what it is.
    [SkippableFact]
    public async Task An_engine_tells_its_version()
    {
        await using var rig = Connect();
        var version = await rig.Backend.VersionAsync(None);
        Assert.All((string[])[version.Name, version.Version, version.Api], part => Assert.NotEmpty(part));
    }

    /// CT-1: who gives a call up gets no answer and no failure of the engine's.
    [SkippableFact]
    public async Task A_call_is_given_up_by_its_token()
    {
        await using var rig = Connect();
        using var over = new CancellationTokenSource();
        await over.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => rig.Backend.ListAsync(over.Token));
    }

    private protected Rig Connect()
    {
        Skip.IfNot(world.Missing is null, world.Missing ?? "");
        return new(world.Connect(Rig.NewInstance()));
    }
}

/// <summary>What those have in common besides that speak Docker's protocol.</summary>
public abstract class EngineConformance(BackendWorld world) : BackendConformance(world)
{
    private readonly BackendWorld _world = world;

    /// CT-2: a paused container is paused, nothing else; its user's stop and its removal are done all the same.
    [SkippableFact]
    public async Task A_paused_container_is_itself()
    {
        await using var rig = Connect();
        using var engine = new EngineHttp(_world.EngineSocket!);
        var id = await rig.RunAsync(Rig.Script("web", "sleep 1000"));
        await PauseAsync();
        Assert.IsType<ContainerStatus.Paused>((await rig.FindAsync("web"))!.Status);
        await rig.Backend.StopAsync(Rig.Uid("web"), TimeSpan.FromSeconds(1), CancellationToken.None);
        Assert.IsType<ContainerStatus.Exited>((await rig.FindAsync("web"))!.Status);
        await rig.Backend.StartAsync(Rig.Uid("web"), CancellationToken.None);
        await PauseAsync();
        await rig.Backend.RemoveAsync(Rig.Uid("web"), CancellationToken.None);
        Assert.Null(await rig.FindAsync("web"));

        Task PauseAsync() => engine.DoAsync(HttpMethod.Post, $"/v1.40/containers/{id}/pause", TimeSpan.FromSeconds(20), CancellationToken.None);
    }
}
