using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Net.Http;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Process;
using Agent.Shell.Api;
using Agent.Shell.Config;

namespace Agent.Shell.Cli;

/// <summary>The commands on processes.</summary>
internal static class ProcessVerbs
{
    public static readonly Argument<string> Name = NameOfProcess();

    private static readonly Argument<string> SignalName = new("signal") { Description = WireNames.SignalNames };
    private static readonly Option<string?> Label = new("--label") { Description = "Only those with this label", HelpName = "LABEL" };
    // The default grace and a second: whoever waits longer wants to know for what.
    private static readonly TimeSpan QuietStop = ProcessSpec.DefaultGrace + TimeSpan.FromSeconds(1);

    private static readonly Option<string?> Grace = SpawnVerb.Text("--grace", "5s", "From the stop signal to the kill");
    private static readonly Option<string?> Timeout = SpawnVerb.Text("--timeout", "10s", "Give up after this long, with exit code 6");
    private static readonly Option<bool> Close = new("--close") { Description = "Close it afterwards" };

    public static IReadOnlyList<Command> All() =>
    [
        Invocation.Asking("ps", "List processes", "agent ps --label web", ListAsync, Label),
        TopVerb.Tree(),
        TreeVerb.Tree(),
        SpawnVerb.Tree(),
        RunTaskVerb.Tree(),
        AttachVerb.Tree(),
        LogVerbs.Tree(),
        Invocation.Asking(
            "stop", "Stop a process and all its descendants, and tell its end", "agent stop web --grace 10s", StopAsync, Name, Grace),
        Invocation.Asking("start", "Start a stopped service", "agent start web", (p, c, s) => OrderAsync(p, c, "start", s), Name),
        Invocation.Asking(
            "restart", "Stop and start a service", "agent restart web", (p, c, s) => OrderAsync(p, c, "restart", s), Name),
        Invocation.Asking(
            "signal", "Send a signal to its process group", "agent signal web hup", SignalAsync, Name, WithWords(SignalName)),
        Invocation.Asking(
            "wait", "Wait for its end and pass its exit code on, 128 + n for signal n", "agent wait backup --timeout 1h",
            WaitAsync, Name, Timeout),
        Invocation.Asking(
            "stdin", "Write this command's stdin to the process's", "echo reload | agent stdin web", StdinAsync, Name, Close),
        Invocation.Asking("rm", "Forget an ended task", "agent rm backup", RemoveAsync, Name),
    ];

    /// <summary>Sends standard input on until it ends, and closes the other side if asked.</summary>
    public static async Task SendInputAsync(ApiClient client, string id, bool close, CancellationToken stop)
    {
        const int LargestCall = 1 << 20;
        var path = $"/v1/processes/{id}/stdin";
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

        if (!close) return;
        using var closed = await client.SendAsync(HttpMethod.Delete, path, null, stop).ConfigureAwait(false);
    }

    /// <summary>The end of a process; without a timeout it is waited for as often as it takes.</summary>
    public static async Task<ExitInfo> WaitForAsync(ApiClient client, string id, long? timeout, CancellationToken stop)
    {
        while (true)
        {
            try
            {
                return await client.PostAsync(
                    $"/v1/processes/{id}/wait", new WaitRequest(timeout), WireJson.Default.WaitRequest,
                    WireJson.Default.ExitInfo, stop).ConfigureAwait(false);
            }
            catch (CommandFailure late) when (late.ExitCode == ExitCodes.TimedOut && timeout is null)
            {
                // The agent's own longest wait is over, ours is not.
            }
        }
    }

    public static void Tell(ParseResult parsed, ProcessInfo info)
    {
        if (Invocation.WantsJson(parsed)) Invocation.Say(JsonSerializer.Serialize(info, WireJson.Default.ProcessInfo));
        else Invocation.Say(Describe.Process(info));
    }

    public static long? Milliseconds(string? text, string option) => text is null ? null
        : Durations.Parse(text) is { } span ? (long)span.TotalMilliseconds
        : throw new CommandFailure(ExitCodes.Usage, $"{option} {text}: give it as a duration such as 10s or 5m");

    private static async Task<int> ListAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        var query = parsed.GetValue(Label) is { } label ? $"?label={Uri.EscapeDataString(label)}" : "";
        var text = await client.TextAsync($"/v1/processes{query}", stop).ConfigureAwait(false);
        if (Invocation.WantsJson(parsed)) Invocation.Say(text);
        else Invocation.Say(Describe.Processes(JsonSerializer.Deserialize(text, WireJson.Default.IReadOnlyListProcessInfo)!));
        return ExitCodes.Done;
    }

    private static async Task<int> StopAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        var info = await client.FindAsync(parsed.GetRequiredValue(Name), stop).ConfigureAwait(false);
        var ending = client.PostAsync(
            $"/v1/processes/{info.Id}/stop", new StopRequest(Milliseconds(parsed.GetValue(Grace), "--grace")),
            WireJson.Default.StopRequest, WireJson.Default.ExitInfo, stop);
        if (await Task.WhenAny(ending, Task.Delay(QuietStop, stop)).ConfigureAwait(false) != ending)
        {
            var now = await client.GetAsync(
                $"/v1/processes/{info.Id}", WireJson.Default.ProcessInfo, stop).ConfigureAwait(false);
            Invocation.Complain($"{info.Label} has not ended yet: {now.Detail ?? now.Phase}");
        }

        var exit = await ending.ConfigureAwait(false);
        if (Invocation.WantsJson(parsed)) Invocation.Say(JsonSerializer.Serialize(exit, WireJson.Default.ExitInfo));
        else Invocation.Say(Describe.End(info, exit));
        return ExitCodes.Done;
    }

    private static async Task<int> OrderAsync(ParseResult parsed, ApiClient client, string order, CancellationToken stop)
    {
        var info = await client.FindAsync(parsed.GetRequiredValue(Name), stop).ConfigureAwait(false);
        using var answer = await client.SendAsync(
            HttpMethod.Post, $"/v1/processes/{info.Id}/{order}", null, stop).ConfigureAwait(false);
        Tell(parsed, await client.GetAsync(
            $"/v1/processes/{info.Id}", WireJson.Default.ProcessInfo, stop).ConfigureAwait(false));
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
        else Invocation.Complain($"{Screen.Clean(info.Label)} ended with {Describe.Exit(exit)}");
        return Describe.CodeOf(exit);
    }

    private static async Task<int> StdinAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        var info = await client.FindAsync(parsed.GetRequiredValue(Name), stop).ConfigureAwait(false);
        await SendInputAsync(client, info.Id, parsed.GetValue(Close), stop).ConfigureAwait(false);
        return ExitCodes.Done;
    }

    private static async Task<int> RemoveAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        var info = await client.FindAsync(parsed.GetRequiredValue(Name), stop).ConfigureAwait(false);
        using var answer = await client.SendAsync(
            HttpMethod.Delete, $"/v1/processes/{info.Id}", null, stop).ConfigureAwait(false);
        return ExitCodes.Done;
    }

    private static Argument<string> NameOfProcess()
    {
        var name = new Argument<string>("process") { Description = "An id, the beginning of one, or a label" };
        name.CompletionSources.Add(Completion.Processes);
        return name;
    }

    private static Argument<string> WithWords(Argument<string> argument)
    {
        argument.AcceptOnlyFromAmong(WireNames.SignalWords);
        return argument;
    }
}
