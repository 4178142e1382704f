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
    // Nobody else is served meanwhile, however many families are sought in one round.
    private static readonly TimeSpan LongestOfARound = TimeSpan.FromMilliseconds(500);

    private TimeSpan _left = LongestOfARound;

    /// <summary>A round begins, in which there is time again.</summary>
    public void BeginRound() => _left = LongestOfARound;

    /// <summary>
    /// Hands each that bears a mark to <paramref name="take"/>, with its key, as soon as it is found, and looks until
    /// nobody can be left. It answers whether that was one of those sought. False if the time was too short.
    /// </summary>
    /// <param name="settled">Who needs no look: leaders to begin with, and then whoever is none of those sought.</param>
    public bool Hunt(HashSet<int> settled, Func<int, string, bool> take, TimeSpan longest)
    {
        var since = Stopwatch.GetTimestamp();
        if (longest > _left) longest = _left;
        var isOver = false;
        while (!(isOver = !Look(settled, take, since, longest)) && Stopwatch.GetElapsedTime(since) < longest) Thread.Yield();
        _left -= Stopwatch.GetElapsedTime(since);
        return isOver;
    }

    /// <summary>
    /// Tells whether to look again: where one was found, and where one may have had children of whom we do not know yet.
    /// They come to us, behind our look, when it has ended.
    /// </summary>
    private bool Look(HashSet<int> settled, Func<int, string, bool> take, long since, TimeSpan longest)
    {
        var again = false;
        foreach (var orphan in Processes.GivenTo(Environment.ProcessId))
        {
            if (settled.Contains(orphan)) continue;
            if (Stopwatch.GetElapsedTime(since) >= longest) return true;
            if (IsOpen(orphan, take)) again = true;
            else settled.Add(orphan);
        }

        return again;
    }

    private bool IsOpen(int orphan, Func<int, string, bool> take)
    {
        var home = cgroups.HomeOf(orphan);
        if (home == CgroupHome.Child) return false;

        // Asked twice, since between two programs it bears nothing for a moment. What it is about to become, or whom it
        // leaves, shows at the next look.
        for (var asked = 0; asked < 2; asked++)
        {
            if (marker.KeyOf(orphan) is { } key) return take(orphan, key);
            if (home == CgroupHome.Elsewhere) return false;
            if (Processes.IsFading(orphan) || Processes.TryReap(orphan) is not null) return true;
        }

        // Whom it starts from now on needs no look any more.
        cgroups.SetAside(orphan);
        return false;
    }
}
