using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;
using Agent.Shell.Linux;

namespace Agent.Shell.Keeper;

/// <summary>
/// Descendants of children whose parent has ended: the kernel gives them to the keeper, its subreaper. Those outside of all
/// children's cgroups are known by their mark alone, and whoever forks without pause is gone, with another in its place,
/// before it is looked at twice.
/// </summary>
internal sealed class Orphans(Marker marker, Cgroups cgroups)
{
    /// <summary>
    /// Hands each that bears a mark to <paramref name="take"/>, with its key, as soon as it is found, and looks until
    /// nobody can be left. It answers whether that was one of those sought. False if the time was too short.
    /// </summary>
    public bool Hunt(IEnumerable<int> leaders, Func<int, string, bool> take, TimeSpan longest)
    {
        var since = Stopwatch.GetTimestamp();
        HashSet<int> settled = [.. leaders];
        while (Look(settled, take))
        {
            if (Stopwatch.GetElapsedTime(since) >= longest) return false;
            Thread.Yield();
        }

        return true;
    }

    /// <summary>
    /// Tells whether to look again: where one was found, and where one may have had children of whom we do not know yet.
    /// They come to us, behind our look, when it has ended.
    /// </summary>
    private bool Look(HashSet<int> settled, Func<int, string, bool> take)
    {
        var again = false;
        foreach (var orphan in Processes.GivenTo(Environment.ProcessId))
        {
            if (settled.Contains(orphan)) continue;
            if (!cgroups.Hold(orphan) && IsOpen(orphan, take)) again = true;
            else settled.Add(orphan);
        }

        return again;
    }

    private bool IsOpen(int orphan, Func<int, string, bool> take) =>
        marker.KeyOf(orphan) is { } key ? take(orphan, key) : Processes.TryReap(orphan) is not null || Processes.IsFading(orphan);
}
