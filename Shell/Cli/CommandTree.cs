using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Api;

namespace Agent.Shell.Cli;

/// <summary>The whole command line.</summary>
internal static class CommandTree
{
    private static readonly string[] NamesAProcess = ["logs", "stop", "start", "restart", "signal", "wait", "stdin", "rm"];

    public static async Task<int> RunAsync(string[] words)
    {
        var root = Build();
        if (words is [Completion.Verb, ..]) return await CompleteAsync(root, words[1..]).ConfigureAwait(false);
        var parsed = root.Parse(words);
        if (parsed.Errors.Count == 0) return await parsed.InvokeAsync(Patience(parsed)).ConfigureAwait(false);
        foreach (var error in parsed.Errors) await Console.Error.WriteLineAsync($"agent: {error.Message}").ConfigureAwait(false);
        var command = string.Join(' ', Path(parsed).Prepend("agent"));
        await Console.Error.WriteLineAsync($"agent: see `{command} --help`").ConfigureAwait(false);
        return ExitCodes.Usage;
    }

    /// <summary>
    /// `run` hears the signals itself, and ends within its own bounds: what stops a stubborn process must not be cut
    /// off.
    /// </summary>
    private static InvocationConfiguration Patience(ParseResult parsed) => new()
    {
        ProcessTerminationTimeout = parsed.CommandResult.Command.Name == LocalVerbs.Run ? null : TimeSpan.FromSeconds(2),
    };

    private static RootCommand Build()
    {
        var root = new RootCommand("Keeps this Linux host doing what it should: its container runtime, its processes, its releases.");
        root.Options.Add(Invocation.Socket);
        root.Options.Add(Invocation.Output);
        root.Options.Add(Invocation.NoColour);
        root.Add(StatusVerbs.Tree());
        root.Add(RuntimeVerbs.Tree());
        foreach (var command in ProcessVerbs.All().Concat(JournalVerbs.All()).Concat(LocalVerbs.All())) root.Add(command);
        return root;
    }

    private static List<string> Path(ParseResult parsed)
    {
        var names = new List<string>();
        var at = parsed.CommandResult;
        while (at is not null && at.Command is not RootCommand)
        {
            names.Insert(0, at.Command.Name);
            at = at.Parent as System.CommandLine.Parsing.CommandResult;
        }

        return names;
    }

    private static async Task<int> CompleteAsync(RootCommand root, string[] words)
    {
        var begun = words.Length > 0 ? words[^1] : "";
        if (words.Length == 2 && NamesAProcess.Contains(words[0], StringComparer.Ordinal)
            || words is ["explain", "process", _])
        {
            foreach (var name in await ProcessNamesAsync().ConfigureAwait(false))
            {
                if (name.StartsWith(begun, StringComparison.Ordinal)) Invocation.Say(name);
            }

            return ExitCodes.Done;
        }

        var text = string.Join(' ', words);
        foreach (var item in root.Parse(text).GetCompletions(text.Length)) Invocation.Say(item.Label);
        return ExitCodes.Done;
    }

    private static async Task<IEnumerable<string>> ProcessNamesAsync()
    {
        try
        {
            using var client = new ApiClient(Places.Socket(null));
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
            var all = await client.GetAsync(
                "/v1/processes", WireJson.Default.IReadOnlyListProcessInfo, patience.Token).ConfigureAwait(false);
            return all.Select(one => one.Label).Concat(all.Select(one => one.Id)).Distinct();
        }
        catch (Exception failure) when (failure is CommandFailure or OperationCanceledException)
        {
            // Nobody answers: there is nothing to complete with, and a prompt is no place for an error.
            return [];
        }
    }
}
