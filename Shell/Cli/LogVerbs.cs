using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net.Http;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Api;
using Agent.Shell.Config;

namespace Agent.Shell.Cli;

/// <summary>`agent logs`: both streams, each to its own, byte for byte.</summary>
internal static class LogVerbs
{
    private static readonly Option<bool> Follow = new("--follow", "-f") { Description = "Go on with what comes" };
    private static readonly Option<int?> Tail = new("--tail") { Description = "Only the last N lines", HelpName = "N" };
    private static readonly Option<string?> Since = new("--since")
    {
        Description = "Only what came since then: 2h ago, or a time", HelpName = "2h|TIME",
    };

    private static readonly Option<bool> Timestamps = new("--timestamps", "-t") { Description = "Each line's time before it" };
    private static readonly Option<bool> Stdout = new("--stdout") { Description = "Only its standard output" };
    private static readonly Option<bool> Stderr = new("--stderr") { Description = "Only its standard error, on standard output" };

    public static Command Tree() => Invocation.Asking(
        "logs", "What a process said", "agent logs web --since 2h -f", LogsAsync, ProcessVerbs.Name, Follow, Tail, Since,
        Timestamps, Stdout, Stderr);

    private static async Task<int> LogsAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        var info = await client.FindAsync(parsed.GetRequiredValue(ProcessVerbs.Name), stop).ConfigureAwait(false);
        var begin = parsed.GetValue(Tail) is { } lines ? $"tail={lines}" : "";
        if (parsed.GetValue(Since) is { } since) begin += (begin.Length > 0 ? "&" : "") + "since=" + TimeOf(since);
        var reading = new Reading(
            client, parsed.GetValue(Follow), parsed.GetValue(Timestamps), begin.Length > 0 ? begin : "cursor=0",
            $"/v1/processes/{info.Id}/logs");
        var (output, error) = (parsed.GetValue(Stdout), parsed.GetValue(Stderr));
        if (output == error) await reading.BothAsync(stop).ConfigureAwait(false);
        else await reading.RunAsync(output ? "stdout" : "stderr", StandardStream.Output, stop).ConfigureAwait(false);
        return ExitCodes.Done;
    }

    /// <summary>So long ago, or at that time; a time without an offset is this machine's.</summary>
    private static string TimeOf(string since)
    {
        if (Durations.Parse(since) is { } ago) return Times.Show(DateTimeOffset.UtcNow.Subtract(ago).ToUnixTimeMilliseconds());
        return DateTimeOffset.TryParse(since, CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal, out var time)
            ? Times.Show(time.ToUnixTimeMilliseconds())
            : throw new CommandFailure(ExitCodes.Usage, $"--since {since}: a duration such as 2h, or a time such as 2026-01-31T12:00:00Z");
    }

    private sealed record Reading(ApiClient Client, bool Follow, bool Timed, string Begin, string Path)
    {
        // A time and a blank.
        private const int TimeBytes = Times.Length + 1;

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
            var timed = Timed ? "&timestamps=true" : "";
            var place = await CopyAsync($"{path}?{Begin}{timed}", into, stop).ConfigureAwait(false);

            // What was there when it was asked for; a busy writer would be read for ever.
            var newest = place.Newest;

            // A follow ends where output was dropped under a slow reader; it is taken up again behind the gap.
            while (!place.Eof && (Follow || (place.Bytes > 0 && place.Next < newest)))
            {
                var query = string.Create(
                    CultureInfo.InvariantCulture, $"cursor={place.Next}{timed}{(Follow ? "&follow=true" : "")}");
                var next = await CopyAsync($"{path}?{query}", into, stop).ConfigureAwait(false);
                if (Follow && next.Bytes == 0)
                {
                    next = await CopyAsync($"{path}?cursor={next.Next}{timed}", into, stop).ConfigureAwait(false);
                }

                place = next;
            }
        }

        /// <summary>Passes one answer on; tells where the next begins, how much came, and whether that is all there will be.</summary>
        private async Task<(long Next, long Bytes, bool Eof, long Newest)> CopyAsync(string path, Stream into, CancellationToken stop)
        {
            using var answer = await Client.SendAsync(HttpMethod.Get, path, null, stop).ConfigureAwait(false);
            var dropped = Number(answer, "Agent-Bytes-Dropped");
            if (dropped > 0) Invocation.Complain($"{dropped} bytes are gone");
            await using var bytes = await answer.Content.ReadAsStreamAsync(stop).ConfigureAwait(false);
            var buffer = new byte[64 << 10];
            long count = 0;
            var lines = 0;
            var isLineStart = Header(answer, "Agent-Line-Start") == "true";
            while (await bytes.ReadAsync(buffer, stop).ConfigureAwait(false) is > 0 and var got)
            {
                // Each line that begins here has its time before it.
                lines += buffer.AsSpan(0, got - 1).Count((byte)'\n') + (isLineStart ? 1 : 0);
                isLineStart = buffer[got - 1] == '\n';
                count += got;
                into.Write(buffer.AsSpan(0, got));
            }

            // A streamed answer tells where it began; a whole one, where it ended.
            var isStream = path.Contains("follow=true", StringComparison.Ordinal);
            var streamed = isStream ? count - (Timed ? (long)lines * TimeBytes : 0) : 0;
            return (
                Number(answer, "Agent-Next-Cursor") + streamed, count, Header(answer, "Agent-Eof") == "true",
                Number(answer, "Agent-Newest-Cursor"));
        }

        private static long Number(HttpResponseMessage answer, string name) =>
            long.TryParse(Header(answer, name), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : 0;

        private static string? Header(HttpResponseMessage answer, string name) =>
            answer.Headers.TryGetValues(name, out var values) ? values.First() : null;
    }
}
