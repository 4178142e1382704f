using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net.Http;
using System.Threading;
using System.Threading.Tasks;

namespace Agent.Shell.Cli;

/// <summary>
/// One stream of a process, passed on byte for byte until it ends. A cursor holds across agents, so one that goes away
/// and comes back costs no byte and doubles none.
/// </summary>
/// <param name="acknowledges">Room is made for what was passed on: under backpressure nothing is lost and nothing piles up.</param>
internal sealed class Following(ApiClient client, string id, string stream, Stream into, bool acknowledges)
{
    // An eighth of a ring by default: rare enough to cost nothing, often enough that nobody waits for room.
    private const int AcknowledgedEvery = 128 << 10;

    private readonly string _path = $"/v1/processes/{id}/logs/{stream}";
    private readonly byte[] _buffer = new byte[64 << 10];
    private string _from = "";
    private bool _ended;
    private long _next;
    private long _acknowledged;
    private long _restsSince = Stopwatch.GetTimestamp();

    /// <summary>For how long nothing has come; none while its reader is the one who is waited for.</summary>
    public TimeSpan Rest => Volatile.Read(ref _restsSince) is var since && since == long.MaxValue
        ? TimeSpan.Zero
        : Stopwatch.GetElapsedTime(since);

    /// <summary>Passes on what is there. Whatever the process says after this has ended, it says to this.</summary>
    /// <param name="from">`cursor=0` for everything, `tail=0` for what comes, `tail=N`.</param>
    public async Task BeginAsync(string from, CancellationToken stop)
    {
        _from = from;
        _ended = await Patience.AskAsync(() => CopyAsync(follow: false, stop), stop).ConfigureAwait(false);
    }

    /// <summary>Goes on to the stream's end.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (!_ended)
        {
            // A follow ends at a gap and with its agent; what then stands is asked for without one.
            await Patience.AskAsync(() => CopyAsync(follow: true, stop), stop).ConfigureAwait(false);
            _ended = await Patience.AskAsync(() => CopyAsync(follow: false, stop), stop).ConfigureAwait(false);
        }
    }

    /// <summary>Passes one answer on; tells whether that is all there will be.</summary>
    private async Task<bool> CopyAsync(bool follow, CancellationToken stop)
    {
        using var answer = await client.SendAsync(
            HttpMethod.Get, $"{_path}?{_from}{(follow ? "&follow=true" : "")}", null, stop).ConfigureAwait(false);
        if (Number(answer, "Agent-Bytes-Dropped") is > 0 and var dropped)
        {
            Invocation.Complain($"{dropped} bytes of its {stream} are gone, the ring was full");
        }

        // A streamed answer tells where it begins; a whole one, where it ends.
        _next = Number(answer, "Agent-Next-Cursor") - (follow ? 0 : answer.Content.Headers.ContentLength ?? 0);
        _acknowledged = Math.Max(_acknowledged, _next);
        await using var bytes = await answer.Content.ReadAsStreamAsync(stop).ConfigureAwait(false);
        while (await bytes.ReadAsync(_buffer, stop).ConfigureAwait(false) is > 0 and var got)
        {
            await PassOnAsync(got, stop).ConfigureAwait(false);
        }

        _from = string.Create(CultureInfo.InvariantCulture, $"cursor={_next}");
        return Header(answer, "Agent-Eof") == "true";
    }

    private async Task PassOnAsync(int count, CancellationToken stop)
    {
        Volatile.Write(ref _restsSince, long.MaxValue);
        into.Write(_buffer.AsSpan(0, count));
        Volatile.Write(ref _restsSince, Stopwatch.GetTimestamp());
        _next += count;
        _from = string.Create(CultureInfo.InvariantCulture, $"cursor={_next}");
        if (!acknowledges || _next - _acknowledged < AcknowledgedEvery) return;
        using var done = await client.SendAsync(
            HttpMethod.Post, $"{_path}/ack?{_from}", null, stop).ConfigureAwait(false);
        _acknowledged = _next;
    }

    private static long Number(HttpResponseMessage answer, string name) =>
        long.TryParse(Header(answer, name), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    private static string? Header(HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out var values) ? values.First() : null;
}
