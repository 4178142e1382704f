using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Shell.Config;
using Agent.Shell.Effects;
using Agent.Shell.Keeper;
using Agent.Shell.Linux;
using Agent.Shell.Observability;
using LanguageExt;

namespace Agent.Shell.Output;

/// <summary>
/// What processes say and are told: attaches a spawn's FIFOs to its process's rings, knows when a spawn's last words
/// are in, and removes it all when the process is reaped.
/// </summary>
internal sealed partial class OutputHub(
    string ringDirectory, string logDirectory, KeeperPaths keeper, Action<SpawnKey> closeInput) : IDisposable
{
    // An engine's containers may hold its daemon's pipe open for ever; their words are still read, but not waited for.
    private static readonly TimeSpan LastWordsPatience = TimeSpan.FromSeconds(2);

    // What an operator reads first: RT-9's last twenty lines.
    private const int TailLines = 20;
    private const int TailBytes = 16 << 10;

    private readonly OutputPump _pump = new();
    private readonly ServiceLogs _services = new(logDirectory);
    private readonly ConcurrentDictionary<ProcessId, Entry> _entries = new();

    // A ring's file is opened once and never while it is being removed.
    private readonly Lock _opening = new();

    // As many as the engine has daemons.
    private readonly Dictionary<string, LogFile> _logs = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _ending = new();

    /// <summary>What was captured of these processes is readable from here on, before anything is attached.</summary>
    public void Reopen(IEnumerable<ProcessState> known)
    {
        foreach (var state in known)
        {
            var rings = Of(state.Profile.Id, state.Profile.Spec).Rings;

            // That it ended is known; that nothing of it is left in a pipe is known only when the keeper was asked.
            rings.Stdout.Close(false);
            rings.Stderr.Close(false);
        }
    }

    /// <summary>What is kept on disk of each service; null: nothing. Holds at once for those that are known.</summary>
    public void LogServices(IReadOnlyDictionary<string, LogSettings?> settings)
    {
        _services.Configure(settings);
        foreach (var entry in _entries.Values) entry.Logs?.Apply();
    }

    /// <summary>Captures this spawn's output, and gives it its prelude. A second time changes nothing.</summary>
    public async Task AttachAsync(SpawnKey key, ProcessSpec spec, byte[] prelude)
    {
        var entry = Of(key.Id, spec);
        if (!entry.TryBegin(key)) return;
        Attach(entry, keeper.Output(key.ToString()), entry.Rings.Stdout);
        Attach(entry, keeper.Error(key.ToString()), entry.Rings.Stderr);
        if (spec.Stdin != StdinMode.None) entry.Stdin = Stdin.Open(keeper.Input(key.ToString()));
        entry.BecomeKnown();
        if (spec.Stdin != StdinMode.Prelude) return;

        // Not awaited: a child that talks before it listens must not hold up its own start.
        await Task.Yield();
        _ = GivePreludeAsync(entry, prelude);
    }

    /// <summary>Ends when this spawn's pipes were read to their end, or soon if somebody holds them open.</summary>
    /// <returns>False: under backpressure they hold what the rings have no room for yet.</returns>
    public async Task<bool> DrainedAsync(SpawnKey key, CancellationToken stop)
    {
        // If the last agent died between the exit and the reading of the last words, they are read here.
        if (Find(key.Id) is not { } entry) return true;
        if (entry.TryBegin(key))
        {
            Attach(entry, keeper.Output(key.ToString()), entry.Rings.Stdout);
            Attach(entry, keeper.Error(key.ToString()), entry.Rings.Stderr);
            entry.BecomeKnown();
        }

        entry.Rings.Stdout.TakeLastWords(true);
        entry.Rings.Stderr.TakeLastWords(true);
        await entry.Drained.WaitAsync(LastWordsPatience, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.ThrowIfCancellationRequested();
        return entry.Drained.IsCompleted || !entry.Rings.Stdout.HasBackpressure;
    }

    /// <summary>Ends when all pipes of this process were read to their end, or it is removed.</summary>
    public Task ReadToEndAsync(ProcessId id) => Find(id)?.Drained ?? Task.CompletedTask;

    /// <summary>The event of an exit; of an engine's daemon with its last words.</summary>
    public async Task<ProcessEvent.ExitObserved> ExitOfAsync(
        SpawnKey key, ProcessKind kind, KeptRow row, CancellationToken stop)
    {
        var tail = Seq<string>.Empty;
        if (kind == ProcessKind.Daemon)
        {
            await DrainedAsync(key, stop).ConfigureAwait(false);
            tail = LastWords(key.Id);
        }

        var exit = row.Exit!;
        return new(
            key.Generation, Exits.StatusOf(exit), TimeSpan.FromMilliseconds(exit.CpuMs), exit.PeakMemoryBytes, tail);
    }

    /// <summary>No further spawn of this process comes: its output ends with the last one's.</summary>
    public Task CloseAsync(ProcessId id)
    {
        if (Find(id) is { } entry)
        {
            entry.Rings.Stdout.Close(true);
            entry.Rings.Stderr.Close(true);
            entry.BecomeKnown();
        }

        return Task.CompletedTask;
    }

    public async Task RemoveAsync(ProcessId id)
    {
        Entry? entry;
        lock (_opening)
        {
            Rings.Remove(ringDirectory, id);
            if (!_entries.TryRemove(id, out entry)) return;
        }

        entry.BecomeKnown();
        Interlocked.Add(ref _droppedByRemoved, entry.Rings.Stdout.Dropped + entry.Rings.Stderr.Dropped);
        entry.Stdin?.Dispose();

        // A descendant may hold the pipes open for ever; nobody would hear what it says.
        _pump.Detach(entry.Rings.Stdout);
        _pump.Detach(entry.Rings.Stderr);
        if (entry.Logs is { } logs) await logs.EndAsync().ConfigureAwait(false);
        entry.Rings.Dispose();
    }

    public void Dispose()
    {
        _ending.Cancel();
        _pump.Dispose();
        _services.Dispose();
        foreach (var entry in _entries.Values)
        {
            entry.Stdin?.Dispose();
            entry.Rings.Dispose();
        }

        foreach (var log in _logs.Values) log.Dispose();
        _ending.Dispose();
    }

    private Entry Of(ProcessId id, ProcessSpec spec)
    {
        lock (_opening)
        {
            if (_entries.TryGetValue(id, out var known)) return known;
            var rings = Rings.Open(ringDirectory, id, spec);
            var entry = new Entry(rings) { Logs = spec.Kind == ProcessKind.Service ? _services.Of(spec.Label, rings) : null };
            _entries[id] = entry;
            entry.Logs?.Apply();
            if (spec.Kind == ProcessKind.Daemon) FollowIntoFile(spec.Label, entry.Rings);
            return entry;
        }
    }

    /// <summary>The entry of a process that this agent began, or that one before it left behind.</summary>
    private Entry? Find(ProcessId id)
    {
        if (_entries.TryGetValue(id, out var known)) return known;
        lock (_opening)
        {
            if (_entries.TryGetValue(id, out known)) return known;
            if (_ending.IsCancellationRequested || Rings.Reopen(ringDirectory, id) is not { } rings) return null;
            return _entries[id] = new Entry(rings);
        }
    }

    /// <summary>One file for one name, though a daemon that was started again is another process.</summary>
    private void FollowIntoFile(string label, Rings rings)
    {
        if (!_logs.TryGetValue(label, out var log))
        {
            _logs[label] = log = new LogFile(Path.Combine(logDirectory, label + ".log"), static loss => Log.Warn(
                "a log is incomplete", ("file", loss.Path), ("bytes", loss.Bytes), ("reason", loss.Reason)));
        }

        _ = log.FollowAsync(_ending.Token, rings.Stdout, rings.Stderr);
    }

    private void Attach(Entry entry, string fifo, Ring ring)
    {
        var fd = Descriptors.Open(fifo, Descriptors.ReadOnly);
        if (fd < 0)
        {
            entry.StreamEnded();
            return;
        }

        ring.Close(false);
        ring.TakeLastWords(false);
        ring.Attach(+1);
        _pump.Attach(fd, ring, () =>
        {
            ring.Attach(-1);
            entry.StreamEnded();
        });
    }

    private async Task GivePreludeAsync(Entry entry, byte[] prelude)
    {
        if (entry.Stdin is not { } stdin) return;
        await stdin.WriteAsync(prelude, _ending.Token).ConfigureAwait(false);
        if (entry.Key is { } key) closeInput(key);
        stdin.Close();
    }

    private Seq<string> LastWords(ProcessId id)
    {
        if (!_entries.TryGetValue(id, out var entry)) return default;
        var words = new List<string>();
        foreach (var ring in (Ring[])[entry.Rings.Stdout, entry.Rings.Stderr])
        {
            var text = Encoding.UTF8.GetString(ring.Tail(TailLines, TailBytes).Bytes.Span);
            words.AddRange(text.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        }

        return words.TakeLast(TailLines).ToArray().ToSeq();
    }

    /// <summary>The rings of a process and the spawn that feeds them.</summary>
    private sealed class Entry(Rings rings)
    {
        private readonly Lock _gate = new();
        private readonly TaskCompletionSource _known = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private TaskCompletionSource _drained = Completed();
        private int _openStreams;

        public Rings Rings => rings;

        /// <summary>A service's.</summary>
        public ServiceLogs.StreamLogs? Logs { get; init; }

        public SpawnKey? Key { get; private set; }

        public Stdin? Stdin { get; set; }

        public Task Drained
        {
            get
            {
                lock (_gate) return _drained.Task;
            }
        }

        /// <summary>What has become of the process while no agent ran is known, and its stdin is open if it has one.</summary>
        public void BecomeKnown() => _known.TrySetResult();

        /// <summary>False: stopped before it was.</summary>
        public async Task<bool> IsKnownAsync(CancellationToken stop)
        {
            await _known.Task.WaitAsync(stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return _known.Task.IsCompleted;
        }

        /// <summary>True the first time this spawn is seen; what comes late of an older one changes nothing.</summary>
        public bool TryBegin(SpawnKey key)
        {
            lock (_gate)
            {
                if (Key is { } newest && key.Generation <= newest.Generation) return false;
                Key = key;
                if (_openStreams == 0) _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
                _openStreams += 2;
                Stdin?.Dispose();
                Stdin = null;
                return true;
            }
        }

        public void StreamEnded()
        {
            lock (_gate)
            {
                if (--_openStreams == 0) _drained.TrySetResult();
            }
        }

        private static TaskCompletionSource Completed()
        {
            var completed = new TaskCompletionSource();
            completed.SetResult();
            return completed;
        }
    }
}
