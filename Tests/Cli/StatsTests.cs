using System;
using System.Linq;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Cli;
using Agent.Shell.Containers;
using Agent.Shell.Containers.Engine;
using Agent.Tests.Containers;
using Xunit;

namespace Agent.Tests.Cli;

/// <summary>What `agent containers stats` makes of an engine's answers.</summary>
public sealed class StatsTests
{
    private readonly FakeEngine _engine = new();

    public StatsTests() => _engine.AddImage(BackendWorld.Image);

    /// CT-1: each container of this agent has a row; what does not run, or is not told, has no figures.
    [Fact]
    public async Task Each_container_has_its_row()
    {
        await using var theirs = new Rig(_engine.Connect("theirs"));
        await theirs.RunAsync(Rig.Script("other", "sleep 1000"));
        await using var rig = new Rig(_engine.Connect("ours"));
        await rig.RunAsync(Rig.Script("web", "sleep 1000"));
        await rig.RunAsync(Rig.Script("mute", "sleep 1000"));
        await rig.CreateAsync(Rig.Script("made", "sleep 1000"));
        _engine.Faults["stats mute"] = new EngineFault.Fail(ContainerFault.Failed, "no such cgroup");
        var used = TimeSpan.Zero;
        _engine.Usage = () => new(used += TimeSpan.FromMilliseconds(50), 4096, null, 3);

        var rows = await StatsVerb.RowsAsync(rig.Backend, TimeSpan.FromMilliseconds(50), CancellationToken.None);

        Assert.Equal(["made", "mute", "web"], rows.Select(one => one.Uid));
        Assert.Equal(new StatsRow("made", "created", null, null, null, null, null, null), rows[0]);
        Assert.Equal(new StatsRow("mute", "running", null, null, null, null, null, "no such cgroup"), rows[1]);
        Assert.Equal(
            new StatsRow("web", "running", null, 100, 4096, null, 3, null), rows[2] with { CpuPercent = null });
        Assert.InRange(rows[2].CpuPercent!.Value, 1, 100);
    }

    /// CT-1: an engine that has no account says so; a nothing that looks like a figure is none.
    [Fact]
    public async Task What_an_engine_does_not_tell_is_no_zero()
    {
        using var told = JsonDocument.Parse("""
            {"cpu_stats":{"cpu_usage":{"total_usage":0}},"memory_stats":{},"pids_stats":{}}
            """);
        var nothing = EngineStats.Read(told.RootElement);
        Assert.Equal(new ContainerStats(null, null, null, null), nothing);

        await using var rig = new Rig(_engine.Connect("ours"));
        await rig.RunAsync(Rig.Script("web", "sleep 1000"));
        _engine.Usage = () => nothing;
        var row = Assert.Single(await StatsVerb.RowsAsync(rig.Backend, TimeSpan.Zero, CancellationToken.None));
        Assert.Equal(
            new StatsRow("web", "running", null, null, null, null, null, "the engine does not tell what it uses"), row);
    }

    /// CT-1: one that was started anew between the looks has begun at nothing, which is no negative share.
    [Fact]
    public async Task One_that_began_anew_has_no_share()
    {
        await using var rig = new Rig(_engine.Connect("ours"));
        await rig.RunAsync(Rig.Script("web", "sleep 1000"));
        var used = TimeSpan.FromSeconds(9);
        _engine.Usage = () => new(used -= TimeSpan.FromSeconds(4), 4096, 8192, 1);
        var row = Assert.Single(await StatsVerb.RowsAsync(rig.Backend, TimeSpan.Zero, CancellationToken.None));
        Assert.Equal(new StatsRow("web", "running", null, 1000, 4096, 8192, 1, null), row);
    }
}
