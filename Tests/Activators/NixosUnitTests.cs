using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Shell.Activators.Nixos;
using Agent.Shell.Effects;
using Xunit;

namespace Agent.Tests.Activators;

/// <summary>
/// A switch as a unit of systemd's, told by a systemd of a few lines: what it knows of a unit is what the real one
/// shows of a transient service with RemainAfterExit.
/// </summary>
public sealed class NixosUnitTests
{
    private const string Loaded = "LoadState=loaded\nActiveState=";
    private const string Running = Loaded + "active\nSubState=running\nExecMainCode=0\nExecMainStatus=0";
    private const string Succeeded = Loaded + "active\nSubState=exited\nExecMainCode=1\nExecMainStatus=0";
    private const string Failed = Loaded + "failed\nSubState=failed\nExecMainCode=1\nExecMainStatus=4";
    private const string TooSlow =
        Loaded + "failed\nSubState=failed\nResult=timeout\nExecMainCode=2\nExecMainStatus=15";

    private readonly FakeSystemd _systemd = new();

    /// RO-11: the command is systemd's child, bounded by its limit, with the environment it was given, and awaited.
    [Fact]
    public async Task A_command_runs_as_a_unit_to_its_end()
    {
        _systemd.Shows = [Running, Running, Succeeded];
        Assert.Equal(new ExitStatus.Exited(0), (await RunAsync()).Status);
        var start = Assert.Single(_systemd.Started);
        Assert.Contains("--property=RuntimeMaxSec=60", start.Command);
        Assert.Contains("--property=RemainAfterExit=yes", start.Command);
        Assert.Contains("--setenv=PATH=/bin", start.Command);
        Assert.Equal(["--", "/system/switch", "switch"], start.Command.TakeLast(3));
    }

    /// RO-11: an agent that was restarted by the switch finds it running, or over, and starts no other.
    [Fact]
    public async Task A_successor_finds_the_unit_and_its_end()
    {
        _systemd.Shows = [Running, Succeeded];
        await RunAsync();
        Assert.Equal(new ExitStatus.Exited(0), (await RunAsync()).Status);
        Assert.Single(_systemd.Started);
    }

    /// RO-11: another switch is another unit. Upstream: plist identity (veloslet).
    [Fact]
    public async Task Each_name_has_a_unit_of_its_own()
    {
        _systemd.Shows = [Succeeded];
        await RunAsync("stable@abcdef0/1/switch");
        await RunAsync("stable@abcdef0/2/switch");
        Assert.Equal(2, _systemd.Started.Select(start => start.Command[1]).Distinct().Count());
    }

    /// RO-11: how it ended is told as the kernel told it, with the unit's last words.
    [Theory]
    [InlineData(Failed, "exit code 4", false)]
    [InlineData(TooSlow, "signal 15", true)]
    public async Task A_unit_that_failed_is_told_with_its_last_words(string shows, string how, bool atLimit)
    {
        _systemd.Shows = [shows];
        var end = await RunAsync();
        Assert.Equal(how, end.Status.Describe());
        Assert.Equal(("a unit could not be started", atLimit), (end.Tail, end.AtLimit));
    }

    /// RO-11: after a power cut systemd knows nothing of it: its end is lost, which is no success.
    [Fact]
    public async Task A_unit_of_another_boot_is_lost()
    {
        _systemd.Shows = [Running];
        _systemd.Reboots = true;
        Assert.Equal(new ExitStatus.Lost(), (await RunAsync()).Status);
    }

    /// RO-11: systemd re-executes itself within a switch and says nothing meanwhile; that is no end.
    [Fact]
    public async Task A_silent_systemd_is_asked_again()
    {
        _systemd.Shows = [Running, "", Succeeded];
        Assert.Equal(new ExitStatus.Exited(0), (await RunAsync()).Status);
        Assert.Single(_systemd.Started);
    }

    /// RO-11: what cannot be started is told with the reason.
    [Fact]
    public async Task A_unit_that_cannot_be_started_says_why()
    {
        _systemd.Refuses = "Failed to connect to bus";
        var end = await RunAsync();
        Assert.Equal((new ExitStatus.Exited(1), "Failed to connect to bus"), (end.Status, end.Tail));
    }

    private Task<CommandEnd> RunAsync(string name = "stable@abcdef0/1/switch") => new UnitCommands(_systemd).RunAsync(
        new CommandRequest(
            name, "switch of stable@abcdef0", ["/system/switch", "switch"], "/",
            new Dictionary<string, string>(StringComparer.Ordinal) { ["PATH"] = "/bin" },
            TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1)),
        CancellationToken.None);

    /// <summary>Shows of a started unit one after the other what it was given, and the last one for good.</summary>
    private sealed class FakeSystemd : ICommands
    {
        private readonly HashSet<string> _units = new(StringComparer.Ordinal);
        private readonly HashSet<string> _names = new(StringComparer.Ordinal);
        private int _shown;

        public List<CommandRequest> Started { get; } = [];

        public string[] Shows { get; set; } = [];

        /// <summary>It was started, and then the host went down.</summary>
        public bool Reboots { get; set; }

        public string? Refuses { get; set; }

        public bool HasBegun(string name) => _names.Contains(name);

        public Task<CommandEnd> RunAsync(CommandRequest request, CancellationToken stop)
        {
            var isNew = _names.Add(request.Name);
            Assert.True(isNew || request.Command[0] == "systemd-run", $"{request.Name} was asked twice");
            return Task.FromResult(request.Command[0] switch
            {
                "systemd-run" => Start(request),
                "systemctl" => Show(request.Command[2]),
                _ => new(new ExitStatus.Exited(0), "a unit could not be started"),
            });
        }

        private CommandEnd Start(CommandRequest request)
        {
            if (Refuses is not null) return new(new ExitStatus.Exited(1), Refuses);
            Started.Add(request);
            if (!Reboots) _units.Add(request.Command[1]["--unit=".Length..]);
            return new(new ExitStatus.Exited(0), "");
        }

        private CommandEnd Show(string unit)
        {
            if (!_units.Contains(unit)) return new(new ExitStatus.Exited(0), "LoadState=not-found");
            var shown = Shows[Math.Min(_shown++, Shows.Length - 1)];
            return shown.Length == 0
                ? new(new ExitStatus.Exited(1), "Failed to get properties: Connection reset by peer")
                : new(new ExitStatus.Exited(0), shown);
        }
    }
}
