using System;
using System.Collections.Generic;
using System.ComponentModel;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.IO;
using System.Linq;
using Agent.Shell.Effects;
using Agent.Shell.Linux;
using Agent.Shell.Observability;

namespace Agent.Shell.Keeper;

/// <summary>
/// All children of one keeper: started, signalled, seen to their end and forgotten. One thread calls it, so that a
/// check of a child's identity and what is done upon it cannot be torn apart by its reaping.
/// </summary>
internal sealed partial class Children : IDisposable
{
    // Of messages and of orphans, before somebody else has a turn: whoever makes them can make more without end.
    private const int MostAtOnce = 256;

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
    private readonly Orphans _orphans;

    private ulong _marks;

    public Children(KeeperPaths paths, Epoll epoll)
    {
        _paths = paths;
        _epoll = epoll;
        _log = new ChildLog(paths.Children);
        _cgroups = new Cgroups(paths.RuntimeDir);
        _marker = new Marker(paths);
        _orphans = new Orphans(_marker, _cgroups);
    }

    public int Living => _byKey.Values.Count(child => !child.HasEnded);

    public string? Trouble => _log.Trouble;

    public IReadOnlyList<KeptRow> Rows => [.. _byKey.Values.Select(child => child.Row)];

    /// <summary>
    /// Takes up what an earlier keeper of this directory left: its log first, then children that bear our proof and that it
    /// had no time to write down. The one that began first is the child; others in sessions of their own are its own.
    /// </summary>
    public void Recover()
    {
        foreach (var fact in _log.Read())
        {
            if (fact.Fact == ChildFact.Forgotten) _byKey.Remove(fact.Row.Key);
            else _byKey[fact.Row.Key] = new Child(fact.Row, fact.Tree, own: false) { IsNotifying = fact.Notify };
        }

        var unwritten = _marker.Proven().Where(one => Processes.Family(one.Pid)?.Session == one.Pid)
            .Select(one => (one.Pid, one.Key, Start: Processes.StartTime(one.Pid)));
        foreach (var (pid, key, begun) in unwritten.OrderBy(one => one.Start).ToList())
        {
            var known = _byKey.GetValueOrDefault(key);
            if (begun is not { } start || known is { Row.Pid: not 0 }) continue;
            _byKey[key] = new Child(new(key, pid, start, Processes.BootId), known?.Tree ?? true, own: false)
            {
                IsNotifying = known?.IsNotifying ?? false,
            };
            _log.Note(_byKey[key].Spawned());
        }

        foreach (var child in _byKey.Values.ToList()) Adopt(child);
        KillLeftBehind();
        _cgroups.RemoveAllBut(_byKey.Keys);
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
        var child = new Child(new(key, 0, 0, ""), order.Tree, own: true) { IsNotifying = order.Notify };
        var (ready, refusal) = Prepare(child, order);
        using var plan = ready;
        if (plan is null)
        {
            Undo(child);
            return new(id) { Error = refusal!.Error, Detail = refusal.Detail };
        }

        // Written down before it happens: what this keeper began and did not live to see is over for its successor, and
        // lost, but is not begun a second time.
        _log.Note(new(ChildFact.Begun, child.Row with { Boot = Processes.BootId }) { Tree = order.Tree, Notify = order.Notify });
        _log.Write();
        var (pid, errno) = SpawnByDefaults(plan);
        if (errno != 0)
        {
            Undo(child);
            _log.Note(new(ChildFact.Forgotten, child.Row));
            _log.Write();
            return new(id) { Error = "spawn-failed", Detail = $"{plan.Path}: {Errno.Text(errno)}" };
        }

        child.Row = new(key, pid, Processes.StartTime(pid) ?? 0, Processes.BootId);
        child.Pidfd = Processes.Open(pid);
        Watch(child);
        _byKey[key] = child;

        // With limits it entered its group before it was what was ordered.
        if (!plan.Joins) AddUnjoined(child);
        _log.Note(child.Spawned());
        _log.Write();
        return new(id) { Row = child.Row, Detail = _log.Trouble };
    }

    /// <summary>
    /// What it takes to start it, or why it cannot be. Whatever an order says, or whoever ordered it does meanwhile to the
    /// files that it names: it ends this start, and not the keeper.
    /// </summary>
    [SuppressMessage("Design", "CA1031", Justification = "whatever it was, it is this start's failure and told as such")]
    private (SpawnPlan? Plan, KeeperReply? Refusal) Prepare(Child child, SpawnOrder order)
    {
        SpawnPlan? plan = null;
        try
        {
            var (joins, fault) = _cgroups.Bound(child.Key, order.Limits);
            if (fault is not null) return (null, new(0) { Error = "limits", Detail = fault });
            var ticket = Ticket.Issue(_paths.Ticket(child.Key));
            (plan, var refusal) = SpawnPlanner.Plan(_paths, _marker, child.Key, order, joins, ticket);
            if (plan is not null) HoldPipes(child, order, ticket);
            return (plan, refusal);
        }
        catch (Exception failure)
        {
            plan?.Dispose();
            Log.Fail("a start broke", ("key", child.Key), ("error", failure));
            return (null, new(0) { Error = "spawn-failed", Detail = BoundedText.Reason(failure.Message) });
        }
    }

    /// <summary>Nothing came of it, and nothing is left.</summary>
    private void Undo(Child child)
    {
        child.Close();
        _cgroups.Remove(child.Key);
        RemovePipes(child.Key);
    }

    /// <summary>
    /// A child's notify socket has messages. Answers the child if it said that it is ready, and had not before; that is
    /// noted, not yet durable.
    /// </summary>
    public Child? Notified(ulong mark)
    {
        if (!_watched.TryGetValue(mark & ~NotifyMark, out var child)) return null;
        var isNew = false;
        var user = child.Row.Ready ? null : Processes.UserOf(child.Row.Pid);
        for (var heard = 0; heard < MostAtOnce && child.Notify?.Receive() is var (text, uid); heard++)
        {
            // The name is no secret once it is bound: only the child's own user, or root, speaks for it.
            if (uid != 0 && uid != user) continue;
            isNew |= !child.Row.Ready && text.Split('\n').Contains("READY=1", StringComparer.Ordinal);
        }

        if (!isNew) return null;
        child.Row = child.Row with { Ready = true };
        _log.Note(child.Spawned());
        return child;
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
        else
        {
            // Its descendants outlive it, and are nobody's to gather.
            _unjoined.Remove(child);
        }

        var reaped = child.IsOwn ? Processes.TryReap(pid) : Processes.TryExitOfStranger(pid, child.Pidfd);

        // Before its exec a child shares this process's memory, and the kernel's peak counts that as its own.
        if (reaped is { } how && how.PeakMemoryBytes <= Environment.WorkingSet) reaped = how with { PeakMemoryBytes = 0 };
        _epoll.Forget(child.Pidfd);
        Note(child, reaped);
        return child;
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
        try
        {
            using var defaults = Baseline.Enter();
            return Spawner.Spawn(plan);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            Log.Fail("the host's defaults cannot be had for a child", ("error", failure.Message));
            return (0, Errno.Again);
        }
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
        if (child.IsNotifying) child.Notify = ListenAgain(child);
        Watch(child);
        if (child.Tree || !_cgroups.Has(child.Key)) AddUnjoined(child);
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

    private void HoldPipes(Child child, SpawnOrder order, Ticket ticket)
    {
        var key = child.Key;
        var user = order.User is null ? null : Users.Find(order.User);
        foreach (var path in (string[])[_paths.Output(key), _paths.Error(key)]) Descriptors.MakeFifo(path, user?.Uid ?? 0, user?.Gid ?? 0);
        HoldOutput(child);
        if (order.Stdin)
        {
            Descriptors.MakeFifo(_paths.Input(key), user?.Uid ?? 0, user?.Gid ?? 0);
            child.Input = Descriptors.Open(_paths.Input(key), Descriptors.ReadWrite);
        }

        // A child whose FIFO nobody holds open would wait for the other side before it began, and its parent with it.
        var last = Math.Min(Math.Min(child.Output, child.Error), order.Stdin ? child.Input : 0);
        if (last < 0) throw new IOException($"its FIFOs cannot be opened: {Errno.Text(-last)}");
        if (order.Notify) child.Notify = NotifySocket.Bind(ticket.Notify);
    }

    /// <summary>While no keeper lived somebody may have taken the name: then it is as if the child said nothing more.</summary>
    private NotifySocket? ListenAgain(Child child)
    {
        if (Ticket.Read(_paths.Ticket(child.Key)) is not { } ticket) return null;
        try
        {
            return NotifySocket.Bind(ticket.Notify);
        }
        catch (Win32Exception failure)
        {
            Log.Warn("it is not heard any more whether a process is ready", ("key", child.Key), ("error", failure.Message));
            return null;
        }
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
        foreach (var path in (string[])[_paths.Input(key), _paths.Output(key), _paths.Error(key), _paths.Ticket(key)]) File.Delete(path);
    }
}
