using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Activators;
using Agent.Shell.Activators.Nixos;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.Activators;

/// <summary>What must hold before the host is touched.</summary>
public sealed class NixosPrepareTests : NixosHostTests
{
    /// RO-11: what is not in the store is fetched from a cache that is trusted.
    [SkippableFact]
    public async Task A_target_is_fetched_before_the_host_is_touched()
    {
        var (first, next) = (Host.Install(new("first")), Host.Publish(new("next")));
        Assert.False(Directory.Exists(Host.Paths.OnDisk(next.Value)));
        await Activator().PrepareAsync(Forward(next, first), CancellationToken.None);
        Assert.True(File.Exists(Host.Paths.SwitchScript(next)));
        Assert.Equal((first, first), (Host.Current, Host.Profile));
        Assert.Empty(Host.Runs);
    }

    /// RO-11: without a whole way back nothing is begun, whether it is the one to come or the one that is due.
    [SkippableTheory]
    [InlineData(false, false, "rollback-target-missing")]
    [InlineData(false, true, "rollback-target-corrupt")]
    [InlineData(true, false, "rollback-target-missing")]
    [InlineData(true, true, "rollback-target-corrupt")]
    public async Task A_way_back_that_is_not_whole_is_told_before_anything_is_done(bool back, bool corrupt, string code)
    {
        var (first, next) = (Host.Install(new("first")), Host.Build(new("next")));
        if (back) await PrepareAndSwitchAsync(Forward(next, first, activation: 1));
        if (corrupt) Host.Corrupt(first);
        else Host.Remove(first);
        var runs = Host.Runs;

        // The first try of a rollout does not know its way back yet: it is what runs.
        var request = back ? Back(first, next, activation: 2) : Forward(next, from: null, activation: 2);
        var failure = await FailsAsync(() => Activator().PrepareAsync(request, CancellationToken.None));
        Assert.Equal(code, failure.Code);
        Assert.Equal(runs, Host.Runs);
    }

    /// RO-11: the way back survives the garbage collector, also when its generation is deleted.
    [SkippableFact]
    public async Task The_way_back_is_kept_from_the_garbage_collector()
    {
        var (first, next) = (Host.Install(new("first")), Host.Build(new("next")));
        var gone = Host.Build(new("gone"));
        await PrepareAndSwitchAsync(Forward(next, first, activation: 1));
        Host.CollectGarbage();
        Assert.False(Directory.Exists(Host.Paths.OnDisk(gone.Value)));
        Assert.IsType<SwitchResult.Done>(await PrepareAndSwitchAsync(Back(first, next, activation: 2)));
        Assert.Equal(first, Host.Current);
    }

    /// RO-11: each reason why a target cannot be had has its own name, and the host is as it was.
    [SkippableTheory]
    [InlineData("nobody has it", "not-available")]
    [InlineData("unsigned", "unsigned-path")]
    [InlineData("corrupt", "target-corrupt")]
    [InlineData("no script", "not-a-system")]
    [InlineData("derivation", "not-a-system")]
    [InlineData("archive", "not-a-system")]
    [InlineData("full disk", "no-space")]
    public async Task A_target_that_cannot_be_had_is_refused_by_name(string what, string code)
    {
        var first = Host.Install(new("first"));
        var target = what switch
        {
            "unsigned" => Host.Publish(new("next"), signed: false),
            "corrupt" => Broken(Host.Build(new("next")), Host.Corrupt),
            "no script" => Host.Build(new("next") { Switches = false }),
            "derivation" => Release($"/nix/store/{new string('0', 32)}-next.drv"),
            "archive" => Release($"sha256:{new string('0', 64)}"),
            "full disk" => Host.Publish(new("next")),
            _ => Release($"/nix/store/{new string('0', 32)}-next"),
        };
        var paths = what == "full disk" ? Host.Paths with { MinFreeBytes = long.MaxValue } : Host.Paths;
        var activator = new NixosActivator(paths, Commands);
        var failure = await FailsAsync(() => activator.PrepareAsync(Forward(target, first), CancellationToken.None));
        Assert.Equal(code, failure.Code);
        Assert.Equal((first, first), (Host.Current, Host.Profile));
        Assert.Empty(Host.Runs);
    }

    /// RO-11: what was not available is there a moment later; a new try finds it.
    [SkippableFact]
    public async Task A_new_try_finds_what_the_cache_lacked_before()
    {
        var first = Host.Install(new("first"));
        var next = Host.Publish(new("next"));
        var narinfo = Assert.Single(Directory.GetFiles($"{Host.Root}/cache", "*.narinfo"));
        File.Move(narinfo, narinfo + ".later");
        var failure = await FailsAsync(
            () => Activator().PrepareAsync(Forward(next, first, activation: 1), CancellationToken.None));
        Assert.Equal("not-available", failure.Code);
        File.Move(narinfo + ".later", narinfo);
        await Activator().PrepareAsync(Forward(next, first, activation: 2), CancellationToken.None);
    }
}
