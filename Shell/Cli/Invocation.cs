using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Threading;
using System.Threading.Tasks;

namespace Agent.Shell.Cli;

/// <summary>The options that every command knows, and how a command is run and its failure told.</summary>
internal static class Invocation
{
    public static Option<string?> Socket { get; } = new("--socket")
    {
        Description = "The agent's socket (AGENT_SOCKET, else /run/agent/agent.sock)",
        HelpName = "PATH",
        Recursive = true,
    };

    public static Option<string> Output { get; } = Choice("--output", "human", "human", "json");

    public static Option<bool> NoColour { get; } = new("--no-color")
    {
        Description = "No colours (NO_COLOR does the same)",
        Recursive = true,
    };

    /// <summary>A command that asks the agent.</summary>
    public static Command Asking(
        string name, string description, Func<ParseResult, ApiClient, CancellationToken, Task<int>> run,
        params IReadOnlyList<Symbol> symbols)
    {
        var command = Command(name, description, symbols);
        command.SetAction((parsed, stop) => GuardedAsync(parsed, async () =>
        {
            using var client = new ApiClient(Places.Socket(parsed.GetValue(Socket)));
            return await run(parsed, client, stop).ConfigureAwait(false);
        }));
        return command;
    }

    /// <summary>A command that needs no agent.</summary>
    public static Command Local(
        string name, string description, Func<ParseResult, CancellationToken, Task<int>> run,
        params IReadOnlyList<Symbol> symbols)
    {
        var command = Command(name, description, symbols);
        command.SetAction((parsed, stop) => GuardedAsync(parsed, () => run(parsed, stop)));
        return command;
    }

    public static Command Group(string name, string description, params IReadOnlyList<Command> commands)
    {
        var group = new Command(name, description);
        foreach (var command in commands) group.Add(command);
        return group;
    }

    public static bool WantsJson(ParseResult parsed) => parsed.GetValue(Output) == "json";

    public static void Say(string line) => Console.Out.WriteLine(line);

    public static void Say(IEnumerable<string> lines)
    {
        foreach (var line in lines) Say(line);
    }

    private static Command Command(string name, string description, IReadOnlyList<Symbol> symbols)
    {
        var command = new Command(name, description);
        foreach (var symbol in symbols)
        {
            if (symbol is Argument argument) command.Add(argument);
            else if (symbol is Option option) command.Add(option);
        }

        return command;
    }

    private static async Task<int> GuardedAsync(ParseResult parsed, Func<Task<int>> run)
    {
        Screen.HasColour = !Console.IsOutputRedirected && !parsed.GetValue(NoColour)
            && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        try
        {
            return await run().ConfigureAwait(false);
        }
        catch (CommandFailure failure)
        {
            await Console.Error.WriteLineAsync($"agent: {failure.Message}").ConfigureAwait(false);
            return failure.ExitCode;
        }
        catch (OperationCanceledException)
        {
            // Ctrl-C on something that follows is how one leaves it.
            return ExitCodes.Done;
        }
        catch (System.IO.IOException failure)
        {
            await Console.Error.WriteLineAsync($"agent: the connection broke: {failure.Message}").ConfigureAwait(false);
            return ExitCodes.Failed;
        }
    }

    private static Option<string> Choice(string name, string standard, params string[] choices)
    {
        var option = new Option<string>(name, "-o")
        {
            Description = string.Join(" or ", choices),
            HelpName = "FORMAT",
            DefaultValueFactory = _ => standard,
            Recursive = true,
        };
        option.AcceptOnlyFromAmong(choices);
        return option;
    }
}
