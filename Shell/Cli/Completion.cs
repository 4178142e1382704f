using System;
using System.Collections.Generic;
using System.CommandLine;
using System.CommandLine.Completions;
using System.Linq;
using System.Threading;
using Agent.Shell.Api;

namespace Agent.Shell.Cli;

/// <summary>Completion: the scripts ask the command tree itself, and a living agent for names and ids.</summary>
internal static class Completion
{
    /// <summary>The hidden command that the scripts call with the words typed so far, the last one unfinished.</summary>
    public const string Verb = "__complete";

    // A prompt that waits longer than this is worse than one that does not complete.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>Where nothing fits, the shells complete file names.</summary>
    public static string? Script(string shell) => shell switch
    {
        "bash" => """
            _agent() {
                local IFS=$'\n'
                COMPREPLY=($(agent __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
            }
            complete -o bashdefault -o default -F _agent agent
            """,
        "zsh" => """
            #compdef agent
            _agent() {
                local -a found
                found=(${(f)"$(agent __complete "${(@)words[2,CURRENT]}" 2>/dev/null)"})
                if (( $#found )); then compadd -- $found; else _files; fi
            }
            compdef _agent agent
            """,
        "fish" => """
            complete -c agent -a '(agent __complete (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
            """,
        _ => null,
    };

    public static int Complete(RootCommand root, string[] words)
    {
        var begun = words.Length > 0 ? words[^1] : "";

        // Behind -- stand the words of another program.
        if (words.SkipLast(1).Contains("--", StringComparer.Ordinal)) return ExitCodes.Done;
        var line = string.Join(' ', words.Select(word => word.Contains(' ', StringComparison.Ordinal) ? $"\"{word}\"" : word));
        Invocation.Say(root.Parse(line).GetCompletions(line.Length)
            .Select(item => item.Label)
            .Where(label => label.StartsWith(begun, StringComparison.Ordinal) && Fits(label, begun))
            .Distinct());
        return ExitCodes.Done;
    }

    /// <summary>Options are offered to those who began one; the parser's /h belongs to another system.</summary>
    private static bool Fits(string label, string begun) =>
        !label.StartsWith('/') && (begun.StartsWith('-') || !label.StartsWith('-'));

    /// <summary>Channels and ids of the rollouts that the agent of this command line knows; none if nobody answers.</summary>
    public static IEnumerable<string> Rollouts(CompletionContext context) => Asked(context, (client, stop) =>
    {
        var all = client.GetAsync("/v1/rollouts", WireJson.Default.IReadOnlyListRolloutInfo, stop).GetAwaiter().GetResult();
        return [.. all.Select(one => one.Channel), .. all.Select(one => one.Id)];
    });

    /// <summary>Labels and ids of the processes that the agent of this command line keeps; none if nobody answers.</summary>
    public static IEnumerable<string> Processes(CompletionContext context) => Asked(context, (client, stop) =>
    {
        var all = client.GetAsync("/v1/processes", WireJson.Default.IReadOnlyListProcessInfo, stop).GetAwaiter().GetResult();
        return [.. all.Select(one => one.Label), .. all.Select(one => one.Id)];
    });

    /// <summary>The containers that the agent of this command line knows; none if nobody answers.</summary>
    public static IEnumerable<string> Containers(CompletionContext context) => Asked(context, (client, stop) =>
    {
        var info = client.GetAsync("/v1/containers", WireJson.Default.ContainersInfo, stop).GetAwaiter().GetResult();
        return [.. info.Containers.Select(one => one.Uid)];
    });

    /// <summary>The companions that the agent of this command line knows; none if nobody answers.</summary>
    public static IEnumerable<string> Companions(CompletionContext context) => Asked(context, (client, stop) =>
    {
        var info = client.GetAsync("/v1/companions", WireJson.Default.CompanionsInfo, stop).GetAwaiter().GetResult();
        return [.. info.Companions.Select(one => one.Name)];
    });

    // The parser asks synchronously; there is no context here that could wait for itself.
    private static IEnumerable<string> Asked(
        CompletionContext context, Func<ApiClient, CancellationToken, IReadOnlyList<string>> ask)
    {
        try
        {
            using var client = new ApiClient(Places.Socket(context.ParseResult.GetValue(Invocation.Socket)));
            using var patience = new CancellationTokenSource(Patience);
            return ask(client, patience.Token);
        }
        catch (Exception failure) when (failure is CommandFailure or OperationCanceledException
            or System.Net.Http.HttpRequestException or System.IO.IOException or System.Text.Json.JsonException)
        {
            // A prompt is no place for an error.
            return [];
        }
    }
}
