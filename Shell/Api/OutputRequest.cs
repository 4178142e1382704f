using System;
using Agent.Core.Process;

namespace Agent.Shell.Api;

/// <summary>What a reader of output asks for.</summary>
/// <param name="Cursor">Below 0: what a service said before this ring.</param>
/// <param name="SinceMs">Only what came at or after this time, in milliseconds since 1970.</param>
/// <param name="Piece">Bytes of the answer; of one that follows, of one piece.</param>
internal sealed record OutputRequest(
    long Cursor, int? Tail, long? SinceMs, int Piece, int TailBytes, bool Follow, bool Drain, bool Timestamps)
{
    // The most that one answer holds in memory; the most of the largest ring takes two.
    private const int MaxRead = 4 << 20;

    // Far beyond what any log has had.
    private const long Unbounded = long.MaxValue;
    private const long Before = long.MinValue / 2;

    private const int DefaultRead = 1 << 20;
    private const int MaxTailLines = 100_000;

    // A follower's slice: large enough to keep up with a pipe, small enough to have a thousand of.
    private const int FollowSlice = 64 << 10;

    /// <summary>The request, or the answer that refuses it.</summary>
    public static (OutputRequest? Asked, Answer? Refusal) Read(Call call, ProcessKind kind)
    {
        var oldest = kind == ProcessKind.Service ? Before : 0;
        if (!call.TryNumber("cursor", oldest, Unbounded, out var cursor)) return Not(Number(call, "cursor", oldest, Unbounded));
        if (!call.TryNumber("max", 1, MaxRead, out var max)) return Not(Number(call, "max", 1, MaxRead));
        if (!call.TryNumber("tail", 0, MaxTailLines, out var tail)) return Not(Number(call, "tail", 0, MaxTailLines));
        if (!call.TryTime("since", out var since)) return Wrong("since", "since must be a time such as 2026-01-31T12:00:00Z");
        if (!call.TryFlag("follow", out var follow)) return Wrong("follow", "follow must be true or false");
        if (!call.TryFlag("drain", out var drain)) return Wrong("drain", "drain must be true or false");
        if (!call.TryFlag("timestamps", out var timed)) return Wrong("timestamps", "timestamps must be true or false");
        if (cursor is not null && tail is not null) return Wrong("tail", "tail and cursor exclude each other");
        if (cursor is not null && since is not null) return Wrong("since", "since and cursor exclude each other");
        if (drain && tail is not null) return Wrong("drain", "drain and tail exclude each other");
        if (drain && cursor is not null) return Wrong("drain", "drain takes the oldest bytes, omit cursor");
        if (drain && since is not null) return Wrong("drain", "drain takes the oldest bytes, omit since");
        if (drain && timed) return Wrong("drain", "drain takes the bytes as they are, omit timestamps");
        var most = timed ? LineTimes.LongestPiece : MaxRead;
        var piece = (int)Math.Min(max ?? (follow ? FollowSlice : DefaultRead), most);
        var whole = (int)Math.Min(max ?? DefaultRead, most);
        return (new(cursor ?? 0, (int?)tail, since, piece, whole, follow, drain, timed), null);
    }

    public static Answer Number(Call call, string name, long least, long most) => Answer.Invalid(
        name,
        call.Query(name) is null ? $"{name} must be given"
        : least < 0 ? $"{name} must be a whole number"
        : most == Unbounded ? $"{name} must be a whole number from {least}"
        : $"{name} must be a whole number from {least} to {most}");

    private static (OutputRequest? Asked, Answer? Refusal) Not(Answer refusal) => (null, refusal);

    private static (OutputRequest? Asked, Answer? Refusal) Wrong(string field, string why) =>
        (null, Answer.Invalid(field, why));
}
