using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Api;

namespace Agent.Shell.Cli;

/// <summary>`agent spawn`.</summary>
internal static class SpawnVerb
{
    /// <summary>The stdin of a process is this command's own, to its end.</summary>
    private const string Own = "-";

    /// <summary>What may be said of any task.</summary>
    public static IReadOnlyList<Symbol> Common => [Program, Label, Env, Cwd, User, MaxLifetime, Idle, Grace];

    private static readonly Argument<string[]> Program = new("command")
    {
        Description = "The program and its arguments, behind --",
        Arity = ArgumentArity.OneOrMore,
    };

    private static readonly Option<string?> Label = Text("--label", "LABEL", "A name for people");
    private static readonly Option<string[]> Env = new("--env", "-e")
    {
        Description = "A variable; may be repeated",
        HelpName = "NAME=VALUE",
    };

    private static readonly Option<string?> Cwd = Text("--cwd", "DIR", "Its working directory");
    private static readonly Option<string?> User = Text("--user", "USER", "Run as this user (root only)");
    private static readonly Option<string?> Stdin = OneOf(
        "--stdin", "none, open for `agent stdin`, or - to send this command's own", "none", "open", Own);

    private static readonly Option<string?> Restart = OneOf(
        "--restart", "never (default), onFailure or always", "never", "onFailure", "always");

    private static readonly Option<string?> MaxLifetime = Text("--max-lifetime", "1h", "Stop it after this long");
    private static readonly Option<string?> Idle = Text("--idle-timeout", "10m", "Stop it when nobody used it for this long");
    private static readonly Option<string?> Grace = Text("--grace", "5s", "From the stop signal to the kill");
    private static readonly Option<bool> Wait = new("--wait") { Description = "Wait for its end and pass its exit code on" };

    public static Command Tree() => Invocation.Asking(
        "spawn", "Run a task", "agent spawn --label backup --wait -- /usr/bin/rsync -a /data /backup", SpawnAsync,
        [.. Common, Stdin, Restart, Wait]);

    public static Option<string?> Text(string name, string shape, string description) =>
        new(name) { Description = description, HelpName = shape };

    /// <summary>The task that the common options ask for.</summary>
    public static SpawnRequest Request(ParseResult parsed) => new(
        Command: parsed.GetValue(Program),
        Env: Variables(parsed.GetValue(Env) ?? []),
        Cwd: parsed.GetValue(Cwd),
        User: parsed.GetValue(User),
        Label: parsed.GetValue(Label),
        MaxLifetimeMs: ProcessVerbs.Milliseconds(parsed.GetValue(MaxLifetime), "--max-lifetime"),
        IdleTimeoutMs: ProcessVerbs.Milliseconds(parsed.GetValue(Idle), "--idle-timeout"),
        GraceMs: ProcessVerbs.Milliseconds(parsed.GetValue(Grace), "--grace"));

    private static async Task<int> SpawnAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        var stdin = parsed.GetValue(Stdin);
        var request = Request(parsed) with { Stdin = stdin is Own ? "open" : stdin, Restart = parsed.GetValue(Restart) };
        var info = await client.PostAsync(
            "/v1/processes", request, WireJson.Default.SpawnRequest, WireJson.Default.ProcessInfo, stop).ConfigureAwait(false);
        ProcessVerbs.Tell(parsed, info);
        if (stdin is Own) await ProcessVerbs.SendInputAsync(client, info.Id, close: true, stop).ConfigureAwait(false);
        return parsed.GetValue(Wait)
            ? Describe.CodeOf(await ProcessVerbs.WaitForAsync(client, info.Id, null, stop).ConfigureAwait(false))
            : ExitCodes.Done;
    }

    private static Dictionary<string, string?> Variables(string[] given)
    {
        var variables = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (var one in given)
        {
            var at = one.IndexOf('=', StringComparison.Ordinal);
            if (at < 1) throw new CommandFailure(ExitCodes.Usage, $"--env {one}: give it as NAME=VALUE");
            if (!variables.TryAdd(one[..at], one[(at + 1)..])) throw new CommandFailure(ExitCodes.Usage, $"--env {one[..at]} is given twice");
        }

        return variables;
    }

    private static Option<string?> OneOf(string name, string description, params string[] words)
    {
        var option = new Option<string?>(name) { Description = description, HelpName = "WORD" };
        option.AcceptOnlyFromAmong(words);
        return option;
    }
}
