using System;
using System.Globalization;
using System.Threading;
using Agent.Core.Time;

namespace Agent.Shell.Loop;

/// <summary>
/// What the machine's clock says now. It may be set either way at any moment, so nothing waits by it: it is for what
/// people and other machines signed or certified by a clock of their own. What waits goes by the loop's
/// <see cref="Clock"/>, which follows no such step; where the two have parted, that is told.
/// </summary>
/// <param name="loop">What the loop's clock says.</param>
/// <param name="time">The machine's clock, unless a test has one of its own.</param>
internal sealed class WallClock(Func<Instant> loop, TimeProvider? time = null)
{
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private int _told;

    /// <summary>As far apart as signers' clocks may be; a clock that is merely disciplined never gets there.</summary>
    public static TimeSpan Slack => TimeSpan.FromMinutes(1);

    /// <summary>What this machine's clock says, for whoever has no loop.</summary>
    public static Instant Read() => new(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());

    public Instant Now => new(_time.GetUtcNow().ToUnixTimeMilliseconds());

    /// <summary>What this clock would have said at an instant of the loop's.</summary>
    public Instant At(Instant instant) => Now - (loop() - instant);

    /// <summary>How far the two are apart and what to do about it; null while they agree.</summary>
    public string? Suspect
    {
        get
        {
            var ahead = Now - loop();
            if (ahead.Duration() <= Slack) return null;
            var seconds = TimeSpan.FromSeconds(Math.Round(ahead.Duration().TotalSeconds));
            var apart = seconds.ToString("c", CultureInfo.InvariantCulture);
            return ahead > TimeSpan.Zero
                ? $"the machine's clock is {apart} ahead of the agent's, by which deadlines and the journal go; "
                    + "if the machine's is right, restart the agent (nothing that it keeps is stopped), else set it"
                : $"the machine's clock is {apart} behind the agent's, which never goes back behind its journal; "
                    + "if the machine's is wrong, set it; if it is right, the journal's times stay ahead of it"
                    + " until it has caught up";
        }
    }

    /// <summary>Whether that is other than when it was last asked, so that it is told once and not each minute.</summary>
    public bool HasTurned(out string? suspect)
    {
        suspect = Suspect;
        var now = suspect is null ? 0 : 1;
        return Interlocked.Exchange(ref _told, now) != now;
    }
}
