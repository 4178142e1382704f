using System;
using System.Globalization;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Core.Process;
using Microsoft.AspNetCore.Http;

namespace Agent.Shell.Api;

/// <summary>The output and the stdin of a process.</summary>
internal sealed class OutputCalls(ApiParts parts)
{
    private const string Bytes = "application/octet-stream";
    private const string NextCursor = "Agent-Next-Cursor";
    private const string NewestCursor = "Agent-Newest-Cursor";
    private const string BytesDropped = "Agent-Bytes-Dropped";
    private const string Eof = "Agent-Eof";
    private const string LineStart = "Agent-Line-Start";

    // A cursor is compared with what is there, so it needs no bound of its own.
    private const long Unbounded = long.MaxValue;

    // A child that does not read costs its writer this long, unless the writer says otherwise.
    private const long DefaultWriteMs = 10_000;
    private const long MaxWriteMs = 300_000;

    private readonly Touches _touches = new(parts.Host);

    public async Task<Answer> ReadAsync(Call call)
    {
        if (call.Find(parts.Host) is not { } state) return call.NoSuchProcess();
        if (WireNames.Stream(call.Value("stream")) is not { } stream) return NoStream(call);
        var (asked, refusal) = OutputRequest.Read(call, state.Profile.Spec.Kind);
        if (asked is null) return refusal!;
        await _touches.NoteAsync(state, call.Principal, call.Stop);
        var id = state.Profile.Id;
        var first = Begin(asked, id, stream);
        if (first is null) return Answer.Invalid("since", "no times are kept of this output, only of services with a log");
        return first switch
        {
            OutputRead.Absent => NoOutput(state),
            OutputRead.Beyond(var end) => Beyond(end),
            OutputRead.Slice slice => await AnswerAsync(asked, slice, id, stream, call),
        };
    }

    public Task<Answer> AckAsync(Call call)
    {
        if (call.Find(parts.Host) is not { } state) return Task.FromResult(call.NoSuchProcess());
        if (WireNames.Stream(call.Value("stream")) is not { } stream) return Task.FromResult(NoStream(call));
        if (!call.TryNumber("cursor", 0, Unbounded, out var cursor) || cursor is null)
        {
            return Task.FromResult(OutputRequest.Number(call, "cursor", 0, Unbounded));
        }

        return AckAsync(call, state, stream, cursor.Value);
    }

    public async Task<Answer> WriteAsync(Call call)
    {
        if (call.Find(parts.Host) is not { } state) return call.NoSuchProcess();
        if (!call.TryNumber("timeoutMs", 0, MaxWriteMs, out var within))
        {
            return OutputRequest.Number(call, "timeoutMs", 0, MaxWriteMs);
        }

        var (bytes, refusal) = await call.ReadAsync();
        if (refusal is not null) return refusal;
        if (state.Profile.Spec.Stdin != StdinMode.Open) return Closed("it was spawned without an open stdin");
        await _touches.NoteAsync(state, call.Principal, call.Stop);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(call.Stop);
        limit.CancelAfter(TimeSpan.FromMilliseconds(within ?? DefaultWriteMs));
        return await parts.Output.WriteAsync(state.Profile.Id, bytes, limit.Token) switch
        {
            StdinWrite.Wrote(var count) => Answer.Json(new WrittenAnswer(count), WireJson.Default.WrittenAnswer),
            StdinWrite.Closed => Closed("it reads no more"),
        };
    }

    public async Task<Answer> CloseAsync(Call call)
    {
        if (call.Find(parts.Host) is not { } state) return call.NoSuchProcess();
        await _touches.NoteAsync(state, call.Principal, call.Stop);
        if (state.Profile.Spec.Stdin != StdinMode.Open) return Answer.Nothing;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(call.Stop);
        limit.CancelAfter(TimeSpan.FromMilliseconds(DefaultWriteMs));
        return await parts.Output.CloseStdinAsync(state.Profile.Id, limit.Token)
            ? Answer.Nothing
            : Answer.Refuse(ErrorNames.Busy, "the keeper has not told yet whether the process lives; ask again");
    }

    private async Task<Answer> AckAsync(Call call, ProcessState state, OutputStream stream, long cursor)
    {
        await _touches.NoteAsync(state, call.Principal, call.Stop);
        return parts.Output.Ack(state.Profile.Id, stream, cursor) switch
        {
            OutputAck.Freed => Answer.Nothing,
            OutputAck.Beyond(var end) => Beyond(end),
            OutputAck.Absent => NoOutput(state),
        };
    }

    /// <summary>The first piece; null: it was to begin at a time, and of that nothing is known.</summary>
    private OutputRead? Begin(OutputRequest asked, ProcessId id, OutputStream stream)
    {
        long? since = null;
        if (asked.Timestamps && parts.Output.Times(id, stream, 0, 0) is null) return null;
        if (asked.SinceMs is { } time && (since = parts.Output.CursorAt(id, stream, time)) is null) return null;
        if (asked.Tail is not { } lines)
        {
            return asked.Drain && !asked.Follow ? parts.Output.Drain(id, stream, asked.Piece)
                : parts.Output.Since(id, stream, since ?? asked.Cursor, asked.Piece);
        }

        var tail = parts.Output.Tail(id, stream, lines, asked.TailBytes);
        if (since is not { } from || tail is not OutputRead.Slice slice) return tail;
        var early = (int)Math.Clamp(from - (slice.Next - slice.Bytes.Length), 0, slice.Bytes.Length);
        return slice with { Bytes = slice.Bytes[early..] };
    }

    private async Task<Answer> AnswerAsync(
        OutputRequest asked, OutputRead.Slice first, ProcessId id, OutputStream stream, Call call)
    {
        var times = asked.Timestamps ? new LineTimes(parts.Output, id, stream, first.Next - first.Bytes.Length) : null;
        var startsLine = times?.IsLineStart;
        if (asked.Follow)
        {
            var follower = new Follower(parts.Output, id, stream, asked.Piece, asked.Drain, times);
            return Follow(follower, first, startsLine, call.Principal);
        }

        var slice = times is null ? first : await times.TimeAsync(first, call.Stop);
        return new Answer.Content(
            StatusCodes.Status200OK, Bytes, slice.Bytes, Headers(slice, slice.Next, slice.Eof, startsLine));
    }

    /// <summary>
    /// The headers tell where the stream begins; its bytes follow without a gap, so a caller who counts them knows
    /// the cursor to ask from when it ends.
    /// </summary>
    private Answer.Streamed Follow(Follower follower, OutputRead.Slice first, bool? startsLine, Principal by) => new(
        Bytes,
        Headers(first, first.Next - first.Bytes.Length, eof: false, startsLine),
        (body, stop) => _touches.WhileAsync(follower.RunAsync(first, body, stop), follower.Id, by, stop));

    private static (string Name, string Value)[] Headers(OutputRead.Slice slice, long next, bool eof, bool? startsLine) =>
    [
        (NextCursor, next.ToString(CultureInfo.InvariantCulture)),
        (NewestCursor, slice.Newest.ToString(CultureInfo.InvariantCulture)),
        (BytesDropped, slice.Dropped.ToString(CultureInfo.InvariantCulture)),
        (Eof, eof ? "true" : "false"),
        .. startsLine is { } starts ? [(LineStart, starts ? "true" : "false")] : Array.Empty<(string, string)>(),
    ];

    private static Answer NoStream(Call call) =>
        Answer.Refuse(ErrorNames.NotFound, $"{call.Value("stream")} is no stream, there are stdout and stderr");

    private static Answer NoOutput(ProcessState state) => Answer.Refuse(
        ErrorNames.InvalidInput,
        state.Profile.Spec.Kind == ProcessKind.Daemon
            ? "a daemon writes to files, in the directory logs of the agent's state"
            : "it has no output yet");

    private static Answer Beyond(long end) => Answer.Invalid("cursor", $"cursor lies behind the newest byte, at {end}");

    private static Answer Closed(string why) => Answer.Refuse(ErrorNames.Closed, why);
}
