using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Keeper;
using Agent.Tests.EndToEnd;
using Xunit;

namespace Agent.Tests.Keeper;

/// SE-1: what others on the host can do to a keeper, with whom they share processes, names and files.
public sealed class StrangerTests
{
    /// SE-1, PR-14: a process that writes the mark of a child into its own environment is no child: with no proof, with that
    /// of another key, and with a key that is a path.
    [Fact]
    public async Task A_forged_mark_makes_no_child()
    {
        await using var kept = new KeptDirectory();
        var file = kept.At("env");
        await kept.SpawnAsync("a.1", $"env >{file}.new; mv {file}.new {file}; sleep 1000");
        await UntilAsync(() => File.Exists(file));
        var proof = Array.Find(await File.ReadAllLinesAsync(file), line => line.StartsWith("AGENT_PROOF=", StringComparison.Ordinal))!;
        var forged = Directory.CreateDirectory(kept.At("forged")).FullName;
        await File.WriteAllTextAsync(Path.Combine(forged, "cgroup.events"), "populated 1\n");
        await File.WriteAllTextAsync(Path.Combine(forged, "cgroup.kill"), "as it was");
        var strangers = new List<Process>();
        foreach (var (key, told) in ((string, string)[])[("b.1", "X="), ("b.1", "AGENT_PROOF="), ("b.1", proof), (forged, proof), ("../b", proof)])
        {
            strangers.Add(Process.Start("/usr/bin/env", [
                "-i", $"AGENT_RUNTIME={kept.Paths.RuntimeDir}", $"AGENT_PROCESS={key}", told, "/usr/bin/setsid", "/bin/sleep", "1000"]));
        }

        foreach (var one in strangers) await UntilAsync(() => ProcessTable.LeadsItsSession(one.Id));
        Assert.Equal(0, Native.Kill(kept.KeeperPid, Native.SigKill));
        Assert.Equal("a.1", Assert.Single(await kept.RowsAsync()).Key);
        foreach (var one in strangers)
        {
            Assert.True(ProcessTable.IsAlive(one.Id));
            one.Kill();
            one.Dispose();
        }

        Assert.Equal("a.1", Assert.Single(await kept.RowsAsync()).Key);
        Assert.Equal("as it was", await File.ReadAllTextAsync(Path.Combine(forged, "cgroup.kill")));
        Assert.Equal(2, Directory.GetFileSystemEntries(forged).Length);
    }

    /// SE-1, PR-14: a child that a keeper could not write down before it died is known by its proof all the same, and not
    /// started a second time. What it started in a session of its own is not taken for it.
    [Fact]
    public async Task A_child_that_was_never_written_down_is_known_by_its_proof()
    {
        await using var kept = new KeptDirectory();
        var other = kept.At("other");
        var child = await kept.SpawnAsync("a.1", $"setsid sh -c 'echo $$ >{other}.new; mv {other}.new {other}; exec sleep 1000' & sleep 1000");
        await UntilAsync(() => File.Exists(other));
        Assert.Equal(0, Native.Kill(kept.KeeperPid, Native.SigKill));
        File.Delete(kept.Paths.Children);
        var row = Assert.Single(await kept.RowsAsync());
        Assert.Equal((child.Key, child.Pid), (row.Key, row.Pid));
        Assert.Equal(child.Pid, (await kept.SpawnAsync("a.1", "exit 1")).Pid);
    }

    /// SE-1, PR-13: the name on which a child tells that it is ready cannot be told in advance, and one that somebody took
    /// while no keeper lived costs the next keeper that name alone.
    [Fact]
    public async Task A_taken_name_costs_no_keeper()
    {
        await using var kept = new KeptDirectory();
        var file = kept.At("name");
        var order = KeptDirectory.Shell($"echo $NOTIFY_SOCKET >{file}.new; mv {file}.new {file}; sleep 1000") with { Notify = true };
        await kept.SpawnAsync("a.1", order);
        await UntilAsync(() => File.Exists(file));
        var name = (await File.ReadAllTextAsync(file)).Trim();
        Assert.DoesNotContain("a.1", name, StringComparison.Ordinal);

        using var squatter = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        Assert.False(Takes(squatter, "\0" + name[1..]));
        Assert.Equal(0, Native.Kill(kept.KeeperPid, Native.SigKill));
        await UntilAsync(() => Takes(squatter, "\0" + name[1..]));
        Assert.Equal("a.1", Assert.Single(await kept.RowsAsync()).Key);
        await kept.SpawnAsync("b.1", order);
        Assert.Equal(2, (await kept.RowsAsync()).Count);
    }

    /// SE-1: a program that comes and goes while it is looked at costs its own start, if anything.
    [Fact]
    public async Task A_program_that_comes_and_goes_costs_no_keeper()
    {
        await using var kept = new KeptDirectory();
        var program = kept.At("program");
        File.Copy("/bin/true", program);
        await kept.SpawnAsync("a.0", "true");
        var keeper = kept.KeeperPid;
        using var over = new CancellationTokenSource();
        var moving = Task.Run(() =>
        {
            while (!over.IsCancellationRequested)
            {
                File.Move(program, program + ".away");
                File.Move(program + ".away", program);
            }
        });
        for (var n = 1; n < 300; n++)
        {
            var error = await kept.TryAsync($"a.{n}", KeptDirectory.Shell("") with { Command = [program] });
            Assert.Contains(error, (string?[])[null, "not-found", "not-executable", "spawn-failed"]);
        }

        await over.CancelAsync();
        await moving;
        Assert.Equal(keeper, kept.KeeperPid);
    }

    /// PF-4, PR-14: a keeper with more descriptors than a child may have open starts the next child all the same, and that one
    /// has the host's default.
    [Fact]
    public async Task Many_children_keep_nobody_from_starting()
    {
        await using var kept = new KeptDirectory();
        for (var n = 0; n < 400; n++) await kept.SpawnAsync($"a.{n}", "exec sleep 1000");
        Assert.True(Directory.GetFiles($"/proc/{kept.KeeperPid}/fd").Length > 1024);
        var file = kept.At("limit");
        await kept.SpawnAsync("b.1", $"ulimit -Sn >{file}.new; mv {file}.new {file}");
        await UntilAsync(() => File.Exists(file));
        Assert.Equal("1024\n", await File.ReadAllTextAsync(file));
    }

    /// PR-3: users and groups are those of the host's own tables, and what is malformed in them is nobody.
    [Fact]
    public async Task Users_are_those_of_the_tables()
    {
        await using var kept = new KeptDirectory();
        var (users, groups) = (kept.At("passwd"), kept.At("group"));
        await File.WriteAllTextAsync(users, "web:x:30:40::/:\nbad:x:-1:2::/:\nshort:x\nall:x:4294967295:1::/:\nlast:x:4294967294:1::/:\n");
        await File.WriteAllTextAsync(groups, "a:x:5:other,web\nb:x:6:webb\nc:x::web\nd:x:99999999999:web\ne:x:7:web\nf:x\n");
        foreach (var name in (string[])["web", "30"])
        {
            var found = Users.Find(name, users, groups)!;
            Assert.Equal((30u, 40u), (found.Uid, found.Gid));
            Assert.Equal([5u, 7u], found.Groups);
        }

        Assert.Equal(4294967294u, Users.Find("last", users, groups)!.Uid);
        foreach (var nobody in (string[])["bad", "short", "all", "nobody"]) Assert.Null(Users.Find(nobody, users, groups));
        Assert.Empty(Users.Find("web", users, kept.At("missing"))!.Groups);
    }

    private static bool Takes(Socket socket, string name)
    {
        try
        {
            socket.Bind(new UnixDomainSocketEndPoint(name));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        for (var patience = 0; !condition(); patience++)
        {
            Assert.True(patience < 1000, "waited in vain");
            await Task.Delay(10);
        }
    }
}
