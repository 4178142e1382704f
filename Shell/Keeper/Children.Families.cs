using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using Agent.Shell.Linux;
using Agent.Shell.Observability;

namespace Agent.Shell.Keeper;

/// <summary>Who descends from children: put into their cgroups, looked for outside of them, and ended with them.</summary>
internal sealed partial class Children
{
    // What forks without pause is found by one of many looks, each of some hundred microseconds; nobody else is served
    // meanwhile. Who is in no cgroup yet is sought in shorter turns, and for some seconds in all.
    private static readonly TimeSpan LongestHunt = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestGathering = TimeSpan.FromMilliseconds(20);
    private const int MostGatherings = 100;

    // New children get their cgroups when nothing was to do for a moment, but not later than this, nor more at once.
    private static readonly TimeSpan LongestUnjoined = TimeSpan.FromMilliseconds(200);
    private const int MostUnjoined = 128;

    // Those not in their cgroups yet, and those who ended before their orphans were all found.
    private readonly List<Child> _unjoined = [];
    private long _unjoinedSince;
    private int _gatherings;

    // Whom the gathering under way has looked at; it may take several turns.
    private readonly HashSet<int> _settled = [];

    /// <summary>Somebody waits for <see cref="JoinCgroups"/>.</summary>
    public bool HasUnjoined => _unjoined.Count > 0;

    /// <summary>Groups of ended children wait for the last of those who were killed in them.</summary>
    public bool HasLeftovers => _cgroups.HasLeftovers;

    /// <summary>They have waited for long enough, or are enough.</summary>
    private bool MustJoin => _unjoined.Count >= MostUnjoined
        || (HasUnjoined && Stopwatch.GetElapsedTime(_unjoinedSince) >= LongestUnjoined);

    private IEnumerable<int> Leaders => _watched.Values.Select(child => child.Row.Pid);

    /// <summary>A round of the keeper begins: there is time to look for orphans again, and for what could not go before.</summary>
    public void BeginRound(bool isIdle)
    {
        _orphans.BeginRound();
        if (isIdle) _cgroups.Sweep();
        if (isIdle || MustJoin) JoinCgroups();
    }

    /// <summary>
    /// Puts those started since the last time into their cgroups, and with them whom they left as orphans until then. For
    /// the first the kernel waits some ten milliseconds, in which nothing on the host forks; those that follow at once cost
    /// next to nothing. So it is done for many together, and a short-lived child does without. Where orphans make others
    /// faster than they are found, it goes on at the next time.
    /// </summary>
    private void JoinCgroups()
    {
        if (!_cgroups.Exist) _unjoined.RemoveAll(child => !IsOver(child));
        if (_unjoined.Count == 0) return;
        foreach (var child in _unjoined)
        {
            if (!IsOver(child)) _cgroups.Join(child.Key, child.Row.Pid);
        }

        _unjoinedSince = Stopwatch.GetTimestamp();
        _settled.UnionWith(Leaders);
        if (!_orphans.Hunt(_settled, Take, LongestGathering) && ++_gatherings < MostGatherings) return;
        if (_gatherings == MostGatherings)
        {
            var keys = string.Join(' ', _unjoined.Select(child => child.Key));
            Log.Fail("orphans fork faster than they are found", ("keys", keys));
        }

        _gatherings = 0;
        _settled.Clear();
        _unjoined.Clear();
    }

    /// <summary>
    /// Takes the zombies of adopted orphans; the ends of own children are told by their pidfds. Tells whether there may be
    /// more of them.
    /// </summary>
    public bool ReapOrphans()
    {
        for (var reaped = 0; reaped < MostAtOnce; reaped++)
        {
            var pid = Processes.PeekEnded();
            if (pid <= 0 || _byKey.Values.Any(child => child.IsOwn && child.Row.Pid == pid && !child.HasEnded)) return false;
            Processes.TryReap(pid);
        }

        return true;
    }

    /// <summary>
    /// Those of families whose leader ended while no keeper lived to see it, or whose keeper died before all were found.
    /// </summary>
    private void KillLeftBehind()
    {
        var ended = _byKey.Values.Where(child => child is { HasEnded: true, Tree: true } && child.Row.Boot == Processes.BootId)
            .Select(child => child.Key).ToHashSet(StringComparer.Ordinal);
        if (ended.Count == 0) return;
        foreach (var key in ended) _cgroups.Kill(key);
        foreach (var (pid, key) in _marker.Marked())
        {
            if (ended.Contains(key)) KillMember(pid);
        }
    }

    /// <summary>
    /// Kills whoever is left of a family: the cgroup's members, and those who are in none by their mark. Looking through all
    /// processes for the mark costs milliseconds on a busy host, so at an ordinary exit only orphans are looked through, and
    /// of those only the ones that are in no child's cgroup. Where the time does not do, <see cref="JoinCgroups"/> goes on.
    /// </summary>
    private void KillFamily(Child child, bool thorough)
    {
        if (!_cgroups.IsEmpty(child.Key)) _cgroups.Kill(child.Key);
        if (thorough || !_cgroups.Exist) KillMarked(child, _marker.Marked());
        var isOver = _orphans.Hunt([.. Leaders], (orphan, key) => key == child.Key && KillMember(orphan), LongestHunt);
        if (!isOver && !_unjoined.Contains(child)) AddUnjoined(child);
    }

    private void AddUnjoined(Child child)
    {
        if (_unjoined.Count == 0) _unjoinedSince = Stopwatch.GetTimestamp();
        _unjoined.Add(child);
    }

    /// <summary>It has ended, or was killed and forgotten.</summary>
    private bool IsOver(Child child) => child.HasEnded || _byKey.GetValueOrDefault(child.Key) != child;

    /// <summary>An orphan of one who waits for his cgroup goes there with him, or is killed if he has ended.</summary>
    private bool Take(int orphan, string key) =>
        _unjoined.Find(child => child.Key == key) is { } child
        && (IsOver(child) ? child.Tree && KillMember(orphan) : _cgroups.Join(key, orphan));

    private static void KillMarked(Child child, IEnumerable<(int Pid, string Key)> marked)
    {
        foreach (var (pid, _) in marked.Where(one => one.Key == child.Key && one.Pid != child.Row.Pid)) KillMember(pid);
    }

    private static bool KillMember(int pid)
    {
        var pidfd = Processes.Open(pid);
        if (pidfd < 0) return false;
        Processes.Signal(pidfd, Processes.Kill);
        Descriptors.Close(pidfd);
        return true;
    }
}
