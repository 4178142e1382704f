using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Shell.Effects;
using Agent.Shell.Linux;

namespace Agent.Shell.Api;

/// <summary>
/// Which processes of this machine descend from which of ours: by parents, by the session that each of ours leads, and,
/// where an orphan fled into a session of its own, by the mark that all we start carries in its environment.
/// </summary>
internal sealed class Families(Func<IReadOnlyList<RunningProcess>> look)
{
    private const string Mark = "AGENT_PROCESS";

    // However many ask, the machine is looked over five times a second at most.
    private static readonly TimeSpan GoodFor = TimeSpan.FromMilliseconds(200);

    private readonly Lock _gate = new();
    private Sight? _last;

    public static Families OfThisMachine() => new(RunningProcess.All);

    /// <summary>The members of these families, and when they were seen, on a clock that only runs forward.</summary>
    public Members Of(IEnumerable<ProcessState> processes)
    {
        var sight = Look();
        var roots = new Dictionary<int, ProcessId>();
        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (var state in processes)
        {
            ids.Add(state.Profile.Id.Value);
            if (Identity(state) is { } identity && sight.Known.TryGetValue(identity.Pid, out var root)
                && root.StartTime == identity.StartTime)
            {
                roots[identity.Pid] = state.Profile.Id;
            }
        }

        var families = new Dictionary<string, List<RunningProcess>>(StringComparer.Ordinal);
        foreach (var (pid, id) in new Attribution(sight, roots, ids).All())
        {
            if (!families.TryGetValue(id, out var family)) families[id] = family = [];
            family.Add(sight.Known[pid]);
        }

        return new(sight.AtMilliseconds, families);
    }

    private Sight Look()
    {
        lock (_gate)
        {
            var now = RunningProcess.SinceBoot();
            if (_last is { } last && now - last.AtMilliseconds < GoodFor.TotalMilliseconds) return last;
            var known = new Dictionary<int, RunningProcess>();
            foreach (var one in look()) known[one.Pid] = one;
            return _last = new(now, known, _last?.MarksOf(known) ?? []);
        }
    }

    private static ProcessIdentity? Identity(ProcessState state) => state switch
    {
        ProcessState.Running running => running.Identity,
        ProcessState.Stopping stopping => stopping.Identity,
        ProcessState.Waiting or ProcessState.Starting or ProcessState.Backoff or ProcessState.Exited
            or ProcessState.Reaped => null,
    };

    internal sealed record Members(long AtMilliseconds, IReadOnlyDictionary<string, List<RunningProcess>> ById)
    {
        /// <summary>In the order of their pids; none where nothing of it runs.</summary>
        public IReadOnlyList<RunningProcess> Of(ProcessId id) => ById.TryGetValue(id.Value, out var family) ? family : [];
    }

    private sealed record Sight(
        long AtMilliseconds, Dictionary<int, RunningProcess> Known, ConcurrentDictionary<(int Pid, long StartTime), string?> Marks)
    {
        /// <summary>Asked once for each process: an environment may have a MiB, and there may be thousands.</summary>
        public string? MarkOf(RunningProcess process) =>
            Marks.GetOrAdd((process.Pid, process.StartTime), static (_, one) => one.Variable(Mark), process);

        /// <summary>What was found of those who are still there. One without a mark may have been between two programs.</summary>
        public ConcurrentDictionary<(int Pid, long StartTime), string?> MarksOf(Dictionary<int, RunningProcess> known) =>
            new(Marks.Where(one => one.Value is not null
                && known.TryGetValue(one.Key.Pid, out var process) && process.StartTime == one.Key.StartTime));
    }

    private sealed class Attribution(Sight sight, Dictionary<int, ProcessId> roots, HashSet<string> ids)
    {
        private readonly Dictionary<int, string?> _found = [];
        private readonly HashSet<int> _keepers = Parents(sight.Known, roots);

        public IEnumerable<(int Pid, string Id)> All()
        {
            var pids = new List<int>(sight.Known.Keys);
            pids.Sort();
            foreach (var pid in pids)
            {
                if (Of(pid) is { } id) yield return (pid, id);
            }
        }

        private string? Of(int pid)
        {
            // A stack of parents, not recursion: a chain of forks may be as long as the machine has processes.
            var chain = new List<int>();
            string? found = null;
            for (var at = pid; sight.Known.TryGetValue(at, out var process); at = process.Parent)
            {
                if (_found.TryGetValue(at, out found)) break;
                _found[at] = null; // a pid that was given anew while we looked could close a circle
                chain.Add(at);
                if ((found = Own(process)) is not null) break;
            }

            foreach (var one in chain) _found[one] = found;
            return found;
        }

        /// <summary>What a process itself says, whoever its parents are.</summary>
        private string? Own(RunningProcess process) =>
            roots.TryGetValue(process.Pid, out var root) ? root.Value
            : roots.TryGetValue(process.Session, out var leader) ? leader.Value
            : _keepers.Contains(process.Parent) && sight.MarkOf(process) is { } mark
                && SpawnKey.Parse(mark) is { } key && ids.Contains(key.Id.Value) ? key.Id.Value
            : null;

        /// <summary>Orphans are given to the parent of what they descend from: the keeper, or who took its place.</summary>
        private static HashSet<int> Parents(Dictionary<int, RunningProcess> known, Dictionary<int, ProcessId> roots)
        {
            var parents = new HashSet<int>();
            foreach (var pid in roots.Keys) parents.Add(known[pid].Parent);
            return parents;
        }
    }
}
