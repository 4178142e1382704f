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
    private const string BytesDropped = "Agent-Bytes-Dropped";
    private const string Eof = "Agent-Eof";

    // The most that one answer holds in memory; the most of the largest ring takes two.
    private const int MaxRead = 4 << 20;

    // A cursor is compared with what is there, so it needs no bound of its own.
    private const long Unbounded = long.MaxValue;

    private const int DefaultRead = 1 << 20;
    private const int MaxTailLines = 100_000;

    // A follower's slice: large enough to keep up with a pipe, small enough to have a thousand of.
    private const int FollowSlice = 64 << 10;

    // A child that does not read costs its writer this long, unless the writer says otherwise.
    private const long DefaultWriteMs = 10_000;
    private const long MaxWriteMs = 300_000;

    private readonly Touches _touches = new(parts.Host);

    public async Task<Answer> ReadAsync(Call call)
    {
        if (call.Find(parts.Host) is not { } state) return call.NoSuchProcess();
        if (WireNames.Stream(call.Value("stream")) is not { } stream) return NoStream(call);
        if (!call.TryNumber("cursor", 0, Unbounded, out var cursor)) return Number(call, "cursor", 0, Unbounded);
        if (!call.TryNumber("max", 1, MaxRead, out var max)) return Number(call, "max", 1, MaxRead);
        if (!call.TryNumber("tail", 0, MaxTailLines, out var tail)) return Number(call, "tail", 0, MaxTailLines);
        if (!call.TryFlag("follow", out var follow)) return Answer.Invalid("follow", "follow must be true or false");
        if (!call.TryFlag("drain", out var drain)) return Answer.Invalid("drain", "drain must be true or false");
        if (cursor is not null && tail is not null) return Answer.Invalid("tail", "tail and cursor exclude each other");
        if (drain && tail is not null) return Answer.Invalid("drain", "drain and tail exclude each other");
        if (drain && cursor is not null) return Answer.Invalid("drain", "drain takes the oldest bytes, omit cursor");

        await _touches.NoteAsync(state, call.Principal, call.Stop);
        var id = state.Profile.Id;
        var size = (int)(max ?? (follow ? FollowSlice : DefaultRead));
        var first = tail is { } lines ? parts.Output.Tail(id, stream, (int)lines, size)
            : drain && !follow ? parts.Output.Drain(id, stream, size)
            : parts.Output.Since(id, stream, cursor ?? 0, size);
        return first switch
        {
            OutputRead.Absent => NoOutput(state),
            OutputRead.Beyond(var end) => Beyond(end),
            OutputRead.Slice slice => follow
                ? Follow(new(parts.Output, id, stream, size, drain), slice, call.Principal)
                : new Answer.Content(
                    StatusCodes.Status200OK, Bytes, slice.Bytes, Headers(slice.Next, slice.Dropped, slice.Eof)),
        };
    }

    public Task<Answer> AckAsync(Call call)
    {
        if (call.Find(parts.Host) is not { } state) return Task.FromResult(call.NoSuchProcess());
        if (WireNames.Stream(call.Value("stream")) is not { } stream) return Task.FromResult(NoStream(call));
        if (!call.TryNumber("cursor", 0, Unbounded, out var cursor) || cursor is null)
        {
            return Task.FromResult(Number(call, "cursor", 0, Unbounded));
        }

        return AckAsync(call, state, stream, cursor.Value);
    }

    public async Task<Answer> WriteAsync(Call call)
    {
        if (call.Find(parts.Host) is not { } state) return call.NoSuchProcess();
        if (!call.TryNumber("timeoutMs", 0, MaxWriteMs, out var within))
        {
            return Number(call, "timeoutMs", 0, MaxWriteMs);
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
        if (state.Profile.Spec.Stdin == StdinMode.Open) parts.Output.CloseStdin(state.Profile.Id);
        return Answer.Nothing;
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

    /// <summary>
    /// The headers tell where the stream begins; its bytes follow without a gap, so a caller who counts them knows
    /// the cursor to ask from when it ends.
    /// </summary>
    private Answer.Streamed Follow(Follower follower, OutputRead.Slice first, Principal by) => new Answer.Streamed(
        Bytes,
        Headers(first.Next - first.Bytes.Length, first.Dropped, eof: false),
        (body, stop) => _touches.WhileAsync(follower.RunAsync(first, body, stop), follower.Id, by, stop));

    private static (string Name, string Value)[] Headers(long next, long dropped, bool eof) =>
    [
        (NextCursor, next.ToString(CultureInfo.InvariantCulture)),
        (BytesDropped, dropped.ToString(CultureInfo.InvariantCulture)),
        (Eof, eof ? "true" : "false"),
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

    private static Answer Number(Call call, string name, long least, long most) => Answer.Invalid(
        name,
        call.Query(name) is null ? $"{name} must be given"
        : most == Unbounded ? $"{name} must be a whole number from {least}"
        : $"{name} must be a whole number from {least} to {most}");
}
