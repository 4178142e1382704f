using System;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Activators;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.Activators;

/// <summary>What a running system cannot exchange.</summary>
public sealed class NixosDeferTests : NixosHostTests
{
    /// RO-9: what cannot be exchanged in a running system is left to the next boot; after it the target runs, and a
    /// call that was cut off is finished.
    [SkippableTheory]
    [InlineData("kernel, kernel-modules")]
    [InlineData("initrd")]
    [InlineData("systemd")]
    [InlineData("dbus")]
    public async Task What_needs_a_reboot_is_deferred_to_it(string component)
    {
        var first = Host.Install(new("first"));
        var next = Host.Build(component switch
        {
            "initrd" => new("next") { Initrd = "2" },
            "systemd" => new("next") { Systemd = "255" },
            "dbus" => new("next") { Dbus = "1.16" },
            _ => new("next") { Kernel = "6.6" },
        });
        var request = Forward(next, first);
        Assert.Equal(new SwitchResult.Deferred(component), await PrepareAndSwitchAsync(request));
        Assert.Equal((first, next, next), (await RunningAsync(), Host.Profile, Host.Bootloader));
        Assert.Equal(new SwitchResult.Deferred(component), await PrepareAndSwitchAsync(request));
        Assert.Equal([$"boot {next}"], Host.Runs);

        Host.Reboot();
        Assert.Equal(next, await RunningAsync());
        Assert.IsType<SwitchResult.Done>(await PrepareAndSwitchAsync(request));
    }

    /// RO-8, RO-9: a switch that was deferred is taken back before the reboot: it is the old system that will boot.
    [SkippableFact]
    public async Task A_deferred_switch_can_be_taken_back()
    {
        var (first, next) = (Host.Install(new("first")), Host.Build(new("next") { Kernel = "6.6" }));
        await PrepareAndSwitchAsync(Forward(next, first, activation: 1));
        Assert.IsType<SwitchResult.Done>(await PrepareAndSwitchAsync(Back(first, next, activation: 2)));
        Assert.Equal((first, first, first), (await RunningAsync(), Host.Profile, Host.Bootloader));
    }

    /// RO-9: a bootloader that cannot be set is a failed switch, not a deferred one.
    [SkippableFact]
    public async Task What_could_not_be_staged_is_not_deferred()
    {
        var first = Host.Install(new("first"));
        var next = Host.Build(new("next") { Kernel = "6.6", Before = "echo /boot is full >&2; exit 1" });
        var failure = await FailsAsync(() => Activator().SwitchAsync(Forward(next, first), CancellationToken.None));
        Assert.Equal("switch-failed", failure.Code);
        Assert.Contains("/boot is full", failure.Message, StringComparison.Ordinal);
    }
}
