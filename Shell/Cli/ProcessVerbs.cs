using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net.Http;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Api;
using Agent.Shell.Config;

namespace Agent.Shell.Cli;

/// <summary>The commands on processes.</summary>
internal static class ProcessVerbs
{
    private static readonly Argument<string> Name = new("process") { Description = "An id, the beginning of one, or a label" };
    private static readonly Argument<string> SignalName = new("signal") { Description = WireNames.SignalNames };
    private static readonly Argument<string[]> Program = new("command")
    {
        Description = "The program and its arguments, behind --",
        Arity = ArgumentArity.OneOrMore,
    };

    private static readonly Option<string?> Label = Text("--label", "A name for people");
    private static readonly Option<string[]> Env = new("--env", "-e") { Description = "A variable, NAME=VALUE; may be repeated" };
    private static readonly Option<string?> Cwd = Text("--cwd", "Its working directory");
    private static readonly Option<string?> User = Text("--user", "Run as this user (root only)");
    private static readonly Option<bool> StdinOpen = new("--stdin") { Description = "Keep its stdin open for `agent stdin`" };
    private static readonly Option<string?> Restart = Text("--restart", "never, onFailure or always");
    private static readonly Option<string?> MaxLifetime = Text("--max-lifetime", "Stop it after this long, e.g. 1h");
    private static readonly Option<string?> Idle = Text("--idle-timeout", "Stop it when nobody used it for this long");
    private static readonly Option<string?> Grace = Text("--grace", "From the stop signal to the kill, e.g. 5s");
    private static readonly Option<bool> Wait = new("--wait") { Description = "Wait for its end and pass its exit code on" };
    private static readonly Option<string?> Timeout = Text("--timeout", "Give up after this long (exit code 6)");
    private static readonly Option<bool> Follow = new("--follow", "-f") { Description = "Go on with what comes" };
    private static readonly Option<int?> Tail = new("--tail") { Description = "Only the last N lines", HelpName = "N" };
    private static readonly Option<bool> Stderr = new("--stderr") { Description = "Standard error instead of standard output" };
    private static readonly Option<bool> Close = new("--close") { Description = "Close it afterwards" };

    public static IReadOnlyList<Command> All() =>
    [
        Invocation.Asking("ps", "List processes", ListAsync, Label),
        Invocation.Asking(
            "spawn", "Run a task, e.g. agent spawn --label backup -- /usr/bin/rsync -a /a /b", SpawnAsync, Program, Label, Env,
            Cwd, User, StdinOpen, Restart, MaxLifetime, Idle, Grace, Wait),
        Invocation.Asking("logs", "What a process said, e.g. agent logs web -f", LogsAsync, Name, Follow, Tail, Stderr),
        Invocation.Asking("stop", "Stop a process and all its descendants, and tell its end", StopAsync, Name, Grace),
        Invocation.Asking("start", "Start a stopped service", (p, c, s) => OrderAsync(p, c, "start", s), Name),
        Invocation.Asking("restart", "Stop and start a service", (p, c, s) => OrderAsync(p, c, "restart", s), Name),
        Invocation.Asking("signal", "Send a signal to its process group, e.g. agent signal web hup", SignalAsync, Name, SignalName),
        Invocation.Asking("wait", "Wait for its end and pass its exit code on", WaitAsync, Name, Timeout),
        Invocation.Asking("stdin", "Write this command's stdin to the process's", StdinAsync, Name, Close),
        Invocation.Asking("rm", "Forget an ended task", RemoveAsync, Name),
    ];

    private static async Task<int> ListAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        var query = parsed.GetValue(Label) is { } label ? $"?label={Uri.EscapeDataString(label)}" : "";
        var all = await client.GetAsync($"/v1/processes{query}", WireJson.Default.IReadOnlyListProcessInfo, stop).ConfigureAwait(false);
        if (Invocation.WantsJson(parsed)) Invocation.Say(JsonSerializer.Serialize(all, WireJson.Default.IReadOnlyListProcessInfo));
        else Invocation.Say(Describe.Processes(all));
        return ExitCodes.Done;
    }

    private static async Task<int> SpawnAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        var request = new SpawnRequest(
            Command: parsed.GetValue(Program),
            Env: Variables(parsed.GetValue(Env) ?? []),
            Cwd: parsed.GetValue(Cwd),
            User: parsed.GetValue(User),
            Label: parsed.GetValue(Label),
            Stdin: parsed.GetValue(StdinOpen) ? "open" : null,
            Restart: parsed.GetValue(Restart),
            MaxLifetimeMs: Milliseconds(parsed.GetValue(MaxLifetime), "--max-lifetime"),
            IdleTimeoutMs: Milliseconds(parsed.GetValue(Idle), "--idle-timeout"),
            GraceMs: Milliseconds(parsed.GetValue(Grace), "--grace"));
        var info = await client.PostAsync(
            "/v1/processes", request, WireJson.Default.SpawnRequest, WireJson.Default.ProcessInfo, stop).ConfigureAwait(false);
        Tell(parsed, info);
        if (!parsed.GetValue(Wait)) return ExitCodes.Done;
        return Describe.CodeOf(await WaitForAsync(client, info.Id, null, stop).ConfigureAwait(false));
    }

    private static async Task<int> LogsAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        var info = await client.FindAsync(parsed.GetRequiredValue(Name), stop).ConfigureAwait(false);
        var path = $"/v1/processes/{info.Id}/logs/{(parsed.GetValue(Stderr) ? "stderr" : "stdout")}";
        var follow = parsed.GetValue(Follow);
        var begin = parsed.GetValue(Tail) is { } lines ? $"tail={lines}" : "cursor=0";
        await using var output = Console.OpenStandardOutput();
        var place = await CopyAsync(client, $"{path}?{begin}", output, stop).ConfigureAwait(false);

        // A follow ends where output was dropped under a slow reader; it is taken up again behind the gap.
        while (!place.Eof && (follow || place.Bytes > 0))
        {
            var query = string.Create(CultureInfo.InvariantCulture, $"cursor={place.Next}{(follow ? "&follow=true" : "")}");
            var next = await CopyAsync(client, $"{path}?{query}", output, stop).ConfigureAwait(false);
            if (follow && next.Bytes == 0)
            {
                next = await CopyAsync(client, $"{path}?cursor={next.Next}", output, stop).ConfigureAwait(false);
            }

            place = next;
        }

        return ExitCodes.Done;
    }

    /// <summary>
    /// Passes one answer on; tells where the next begins, how much came, and whether that is all there will be.
    /// </summary>
    private static async Task<(long Next, long Bytes, bool Eof)> CopyAsync(
        ApiClient client, string path, Stream output, CancellationToken stop)
    {
        using var answer = await client.SendAsync(HttpMethod.Get, path, null, stop).ConfigureAwait(false);
        var dropped = Header(answer, "Agent-Bytes-Dropped");
        if (dropped > 0) await Console.Error.WriteLineAsync($"agent: {dropped} bytes are gone, the ring was full").ConfigureAwait(false);
        await using var bytes = await answer.Content.ReadAsStreamAsync(stop).ConfigureAwait(false);
        var buffer = new byte[64 << 10];
        long count = 0;
        while (await bytes.ReadAsync(buffer, stop).ConfigureAwait(false) is > 0 and var got)
        {
            count += got;
            await output.WriteAsync(buffer.AsMemory(0, got), stop).ConfigureAwait(false);
            await output.FlushAsync(stop).ConfigureAwait(false);
        }

        // A streamed answer tells where it began; a whole one, where it ended.
        var isStream = path.Contains("follow=true", StringComparison.Ordinal);
        return (Header(answer, "Agent-Next-Cursor") + (isStream ? count : 0), count, HasEnded(answer));
    }

    private static long Header(HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out var values)
        && long.TryParse(values.First(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    private static bool HasEnded(HttpResponseMessage answer) =>
        answer.Headers.TryGetValues("Agent-Eof", out var values) && values.First() == "true";

    private static async Task<int> StopAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        var info = await client.FindAsync(parsed.GetRequiredValue(Name), stop).ConfigureAwait(false);
        var exit = await client.PostAsync(
            $"/v1/processes/{info.Id}/stop", new StopRequest(Milliseconds(parsed.GetValue(Grace), "--grace")),
            WireJson.Default.StopRequest, WireJson.Default.ExitInfo, stop).ConfigureAwait(false);
        if (Invocation.WantsJson(parsed)) Invocation.Say(JsonSerializer.Serialize(exit, WireJson.Default.ExitInfo));
        else Invocation.Say($"{info.Label} ended with {Describe.Exit(exit)}");
        return ExitCodes.Done;
    }

    private static async Task<int> OrderAsync(ParseResult parsed, ApiClient client, string order, CancellationToken stop)
    {
        var info = await client.FindAsync(parsed.GetRequiredValue(Name), stop).ConfigureAwait(false);
        using var answer = await client.SendAsync(HttpMethod.Post, $"/v1/processes/{info.Id}/{order}", null, stop).ConfigureAwait(false);
        Tell(parsed, await client.GetAsync($"/v1/processes/{info.Id}", WireJson.Default.ProcessInfo, stop).ConfigureAwait(false));
        return ExitCodes.Done;
    }

    private static async Task<int> SignalAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        var info = await client.FindAsync(parsed.GetRequiredValue(Name), stop).ConfigureAwait(false);
        var request = new SignalRequest(parsed.GetRequiredValue(SignalName));
        using var answer = await client.PostAsync(
            $"/v1/processes/{info.Id}/signal", request, WireJson.Default.SignalRequest, stop).ConfigureAwait(false);
        return ExitCodes.Done;
    }

    private static async Task<int> WaitAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        var info = await client.FindAsync(parsed.GetRequiredValue(Name), stop).ConfigureAwait(false);
        var timeout = Milliseconds(parsed.GetValue(Timeout), "--timeout");
        var exit = await WaitForAsync(client, info.Id, timeout, stop).ConfigureAwait(false);
        if (Invocation.WantsJson(parsed)) Invocation.Say(JsonSerializer.Serialize(exit, WireJson.Default.ExitInfo));
        else await Console.Error.WriteLineAsync($"{info.Label} ended with {Describe.Exit(exit)}").ConfigureAwait(false);
        return Describe.CodeOf(exit);
    }

    private static async Task<int> StdinAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        const int LargestCall = 1 << 20;
        var info = await client.FindAsync(parsed.GetRequiredValue(Name), stop).ConfigureAwait(false);
        var path = $"/v1/processes/{info.Id}/stdin";
        await using var input = Console.OpenStandardInput();
        var buffer = new byte[LargestCall];
        while (await input.ReadAsync(buffer, stop).ConfigureAwait(false) is > 0 and var got)
        {
            using var content = new ByteArrayContent(buffer, 0, got);
            using var answer = await client.SendAsync(HttpMethod.Post, path, content, stop).ConfigureAwait(false);
            var text = await answer.Content.ReadAsStringAsync(stop).ConfigureAwait(false);
            var written = JsonSerializer.Deserialize(text, WireJson.Default.WrittenAnswer)!.Written;
            if (written < got) throw new CommandFailure(ExitCodes.TimedOut, $"the process took {written} of {got} bytes and then no more");
        }

        if (!parsed.GetValue(Close)) return ExitCodes.Done;
        using var closed = await client.SendAsync(HttpMethod.Delete, path, null, stop).ConfigureAwait(false);
        return ExitCodes.Done;
    }

    private static async Task<int> RemoveAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        var info = await client.FindAsync(parsed.GetRequiredValue(Name), stop).ConfigureAwait(false);
        using var answer = await client.SendAsync(HttpMethod.Delete, $"/v1/processes/{info.Id}", null, stop).ConfigureAwait(false);
        return ExitCodes.Done;
    }

    private static Task<ExitInfo> WaitForAsync(ApiClient client, string id, long? timeout, CancellationToken stop) =>
        client.PostAsync(
            $"/v1/processes/{id}/wait", new WaitRequest(timeout ?? (long)TimeSpan.FromHours(24).TotalMilliseconds),
            WireJson.Default.WaitRequest, WireJson.Default.ExitInfo, stop);

    private static void Tell(ParseResult parsed, ProcessInfo info)
    {
        if (Invocation.WantsJson(parsed)) Invocation.Say(JsonSerializer.Serialize(info, WireJson.Default.ProcessInfo));
        else Invocation.Say($"{info.Id} {info.Label}: {Describe.State(info.Phase)}{(info.Pid is { } pid ? $" with pid {pid}" : "")}");
    }

    private static Dictionary<string, string?> Variables(string[] given)
    {
        var variables = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (var one in given)
        {
            var at = one.IndexOf('=', StringComparison.Ordinal);
            if (at < 1) throw new CommandFailure(ExitCodes.Usage, $"--env {one}: give it as NAME=VALUE");
            variables[one[..at]] = one[(at + 1)..];
        }

        return variables;
    }

    private static long? Milliseconds(string? text, string option) => text is null ? null
        : Durations.Parse(text) is { } span ? (long)span.TotalMilliseconds
        : throw new CommandFailure(ExitCodes.Usage, $"{option} {text}: give it as a duration such as 10s or 5m");

    private static Option<string?> Text(string name, string description) => new(name) { Description = description };
}
