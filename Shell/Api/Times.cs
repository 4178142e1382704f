using System;
using System.Globalization;

namespace Agent.Shell.Api;

/// <summary>Moments as they are written: RFC 3339, in UTC where this program writes them.</summary>
internal static class Times
{
    /// <summary>How long a written moment is.</summary>
    public const int Length = 24;

    // Beyond what a clock shows, so that a year 9999 of somebody's does not overflow.
    private const long MostUnixMs = 253_000_000_000_000;

    private static readonly string[] Forms =
        ["yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd't'HH:mm:ss.FFFFFFFK"];

    /// <summary>A moment with its offset; one without says nothing.</summary>
    public static bool TryParse(string text, out long unixMs)
    {
        unixMs = 0;
        if (text is not [.., 'Z' or 'z'] && (text.Length < 6 || text[^6] is not ('+' or '-'))) return false;
        if (!DateTimeOffset.TryParseExact(
            text, Forms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
        {
            return false;
        }

        unixMs = Math.Clamp(time.ToUnixTimeMilliseconds(), 0, MostUnixMs);
        return true;
    }

    /// <summary>With milliseconds; what no clock shows is blank.</summary>
    public static string Show(long unixMs) => unixMs is <= 0 or > MostUnixMs
        ? new string(' ', Length)
        : DateTimeOffset.FromUnixTimeMilliseconds(unixMs)
            .ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
