using System.Globalization;
using Agent.Core.Model;

namespace Agent.Core.Time;

/// <summary>
/// A point in time, in whole milliseconds since 1970-01-01 UTC. Only the shell's clock makes new ones; it never
/// runs backwards, so an instant is also an order. Hosts tell their plane any, so that none makes a step throw: sums and
/// differences end at what can be said.
/// </summary>
public readonly record struct Instant(long UnixMilliseconds) : IComparable<Instant>
{
    public int CompareTo(Instant other) => UnixMilliseconds.CompareTo(other.UnixMilliseconds);

    public static Instant operator +(Instant at, TimeSpan span) => At((Int128)at.UnixMilliseconds + Whole(span));

    public static Instant operator -(Instant at, TimeSpan span) => At((Int128)at.UnixMilliseconds - Whole(span));

    public static TimeSpan operator -(Instant left, Instant right) =>
        TimeSpan.FromMilliseconds((long)Int128.Clamp(
            (Int128)left.UnixMilliseconds - right.UnixMilliseconds, Whole(TimeSpan.MinValue), Whole(TimeSpan.MaxValue)));

    public static bool operator <(Instant left, Instant right) => left.UnixMilliseconds < right.UnixMilliseconds;

    public static bool operator >(Instant left, Instant right) => left.UnixMilliseconds > right.UnixMilliseconds;

    public static bool operator <=(Instant left, Instant right) => left.UnixMilliseconds <= right.UnixMilliseconds;

    public static bool operator >=(Instant left, Instant right) => left.UnixMilliseconds >= right.UnixMilliseconds;

    public static Instant Earlier(Instant left, Instant right) => left <= right ? left : right;

    public static Instant Later(Instant left, Instant right) => left >= right ? left : right;

    /// <summary>The earlier of two instants that may be absent; absent means never.</summary>
    public static Option<Instant> Earlier(Option<Instant> left, Option<Instant> right) =>
        left.TryGet(out var first) && right.TryGet(out var second) ? Earlier(first, second)
        : left.IsSome ? left
        : right;

    /// <summary>RFC 3339 in UTC with milliseconds; outside of its years the plain number.</summary>
    public override string ToString() =>
        UnixMilliseconds < DateTimeOffset.MinValue.ToUnixTimeMilliseconds()
            || UnixMilliseconds > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
            ? string.Create(CultureInfo.InvariantCulture, $"{UnixMilliseconds} ms")
            : DateTimeOffset.FromUnixTimeMilliseconds(UnixMilliseconds)
                .ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private static Instant At(Int128 milliseconds) => new((long)Int128.Clamp(milliseconds, long.MinValue, long.MaxValue));

    private static long Whole(TimeSpan span) => span.Ticks / TimeSpan.TicksPerMillisecond;
}
