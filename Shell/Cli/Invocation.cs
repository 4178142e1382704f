using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Net.Http;
using System.Text;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Linux;

namespace Agent.Shell.Cli;

/// <summary>The options that every command knows, and how a command is run and its failure told.</summary>
internal static class Invocation
{
    // Found when it is first written to: completion and the keeper never do.
    private static readonly Lazy<StreamWriter> Out =
        new(() => new StreamWriter(StandardStream.Output, new UTF8Encoding(false)) { AutoFlush = true });

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
        string name, string description, string example,
        Func<ParseResult, ApiClient, CancellationToken, Task<int>> run, params IReadOnlyList<Symbol> symbols) =>
        Asking(new Verb(name, description, example, symbols), run);

    public static Command Asking(Verb verb, Func<ParseResult, ApiClient, CancellationToken, Task<int>> run)
    {
        verb.SetAction((parsed, stop) => GuardedAsync(parsed, async () =>
        {
            using var client = new ApiClient(Places.Socket(parsed.GetValue(Socket)));
            try
            {
                return await run(parsed, client, stop).ConfigureAwait(false);
            }
            catch (Exception failure) when (failure is HttpRequestException or IOException { HResult: not Errno.Pipe })
            {
                throw new CommandFailure(ExitCodes.NoAgent, $"the agent on {client.Socket} hung up: {failure.Message}");
            }
        }));
        return verb;
    }

    /// <summary>A command that needs no agent.</summary>
    public static Command Local(
        string name, string description, string example, Func<ParseResult, CancellationToken, Task<int>> run,
        params IReadOnlyList<Symbol> symbols)
    {
        var verb = new Verb(name, description, example, symbols);
        verb.SetAction((parsed, stop) => GuardedAsync(parsed, () => run(parsed, stop)));
        return verb;
    }

    public static Command Group(string name, string description, string example, params IReadOnlyList<Command> commands) =>
        new Verb(name, description, example, commands);

    public static bool WantsJson(ParseResult parsed) => parsed.GetValue(Output) == "json";

    public static void Say(string line) => Out.Value.Write(line + "\n");

    /// <summary>Many lines as one write, so that a table is not torn.</summary>
    public static void Say(IEnumerable<string> lines)
    {
        var text = new StringBuilder();
        foreach (var line in lines) text.Append(line).Append('\n');
        Out.Value.Write(text);
    }

    /// <summary>Text without a line's end, for a view that draws over itself.</summary>
    public static void Draw(string text) => Out.Value.Write(text);

    public static void Complain(string what) => Console.Error.WriteLine($"agent: {what}");

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
            Complain(failure.Message);
            return failure.ExitCode;
        }
        catch (OperationCanceledException)
        {
            return ExitCodes.Interrupted;
        }
        catch (IOException failure) when (failure.HResult == Errno.Pipe)
        {
            // Whoever read this has seen enough.
            return ExitCodes.Done;
        }
        catch (JsonException failure)
        {
            Complain($"an answer that this version does not understand: {failure.Message}");
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
