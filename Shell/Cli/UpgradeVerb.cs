using System;
using System.CommandLine;
using System.Diagnostics;
using System.IO;
using System.Net.Http;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Api;
using Agent.Shell.Config;

namespace Agent.Shell.Cli;

/// <summary>`agent upgrade`: the running agent and its keeper go on as another program; nothing that they keep is touched.</summary>
internal static class UpgradeVerb
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    // Beyond the program's own time: until what was before is back, and until the keeper has followed.
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(30);

    private static readonly Argument<string?> Binary = new("BINARY")
    {
        Description = "The agent to go on as, from where it lies (default: what is at the running agent's own path). Let the "
            + "unit name it afterwards, or keep its path for it: a restart starts what the unit names",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<string?> Within =
        SpawnVerb.Text("--timeout", "30s", "How long it may take to answer before the one before is back");

    public static Command Command() => Invocation.Asking(
        "upgrade", "Go on as another build, with everything it keeps untouched", "agent upgrade /opt/agent-1.2.0/agent",
        UpgradeAsync, Binary, Within);

    private static async Task<int> UpgradeAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        var patience = parsed.GetValue(Within) is not { } text ? UpgradeCalls.Patience : Durations.Parse(text)
            ?? throw new CommandFailure(ExitCodes.Usage, $"--timeout {text}: give it as a duration such as 30s");
        var program = parsed.GetValue(Binary) is { } binary ? Path.GetFullPath(binary) : null;
        var answer = await client.PostAsync(
            "/v1/agent/upgrade", new UpgradeRequest(program, (long)patience.TotalMilliseconds), WireJson.Default.UpgradeRequest,
            WireJson.Default.UpgradeAnswer, stop).ConfigureAwait(false);
        var begun = Stopwatch.StartNew();
        var hasAnswered = false;
        while (begun.Elapsed < patience + Slack)
        {
            await Task.Delay(Pause, stop).ConfigureAwait(false);
            if (await LookAsync(client, stop).ConfigureAwait(false) is not { } status) continue;
            if (TimeSpan.FromMilliseconds(status.UptimeMs) > begun.Elapsed) continue;
            if (status.UpgradeFailure is { } why)
            {
                throw new CommandFailure($"agent {status.Version}, {status.Program}, is back: {why}");
            }

            hasAnswered = true;
            if (status.KeeperProgram != answer.To.Program) continue;
            Invocation.Say(Invocation.WantsJson(parsed)
                ? JsonSerializer.Serialize(answer, WireJson.Default.UpgradeAnswer)
                : $"agent {status.Version}, {status.Program}, and so is its keeper");
            return ExitCodes.Done;
        }

        throw new CommandFailure(ExitCodes.TimedOut, hasAnswered
            ? $"the agent is {answer.To.Program}, its keeper is not; the agent's log says why. What runs is kept all the same"
            : $"nothing answers on {client.Socket}; the agent's log says why. What runs is kept all the same");
    }

    private static async Task<StatusInfo?> LookAsync(ApiClient client, CancellationToken stop)
    {
        try
        {
            return await client.GetAsync("/v1/status", WireJson.Default.StatusInfo, stop).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is CommandFailure or HttpRequestException or IOException)
        {
            // It is between two programs.
            return null;
        }
    }
}
