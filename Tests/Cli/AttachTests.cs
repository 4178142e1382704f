using System;
using System.Threading.Tasks;
using Agent.Tests.EndToEnd;
using Xunit;

namespace Agent.Tests.Cli;

/// CL-1, PR-12: a running process, listened and spoken to from here.
[Collection(nameof(EndToEndCollection))]
public sealed class AttachTests
{
    private const int Interrupt = 2;

    private const string Echo = """
        services:
          echo:
            command: [/bin/sh, -c, "echo before; while read l; do echo \"got $l\"; echo \"err $l\" >&2; done; exit 9"]
            stdin: open
            restart: never
        """;

    /// CL-1: from here on, both ways, and at its end with its code.
    [Fact]
    public async Task Both_outputs_the_input_and_the_code_are_passed_on()
    {
        using var agent = await SpeakingAsync();
        using var command = new CommandLine(agent, "attach", "echo", "--close");
        command.Say("one\ntwo\n");
        await agent.UntilAsync("it answered", () => Task.FromResult(command.OutputText.Contains("two", StringComparison.Ordinal)));
        command.Input.Close();
        Assert.Equal(9, await command.EndAsync());
        Assert.Equal("got one\ngot two\n", command.OutputText);
        Assert.Equal("err one\nerr two\n", command.ErrorText);
    }

    /// CL-1: with what it said last, if asked for.
    [Fact]
    public async Task It_may_begin_with_the_last_lines()
    {
        using var agent = await SpeakingAsync();
        using var command = new CommandLine(agent, "attach", "echo", "--close", "--tail", "5");
        command.Input.Close();
        Assert.Equal(9, await command.EndAsync());
        Assert.Equal("before\n", command.OutputText);
    }

    /// CL-1: Ctrl-C leaves it, and so does the end of the input; it goes on either way.
    [Fact]
    public async Task Leaving_it_changes_nothing()
    {
        using var agent = await SpeakingAsync();
        var pid = (await agent.PidsByLabelAsync())["echo"];
        using var command = new CommandLine(agent, "attach", "echo");
        command.Say("one\n");
        await agent.UntilAsync("it answered", () => Task.FromResult(command.OutputText == "got one\n"));
        command.Input.Close();
        command.Signal(Interrupt);
        Assert.Equal(130, await command.EndAsync());
        Assert.Contains("detached; echo goes on", command.ErrorText, StringComparison.Ordinal);
        Assert.Equal(pid, (await agent.PidsByLabelAsync())["echo"]);
        Assert.True((bool)(await agent.ProcessesAsync())[0]["stdinOpen"]!);
    }

    /// CL-1: 404 has its code, and so has an agent that is not there.
    [Fact]
    public async Task Who_is_not_there_is_told()
    {
        using var agent = await SpeakingAsync();
        using var unknown = new CommandLine(agent, "attach", "nobody");
        Assert.Equal(4, await unknown.EndAsync());
        agent.KillEverything();
        using var silent = new CommandLine(agent, "attach", "echo");
        Assert.Equal(3, await silent.EndAsync());
    }

    private static async Task<AgentUnderTest> SpeakingAsync()
    {
        var agent = new AgentUnderTest(Echo);
        await agent.StartAsync();
        await agent.UntilAsync("it is known to run, and spoke", async () =>
            (await agent.ProcessesAsync())[0] is var one && one["pid"] is not null && (long)one["bufferedBytes"]! >= "before\n".Length);
        return agent;
    }
}
