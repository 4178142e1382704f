using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Linq;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Api;

namespace Agent.Shell.Cli;

/// <summary>`agent companions`: the units that the agent writes and keeps.</summary>
internal static class CompanionVerbs
{
    private static readonly Argument<string> One = new("NAME")
    {
        Description = "A companion, as it is declared",
        CompletionSources = { Completion.Companions },
    };

    public static Command Tree() => Invocation.Asking(
        "companions", "systemd units that the agent writes and keeps", "agent companions", ListAsync,
        Invocation.Asking(
            "retry", "Try one at once, whatever was held against it", "agent companions retry cache.service", RetryAsync, One));

    private static async Task<int> ListAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        var text = await client.TextAsync("/v1/companions", stop).ConfigureAwait(false);
        if (Invocation.WantsJson(parsed)) Invocation.Say(text);
        else Invocation.Say(Table(JsonSerializer.Deserialize(text, WireJson.Default.CompanionsInfo)!));
        return ExitCodes.Done;
    }

    private static async Task<int> RetryAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        using var answer = await client.SendAsync(
            System.Net.Http.HttpMethod.Post, $"/v1/companions/{Uri.EscapeDataString(parsed.GetValue(One)!)}/retry", null, stop)
            .ConfigureAwait(false);
        return ExitCodes.Done;
    }

    private static IEnumerable<string> Table(CompanionsInfo info)
    {
        if (info.LastLook?.Failure is { } failure) yield return Screen.Red($"systemd could not be asked: {Screen.Clean(failure)}");
        if (info.ReloadFailure is { } reload) yield return Screen.Red($"systemd does not read its files: {Screen.Clean(reload)}");
        if (info.Companions.Count == 0)
        {
            yield return "no companion is declared";
            yield break;
        }

        var rows = info.Companions.Select(one => (IReadOnlyList<string>)
        [
            one.Name,
            one.Declared ? one.File : one.File + ", not declared",
            one.State,
            Colour(one.Report),
            one.Action is { } action ? $"{action} at {one.ActionAt}" : "",
            Screen.Clean(Why(one)),
        ]).ToList();
        foreach (var line in Screen.Table(["COMPANION", "FILE", "STATE", "REPORT", "LAST ACTION", "WHY"], rows)) yield return line;
    }

    /// <summary>What stands, and what went wrong last as long as it is not well.</summary>
    private static string Why(CompanionInfo one) =>
        one.Report != "ok" && one.LastFailure is { } last && !one.Detail.Contains(last.Reason, StringComparison.Ordinal)
            ? $"{one.Detail}; last failure: {last.Reason}"
            : one.Detail;

    private static string Colour(string report) => report switch
    {
        "ok" => Screen.Green(report),
        "failed" => Screen.Red(report),
        _ => Screen.Yellow(report),
    };
}
