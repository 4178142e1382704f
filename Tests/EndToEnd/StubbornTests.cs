using System;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.EndToEnd;

/// <summary>Families that a kill does not find, or does not end.</summary>
[Collection(nameof(EndToEndCollection))]
public sealed class StubbornTests
{
    // Each of eight lines of descent forks and ends without pause, in sessions of its own: no pid of it is there for long. All
    // have the pipe open, so its end is the end of the last of them.
    private const string Storm = """
        import os, sys, time
        pipe = os.open(sys.argv[1], os.O_WRONLY)
        for line in range(8):
            if os.fork() == 0: break
        else:
            time.sleep(1000)
        while True:
            os.write(pipe, b".")
            if os.fork() > 0: os._exit(0)
            try: os.setsid()
            except OSError: pass
        """;

    private const string Graveyard = """
        import os, sys, time
        for body in range(int(sys.argv[1])):
            if os.fork() == 0: os._exit(0)
        print("dug", flush=True)
        time.sleep(1000)
        """;

    /// PR-9, PR-11: a stop finds whatever forks faster than it can be looked for, and nobody else waits meanwhile.
    [SkippableFact]
    public async Task A_storm_of_forks_ends_with_its_stop()
    {
        Skip.IfNot(File.Exists("/sys/fs/cgroup/cgroup.controllers") || Directory.Exists("/sys/fs/cgroup/unified"), "needs cgroup v2");
        using var agent = new AgentUnderTest();
        await agent.StartAsync();
        var other = await agent.SpawnAsync("""{"command":["/bin/sleep","1000"],"label":"other"}""");
        var fifo = Path.Combine(agent.Home, "storm");
        Assert.True(Mounts.Run("mkfifo", fifo));
        var id = (string)(await agent.SpawnAsync(Python(agent, Storm, fifo)))["id"]!;
        await using var pipe = await Task.Run(() => File.OpenRead(fifo));
        var generations = 0;
        var end = Task.Run(() =>
        {
            var buffer = new byte[4096];
            while (pipe.Read(buffer) is > 0 and var got) Interlocked.Add(ref generations, got);
        });
        await agent.UntilAsync("it storms", () => Task.FromResult(Volatile.Read(ref generations) >= 1000));

        Assert.Equal("running", (string)(await agent.GetAsync($"/v1/processes/{(string)other["id"]!}"))["phase"]!);
        Assert.Equal(200, (await agent.PostAsync($"/v1/processes/{id}/stop", """{"graceMs":500}""")).Status);

        await end.WaitAsync(AgentUnderTest.Patience);
        Assert.True(ProcessTable.IsAlive((int)other["pid"]!));
    }

    /// PR-9: children that nobody waited for become the keeper's with the end of their parent, and are reaped. AGENT_LONG=1
    /// makes them 10,000.
    [Fact]
    public async Task Zombies_by_the_thousand_are_reaped()
    {
        using var agent = new AgentUnderTest();
        await agent.StartAsync();
        var info = await agent.SpawnAsync(Python(agent, Graveyard, Extent.IsFull ? "10000" : "2000"));
        var (id, pid) = ((string)info["id"]!, (int)info["pid"]!);
        await agent.UntilAsync("they are dead", async () =>
            (await agent.BytesAsync($"/v1/processes/{id}/logs/stdout?cursor=0")).Length > 0);
        var keeper = ProcessTable.ParentOf(pid);

        Assert.Equal(200, (await agent.PostAsync($"/v1/processes/{id}/stop")).Status);

        await agent.UntilAsync("all are reaped", () => Task.FromResult(
            !Directory.EnumerateDirectories("/proc").Any(one =>
                int.TryParse(Path.GetFileName(one), CultureInfo.InvariantCulture, out var child)
                && ProcessTable.ParentOf(child) == keeper)));
    }

    /// PR-9, PR-11: a child that waits in the kernel cannot be killed: its stop says so in time, the others are stopped as
    /// ever, and when the disk answers it is over.
    [SkippableFact]
    public async Task What_no_kill_ends_is_told_and_holds_nobody_up()
    {
        using var agent = new AgentUnderTest();
        var (image, folder) = (Path.Combine(agent.Home, "disk"), Path.Combine(agent.Home, "frozen"));
        Directory.CreateDirectory(folder);
        await using (var file = File.Create(image)) file.SetLength(16 << 20);
        Skip.IfNot(
            Mounts.Run("mkfs.ext4", "-q", "-m0", "-F", image) && Mounts.Run("mount", "-o", "loop", image, folder),
            "needs mkfs.ext4 and loop mounts");
        await agent.StartAsync();
        var other = await agent.SpawnAsync("""{"command":["/bin/sleep","1000"],"label":"other"}""");
        var stuck = await agent.SpawnAsync(
            $$"""{"command":["/bin/sh","-c","while :; do echo more >> {{folder}}/file; done"],"label":"stuck"}""");
        await agent.UntilAsync("it writes", () => Task.FromResult(File.Exists(Path.Combine(folder, "file"))));
        Assert.True(Mounts.Run("fsfreeze", "--freeze", folder));
        Task<(int Code, string Output, string Error)> stop;
        try
        {
            stop = AgentUnderTest.RunAsync("stop", "stuck", "--grace", "100ms", "--socket", agent.Socket);
            await agent.UntilAsync("it is told why it does not end", async () =>
                ((string?)(await agent.GetAsync($"/v1/processes/{(string)stuck["id"]!}"))["detail"])?
                    .Contains("no kill ends it", StringComparison.Ordinal) == true);
            Assert.Equal(200, (await agent.PostAsync($"/v1/processes/{(string)other["id"]!}/stop")).Status);
            Assert.True(ProcessTable.IsAlive((int)stuck["pid"]!));
            Assert.False(stop.IsCompleted);
        }
        finally
        {
            Mounts.Run("fsfreeze", "--unfreeze", folder);
        }

        var (code, said, error) = await stop;
        Assert.True(code == 0, error);
        Assert.Contains("stuck ended with signal", said, StringComparison.Ordinal);
        Assert.False(ProcessTable.IsAlive((int)stuck["pid"]!));
    }

    private static string Python(AgentUnderTest agent, string program, params string[] arguments)
    {
        var file = Path.Combine(agent.Home, "program.py");
        File.WriteAllText(file, program);
        return $$"""{"command":["/usr/bin/python3","{{file}}"{{string.Concat(arguments.Select(one => $",\"{one}\""))}}]}""";
    }
}
