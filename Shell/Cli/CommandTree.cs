using System;
using System.Collections.Generic;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Linq;
using System.Threading.Tasks;

namespace Agent.Shell.Cli;

/// <summary>The whole command line.</summary>
internal static class CommandTree
{
    // What a command under way may take to end after Ctrl-C; it only has to put the terminal back as it was.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public static async Task<int> RunAsync(string[] words)
    {
        var root = Build();
        if (words is [Completion.Verb, ..]) return Completion.Complete(root, words[1..]);
        var parsed = root.Parse(words);
        if (parsed.Errors.Count > 0 && parsed.Action is not { ClearsParseErrors: true }) return Refuse(parsed);
        var configuration = new InvocationConfiguration
        {
            // `run` hears the signals itself: what stops a stubborn process has bounds of its own.
            ProcessTerminationTimeout =
                parsed.CommandResult.Command is { Name: LocalVerbs.Run } or Verb { HearsSignals: true } ? null : Patience,
        };
        return await parsed.InvokeAsync(configuration).ConfigureAwait(false);
    }

    public static RootCommand Build()
    {
        var root = new RootCommand("Keeps this Linux host doing what it should: its container runtime, its processes, its releases.");
        root.Options.Add(Invocation.Socket);
        root.Options.Add(Invocation.Output);
        root.Options.Add(Invocation.NoColour);
        IReadOnlyList<(string Title, IReadOnlyList<Command> Commands)> groups =
        [
            ("The host", [.. StatusVerbs.All(), RuntimeVerbs.Tree(), LocalVerbs.Check()]),
            ("Processes", ProcessVerbs.All()),
            ("Containers and units", [ContainerVerbs.Tree(), CompanionVerbs.Tree()]),
            ("Rollouts", [RolloutVerbs.Tree(), .. SignVerbs.All(), TrustVerbs.Tree()]),
            ("Many hosts", [EnrolVerb.Command(), OutboxVerbs.Tree(), FleetVerbs.Tree(), PlaneVerbs.Tree()]),
            ("What happened, and why", JournalVerbs.All()),
            ("The agent itself", [.. LocalVerbs.All(), UpgradeVerb.Command(), ImportVerb.Tree()]),
        ];
        foreach (var command in groups.SelectMany(group => group.Commands)) root.Add(command);
        Help.Install(root, groups);
        return root;
    }

    private static int Refuse(ParseResult parsed)
    {
        var needsMore = parsed.CommandResult.Command.Subcommands.Count > 0;

        // The parser says so before it says which word it did not know; the word is what helps.
        var errors = needsMore && parsed.UnmatchedTokens.Count > 0 ? parsed.Errors.Skip(1) : parsed.Errors;
        foreach (var error in errors) Invocation.Complain(error.Message);
        Invocation.Complain($"see `{string.Join(' ', Path(parsed).Prepend("agent"))} --help`");
        return ExitCodes.Usage;
    }

    private static List<string> Path(ParseResult parsed)
    {
        var names = new List<string>();
        for (var at = parsed.CommandResult; at is { Command: not RootCommand }; at = at.Parent as CommandResult)
        {
            names.Insert(0, at.Command.Name);
        }

        return names;
    }
}
