using System;
using System.Diagnostics;
using System.IO;
using System.Threading.Tasks;
using Agent.Core.Process;
using Agent.Core.Rollout;
using LanguageExt;
using Xunit;

namespace Agent.Tests.Probes;

/// <summary>Commands run for real: through the loop, the keeper and the rings.</summary>
public sealed class ExecProbeTests
{
    /// RO-12: exit code 0 passes, whatever was said.
    [Fact]
    public async Task Exit_code_0_passes()
    {
        await using var host = await KeptHost.StartAsync();
        Assert.Equal(new ProbeOutcome.Passed("exit code 0"), await host.ShellAsync("echo out; echo err >&2"));
    }

    /// RO-12: any other end fails, with the last three lines of stderr on one line and nothing a terminal acts on.
    [Fact]
    public async Task Another_exit_fails_with_its_last_words()
    {
        await using var host = await KeptHost.StartAsync();
        Assert.Equal(
            new ProbeOutcome.Failed("exit code 3: three | four  [0m | five"),
            await host.ShellAsync("echo out; printf 'one\\ntwo\\nthree\\nfour \\033[0m\\n\\nfive\\n' >&2; exit 3"));
    }

    /// RO-12: an end by a signal is a failure too.
    [Fact]
    public async Task A_signal_fails()
    {
        await using var host = await KeptHost.StartAsync();
        Assert.Equal(new ProbeOutcome.Failed("signal 9"), await host.ShellAsync("kill -9 $$"));
    }

    /// RO-7: what could not be run is inconclusive.
    [Fact]
    public async Task A_command_that_cannot_be_started_is_inconclusive()
    {
        await using var host = await KeptHost.StartAsync();
        var text = host.At("text");
        await File.WriteAllTextAsync(text, "no program");
        Seq<string>[] commands =
            [Probing.SeqOf("/nowhere/probe"), Probing.SeqOf(text), Probing.SeqOf(host.At("")), Seq<string>.Empty];
        foreach (var command in commands)
        {
            Assert.IsType<ProbeOutcome.Inconclusive>(await host.Probing.RunAsync(new ProbeCheck.Exec(command)));
        }
    }

    /// RO-12, PR-11, reliability 70: a hang is a failure at the timeout, and nothing of it outlives it: not one that
    /// ignores being told, nor its child, nor a grandchild in a session of its own.
    [Fact]
    public async Task A_hang_fails_at_the_timeout_and_its_whole_tree_dies()
    {
        await using var host = await KeptHost.StartAsync();
        var pids = host.At("pids");
        var script = $"trap '' TERM; echo $$ >> {pids}; (setsid sh -c 'echo $$ >> {pids}; exec sleep 1000') & "
            + $"sleep 1000 & echo $! >> {pids}; while :; do wait; done";
        Assert.Equal(new ProbeOutcome.Failed("timed out"), await host.HangAsync(script));
        var ended = Assert.Single(await host.EndedAsync());
        Assert.Equal(ExitReason.Lifetime, ended.Exit.Reason);
        var family = await File.ReadAllLinesAsync(pids);
        Assert.Equal(3, family.Length);
        foreach (var pid in family) await GoneAsync(pid);
    }

    /// RO-12, reliability 70: a flood costs its rings, and the hang behind it its timeout.
    [Fact]
    public async Task A_flood_costs_its_rings_only()
    {
        await using var host = await KeptHost.StartAsync();
        Assert.Equal(new ProbeOutcome.Failed("timed out"), await host.HangAsync("yes flood & exec yes flood >&2"));
        var ended = Assert.Single(await host.EndedAsync());
        var count = host.Output.Count(ended.Profile.Id);
        Assert.InRange(count.BufferedBytes, 1, 2 * ended.Profile.Spec.RingBytes);
        Assert.True(count.BytesDropped > 0);
    }

    /// RO-12: what is told of a flood that ends is cut like everything else.
    [Fact]
    public async Task A_long_last_line_is_cut()
    {
        await using var host = await KeptHost.StartAsync();
        var failed = Assert.IsType<ProbeOutcome.Failed>(
            await host.ShellAsync("head -c 1000000 /dev/zero | tr '\\0' x >&2; exit 1"));
        Assert.StartsWith("exit code 1: xxx", failed.Detail, StringComparison.Ordinal);
        Assert.EndsWith("x…", failed.Detail, StringComparison.Ordinal);
    }

    /// RO-12: each run is a run of its own; a command's name is run once.
    [Fact]
    public async Task Every_run_runs_the_command()
    {
        await using var host = await KeptHost.StartAsync();
        var runs = host.At("runs");
        await host.ShellAsync($"echo run >> {runs}");
        await host.ShellAsync($"echo run >> {runs}");
        Assert.Equal(2, (await File.ReadAllLinesAsync(runs)).Length);
    }

    /// RO-7: while no keeper is there nothing can be run, and that is no fault of the release.
    [Fact]
    public async Task Without_a_keeper_it_is_inconclusive()
    {
        await using var alone = new KeptHost();
        Assert.Equal(
            new ProbeOutcome.Inconclusive("it could not be started in time"),
            await alone.Probing.RunToTimeoutAsync(new ProbeCheck.Exec(Probing.SeqOf("/bin/true"))));
    }

    /// <summary>Until nothing runs under that pid; a zombie does not. No event tells of another's child.</summary>
    private static async Task GoneAsync(string pid)
    {
        for (var clock = Stopwatch.StartNew(); Runs(pid); await Task.Delay(10))
        {
            Assert.True(clock.Elapsed < Probing.Patience, $"{pid} lives");
        }
    }

    private static bool Runs(string pid)
    {
        try
        {
            var status = File.ReadAllText($"/proc/{pid}/stat");
            return status[(status.LastIndexOf(')') + 2)..][0] is not ('Z' or 'X');
        }
        catch (IOException)
        {
            return false;
        }
    }
}
