using System;
using System.IO;
using System.Net.Http;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Api;

namespace Agent.Shell.Cli;

/// <summary>This command's three streams in the place of a process's, until the process has ended.</summary>
internal sealed class Attachment(ApiClient client, string id)
{
    // Whatever the process itself said is there by then; a descendant may hold its output open for ever.
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(50);

    private readonly string _stdin = $"/v1/processes/{id}/stdin";

    /// <summary>Passes both outputs on, and answers the end when nothing more comes.</summary>
    /// <param name="from">Where the output begins, see <see cref="Following.BeginAsync"/>.</param>
    /// <param name="acknowledges">See <see cref="Following"/>.</param>
    /// <param name="input">
    /// Called once it listens, so that no answer to an input is missed; not awaited: a read of a terminal cannot be called
    /// off, and the end of the process is the end of this.
    /// </param>
    public async Task<ExitInfo> FollowAsync(string from, bool acknowledges, Func<Task> input, CancellationToken stop)
    {
        // Not disposed of: what it ends may take a moment longer than this.
        var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Following[] streams =
        [
            new(client, id, "stdout", StandardStream.Output, acknowledges),
            new(client, id, "stderr", StandardStream.Error, acknowledges),
        ];
        await Task.WhenAll(Array.ConvertAll(streams, one => one.BeginAsync(from, stop))).ConfigureAwait(false);
        _ = input();
        var copied = Task.WhenAll(Array.ConvertAll(streams, one => EndingAsync(one.RunAsync(ending.Token), ending)));
        var end = EndingAsync(
            Patience.AskAsync(() => ProcessVerbs.WaitForAsync(client, id, null, ending.Token), ending.Token), ending);
        try
        {
            var exit = await end.ConfigureAwait(false);
            while (!copied.IsCompleted && Array.Exists(streams, one => one.Rest < LastWords))
            {
                await Task.WhenAny(copied, Task.Delay(Between, stop)).ConfigureAwait(false);
                stop.ThrowIfCancellationRequested();
            }

            if (copied.IsCompleted) await copied.ConfigureAwait(false);
            else await ending.CancelAsync().ConfigureAwait(false);
            return exit;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // One of the others failed and ended the rest; what it failed of is what counts.
            await copied.ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Sends standard input on until it ends or nobody takes it any more.</summary>
    public async Task SendInputAsync(bool close, CancellationToken stop)
    {
        try
        {
            await using var input = Console.OpenStandardInput();
            var buffer = new byte[64 << 10];
            while (await input.ReadAsync(buffer, stop).ConfigureAwait(false) is > 0 and var got)
            {
                var rest = buffer.AsMemory(0, got);
                while (!rest.IsEmpty) rest = rest[await WriteAsync(rest, stop).ConfigureAwait(false)..];
            }

            if (!close) return;
            using var closed = await client.SendAsync(HttpMethod.Delete, _stdin, null, stop).ConfigureAwait(false);
        }
        catch (CommandFailure refused) when (refused.Code is "closed" or "no-such-process")
        {
            // It has ended, or reads no more: what else there is to say is said by its end.
        }
        catch (Exception failure) when (Patience.IsSilence(failure))
        {
            Invocation.Complain("the agent went away while input was on its way; what was not taken by then is lost");
        }
        catch (OperationCanceledException)
        {
            // The process ended, or we leave it.
        }
    }

    /// <summary>How many bytes went in; a process that reads slowly takes fewer than were sent.</summary>
    private async Task<int> WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken stop)
    {
        using var content = new ReadOnlyMemoryContent(bytes);
        using var answer = await client.SendAsync(HttpMethod.Post, _stdin, content, stop).ConfigureAwait(false);
        await using var body = await answer.Content.ReadAsStreamAsync(stop).ConfigureAwait(false);
        var written = await JsonSerializer.DeserializeAsync(body, WireJson.Default.WrittenAnswer, stop).ConfigureAwait(false);
        return (int)(written ?? throw new IOException("the agent's answer is empty")).Written;
    }

    private static async Task<T> EndingAsync<T>(Task<T> task, CancellationTokenSource ending)
    {
        await EndingAsync((Task)task, ending).ConfigureAwait(false);
        return await task.ConfigureAwait(false);
    }

    /// <summary>When one fails, the others end too.</summary>
    private static async Task EndingAsync(Task task, CancellationTokenSource ending)
    {
        try
        {
            await task.ConfigureAwait(false);
        }
        finally
        {
            if (!task.IsCompletedSuccessfully) await ending.CancelAsync().ConfigureAwait(false);
        }
    }
}
