using System;
using System.Linq;
using System.Threading.Tasks;
using Agent.Tests.EndToEnd;
using Xunit;

namespace Agent.Tests.Cli;

/// CL-1, PR-8, PR-12: a task in the place of the command that asked for it.
[Collection(nameof(EndToEndCollection))]
public sealed class RunTaskTests
{
    private const int Hangup = 1;
    private const int Interrupt = 2;
    private const int Usr1 = 10;
    private const int Usr2 = 12;
    private const int Terminate = 15;

    /// CL-1: the task's own code, 128 and the signal, and nothing of it stays.
    [Theory]
    [InlineData("exit 0", 0)]
    [InlineData("exit 7", 7)]
    [InlineData("kill -9 $$", 137)]
    public async Task Its_end_is_passed_on(string script, int code)
    {
        using var agent = new AgentUnderTest();
        await agent.StartAsync();
        using var command = new CommandLine(agent, "run-task", "--", "/bin/sh", "-c", script);
        Assert.Equal(code, await command.EndAsync());
        Assert.Empty(await agent.ProcessesAsync());
    }

    /// CL-1: a program that cannot run is told as such.
    [Fact]
    public async Task What_cannot_run_is_told()
    {
        using var agent = new AgentUnderTest();
        await agent.StartAsync();
        using var command = new CommandLine(agent, "run-task", "--", "/nowhere/program");
        Assert.Equal(2, await command.EndAsync());
        Assert.Contains("it cannot run", command.ErrorText, StringComparison.Ordinal);
    }

    /// CL-1, PR-12: several rings' worth of any bytes go in and come out as they were, each stream to its own, and the
    /// end of the input is the end of the task's.
    [Fact]
    public async Task All_three_streams_are_passed_on_byte_for_byte()
    {
        var bytes = new byte[5_000_003];
        new Random(7).NextBytes(bytes);
        using var agent = new AgentUnderTest();
        await agent.StartAsync();
        using var command = new CommandLine(
            agent, "run-task", "-i", "--", "/bin/sh", "-c", "tee /dev/stderr; printf end; printf 'the end' >&2");
        await command.Input.WriteAsync(bytes);
        command.Input.Close();
        Assert.Equal(0, await command.EndAsync());
        Assert.True(command.Output.AsSpan().SequenceEqual([.. bytes, .. "end"u8]), "the output is another");
        var errors = command.Errors;
        Assert.True(errors.AsSpan().SequenceEqual([.. bytes, .. "the end"u8]), "the errors are others");
    }

    /// CL-1: signals are the task's, and what it makes of them is its matter.
    [Fact]
    public async Task Signals_are_passed_on()
    {
        using var agent = new AgentUnderTest();
        await agent.StartAsync();
        const string Script = "for s in HUP INT USR1 USR2; do trap \"echo $s\" $s; done; trap 'echo TERM; exit 5' TERM; echo up; while :; do sleep 0.05; done";
        using var command = new CommandLine(agent, "run-task", "--", "/bin/sh", "-c", Script);
        var expected = "up\n";
        foreach (var (number, name) in new[] { (Hangup, "HUP"), (Interrupt, "INT"), (Usr1, "USR1"), (Usr2, "USR2") })
        {
            await agent.UntilAsync("it heard the last", IsHeard);
            command.Signal(number);
            expected += name + "\n";
        }

        await agent.UntilAsync("it heard them all", IsHeard);
        command.Signal(Terminate);
        Assert.Equal(5, await command.EndAsync());
        Assert.Equal(expected + "TERM\n", command.OutputText);

        Task<bool> IsHeard() => command.OutputText == expected
            ? Task.FromResult(true)
            : throw new InvalidOperationException($"it said \"{command.OutputText}\", its command \"{command.ErrorText}\"");
    }

    /// CL-1, PR-5: an agent that is killed and comes back costs no byte and doubles none.
    [Fact]
    public async Task A_new_agent_is_waited_for()
    {
        using var agent = new AgentUnderTest();
        await agent.StartAsync();
        using var command = new CommandLine(
            agent, "run-task", "--", "/bin/sh", "-c", "i=0; while [ $i -lt 300 ]; do echo $i; i=$((i+1)); sleep 0.01; done; exit 4");
        await agent.UntilAsync("it speaks", () => Task.FromResult(command.OutputText.Contains("20\n", StringComparison.Ordinal)));
        agent.KillAgent();
        await agent.StartAsync();
        Assert.Equal(4, await command.EndAsync());
        Assert.Equal(string.Concat(Enumerable.Range(0, 300).Select(i => $"{i}\n")), command.OutputText);
    }

    /// CL-1: whose reader goes away is ended, as by SIGPIPE.
    [Fact]
    public async Task A_reader_that_goes_away_ends_the_task()
    {
        using var agent = new AgentUnderTest();
        await agent.StartAsync();
        var pipeline = $"{AgentUnderTest.Binary} run-task --socket {agent.Socket} -- yes | head -1; echo ${{PIPESTATUS[0]}}";
        Assert.Equal("y\n141\n", await CommandLine.ShellAsync(pipeline));
        Assert.Empty(await agent.ProcessesAsync());
    }
}
