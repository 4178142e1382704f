using System;
using System.Globalization;

namespace Agent.Shell.Config;

/// <summary>Durations as people write them: 250ms, 10s, 5m, 1h30m, 2d.</summary>
internal static class Durations
{
    /// <summary>Longer than any bound that a duration is held against, and far from overflowing.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromDays(36_500);

    /// <summary>Null for what is no duration, or one beyond a hundred years.</summary>
    public static TimeSpan? Parse(string text)
    {
        var total = TimeSpan.Zero;
        var rest = text.AsSpan().Trim();
        if (rest.IsEmpty) return null;
        while (!rest.IsEmpty)
        {
            var digits = rest.IndexOfAnyExceptInRange('0', '9');
            if (digits <= 0 || !int.TryParse(rest[..digits], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                return null;
            }

            rest = rest[digits..];
            var letters = rest.IndexOfAnyInRange('0', '9');
            var unit = letters < 0 ? rest : rest[..letters];
            if (UnitOf(unit) is not { } one || number > (Longest - total) / one) return null;
            total += one * number;
            rest = rest[unit.Length..];
        }

        return total;
    }

    public static string Show(TimeSpan span) =>
        span < TimeSpan.FromSeconds(1) ? string.Create(CultureInfo.InvariantCulture, $"{span.TotalMilliseconds:0}ms")
        : span < TimeSpan.FromMinutes(1) ? string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0.#}s")
        : span < TimeSpan.FromHours(1) ? string.Create(CultureInfo.InvariantCulture, $"{span.Minutes}m{Rest(span.Seconds, "s")}")
        : span < TimeSpan.FromDays(1) ? string.Create(CultureInfo.InvariantCulture, $"{span.Hours}h{Rest(span.Minutes, "m")}")
        : string.Create(CultureInfo.InvariantCulture, $"{span.Days}d{Rest(span.Hours, "h")}");

    private static string Rest(int number, string unit) =>
        number == 0 ? "" : number.ToString(CultureInfo.InvariantCulture) + unit;

    private static TimeSpan? UnitOf(ReadOnlySpan<char> unit) => unit switch
    {
        "ms" => TimeSpan.FromMilliseconds(1),
        "s" => TimeSpan.FromSeconds(1),
        "m" => TimeSpan.FromMinutes(1),
        "h" => TimeSpan.FromHours(1),
        "d" => TimeSpan.FromDays(1),
        _ => null,
    };
}

/// <summary>Sizes as people write them: plain bytes, or with KiB, MiB, GiB, kB, MB, GB.</summary>
internal static class Sizes
{
    public static long? Parse(string text)
    {
        var rest = text.AsSpan().Trim();
        var digits = rest.IndexOfAnyExceptInRange('0', '9');
        if (digits < 0) digits = rest.Length;
        if (!long.TryParse(rest[..digits], NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return null;
        long? unit = rest[digits..].Trim() switch
        {
            "" or "B" => 1,
            "KiB" => 1L << 10,
            "MiB" => 1L << 20,
            "GiB" => 1L << 30,
            "kB" => 1000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            _ => null,
        };
        return unit is { } one && number <= long.MaxValue / one ? number * one : null;
    }

    public static string Show(long bytes) =>
        bytes < 1 << 10 ? string.Create(CultureInfo.InvariantCulture, $"{bytes} B")
        : bytes < 1 << 20 ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0.#} KiB")
        : bytes < 1 << 30 ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.#} MiB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / 1073741824.0:0.##} GiB");
}
