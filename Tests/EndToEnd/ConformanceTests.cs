using System;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.Json.Nodes;
using System.Threading.Tasks;
using Xunit;

namespace Agent.Tests.EndToEnd;

/// <summary>
/// What a supervisor of this kind is known to be asked for, by real children of one agent. Each test names the one that
/// showed it elsewhere, or the trap that was found there.
/// </summary>
[Collection(nameof(EndToEndCollection))]
public sealed class ConformanceTests : IAsyncLifetime, IDisposable
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private const UnixFileMode Public =
        Private | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    private readonly AgentUnderTest _agent = new();

    public Task InitializeAsync() => _agent.StartAsync();

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _agent.Dispose();

    /// PR-5, PR-6, PR-9, upstream spawn_wait_read_and_owner_isolation; label filter, status-many, release while running,
    /// wait-timeout: what one task shows of itself from its start to its release. Upstream: status and delete (server).
    [Fact]
    public async Task A_task_is_found_waited_for_read_and_released()
    {
        var first = await SpawnAsync("read x; echo out; echo err >&2", ",\"stdin\":\"open\",\"label\":\"the first\"");
        var second = await SpawnAsync("exec sleep 1000", ",\"label\":\"another\"");
        Assert.Equal([first], Ids(await _agent.GetAsync("/v1/processes?label=the%20first")));
        var (_, several) = await _agent.PostAsync("/v1/processes/status", $$"""{"ids":["{{second}}","nobody","{{first}}"]}""");
        Assert.Equal([second, first], Ids(several!));
        Assert.Equal("wait-timeout", await CodeAsync(408, $"{first}/wait", """{"timeoutMs":10}"""));
        Assert.Equal(409, await _agent.DeleteAsync($"/v1/processes/{first}"));

        Assert.Equal(200, await WriteAsync(first, "go\n"));
        var (status, exit) = await _agent.PostAsync($"/v1/processes/{first}/wait", """{"timeoutMs":30000}""");
        Assert.Equal((200, 0), (status, (int)exit!["code"]!));
        Assert.Equal("out\n", await OutputAsync(first, "stdout"));
        Assert.Equal("err\n", await OutputAsync(first, "stderr"));
        Assert.Equal("exited", (string)(await _agent.GetAsync($"/v1/processes/{first}"))["phase"]!);
        Assert.Equal(204, await _agent.DeleteAsync($"/v1/processes/{first}"));
        Assert.Equal("no-such-process", await CodeAsync(404, $"{first}/stop", "{}"));
        Assert.Equal(404, await _agent.DeleteAsync($"/v1/processes/{first}"));
        Assert.Equal(404, await _agent.DeleteAsync("/v1/processes/nobody"));
    }

    /// PR-7, PR-14, upstream write_stdin_delivers_survives_reset_and_close_eofs: stdin stays usable over a kill -9 of
    /// the agent; its end is an end of file; afterwards it is closed.
    [Fact]
    public async Task Stdin_is_usable_by_the_next_agent_and_closes_once()
    {
        var id = await SpawnAsync("exec cat", ",\"stdin\":\"open\"");
        Assert.Equal(200, await WriteAsync(id, "one\n"));
        _agent.KillAgent();
        await _agent.StartAsync();
        Assert.Equal(200, await WriteAsync(id, "two\n"));
        Assert.Equal(204, await _agent.DeleteAsync($"/v1/processes/{id}/stdin"));
        Assert.Equal(204, await _agent.DeleteAsync($"/v1/processes/{id}/stdin"));
        Assert.Equal(0, (int)(await WaitAsync(id))["code"]!);
        Assert.Equal("one\ntwo\n", await OutputAsync(id, "stdout"));
        Assert.Equal(409, await WriteAsync(id, "three\n"));
    }

    /// PR-7, trap prelude: a child that fills its output before it reads its input holds up neither its spawn nor itself.
    [Fact]
    public async Task A_prelude_for_one_who_talks_first_does_not_lock()
    {
        var prelude = Convert.ToBase64String(new byte[4 << 20]);
        var watch = Stopwatch.StartNew();
        var id = await SpawnAsync("head -c 4000000 /dev/zero; wc -c >&2", $",\"prelude\":\"{prelude}\"");
        Assert.True(watch.Elapsed < AgentUnderTest.Patience);
        Assert.Equal(0, (int)(await WaitAsync(id))["code"]!);
        Assert.Equal("4194304\n", (await OutputAsync(id, "stderr")).TrimStart());
    }

    /// PR-8, upstream signals: each goes to the whole group.
    [Fact]
    public async Task Every_signal_reaches_the_group()
    {
        var id = await SpawnAsync("""
            (for s in HUP USR1 USR2; do trap "echo child $s" $s; done; echo ready; while :; do sleep 0.05; done) &
            for s in HUP INT QUIT USR1 USR2; do trap "echo leader $s" $s; done; while :; do sleep 0.05; done
            """);
        await HearsAsync(id, "ready");
        foreach (var signal in (string[])["hup", "int", "quit", "usr1", "usr2"])
        {
            Assert.Equal(204, (await SignalAsync(id, signal)).Status);

            // Whom a shell puts into the background, it lets ignore these two.
            if (signal is not "int" and not "quit") await HearsAsync(id, $"child {signal.ToUpperInvariant()}");
            await HearsAsync(id, $"leader {signal.ToUpperInvariant()}");
        }

        var pid = (int)(await _agent.GetAsync($"/v1/processes/{id}"))["pid"]!;
        await SignalAsync(id, "stop");
        await _agent.UntilAsync("it stands still", () => Task.FromResult(StateOf(pid) == 'T'));
        await SignalAsync(id, "cont");
        await _agent.UntilAsync("it goes on", () => Task.FromResult(StateOf(pid) != 'T'));
        await SignalAsync(id, "kill");
        Assert.Equal(9, (int)(await WaitAsync(id))["signal"]!);
        Assert.Equal(400, (await SignalAsync(id, "term")).Status);
    }

    /// PR-11, upstream principal_cancel_kills_descendant_group_and_preserves_peer_group: a stop takes the grandchildren of
    /// the one, in whatever session, and none of the other.
    [Fact]
    public async Task A_stop_takes_one_family_and_leaves_the_other()
    {
        const string Family = "setsid sleep 1000 & echo $!; exec sleep 1000";
        var (one, other) = (await SpawnAsync(Family), await SpawnAsync(Family));
        var (mine, theirs) = (await GrandchildAsync(one), await GrandchildAsync(other));
        Assert.Equal(200, (await _agent.PostAsync($"/v1/processes/{one}/stop")).Status);
        Assert.False(ProcessTable.IsAlive(mine));
        Assert.True(ProcessTable.IsAlive(theirs));
    }

    /// PR-10, upstream TTLs and the sweep: lifetime and idleness end a task with their reason, which stays to be read until
    /// the retention is over; then it is unknown, and the journal says why.
    [Theory]
    [InlineData("maxLifetimeMs", "lifetime")]
    [InlineData("idleTimeoutMs", "idle")]
    public async Task A_limit_of_time_ends_a_task_and_then_forgets_it(string limit, string reason)
    {
        var id = await SpawnAsync("trap '' TERM; echo hello; while :; do sleep 0.1; done", $",\"{limit}\":500,\"graceMs\":200,\"exitRetentionMs\":1500");
        await _agent.UntilAsync("it has ended", async () =>
        {
            // Asking for one's state is no use of it.
            var info = await _agent.GetAsync($"/v1/processes/{id}");
            return (string)info["phase"]! == "exited" && (string)info["exit"]!["reason"]! == reason && (int)info["exit"]!["signal"]! == 9;
        });
        Assert.Equal("hello\n", await OutputAsync(id, "stdout"));
        await _agent.UntilAsync("it is forgotten", async () => (await _agent.ProcessesAsync()).Count == 0);
        Assert.Contains("retentionOver", await _agent.TextAsync($"/v1/explain/process/{id}"), StringComparison.Ordinal);
    }

    /// PR-6, trap (a), upstream drained-eof under reader lag: the end is not told while the pipe of one that has ended
    /// still holds what no ring had room for.
    [Fact]
    public async Task The_end_is_not_told_before_the_last_byte()
    {
        var id = await SpawnAsync("seq 1 30000", ",\"overflow\":\"backpressure\",\"ringBytes\":4096");
        Assert.Equal(0, (int)(await WaitAsync(id))["code"]!);
        Assert.Equal(string.Concat(Enumerable.Range(1, 30_000).Select(n => $"{n}\n")), await ReadAndAckAsync(id));
    }

    /// PR-6, PR-14: when a process has ended, what it left in its pipe is taken in beyond the bound that held it up; it is
    /// there when agent and keeper were killed after that, and then the end is told.
    [Fact]
    public async Task Last_words_outlive_both_guardians()
    {
        var id = await SpawnAsync("seq 1 30000; exit 3", ",\"overflow\":\"backpressure\",\"ringBytes\":4096");
        Assert.Equal(3, (int)(await WaitAsync(id))["code"]!);
        await _agent.UntilAsync("the keeper forgets it", () =>
            Task.FromResult(Directory.GetFiles(Path.Combine(_agent.Runtime, "io")).Length == 0));
        _agent.KillKeeper();
        _agent.KillAgent();
        await _agent.StartAsync();
        Assert.Equal(string.Concat(Enumerable.Range(1, 30_000).Select(n => $"{n}\n")), await ReadAndAckAsync(id));
        Assert.Equal(204, await _agent.DeleteAsync($"/v1/processes/{id}"));
    }

    /// PR-6, trap (d): a character that two drains tear apart is whole when their bytes are put together.
    [Fact]
    public async Task Drains_are_exact_to_the_byte()
    {
        var id = await SpawnAsync("printf 'a\\303\\251\\377'");
        await WaitAsync(id);
        var bytes = new System.Collections.Generic.List<byte>();
        await _agent.UntilAsync("all was drained", async () =>
        {
            bytes.AddRange(await _agent.BytesAsync($"/v1/processes/{id}/logs/stdout?drain=true&max=2"));
            return bytes.Count == 4;
        });
        Assert.Equal([0x61, 0xC3, 0xA9, 0xFF], bytes);
    }

    /// PR-4, upstream environment_keys_are_strict_and_portable, wrap_always_sandboxes_via_shared_profile: a child has what it was given, its three streams, no
    /// signal blocked or ignored, the host's defaults, and nothing else of its keeper, which has its own back.
    [Fact]
    public async Task A_child_inherits_nothing_but_what_is_declared()
    {
        await _agent.UntilAsync("its keeper is there", () => Task.FromResult(_agent.Keepers.Any()));
        var score = $"/proc/{_agent.KeeperPid}/oom_score_adj";
        await File.WriteAllTextAsync(score, "500");
        var id = await SpawnAsync(
            "env; ls /proc/$$/fd; grep -E 'Sig(Blk|Ign)' /proc/self/status; echo umask $(umask), files $(ulimit -Sn), $(cat /proc/$$/oom_score_adj)",
            ",\"env\":{\"MINE\":\"1\"}");
        await WaitAsync(id);
        var lines = (await OutputAsync(id, "stdout")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string[] known = ["MINE", "PATH", "LANG", "TZ", "PWD", "SHLVL", "_", "AGENT_RUNTIME", "AGENT_PROCESS", "AGENT_PROOF"];
        var names = lines.Where(line => line.Contains('=', StringComparison.Ordinal)).Select(line => line.Split('=')[0]).ToList();
        Assert.Contains("MINE", names);
        Assert.All(names, name => Assert.True(known.Contains(name) || name.StartsWith("LC_", StringComparison.Ordinal), name));
        Assert.Equal(["0", "1", "2"], lines.Where(line => line.All(char.IsAsciiDigit)));
        Assert.Contains("umask 0022, files 1024, 0", lines);
        Assert.Equal("500", (await File.ReadAllTextAsync(score)).Trim());
        Assert.Equal("0000000000000000", Assert.Single(lines, line => line.StartsWith("SigBlk", StringComparison.Ordinal)).Split('\t')[1]);
        Assert.Equal("0000000000000000", Assert.Single(lines, line => line.StartsWith("SigIgn", StringComparison.Ordinal)).Split('\t')[1]);
    }

    /// PR-1: what cannot be executed is refused with its reason: not there, not executable, being written to.
    [Fact]
    public async Task What_cannot_be_executed_is_told_why()
    {
        var plain = Path.Combine(_agent.Home, "plain");
        await File.WriteAllTextAsync(plain, "no program");
        var busy = Path.Combine(_agent.Home, "busy");
        File.Copy("/bin/sleep", busy);
        await using var writer = new FileStream(busy, FileMode.Open, FileAccess.Write);
        foreach (var (program, why) in ((string, string)[])[("/nowhere", "no file"), (plain, "may not be executed"), (busy, "busy")])
        {
            var (status, body) = await _agent.PostAsync("/v1/processes", $$"""{"command":["{{program}}"]}""");
            Assert.Equal(400, status);
            Assert.Contains(why, (string)body!["detail"]!, StringComparison.Ordinal);
        }
    }

    /// PR-3, PR-4, SE-1, upstream workspace_cwd_rejects_symlink_escape: a user's process begins where that user may be,
    /// whichever way is named, and the refusal says nothing of what he may not see.
    [SkippableFact]
    public async Task A_users_process_begins_where_he_may_be()
    {
        Skip.IfNot(Environment.IsPrivilegedProcess, "only root runs a process as another user");
        const UnixFileMode Shared = Private | UnixFileMode.GroupRead | UnixFileMode.GroupExecute;
        var closed = At("closed", Private);
        var inside = At("closed/inside", Public);
        var secret = Path.Combine(inside, "secret");
        await File.WriteAllTextAsync(secret, "");
        var way = Path.Combine(At("open", Public), "way");
        File.CreateSymbolicLink(way, inside);
        var theirs = At("theirs", Shared);
        Assert.True(Mounts.Run("chgrp", "65534", theirs));

        // Whose directories /proc leads to, for who may look into everybody's processes.
        using var stranger = Process.Start(new ProcessStartInfo("/bin/sleep", "1000") { WorkingDirectory = inside })!;
        var proc = $"/proc/{stranger.Id}";
        foreach (var directory in (string[])[closed, inside, way, At("roots", Shared), $"{proc}/cwd", $"{proc}/root"])
        {
            Assert.Equal(
                $"400 it cannot run: there is no directory {directory} that may be entered (bad-cwd)", await AskAsync("/bin/pwd", directory));
        }

        foreach (var program in (string[])[secret, $"{way}/secret", $"{inside}/nothing", $"{proc}/cwd/secret", $"{proc}/root/bin/true"])
        {
            Assert.Equal($"400 it cannot run: there is no file {program} (not-found)", await AskAsync(program, "/"));
        }

        stranger.Kill();
        foreach (var directory in (string[])[Path.GetDirectoryName(way)!, theirs])
        {
            Assert.StartsWith("201 ", await AskAsync("/bin/pwd", directory), StringComparison.Ordinal);
        }

        string At(string name, UnixFileMode mode)
        {
            var path = Path.Combine(_agent.Home, name);
            Directory.CreateDirectory(path);
            File.SetUnixFileMode(path, mode);
            File.SetUnixFileMode(_agent.Home, Public);
            return path;
        }

        async Task<string> AskAsync(string program, string directory)
        {
            var (status, body) = await _agent.PostAsync(
                "/v1/processes", $$"""{"command":["{{program}}"],"user":"nobody","cwd":"{{directory}}"}""");
            return $"{status} {body!["detail"]}";
        }
    }

    /// PR-4, SE-1, upstream extra_mask_blocks_child_write_even_under_writable_tmp, sensitive_astrid_paths_skips_missing_dirs,
    /// sensitive_home_paths_masks_only_existing_credential_dirs: what the agent keeps in its directories is closed to a user's
    /// process that gets into them, and what is not there yet cannot be made in advance.
    [SkippableFact]
    public async Task A_users_process_has_no_way_into_what_the_agent_keeps()
    {
        Skip.IfNot(Environment.IsPrivilegedProcess, "only root runs a process as another user");
        foreach (var directory in (string[])[_agent.Home, _agent.State, _agent.Runtime]) File.SetUnixFileMode(directory, Public);
        await _agent.UntilAsync("its keeper is there", () => Task.FromResult(_agent.Keepers.Any()));
        string[] kept = [.. Directory.GetFileSystemEntries(_agent.State), .. Directory.GetFileSystemEntries(_agent.Runtime)];
        Assert.True(kept.Length > 5, string.Join(", ", kept));
        var id = await SpawnAsync(
            $"for f in {string.Join(' ', kept)}; do ls $f/ && echo listed $f; cat $f; (echo x >$f) && echo wrote $f; "
            + $"(echo x >$f/x) && echo wrote into $f; done; mkdir {_agent.State}/pki && echo made one; mkdir {_agent.Runtime}/new && echo made one; id -un",
            ",\"user\":\"nobody\"");
        await WaitAsync(id);
        Assert.Equal("nobody\n", await OutputAsync(id, "stdout"));
    }

    /// OB-2, JO-1: a record that is longer than one look at the journal's file hides nothing behind it.
    [Fact]
    public async Task A_long_record_hides_nothing()
    {
        var words = string.Join(',', Enumerable.Repeat($"\"{new string('<', 100_000)}\"", 8));
        await _agent.SpawnAsync($$"""{"command":["/bin/true",{{words}}]}""");
        var id = await SpawnAsync("exit 3");
        await WaitAsync(id);
        Assert.Contains("\"code\":3", await _agent.TextAsync($"/v1/explain/process/{id}"), StringComparison.Ordinal);
    }

    /// SE-1: one user takes only so many connections, and the operator gets through.
    [SkippableFact]
    public async Task A_user_cannot_take_every_connection()
    {
        Skip.IfNot(Environment.IsPrivilegedProcess, "only root speaks for another user");
        foreach (var directory in (string[])[_agent.Home, _agent.Runtime]) File.SetUnixFileMode(directory, Public);
        File.SetUnixFileMode(_agent.Socket, Public | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite);
        const string Script = """
            import socket,sys
            kept,answered=[],0
            for _ in range(100):
                one=socket.socket(socket.AF_UNIX); one.settimeout(20); kept.append(one)
                try:
                    one.connect(sys.argv[1]); one.sendall(b'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n')
                    answered+=one.recv(12)==b'HTTP/1.1 200'
                except OSError: pass
            print(answered,flush=True)
            sys.stdin.read()
            """;
        var start = new ProcessStartInfo("setpriv") { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var word in (string[])["--reuid=65534", "--clear-groups", "/usr/bin/python3", "-c", Script, _agent.Socket]) start.ArgumentList.Add(word);
        using var greedy = Process.Start(start)!;
        Assert.Equal("64", await greedy.StandardOutput.ReadLineAsync());
        Assert.NotNull(await _agent.GetAsync("/v1/status"));
        greedy.StandardInput.Close();
        await greedy.WaitForExitAsync();
    }

    /// CL-2, upstream storage_home_override_uses_mountpoint_as_logical_root,
    /// fleet_shared_override_uses_mountpoint_as_logical_root: a directory that is named is used as it is, with nothing between
    /// it and what the agent keeps there.
    [Fact]
    public void A_named_directory_is_used_as_it_is()
    {
        Assert.True(Directory.Exists(Path.Combine(_agent.State, "journal")));
        Assert.True(File.Exists(Path.Combine(_agent.Runtime, "agent.sock")));
    }

    /// PR-11: a thousand orphans of a child die, and their keeper takes each of them.
    [Fact]
    public async Task Orphans_leave_no_zombies()
    {
        var id = await SpawnAsync("i=0; while [ $i -lt 1000 ]; do (sleep 0 &); i=$((i+1)); done; echo done; exec sleep 1000");
        await HearsAsync(id, "done");
        var keeper = _agent.KeeperPid;
        await _agent.UntilAsync("only the child is left", () =>
            Task.FromResult(ChildrenOf(keeper).Length == 1));
    }

    private async Task<string> SpawnAsync(string script, string more = "")
    {
        var command = new JsonArray("/bin/sh", "-c", script);
        return (string)(await _agent.SpawnAsync($$"""{"command":{{command.ToJsonString()}}{{more}} }"""))["id"]!;
    }

    private async Task<JsonNode> WaitAsync(string id)
    {
        var (status, exit) = await _agent.PostAsync($"/v1/processes/{id}/wait", """{"timeoutMs":30000}""");
        Assert.Equal(200, status);
        return exit!;
    }

    private async Task<int> WriteAsync(string id, string text) => (await _agent.PostAsync($"/v1/processes/{id}/stdin", text)).Status;

    private Task<(int Status, JsonNode? Body)> SignalAsync(string id, string signal) =>
        _agent.PostAsync($"/v1/processes/{id}/signal", $$"""{"signal":"{{signal}}"}""");

    private async Task<string> CodeAsync(int status, string call, string body)
    {
        var answer = await _agent.PostAsync($"/v1/processes/{call}", body);
        Assert.Equal(status, answer.Status);
        return (string)answer.Body!["code"]!;
    }

    /// <summary>All of a stream that waits for its reader, to its end.</summary>
    private async Task<string> ReadAndAckAsync(string id)
    {
        var (text, cursor) = (new StringBuilder(), 0);
        for (var eof = false; !eof;)
        {
            using var answer = await _agent.OpenAsync($"/v1/processes/{id}/logs/stdout?cursor={cursor}&max=4096");
            var part = await answer.Content.ReadAsStringAsync();
            Assert.Equal("0", answer.Headers.GetValues("Agent-Bytes-Dropped").Single());
            eof = answer.Headers.GetValues("Agent-Eof").Single() == "true";
            cursor += part.Length;
            text.Append(part);
            if (part.Length > 0) await _agent.PostAsync($"/v1/processes/{id}/logs/stdout/ack?cursor={cursor}");
            else if (!eof) await Task.Delay(5);
        }

        return text.ToString();
    }

    /// <summary>All of a stream, once its end has been told.</summary>
    private async Task<string> OutputAsync(string id, string stream)
    {
        using var answer = await _agent.OpenAsync($"/v1/processes/{id}/logs/{stream}?follow=true");
        return await answer.Content.ReadAsStringAsync();
    }

    private Task HearsAsync(string id, string line) => _agent.UntilAsync($"{line} is heard", async () =>
        (await _agent.TextAsync($"/v1/processes/{id}/logs/stdout")).Split('\n').Contains(line));

    private async Task<int> GrandchildAsync(string id)
    {
        await _agent.UntilAsync("its grandchild is there", async () => (await _agent.TextAsync($"/v1/processes/{id}/logs/stdout")).EndsWith('\n'));
        return int.Parse(await _agent.TextAsync($"/v1/processes/{id}/logs/stdout"));
    }

    private static string[] Ids(JsonNode list) => [.. ((JsonArray)list).Select(info => (string)info!["id"]!)];

    private static string[] ChildrenOf(int pid) => File.ReadAllText($"/proc/{pid}/task/{pid}/children").Trim().Split(' ');

    private static char StateOf(int pid)
    {
        var stat = File.ReadAllText($"/proc/{pid}/stat");
        return stat[stat.LastIndexOf(')') + 2];
    }
}
