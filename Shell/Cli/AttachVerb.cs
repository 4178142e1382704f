using System;
using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Api;

namespace Agent.Shell.Cli;

/// <summary>`agent attach`: a running process as if it ran here; leaving it changes nothing.</summary>
internal static class AttachVerb
{
    private static readonly Option<int?> Tail = new("--tail") { Description = "Begin with the last N lines", HelpName = "N" };
    private static readonly Option<bool> NoStdin = new("--no-stdin") { Description = "Only listen" };
    private static readonly Option<bool> Close = new("--close")
    {
        Description = "When this command's stdin ends, close the process's",
    };


    public static Command Tree() => Invocation.Asking(
        "attach", "What a process says, as it says it, and this command's stdin to it; Ctrl-C leaves it running",
        "agent attach web --tail 20", AttachAsync, ProcessVerbs.Name, Tail, NoStdin, Close);

    /// <summary>The end of a process that was attached to; as JSON on standard error, for the other is the process's.</summary>
    public static int Tell(ParseResult parsed, ExitInfo exit)
    {
        if (Invocation.WantsJson(parsed)) Console.Error.WriteLine(JsonSerializer.Serialize(exit, WireJson.Default.ExitInfo));
        else if (exit.Code is null && exit.Signal is null) Invocation.Complain($"it ended with {Describe.Exit(exit)}");
        return Describe.CodeOf(exit);
    }

    private static async Task<int> AttachAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        var info = await client.FindAsync(parsed.GetRequiredValue(ProcessVerbs.Name), stop).ConfigureAwait(false);
        var attachment = new Attachment(client, info.Id);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var speaks = info.StdinOpen && !parsed.GetValue(NoStdin);
        var close = parsed.GetValue(Close);
        try
        {
            var from = string.Create(CultureInfo.InvariantCulture, $"tail={parsed.GetValue(Tail) ?? 0}");
            return Tell(parsed, await attachment.FollowAsync(from, acknowledges: false, InputAsync, stop).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            Invocation.Complain($"detached; {Screen.Clean(info.Label)} goes on");
            throw;
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
        }

        Task InputAsync() => speaks ? attachment.SendInputAsync(close, ending.Token) : Task.CompletedTask;
    }
}
