using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.Net.Http;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Api;

namespace Agent.Shell.Cli;

/// <summary>`agent outbox …`: what this host owes its plane.</summary>
internal static class OutboxVerbs
{
    private static readonly Argument<long> Position = new("POSITION") { Description = "A dead letter, by the number in `agent outbox status`" };

    public static Command Tree() => Invocation.Group(
        "outbox", "What this host owes its plane", "agent outbox status",
        Invocation.Asking("status", "The plane, what is queued, and what it refused", "agent outbox status", StatusAsync),
        Invocation.Asking(
            "flush", "Send now instead of at the next try", "agent outbox flush",
            (p, c, s) => AskAsync(p, c, HttpMethod.Post, "/v1/outbox/flush", s)),
        Invocation.Asking(
            "retry", "Send a dead letter again", "agent outbox retry 17",
            (p, c, s) => AskAsync(p, c, HttpMethod.Post, Letter(p) + "/retry", s), Position),
        Invocation.Asking(
            "drop", "Let a dead letter go", "agent outbox drop 17",
            (p, c, s) => AskAsync(p, c, HttpMethod.Delete, Letter(p), s), Position));

    public static IEnumerable<string> Head(PlaneInfo plane)
    {
        var heard = plane.HeardAt is { } at ? $", heard at {at}" : ", not heard yet";
        yield return $"plane     {plane.Url} as {plane.Host}{heard}";
        if (plane.Failure is { } failure) yield return $"          {Screen.Yellow($"since {plane.FailedAt}")}: {Screen.Clean(failure)}";
        var outbox = plane.Outbox;
        var dead = outbox.Dead.Count + outbox.DeadForgotten > 0
            ? Screen.Red(string.Create(CultureInfo.InvariantCulture, $", {outbox.Dead.Count} dead letters"))
            : "";
        var shed = outbox.Shed > 0 ? string.Create(CultureInfo.InvariantCulture, $", {outbox.Shed} observations shed") : "";
        yield return string.Create(
            CultureInfo.InvariantCulture, $"outbox    {outbox.State}, {outbox.Queued} queued ({outbox.Transitions} transitions){shed}{dead}");
        if (outbox.Failure is { } why) yield return $"          next try at {outbox.RetryAt}: {Screen.Clean(why)}";
    }

    private static async Task<int> StatusAsync(ParseResult parsed, ApiClient client, CancellationToken stop) =>
        Show(parsed, await client.TextAsync("/v1/plane", stop).ConfigureAwait(false));

    private static async Task<int> AskAsync(
        ParseResult parsed, ApiClient client, HttpMethod method, string path, CancellationToken stop)
    {
        using var answer = await client.SendAsync(method, path, null, stop).ConfigureAwait(false);
        return Show(parsed, await answer.Content.ReadAsStringAsync(stop).ConfigureAwait(false));
    }

    private static int Show(ParseResult parsed, string text)
    {
        if (Invocation.WantsJson(parsed))
        {
            Invocation.Say(text);
            return ExitCodes.Done;
        }

        var plane = JsonSerializer.Deserialize(text, WireJson.Default.PlaneInfo)!;
        Invocation.Say(Head(plane));
        if (plane.Outbox.Dead.Count == 0) return ExitCodes.Done;
        var rows = new List<IReadOnlyList<string>>();
        foreach (var one in plane.Outbox.Dead)
        {
            rows.Add([Screen.Number(one.Position), one.Rollout, Screen.Number(one.Seq), one.Event, one.Code, Screen.Clean(one.Detail)]);
        }

        Invocation.Say(Screen.Table(["DEAD", "ROLLOUT", "SEQ", "EVENT", "CODE", "WHY"], rows));
        return ExitCodes.Done;
    }

    private static string Letter(ParseResult parsed) =>
        string.Create(CultureInfo.InvariantCulture, $"/v1/outbox/dead/{parsed.GetValue(Position)}");
}
