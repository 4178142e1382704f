using System;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Core.Time;
using Agent.Shell.Activators;
using Agent.Shell.Activators.Releases;
using Agent.Tests.Support;
using LanguageExt;
using Xunit;

namespace Agent.Tests.Activators;

/// <summary>A switch between releases of the store, and what it does to the others there.</summary>
public sealed class ReleaseActivatorTests
{
    /// RO-4, RO-11: one channel's switches leave another's way back, and a target that waits for its turn.
    [Fact]
    public async Task Another_channels_releases_stay()
    {
        using var world = new StoreWorld();
        var (old, soaking, next) = (
            await world.ImportAsync(("a", "1")), await world.ImportAsync(("a", "2")), await world.ImportAsync(("a", "3")));
        var order = new Samples(1).Any<RolloutOrder>() with { Activator = ActivatorKind.Release, Target = Id(soaking) };
        order = order with { Policy = order.Policy with { Unattended = true } };
        var rollouts = Rollouts.Empty.Accept(order, new Instant(0)).Rollouts
            .Report(order.Id, new(new Instant(1), new RolloutEvent.ActivationStarted(1, Id(old), "release"))).Rollouts;
        await Activator(world, rollouts).SwitchAsync(Request(next), CancellationToken.None);
        Assert.Equal(new[] { old.Sha256, soaking.Sha256, next.Sha256 }.Order(), world.Store.List().Order());
        await Activator(world, Rollouts.Empty).SwitchAsync(Request(next), CancellationToken.None);
        Assert.Equal([next.Sha256], world.Store.List());
    }

    /// RO-11: the switch is done when old releases cannot be cleared away, and a channel that leads elsewhere stops none.
    [Fact]
    public async Task What_cannot_be_cleared_away_undoes_no_switch()
    {
        using var world = new StoreWorld();
        var (old, next) = (await world.ImportAsync(("a", "1")), await world.ImportAsync(("a", "2")));
        Directory.CreateSymbolicLink(Path.Combine(world.Root, "channels", "stray"), "/nowhere");
        Assert.IsType<SwitchResult.Done>(await Activator(world, Rollouts.Empty).SwitchAsync(Request(next), CancellationToken.None));
        File.Delete(Path.Combine(world.Root, "channels", "stray"));
        world.Store.Switch("foreign", old.Sha256);
        File.Delete(world.Store.PathOfCurrent("foreign"));
        File.CreateSymbolicLink(world.Store.PathOfCurrent("foreign"), "/etc");
        Assert.IsType<SwitchResult.Done>(await Activator(world, Rollouts.Empty).SwitchAsync(Request(next), CancellationToken.None));
        Assert.Equal([next.Sha256], world.Store.List());
    }

    /// RO-11: a hook does not work in the tree of its release.
    [Fact]
    public async Task A_hook_leaves_its_release_as_it_is()
    {
        using var world = new StoreWorld();
        var release = TestRelease.Of(
            world.Archives, new TarBytes().Add("activate", $"#!/bin/sh\npwd >{world.Home}/where\n", mode: 0x1ED).ToGzip());
        await world.ImportAsync(release);
        await Activator(world, Rollouts.Empty).SwitchAsync(Request(release), CancellationToken.None);
        Assert.Equal("/\n", await File.ReadAllTextAsync(Path.Combine(world.Home, "where")));
    }

    private static ReleaseActivator Activator(StoreWorld world, Rollouts rollouts) =>
        new(world.Store, new CommandsOnce(), "socket", () => 0, () => rollouts);

    private static SwitchRequest Request(TestRelease to, TestRelease? from = null) => new(
        RolloutId.Parse("main@abcdef01").IfNone(NoId), 1, Id(to), from is null ? null : Id(from),
        TimeSpan.FromSeconds(30), IsRollback: false);

    private static ReleaseId Id(TestRelease release) =>
        ReleaseId.Parse(ReleaseId.ArchivePrefix + release.Sha256).Match(id => id, () => throw new InvalidOperationException());

    private static RolloutId NoId() => throw new InvalidOperationException();
}
