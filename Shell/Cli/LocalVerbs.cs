using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Linq;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Boot;
using Agent.Shell.Checks;
using Agent.Shell.Config;
using Agent.Shell.Loop;
using Agent.Shell.Observability;

namespace Agent.Shell.Cli;

/// <summary>The commands that need no agent: to run one, to check its configuration and its host.</summary>
internal static class LocalVerbs
{
    public const string Run = "run";

    private static readonly Option<string?> Config =
        SpawnVerb.Text("--config", "FILE", "The configuration (AGENT_CONFIG, else /etc/agent/agent.yaml)");

    private static readonly Option<string?> StateDir =
        SpawnVerb.Text("--state-dir", "DIR", "What must outlive a reboot (AGENT_STATE_DIR, else /var/lib/agent)");

    private static readonly Option<string?> RuntimeDir =
        SpawnVerb.Text("--runtime-dir", "DIR", "Sockets, pipes and rings (AGENT_RUNTIME_DIR, else /run/agent)");

    private static readonly Option<bool> StopAll = new("--stop-all")
    {
        Description = "On its end, stop what it supervises too",
    };

    private static readonly Option<bool> OnlyCheck = new("--check")
    {
        Description = "Only tell whether this build could run here: read the configuration and the journal, change nothing",
    };

    private static readonly Option<string?> LogTo = LogChoice.Flag();

    private static readonly Argument<string?> File = new("file")
    {
        Description = "The configuration to look at; conf.d beside it belongs to it",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Argument<string> Shell = OneShell();

    public static IReadOnlyList<Command> All() =>
    [
        Invocation.Local(
            Run, "Run the agent in the foreground", "agent run --config agent.yaml --state-dir ./state --runtime-dir ./run",
            (p, _) => RunAsync(p), Config, StateDir, RuntimeDir, StopAll, OnlyCheck, LogTo),
        Invocation.Group(
            "config", "Look at the configuration", "agent config validate",
            Invocation.Local(
                "validate", "Tell everything that is wrong with it", "agent config validate agent.yaml",
                (p, _) => Task.FromResult(Validate(p)), File, RuntimeDir, StateDir)),
        Invocation.Local(
            "version", "The version of this program", "agent version -o json", (p, _) => Task.FromResult(Version(p))),
        Invocation.Local(
            "completion", "A completion script for bash, zsh or fish", "source <(agent completion bash)",
            (p, _) => Task.FromResult(Complete(p)), Shell),
    ];

    public static Command Check() => Invocation.Local(
        "check", "What this host lacks, and how to get it", "agent check -o json", CheckAsync, Config, StateDir, RuntimeDir);

    private static Task<int> RunAsync(ParseResult parsed)
    {
        LogChoice.Use(parsed.GetValue(LogTo));
        var (paths, isDefault) = PathsOf(parsed);
        var options = new RunOptions(paths, isDefault, parsed.GetValue(StopAll));
        return parsed.GetValue(OnlyCheck) ? Task.FromResult(LookAt(parsed, options)) : AgentRun.RunAsync(options);
    }

    private static int LookAt(ParseResult parsed, RunOptions options)
    {
        var (seq, fault) = RunCheck.Of(options);
        if (fault is not null) throw new CommandFailure($"it cannot run here: {fault}");
        Invocation.Say(Invocation.WantsJson(parsed)
            ? JsonSerializer.Serialize(new(ProductVersion.Text, seq), CliJson.Default.RunCheckAnswer)
            : $"agent {ProductVersion.Text} can run here: it read the configuration, and the journal to seq {seq}");
        return ExitCodes.Done;
    }

    private static int Validate(ParseResult parsed)
    {
        var (config, isDefault) = Places.Config(parsed.GetValue(File));
        var runtimeDir = Absolute(Places.RuntimeDir(parsed.GetValue(RuntimeDir)));
        var paths = new AgentPaths(
            config, Absolute(Places.StateDir(parsed.GetValue(StateDir))), runtimeDir, AgentPaths.DefaultSocket(runtimeDir));
        var json = Invocation.WantsJson(parsed);
        try
        {
            var valid = ConfigReader.Read(paths, isDefault);
            Invocation.Say(json
                ? JsonSerializer.Serialize(new(true, valid.Services.Count, []), CliJson.Default.ValidateAnswer)
                : $"{config}: valid, {valid.Services.Count} services, runtime kept {valid.Policy.Keep}");
            return ExitCodes.Done;
        }
        catch (ConfigException failure)
        {
            if (!json) throw new CommandFailure(ExitCodes.Usage, $"the configuration is wrong\n{failure.Message}");
            Invocation.Say(JsonSerializer.Serialize(new(false, 0, failure.Mistakes), CliJson.Default.ValidateAnswer));
            return ExitCodes.Usage;
        }
    }

    private static async Task<int> CheckAsync(ParseResult parsed, CancellationToken stop)
    {
        var (paths, isDefault) = PathsOf(parsed);
        var findings = await HostCheck.RunAsync(paths, isDefault, null, stop).ConfigureAwait(false);
        foreach (var one in findings)
        {
            if (Invocation.WantsJson(parsed)) Invocation.Say(JsonSerializer.Serialize(one, CheckJson.Default.Finding));
            else Invocation.Say(Lines(one));
        }

        return findings.Any(one => one.Verdict == "fail") ? ExitCodes.Failed : ExitCodes.Done;
    }

    private static IEnumerable<string> Lines(Finding one)
    {
        yield return $"{Describe.State(one.Verdict)}{new string(' ', 6 - one.Verdict.Length)}{one.Subject,-13} {one.Detail}";
        if (one.Advice is { } advice) yield return $"{"",20}→ {advice}";
    }

    private static int Version(ParseResult parsed)
    {
        Invocation.Say(Invocation.WantsJson(parsed)
            ? $$"""{"version":"{{ProductVersion.Text}}"}"""
            : $"agent {ProductVersion.Text}");
        return ExitCodes.Done;
    }

    private static int Complete(ParseResult parsed)
    {
        Invocation.Say(Completion.Script(parsed.GetRequiredValue(Shell))!);
        return ExitCodes.Done;
    }

    private static (AgentPaths Paths, bool ConfigIsDefault) PathsOf(ParseResult parsed)
    {
        var (config, isDefault) = Places.Config(parsed.GetValue(Config));
        var runtimeDir = Absolute(Places.RuntimeDir(parsed.GetValue(RuntimeDir)));
        var named = parsed.GetValue(Invocation.Socket) ?? Environment.GetEnvironmentVariable("AGENT_SOCKET");
        var socket = named is { Length: > 0 } ? Absolute(named) : AgentPaths.DefaultSocket(runtimeDir);
        var stateDir = Absolute(Places.StateDir(parsed.GetValue(StateDir)));
        return (new(Absolute(config), stateDir, runtimeDir, Places.Fitting(socket)), isDefault);
    }

    private static string Absolute(string path) => System.IO.Path.GetFullPath(path);

    private static Argument<string> OneShell()
    {
        var shell = new Argument<string>("shell") { Description = "bash, zsh or fish" };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        return shell;
    }
}
