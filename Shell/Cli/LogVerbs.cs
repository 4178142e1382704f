using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net.Http;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Process;
using Agent.Shell.Api;

namespace Agent.Shell.Cli;

/// <summary>`agent logs`: both streams, each to its own, byte for byte.</summary>
internal static class LogVerbs
{
    private static readonly Option<bool> Follow = new("--follow", "-f") { Description = "Go on with what comes" };
    private static readonly Option<int?> Tail = new("--tail") { Description = "Only the last N lines", HelpName = "N" };
    private static readonly Option<bool> Stdout = new("--stdout") { Description = "Only its standard output" };
    private static readonly Option<bool> Stderr = new("--stderr") { Description = "Only its standard error, on standard output" };

    public static Command Tree() => Invocation.Asking(
        "logs", "What a process said", "agent logs web -f --tail 20", LogsAsync, ProcessVerbs.Name, Follow, Tail, Stdout, Stderr);

    private static async Task<int> LogsAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        var info = await client.FindAsync(parsed.GetRequiredValue(ProcessVerbs.Name), stop).ConfigureAwait(false);
        var reading = new Reading(client, parsed.GetValue(Follow), parsed.GetValue(Tail), $"/v1/processes/{info.Id}/logs");
        var (output, error) = (parsed.GetValue(Stdout), parsed.GetValue(Stderr));
        if (output == error) await reading.BothAsync(stop).ConfigureAwait(false);
        else await reading.RunAsync(output ? "stdout" : "stderr", StandardStream.Output, stop).ConfigureAwait(false);
        return ExitCodes.Done;
    }

    private sealed record Reading(ApiClient Client, bool Follow, int? Tail, string Path)
    {
        /// <summary>Followed side by side; otherwise one after the other. When one fails the other ends too.</summary>
        public async Task BothAsync(CancellationToken stop)
        {
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
            var output = RunAsync("stdout", StandardStream.Output, ending.Token);
            if (!Follow) await output.ConfigureAwait(false);
            var error = RunAsync("stderr", StandardStream.Error, ending.Token);
            var first = await Task.WhenAny(output, error).ConfigureAwait(false);
            if (!first.IsCompletedSuccessfully) await ending.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(output, error).ConfigureAwait(false);
        }

        /// <summary>One stream to its end.</summary>
        public Task RunAsync(string stream, Stream into, CancellationToken stop) => ReadAsync($"{Path}/{stream}", into, stop);

        private async Task ReadAsync(string path, Stream into, CancellationToken stop)
        {
            var begin = Tail is { } lines ? $"tail={lines}" : "cursor=0";
            var place = await CopyAsync($"{path}?{begin}", into, stop).ConfigureAwait(false);

            // A ring's worth is what was there when it was asked for; a busy writer would be read for ever.
            var left = ProcessSpec.MaxRingBytes - place.Bytes;

            // A follow ends where output was dropped under a slow reader; it is taken up again behind the gap.
            while (!place.Eof && (Follow || (place.Bytes > 0 && left > 0)))
            {
                var query = string.Create(
                    CultureInfo.InvariantCulture, $"cursor={place.Next}{(Follow ? "&follow=true" : "")}");
                var next = await CopyAsync($"{path}?{query}", into, stop).ConfigureAwait(false);
                if (Follow && next.Bytes == 0) next = await CopyAsync($"{path}?cursor={next.Next}", into, stop).ConfigureAwait(false);
                left -= next.Bytes;
                place = next;
            }
        }

        /// <summary>Passes one answer on; tells where the next begins, how much came, and whether that is all there will be.</summary>
        private async Task<(long Next, long Bytes, bool Eof)> CopyAsync(string path, Stream into, CancellationToken stop)
        {
            using var answer = await Client.SendAsync(HttpMethod.Get, path, null, stop).ConfigureAwait(false);
            var dropped = Number(answer, "Agent-Bytes-Dropped");
            if (dropped > 0) Invocation.Complain($"{dropped} bytes are gone, the ring was full");
            await using var bytes = await answer.Content.ReadAsStreamAsync(stop).ConfigureAwait(false);
            var buffer = new byte[64 << 10];
            long count = 0;
            while (await bytes.ReadAsync(buffer, stop).ConfigureAwait(false) is > 0 and var got)
            {
                count += got;
                into.Write(buffer.AsSpan(0, got));
            }

            // A streamed answer tells where it began; a whole one, where it ended.
            var isStream = path.Contains("follow=true", StringComparison.Ordinal);
            return (Number(answer, "Agent-Next-Cursor") + (isStream ? count : 0), count, Header(answer, "Agent-Eof") == "true");
        }

        private static long Number(HttpResponseMessage answer, string name) =>
            long.TryParse(Header(answer, name), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

        private static string? Header(HttpResponseMessage answer, string name) =>
            answer.Headers.TryGetValues(name, out var values) ? values.First() : null;
    }
}
