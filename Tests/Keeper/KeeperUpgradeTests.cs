using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading.Tasks;
using Agent.Shell.Keeper;
using Agent.Shell.Linux;
using Agent.Tests.EndToEnd;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.Keeper;

/// PR-14: the keeper goes on as another program and stays the parent of its children.
public sealed class KeeperUpgradeTests
{
    /// PR-14, PR-5, upstream both_process_versions_resolve_in_kernel_linker, process_info_round_trips_v11_to_v10: same
    /// keeper, same children, and an exit with the kernel's account of it, which only a parent gets.
    [Fact]
    public async Task It_stays_the_parent_in_the_same_process()
    {
        await using var kept = new KeptDirectory();
        var gate = kept.At("gate");
        var child = await kept.SpawnAsync("a.1", $"i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; while [ ! -e {gate} ]; do sleep 0.02; done; exit 7");
        var keeper = kept.KeeperPid;
        Assert.Null(await kept.UpgradeAsync(KeptDirectory.Itself));
        Assert.Equal(child, Assert.Single(await kept.RowsAsync()));
        Assert.Equal(keeper, kept.KeeperPid);
        Assert.Equal(keeper, ParentOf(child.Pid));
        await File.WriteAllTextAsync(gate, "");
        var exit = await kept.ExitAsync("a.1");
        Assert.Equal((7, true), (exit.Code, exit.Durable));
        Assert.True(exit.CpuMs > 0, "the account of an own child was not taken");
    }

    /// PR-14, upstream log_chunk_round_trips_v11_to_v10: an exit that was known, and last words in a pipe that nobody
    /// but the keeper has open.
    [Fact]
    public async Task What_the_dead_left_crosses_too()
    {
        await using var kept = new KeptDirectory();
        await kept.SpawnAsync("a.1", "echo last words; exit 3");
        Assert.Equal(3, (await kept.ExitAsync("a.1")).Code);
        Assert.Null(await kept.UpgradeAsync(KeptDirectory.Itself));
        Assert.Equal(3, Assert.Single(await kept.RowsAsync()).Exit!.Code);
        Assert.Equal("last words\n", LastWords(kept.Paths.Output("a.1")));
    }

    /// PR-14: orphans still come to it, and signals that would end another program still do not end it.
    [Fact]
    public async Task What_it_is_to_the_kernel_stays()
    {
        await using var kept = new KeptDirectory();
        Assert.Null(await kept.UpgradeAsync(KeptDirectory.Itself));
        var orphan = kept.At("orphan");
        await kept.SpawnAsync("a.1", $"(setsid sh -c 'echo $$ > {orphan}.new; mv {orphan}.new {orphan}; sleep 1000' &) ; sleep 1000");
        await UntilAsync(() => File.Exists(orphan));
        var pid = int.Parse(await File.ReadAllTextAsync(orphan));
        await UntilAsync(() => ParentOf(pid) == kept.KeeperPid);
        foreach (var signal in (int[])[1, 2, 15]) Assert.Equal(0, Native.Kill(kept.KeeperPid, signal));
        Assert.Single(await kept.RowsAsync());
    }

    /// PR-14: a program that cannot be executed changes nothing, and the refusal says why.
    [Theory]
    [InlineData("missing", "ENOENT")]
    [InlineData("plain", "EACCES")]
    [InlineData("text", "errno 8")]
    public async Task A_program_that_cannot_run_is_refused(string name, string why)
    {
        await using var kept = new KeptDirectory();
        var child = await kept.SpawnAsync("a.1", "sleep 1000");
        await File.WriteAllTextAsync(kept.At("plain"), "");
        Executable.Write(kept.At("text"), "no program");
        var refusal = await kept.UpgradeAsync(KeptDirectory.Itself with { Command = [kept.At(name)] });
        Assert.Equal("refused", refusal?.Error);
        Assert.Contains(why, refusal!.Detail, StringComparison.Ordinal);
        Assert.Equal(child, Assert.Single(await kept.RowsAsync()));
        Assert.Null(await kept.UpgradeAsync(KeptDirectory.Itself));
    }

    /// PR-14: a program that dies at once leaves the children to the next keeper, which starts none of them again.
    [Fact]
    public async Task A_program_that_dies_at_once_leaves_its_children_alive()
    {
        await using var kept = new KeptDirectory();
        var child = await kept.SpawnAsync("a.1", "sleep 1000");
        Assert.Null(await kept.UpgradeAsync(KeptDirectory.Itself with { Command = ["/bin/false"] }));
        Assert.Equal(child, Assert.Single(await kept.RowsAsync()));
        Assert.True(ProcessTable.IsAlive(child.Pid));
        Assert.Equal(child, await kept.SpawnAsync("a.1", "sleep 1000"));
    }

    /// PR-14, PR-5: thirty upgrades while children start and end the whole time. Each ran once and is told with its code.
    [Fact]
    public async Task Upgrades_under_load_lose_no_exit_and_start_nothing_twice()
    {
        const int Upgrades = 30;
        await using var kept = new KeptDirectory();
        var codes = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var n = 0; n < Upgrades; n++)
        {
            for (var k = 0; k < 8; k++)
            {
                var (key, code) = ($"c.{(n * 8) + k}", (n + k) % 200);
                codes[key] = code;
                await kept.SpawnAsync(key, $"echo {key} >> {kept.At("started")}; sleep 0.{k}; exit {code}");
            }

            Assert.Null(await kept.UpgradeAsync(KeptDirectory.Itself));
        }

        foreach (var (key, code) in codes) Assert.Equal((key, code), (key, (await kept.ExitAsync(key)).Code));
        Assert.Equal(codes.Keys.Order(), (await File.ReadAllLinesAsync(kept.At("started"))).Order());
    }

    /// <summary>What waits in a pipe that nobody writes to; opened without waiting for a writer.</summary>
    private static unsafe string LastWords(string pipe)
    {
        var fd = Descriptors.Open(pipe, Descriptors.ReadOnly);
        var bytes = stackalloc byte[64];
        var got = Descriptors.Read(fd, bytes, 64);
        Descriptors.Close(fd);
        return Encoding.ASCII.GetString(bytes, Math.Max(got, 0));
    }

    private static int ParentOf(int pid) => int.Parse(File.ReadAllText($"/proc/{pid}/stat").Split(") ")[1].Split(' ')[1]);

    private static async Task UntilAsync(Func<bool> condition)
    {
        for (var patience = 0; !condition(); patience++)
        {
            Assert.True(patience < 1000, "waited in vain");
            await Task.Delay(10);
        }
    }
}
