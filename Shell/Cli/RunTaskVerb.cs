using System;
using System.CommandLine;
using System.IO;
using System.Linq;
using System.Net.Http;
using System.Threading;
using System.Threading.Channels;
using System.Threading.Tasks;
using System.Runtime.InteropServices;
using Agent.Shell.Api;
using Agent.Shell.Linux;

namespace Agent.Shell.Cli;

/// <summary>
/// `agent run-task`: a task in this command's place: its output, its input, its signals, its exit code. The task belongs
/// to the agent all the same: it survives a restart of the agent, and if this command is killed its idle timeout ends it.
/// </summary>
internal static class RunTaskVerb
{
    // A person or a script that sends more than this in a moment means the last of them.
    private const int SignalsAtOnce = 16;

    private static readonly (PosixSignal Number, string Name)[] PassedOn =
    [
        (PosixSignal.SIGINT, "int"), (PosixSignal.SIGTERM, "term"), (PosixSignal.SIGHUP, "hup"),

        // As the kernel numbers them; the class library has no names for these two.
        ((PosixSignal)10, "usr1"), ((PosixSignal)12, "usr2"),
    ];

    private static readonly Option<bool> Stdin = new("--stdin", "-i") { Description = "Pass this command's stdin on, to its end" };

    public static Command Tree() => Invocation.Asking(
        new Verb(
            "run-task", "Run a task in this command's place: its output, its signals, its exit code",
            "tar c /data | agent run-task -i --label pack -- /usr/bin/zstd -19 > data.tar.zst", [.. SpawnVerb.Common, Stdin])
        {
            HearsSignals = true,
        },
        RunAsync);

    private static async Task<int> RunAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        var signals = Channel.CreateBounded<string>(
            new BoundedChannelOptions(SignalsAtOnce) { FullMode = BoundedChannelFullMode.DropOldest });
        var registrations = PassedOn.Select(one => PosixSignalRegistration.Create(one.Number, context =>
        {
            context.Cancel = true;
            signals.Writer.TryWrite(one.Name);
        })).ToList();
        try
        {
            // Under backpressure nothing is lost, however slowly this command's output is read.
            var request = SpawnVerb.Request(parsed) with
            {
                Overflow = "backpressure", Stdin = parsed.GetValue(Stdin) ? "open" : "none",
            };
            var info = await client.PostAsync(
                "/v1/processes", request, WireJson.Default.SpawnRequest, WireJson.Default.ProcessInfo, stop).ConfigureAwait(false);
            return await RunAsync(parsed, client, info.Id, signals.Reader, stop).ConfigureAwait(false);
        }
        finally
        {
            foreach (var one in registrations) one.Dispose();
        }
    }

    private static async Task<int> RunAsync(
        ParseResult parsed, ApiClient client, string id, ChannelReader<string> signals, CancellationToken stop)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var attachment = new Attachment(client, id);

        // Not awaited: it goes on for as long as the task, whose end is the end of this.
        _ = PassSignalsAsync(client, id, signals, ending.Token);
        try
        {
            var exit = await attachment.FollowAsync(
                "cursor=0", acknowledges: true, InputAsync, stop).ConfigureAwait(false);
            using var released = await Patience.AskAsync(
                () => client.SendAsync(HttpMethod.Delete, $"/v1/processes/{id}", null, stop), stop).ConfigureAwait(false);
            return AttachVerb.Tell(parsed, exit);
        }
        catch (IOException failure) when (failure.HResult == Errno.Pipe)
        {
            // A program whose reader went away is ended by SIGPIPE; so is this one, through its stop signal.
            await client.PostAsync(
                $"/v1/processes/{id}/stop", new StopRequest(), WireJson.Default.StopRequest, WireJson.Default.ExitInfo,
                stop).ConfigureAwait(false);
            using var released = await client.SendAsync(
                HttpMethod.Delete, $"/v1/processes/{id}", null, stop).ConfigureAwait(false);
            return ExitCodes.NobodyReads;
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
        }

        Task InputAsync() => parsed.GetValue(Stdin) ? attachment.SendInputAsync(close: true, ending.Token) : Task.CompletedTask;
    }

    private static async Task PassSignalsAsync(
        ApiClient client, string id, ChannelReader<string> signals, CancellationToken stop)
    {
        try
        {
            await foreach (var name in signals.ReadAllAsync(stop).ConfigureAwait(false))
            {
                using var sent = await Patience.AskAsync(
                    () => client.PostAsync(
                        $"/v1/processes/{id}/signal", new SignalRequest(name), WireJson.Default.SignalRequest, stop),
                    stop).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The task has ended.
        }
        catch (CommandFailure refused)
        {
            Invocation.Complain($"a signal did not reach it: {refused.Message}");
        }
    }
}
