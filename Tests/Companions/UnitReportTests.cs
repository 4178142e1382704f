using System.IO;
using System.Linq;
using Agent.Core.Companion;
using Agent.Shell.Companions;
using Xunit;

namespace Agent.Tests.Companions;

/// <summary>What `systemctl show` says, as the core hears it.</summary>
public sealed class UnitReportTests
{
    /// CT-10: each state is what it is; whatever is not known is told as it was said, never as success.
    [Theory]
    [InlineData("LoadState=loaded ActiveState=active SubState=running", "Active { }")]
    [InlineData("LoadState=loaded ActiveState=reloading", "Active { }")]
    [InlineData("LoadState=bad-setting ActiveState=active", "Active { }")]
    [InlineData("LoadState=loaded ActiveState=activating SubState=start", "Activating { Again = False }")]
    [InlineData("LoadState=loaded ActiveState=activating SubState=auto-restart", "Activating { Again = True }")]
    [InlineData("LoadState=loaded ActiveState=deactivating", "Deactivating { }")]
    [InlineData("LoadState=loaded ActiveState=inactive Result=success", "Inactive { }")]
    [InlineData("LoadState=not-found ActiveState=inactive", "Missing { }")]
    [InlineData("LoadState=bad-setting ActiveState=inactive LoadError=BadUnitSetting", "Failed { Words = BadUnitSetting }")]
    [InlineData(
        "ActiveState=failed Result=exit-code ExecMainCode=1 ExecMainStatus=203",
        "Failed { Words = Result=exit-code, exited with 203 }")]
    [InlineData(
        "ActiveState=failed Result=signal ExecMainCode=2 ExecMainStatus=11", "Failed { Words = Result=signal, killed by signal 11 }")]
    [InlineData("LoadState=loaded ActiveState=maintenance", "Unknown { Text = maintenance }")]
    [InlineData("LoadState=merged ActiveState=inactive", "Unknown { Text = merged inactive }")]
    [InlineData("Nothing=known", "Unknown { Text =  }")]
    public void Each_state_is_itself(string shown, string expected) => Assert.Equal(expected, $"{One(shown).Activity}");

    /// CT-10: a unit that systemd takes from elsewhere, or that is masked, is not ours to touch.
    [Theory]
    [InlineData("LoadState=loaded FragmentPath=/run/systemd/system/a.service", null)]
    [InlineData("LoadState=not-found FragmentPath=", null)]
    [InlineData("LoadState=loaded FragmentPath=/etc/systemd/system/a.service", "systemd takes it from /etc/systemd/system/a.service")]
    [InlineData("LoadState=masked FragmentPath=/run/systemd/system/a.service", "it is masked")]
    public void What_systemd_takes_from_elsewhere_is_foreign(string shown, string? expected) =>
        Assert.Equal(expected, One(shown).WhyForeign("/run/systemd/system/a.service"));

    /// CT-10: an answer that does not tell of each unit tells nothing.
    [Fact]
    public void There_is_a_report_for_each_unit()
    {
        Assert.Equal(2, UnitReport.Read("ActiveState=active\n\nActiveState=failed\n", 2).Count);
        Assert.Throws<IOException>(() => UnitReport.Read("ActiveState=active\n", 2));
        Assert.Throws<IOException>(() => UnitReport.Read("", 1));
    }

    private static UnitReport One(string shown) => UnitReport.Read(shown.Replace(' ', '\n') + "\n", 1).Single();
}
