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

    private static readonly Option<string?> Config = Path("--config", "The configuration (AGENT_CONFIG, else /etc/agent/agent.yaml)");
    private static readonly Option<string?> StateDir = Path("--state-dir", "What must outlive a reboot (AGENT_STATE_DIR, else /var/lib/agent)");
    private static readonly Option<string?> RuntimeDir = Path("--runtime-dir", "Sockets, pipes and rings (AGENT_RUNTIME_DIR, else /run/agent)");
    private static readonly Option<bool> StopAll = new("--stop-all") { Description = "On its end, stop what it supervises too" };
    private static readonly Option<string?> LogTo = new("--log") { Description = "human, json or journald (default: what fits)" };
    private static readonly Argument<string?> File = new("file") { Description = "The configuration to look at", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Argument<string> Shell = new("shell") { Description = "bash, zsh or fish" };

    public static IReadOnlyList<Command> All() =>
    [
        Invocation.Local(
            Run, "Run the agent in the foreground, e.g. agent run --config agent.yaml", (p, _) => RunAsync(p), Config, StateDir,
            RuntimeDir, StopAll, LogTo),
        Invocation.Group(
            "config", "The configuration",
            Invocation.Local("validate", "Tell everything that is wrong with it", (p, _) => Task.FromResult(Validate(p)), File, RuntimeDir, StateDir)),
        Invocation.Local("check", "What this host lacks, and how to get it", CheckAsync, Config, StateDir, RuntimeDir),
        Invocation.Local("version", "The version of this program", (p, _) => Task.FromResult(Version(p))),
        Invocation.Local("completion", "A completion script, e.g. source <(agent completion bash)", (p, _) => Task.FromResult(Complete(p)), Shell),
    ];

    private static Task<int> RunAsync(ParseResult parsed)
    {
        var log = parsed.GetValue(LogTo) switch
        {
            null or "auto" => Environment.GetEnvironmentVariable("JOURNAL_STREAM") is not null ? LogFormat.Journald
                : Console.IsErrorRedirected ? LogFormat.Json
                : LogFormat.Human,
            "human" => LogFormat.Human,
            "json" => LogFormat.Json,
            "journald" => LogFormat.Journald,
            var other => throw new CommandFailure(ExitCodes.Usage, $"--log {other}: human, json or journald"),
        };
        Log.Use(log, Environment.GetEnvironmentVariable("AGENT_LOG") == "debug" ? LogLevel.Debug : LogLevel.Info);
        var (paths, isDefault) = PathsOf(parsed);
        return AgentRun.RunAsync(new(paths, isDefault, parsed.GetValue(StopAll)));
    }

    private static int Validate(ParseResult parsed)
    {
        var (config, isDefault) = Places.Config(parsed.GetValue(File));
        var paths = new AgentPaths(config, Places.StateDir(parsed.GetValue(StateDir)), Places.RuntimeDir(parsed.GetValue(RuntimeDir)), "");
        try
        {
            var valid = ConfigReader.Read(paths, isDefault);
            Invocation.Say($"{config}: valid, {valid.Services.Count} services, runtime kept {valid.Policy.Keep}");
            return ExitCodes.Done;
        }
        catch (ConfigException failure)
        {
            throw new CommandFailure(ExitCodes.Usage, $"the configuration is wrong\n{failure.Message}");
        }
    }

    private static async Task<int> CheckAsync(ParseResult parsed, CancellationToken stop)
    {
        var (paths, isDefault) = PathsOf(parsed);
        var findings = await HostCheck.RunAsync(paths, isDefault, stop).ConfigureAwait(false);
        foreach (var one in findings)
        {
            if (Invocation.WantsJson(parsed)) Invocation.Say(JsonSerializer.Serialize(one, CheckJson.Default.Finding));
            else Invocation.Say($"{Describe.State(one.Verdict),-4} {one.Subject,-14} {one.Detail}{(one.Advice is { } advice ? $"\n     → {advice}" : "")}");
        }

        return findings.Any(one => one.Verdict == "fail") ? ExitCodes.Failed : ExitCodes.Done;
    }

    private static int Version(ParseResult parsed)
    {
        Invocation.Say(Invocation.WantsJson(parsed) ? $$"""{"version":"{{ProductVersion.Text}}"}""" : $"agent {ProductVersion.Text}");
        return ExitCodes.Done;
    }

    private static int Complete(ParseResult parsed)
    {
        Invocation.Say(Completion.Script(parsed.GetRequiredValue(Shell))
            ?? throw new CommandFailure(ExitCodes.Usage, "completion for bash, zsh or fish"));
        return ExitCodes.Done;
    }

    private static (AgentPaths Paths, bool ConfigIsDefault) PathsOf(ParseResult parsed)
    {
        var (config, isDefault) = Places.Config(parsed.GetValue(Config));
        var runtimeDir = Absolute(Places.RuntimeDir(parsed.GetValue(RuntimeDir)));
        var socket = parsed.GetValue(Invocation.Socket) ?? Environment.GetEnvironmentVariable("AGENT_SOCKET");
        return (new(
            Absolute(config), Absolute(Places.StateDir(parsed.GetValue(StateDir))), runtimeDir,
            socket is { Length: > 0 } ? Absolute(socket) : AgentPaths.DefaultSocket(runtimeDir)), isDefault);
    }

    private static string Absolute(string path) => System.IO.Path.GetFullPath(path);

    private static Option<string?> Path(string name, string description) => new(name) { Description = description, HelpName = "PATH" };
}
