using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Activators;
using Agent.Shell.Activators.Nixos;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.Activators;

/// <summary>Switching, forward and back.</summary>
public sealed class NixosSwitchTests : NixosHostTests
{
    /// RO-4, RO-11: what runs is what the link of the running system names, and nothing where there is none.
    /// Counterpart: recovery, "closure basename / missing".
    [SkippableFact]
    public async Task What_runs_is_read_from_the_host()
    {
        Assert.Null(await RunningAsync());
        var first = Host.Install(new("first"));
        Assert.Equal(first, await RunningAsync());
        File.Delete(Host.Paths.CurrentSystem);
        File.CreateSymbolicLink(Host.Paths.CurrentSystem, "/somewhere/else");
        Assert.Null(await RunningAsync());
    }

    /// RO-11: the target is the running system, the profile's newest generation and what boots next.
    /// Counterpart: activation worker, poll "settles".
    [SkippableFact]
    public async Task A_switch_makes_its_target_run_and_boot()
    {
        var (first, next) = (Host.Install(new("first")), Host.Build(new("next")));
        Assert.IsType<SwitchResult.Done>(await PrepareAndSwitchAsync(Forward(next, first)));
        Assert.Equal((next, next, next), (await RunningAsync(), Host.Profile, Host.Bootloader));
        Assert.Equal([$"switch {next}"], Host.Runs);
    }

    /// RO-11: the host without a running system of its own can be switched too, it has no way back.
    [SkippableFact]
    public async Task The_first_switch_of_all_needs_no_way_back()
    {
        var next = Host.Build(new("next"));
        Assert.IsType<SwitchResult.Done>(await PrepareAndSwitchAsync(Forward(next, from: null)));
        Assert.Equal(next, Host.Current);
    }

    /// RO-11: while the script is at work the old system runs, and the switch is not over.
    /// Counterpart: activation worker, poll "keeps polling while previous".
    [SkippableFact]
    public async Task A_slow_switch_is_awaited()
    {
        var (first, next) = (Host.Install(new("first")), Host.Build(Gated("next")));
        var gate = OpenGateAsync();
        var switching = Activator().SwitchAsync(Forward(next, first), CancellationToken.None);
        await using (await gate)
        {
            Assert.False(switching.IsCompleted);
            Assert.Equal(first, await RunningAsync());
        }

        Assert.IsType<SwitchResult.Done>(await switching);
        Assert.Equal(next, await RunningAsync());
    }

    /// RO-11: the agent dies in the middle of a switch; its successor waits for that very switch and begins no other.
    [SkippableFact]
    public async Task A_switch_survives_the_death_of_the_agent()
    {
        var (first, next) = (Host.Install(new("first")), Host.Build(Gated("next")));
        var gate = OpenGateAsync();
        using var death = new CancellationTokenSource();
        var cutOff = Activator().SwitchAsync(Forward(next, first), death.Token);
        await using (await gate)
        {
            await death.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cutOff);
        }

        Assert.IsType<SwitchResult.Done>(await Activator().SwitchAsync(Forward(next, first), CancellationToken.None));
        Assert.Equal([$"switch {next}"], Host.Runs);
    }

    /// RO-11: asked twice it runs once, whoever asks.
    [SkippableFact]
    public async Task A_switch_asked_for_twice_runs_once()
    {
        var (first, next) = (Host.Install(new("first")), Host.Build(new("next")));
        for (var time = 0; time < 2; time++)
        {
            Assert.IsType<SwitchResult.Done>(await PrepareAndSwitchAsync(Forward(next, first)));
        }

        Assert.Equal([$"switch {next}"], Host.Runs);
    }

    /// RO-11: an end that nobody saw is no success, so the script finishes its work in a second run, and no third.
    [SkippableFact]
    public async Task A_script_whose_end_was_lost_runs_once_more()
    {
        var (first, next) = (Host.Install(new("first")), Host.Build(new("next")));
        var activator = new NixosActivator(Host.Paths, new CommandsOnce { Lost = "switch" });
        Assert.IsType<SwitchResult.Done>(await activator.SwitchAsync(Forward(next, first), CancellationToken.None));
        Assert.Equal([$"switch {next}", $"switch {next}"], Host.Runs);
    }

    /// RO-11: a script that fails is a failed switch even when the target runs by then, and its last words are told.
    [SkippableTheory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_script_that_fails_is_a_failed_switch(bool late)
    {
        var first = Host.Install(new("first"));
        const string Lines = "echo no unit could start >&2; exit 4";
        var next = Host.Build(late ? new("next") { After = Lines } : new("next") { Before = Lines });
        var failure = await FailsAsync(() => Activator().SwitchAsync(Forward(next, first), CancellationToken.None));
        Assert.Equal("switch-failed", failure.Code);
        Assert.Contains("no unit could start", failure.Message, StringComparison.Ordinal);
        Assert.Equal(late ? next : first, Host.Current);
    }

    /// RO-11: a script that hangs is ended at the switch's limit.
    /// Counterpart: activation worker, poll "times out".
    [SkippableFact]
    public async Task A_switch_that_hangs_is_ended_at_its_limit()
    {
        var (first, next) = (Host.Install(new("first")), Host.Build(new("next") { Before = "exec sleep 300" }));
        var hasty = Forward(next, first) with { Timeout = TimeSpan.FromSeconds(2) };
        var failure = await FailsAsync(() => Activator().SwitchAsync(hasty, CancellationToken.None));
        Assert.Equal("timed-out", failure.Code);
        Assert.Equal(first, Host.Current);
    }

    /// RO-4, RO-8: what a script says is not believed, in either direction; what runs is looked at.
    /// Counterpart: activation worker, poll "flip to third closure detected".
    [SkippableTheory]
    [InlineData(false, false, "not-switched")]
    [InlineData(true, false, "not-switched")]
    [InlineData(false, true, "wrong-release")]
    [InlineData(true, true, "wrong-release")]
    public async Task Success_without_the_target_running_is_a_failure(bool back, bool third, string code)
    {
        var (first, other) = (Host.Install(new("first")), Host.Build(new("other")));
        var lines = third ? $"point \"$root/current-system\" {other}; exit 0" : "exit 0";
        var next = Host.Build(new("next") { Before = lines });
        var failure = await FailsAsync(
            () => PrepareAndSwitchAsync(Forward(next, first) with { IsRollback = back }));
        Assert.Equal(code, failure.Code);
        Assert.Equal(third ? other : first, Host.Current);
    }

    /// RO-8, RO-11: the way back is the system that is named, however many were switched to in between, and it needs
    /// no network: nothing is asked of a cache.
    [SkippableFact]
    public async Task The_way_back_is_the_one_that_is_named_and_needs_no_network()
    {
        var first = Host.Install(new("first"));
        var (second, third) = (Host.Build(new("second")), Host.Build(new("third")));
        await PrepareAndSwitchAsync(Forward(second, first, activation: 1));
        await PrepareAndSwitchAsync(Forward(third, second, activation: 2));
        Host.CutOff();
        Assert.IsType<SwitchResult.Done>(await PrepareAndSwitchAsync(Back(first, third, activation: 3)));
        Assert.Equal((first, first, first), (await RunningAsync(), Host.Profile, Host.Bootloader));
        Assert.DoesNotContain(Commands.Ran, name => name.EndsWith("/3/realise", StringComparison.Ordinal));
    }
}
