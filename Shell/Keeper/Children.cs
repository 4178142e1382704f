using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Agent.Shell.Linux;

namespace Agent.Shell.Keeper;

/// <summary>
/// All children of one keeper: started, signalled, seen to their end and forgotten. One thread calls it, so that a
/// check of a child's identity and what is done upon it cannot be torn apart by its reaping.
/// </summary>
internal sealed partial class Children : IDisposable
{
    // A family that forks faster than it is killed loses after a few rounds; the caller comes back if it does not.
    private const int KillRounds = 5;

    /// <summary>Marks a child's notify socket among what becomes ready, with the child's own mark.</summary>
    public const ulong NotifyMark = 1UL << 60;

    private readonly Dictionary<string, Child> _byKey = new(StringComparer.Ordinal);

    // Who lives, by what the epoll tells of each. Not by pid: the pid of one whom another parent reaped may be taken again.
    private readonly Dictionary<ulong, Child> _watched = [];
    private readonly KeeperPaths _paths;
    private readonly Epoll _epoll;
    private readonly ChildLog _log;
    private readonly Cgroups _cgroups;
    private readonly Marker _marker;
    private readonly List<Child> _unjoined = [];
    private ulong _marks;

    public Children(KeeperPaths paths, Epoll epoll)
    {
        _paths = paths;
        _epoll = epoll;
        _log = new ChildLog(paths.Children);
        _cgroups = new Cgroups(paths.RuntimeDir);
        _marker = new Marker(paths.RuntimeDir);
    }

    public int Living => _byKey.Values.Count(child => !child.HasEnded);

    public string? Trouble => _log.Trouble;

    /// <summary>How many wait for <see cref="JoinCgroups"/>.</summary>
    public int Unjoined => _unjoined.Count;

    public IReadOnlyList<KeptRow> Rows => [.. _byKey.Values.Select(child => child.Row)];

    /// <summary>
    /// Takes up what an earlier keeper of this directory left: its log first, then children that bear our mark and
    /// that it had no time to write down.
    /// </summary>
    public void Recover()
    {
        foreach (var fact in _log.Read())
        {
            if (fact.Fact == ChildFact.Forgotten) _byKey.Remove(fact.Row.Key);
            else _byKey[fact.Row.Key] = new Child(fact.Row, fact.Tree, own: false) { IsNotifying = fact.Notify };
        }

        foreach (var (pid, key) in _marker.Marked().ToList())
        {
            if (_byKey.TryGetValue(key, out var known) && known.Row.Pid != 0) continue;
            if (Processes.Family(pid)?.Session != pid) continue;
            if (Processes.StartTime(pid) is not { } start) continue;
            _byKey[key] = new Child(new(key, pid, start, Processes.BootId), tree: true, own: false);
            _log.Note(_byKey[key].Spawned());
        }

        foreach (var child in _byKey.Values.ToList()) Adopt(child);
        Sync(_byKey.Values);
    }

    /// <summary>
    /// Starts what was ordered, once for one key. It is written down for the next keeper, unless the answer says otherwise;
    /// not for the next boot, which has none of these children.
    /// </summary>
    public KeeperReply Spawn(long id, string key, SpawnOrder order)
    {
        if (_byKey.TryGetValue(key, out var known)) return new(id) { Row = known.Row };
        if (!SpawnPlanner.IsKey(key)) return new(id) { Error = "bad-key", Detail = $"\"{key}\" is no spawn key" };
        var (joins, fault) = _cgroups.Bound(key, order.Limits);
        if (fault is not null) return new(id) { Error = "limits", Detail = fault };
        if (SpawnPlanner.Plan(_paths, _marker, key, order, joins) is var (plan, refusal) && plan is null)
        {
            _cgroups.Remove(key);
            return new(id) { Error = refusal!.Error, Detail = refusal.Detail };
        }

        // Written down before it happens: what this keeper began and did not live to see is over for its successor, and
        // lost, but is not begun a second time.
        var child = HoldPipes(key, order);
        _log.Note(new(ChildFact.Begun, child.Row with { Boot = Processes.BootId }) { Tree = order.Tree, Notify = order.Notify });
        _log.Write();
        var (pid, errno) = SpawnByDefaults(plan!);
        if (errno != 0)
        {
            child.Close();
            _cgroups.Remove(key);
            RemovePipes(key);
            _log.Note(new(ChildFact.Forgotten, child.Row));
            _log.Write();
            return new(id) { Error = "spawn-failed", Detail = $"{plan!.Path}: {Errno.Text(errno)}" };
        }

        child.Row = new(key, pid, Processes.StartTime(pid) ?? 0, Processes.BootId);
        child.Pidfd = Processes.Open(pid);
        Watch(child);
        _byKey[key] = child;

        // With limits it entered its group before it was what was ordered.
        if (joins is null) _unjoined.Add(child);
        _log.Note(child.Spawned());
        _log.Write();
        return new(id) { Row = child.Row, Detail = _log.Trouble };
    }

    /// <summary>
    /// A child's notify socket has messages. Answers the child if it said that it is ready, and had not before; that is
    /// noted, not yet durable.
    /// </summary>
    public Child? Notified(ulong mark)
    {
        if (!_watched.TryGetValue(mark & ~NotifyMark, out var child)) return null;
        var isNew = false;
        while (child.Notify?.Receive() is var (text, uid))
        {
            // The name is no secret: only the child's own user, or root, speaks for it.
            if (uid != 0 && uid != Processes.UserOf(child.Row.Pid)) continue;
            isNew |= !child.Row.Ready && text.Split('\n').Contains("READY=1", StringComparer.Ordinal);
        }

        if (!isNew) return null;
        child.Row = child.Row with { Ready = true };
        _log.Note(child.Spawned());
        return child;
    }

    /// <summary>
    /// Puts those started since the last time into their cgroups. For the first the kernel waits some ten milliseconds, in
    /// which nothing on the host forks; those that follow at once cost next to nothing. So it is done for many together,
    /// and a short-lived child does without.
    /// </summary>
    public void JoinCgroups()
    {
        foreach (var child in _unjoined)
        {
            if (!child.HasEnded) _cgroups.Join(child.Key, child.Row.Pid);
        }

        _unjoined.Clear();
    }

    public bool Signal(string key, int signal)
    {
        if (!_byKey.TryGetValue(key, out var child) || child.HasEnded || signal is < 1 or > 64) return false;
        if (child.IsOwn) return Processes.SignalGroup(child.Row.Pid, signal);

        // No child of ours: its parent may reap it at any time, so its identity is looked at right before.
        return Processes.StartTime(child.Row.Pid) == child.Row.StartTime
            && Processes.Signal(child.Pidfd, 0)
            && Processes.SignalGroup(child.Row.Pid, signal);
    }

    public void KillTree(string key)
    {
        if (!_byKey.TryGetValue(key, out var child)) return;
        Signal(key, Processes.Kill);

        // An engine's daemon alone: its descendants are containers, and those outlive it.
        if (child.Tree) KillFamily(child, thorough: true);
    }

    public void CloseInput(string key)
    {
        if (!_byKey.TryGetValue(key, out var child)) return;
        child.CloseInput();

        // Without its name nobody opens it again, and the child sees the end of its input.
        File.Delete(_paths.Input(key));
    }

    public void Forget(string key)
    {
        if (!_byKey.Remove(key, out var child)) return;
        if (child.Pidfd >= 0) _epoll.Forget(child.Pidfd);
        _watched.Remove(child.Mark);
        child.Close();
        RemovePipes(key);
        _cgroups.Remove(key);
        _log.Note(new(ChildFact.Forgotten, child.Row));
    }

    /// <summary>A pidfd became readable: the process has ended. Its exit is noted, not yet durable.</summary>
    public Child? End(ulong mark)
    {
        if (!_watched.TryGetValue(mark, out var child)) return null;
        var pid = child.Row.Pid;
        if (child.Tree)
        {
            // The leader is not reaped yet, so its group is still its own.
            if (child.IsOwn) Processes.SignalGroup(pid, Processes.Kill);
            KillFamily(child, thorough: false);
        }

        var reaped = child.IsOwn ? Processes.TryReap(pid) : Processes.TryExitOfStranger(pid, child.Pidfd);

        // Before its exec a child shares this process's memory, and the kernel's peak counts that as its own.
        if (reaped is { } how && how.PeakMemoryBytes <= Environment.WorkingSet) reaped = how with { PeakMemoryBytes = 0 };
        _epoll.Forget(child.Pidfd);
        Note(child, reaped);
        return child;
    }

    /// <summary>Takes the zombies of adopted orphans; the ends of own children are told by their pidfds.</summary>
    public void ReapOrphans()
    {
        while (Processes.PeekEnded() is > 0 and var pid)
        {
            if (_byKey.Values.Any(child => child.IsOwn && child.Row.Pid == pid && !child.HasEnded)) return;
            Processes.TryReap(pid);
        }
    }

    /// <summary>
    /// One sync for everything noted. Where it fails, the exits in question say that they are not durable.
    /// </summary>
    public void Sync(IEnumerable<Child> ended)
    {
        if (!_log.Sync())
        {
            foreach (var child in ended)
            {
                if (child.Row.Exit is { } exit) child.Row = child.Row with { Exit = exit with { Durable = false } };
            }
        }
        else if (_log.IsLarge)
        {
            _log.Compact(_byKey.Values.Select(child => child.HasEnded ? child.Exited() : child.Spawned()));
        }
    }

    public void Dispose() => _log.Dispose();

    private static (int Pid, int Errno) SpawnByDefaults(SpawnPlan plan)
    {
        using var defaults = Baseline.Enter();
        return Spawner.Spawn(plan);
    }

    private void Adopt(Child child)
    {
        if (child.HasEnded)
        {
            HoldOutput(child);
            return;
        }

        var alive = child.Row.Boot == Processes.BootId && Processes.StartTime(child.Row.Pid) == child.Row.StartTime;
        child.Pidfd = alive ? Processes.Open(child.Row.Pid) : -1;
        if (child.Pidfd < 0 || Processes.StartTime(child.Row.Pid) != child.Row.StartTime)
        {
            Note(child, Processes.TryExitOfStranger(child.Row.Pid, -1) is { } seen && alive ? seen : null);
            return;
        }

        HoldOutput(child);
        if (File.Exists(_paths.Input(child.Key))) child.Input = Descriptors.Open(_paths.Input(child.Key), Descriptors.ReadWrite);
        if (child.IsNotifying) child.Notify = NotifySocket.Bind(_paths.Notify(child.Key));
        Watch(child);
        if (!_cgroups.Has(child.Key)) _unjoined.Add(child);
    }

    private void Watch(Child child)
    {
        child.Mark = ++_marks;
        _watched[child.Mark] = child;
        _epoll.Watch(child.Pidfd, Epoll.In, child.Mark);
        if (child.Notify is { } notify) _epoll.Watch(notify.Fd, Epoll.In, NotifyMark | child.Mark);
    }

    private void Note(Child child, Reaped? reaped)
    {
        var exit = reaped is { } how
            ? new KeptExit(
                how.Signal == 0 ? how.Code : null, how.Signal == 0 ? null : how.Signal, how.CpuMilliseconds,
                how.PeakMemoryBytes, Durable: true) { OutOfMemory = how.Signal == Processes.Kill && _cgroups.RanOutOfMemory(child.Key) }
            : new KeptExit(null, null, 0, 0, Durable: true);
        child.Row = child.Row with { Exit = exit };
        _watched.Remove(child.Mark);
        child.CloseInput();
        child.EndNotify();
        _log.Note(child.Exited());
    }

    /// <summary>
    /// Kills whoever is left of a family: the cgroup's members, and those who were there before their leader was in it, by
    /// their mark. Looking through all processes for the mark costs milliseconds on a busy host, so at an ordinary exit only
    /// those are looked through whom the subreaper was given: where there is a cgroup, any other is in it.
    /// </summary>
    private void KillFamily(Child child, bool thorough)
    {
        if (!_cgroups.IsEmpty(child.Key)) _cgroups.Kill(child.Key);
        for (var round = 0; round < KillRounds; round++)
        {
            var found = _cgroups.Exist && !thorough ? _marker.Marked(Processes.ChildrenOf(Environment.ProcessId)) : _marker.Marked();
            var family = found.Where(one => one.Key == child.Key && one.Pid != child.Row.Pid).ToList();
            if (family.Count == 0) return;
            foreach (var (pid, _) in family) KillMember(pid);
            ReapOrphans();
        }
    }

    private static void KillMember(int pid)
    {
        var pidfd = Processes.Open(pid);
        if (pidfd < 0) return;
        Processes.Signal(pidfd, Processes.Kill);
        Descriptors.Close(pidfd);
    }

    private Child HoldPipes(string key, SpawnOrder order)
    {
        var owner = order.User is null ? (Uid: 0, Gid: 0) : Users.Find(order.User) ?? (0, 0);
        foreach (var path in (string[])[_paths.Output(key), _paths.Error(key)]) Descriptors.MakeFifo(path, owner.Uid, owner.Gid);
        var child = new Child(new(key, 0, 0, ""), order.Tree, own: true) { IsNotifying = order.Notify };
        HoldOutput(child);
        if (order.Stdin)
        {
            Descriptors.MakeFifo(_paths.Input(key), owner.Uid, owner.Gid);
            child.Input = Descriptors.Open(_paths.Input(key), Descriptors.ReadWrite);
        }

        if (order.Notify) child.Notify = NotifySocket.Bind(_paths.Notify(key));
        return child;
    }

    private void HoldOutput(Child child)
    {
        if (!File.Exists(_paths.Output(child.Key))) return;
        child.Output = Descriptors.Open(_paths.Output(child.Key), Descriptors.ReadOnly);
        child.Error = Descriptors.Open(_paths.Error(child.Key), Descriptors.ReadOnly);
        Descriptors.SizePipe(child.Output);
        Descriptors.SizePipe(child.Error);
    }

    private void RemovePipes(string key)
    {
        foreach (var path in (string[])[_paths.Input(key), _paths.Output(key), _paths.Error(key)]) File.Delete(path);
    }
}
