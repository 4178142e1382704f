using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Shell.Effects;
using LanguageExt;

namespace Agent.Tests.Support;

/// <summary>
/// Stands in for the keeper: runs what is spawned as children of the test, and reports their ends with their last
/// lines. Remembers how many of one name lived at once.
/// </summary>
internal sealed partial class ChildKeeper : ISpawnSecrets, IDisposable
{
    private const int TailLines = 20;

    private readonly ConcurrentDictionary<ProcessId, IReadOnlyDictionary<string, string>> _environments = new();
    private readonly ConcurrentDictionary<ProcessId, Process> _children = new();
    private readonly ConcurrentDictionary<string, int> _alive = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int> _most = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _spawned = new();

    /// <summary>The labels of all that was spawned, in order.</summary>
    public IReadOnlyList<string> Spawned => [.. _spawned];

    public IReadOnlyDictionary<string, string> EnvironmentOf(ProcessId id) => _environments[id];

    /// <summary>The most processes of that name that ever lived at once.</summary>
    public int MostAlive(string label) => _most.GetValueOrDefault(label);

    public void Put(ProcessId id, IReadOnlyDictionary<string, string> environment, ReadOnlyMemory<byte> prelude) =>
        _environments[id] = environment;

    public void Remove(ProcessId id) => _environments.TryRemove(id, out _);

    public void Run(CoreHost host, ProcessEffect effect)
    {
        if (effect is ProcessEffect.Spawn(var id, var generation, var spec)) Spawn(host, id, generation, spec);
        else if (effect is ProcessEffect.SendSignal(var to, _, var signal)) Kill(to, (int)signal);
        else if (effect is ProcessEffect.KillTree(var tree, _)) Kill(tree, (int)Signal.Kill);
    }

    public void Kill(ProcessId id, int signal)
    {
        if (_children.TryGetValue(id, out var child) && !child.HasExited) _ = KillNative(child.Id, signal);
    }

    public void Dispose()
    {
        foreach (var child in _children.Values)
        {
            if (!child.HasExited) child.Kill();
            child.WaitForExit();
            child.Dispose();
        }
    }

    private void Spawn(CoreHost host, ProcessId id, int generation, ProcessSpec spec)
    {
        var child = new Process { StartInfo = Describe(id, spec) };
        var tail = new ConcurrentQueue<string>();
        child.OutputDataReceived += (_, line) => Keep(tail, line.Data);
        child.ErrorDataReceived += (_, line) => Keep(tail, line.Data);
        _spawned.Enqueue(spec.Label);
        var alive = _alive.AddOrUpdate(spec.Label, 1, (_, count) => count + 1);
        _most.AddOrUpdate(spec.Label, alive, (_, most) => Math.Max(most, alive));
        _children[id] = child;
        child.Start();
        child.BeginOutputReadLine();
        child.BeginErrorReadLine();
        var identity = new ProcessIdentity(child.Id, StartTime: 1, new BootId("test"));
        Post(host, id, new ProcessEvent.SpawnCompleted(generation, identity));
        _ = WatchAsync();

        async Task WatchAsync()
        {
            // Its end is seen and its output read to the end.
            await child.WaitForExitAsync();
            _alive.AddOrUpdate(spec.Label, 0, (_, count) => count - 1);
            Post(host, id, new ProcessEvent.ExitObserved(
                generation, Status(child.ExitCode), TimeSpan.Zero, 0, tail.ToArray().ToSeq()));
        }
    }

    private ProcessStartInfo Describe(ProcessId id, ProcessSpec spec)
    {
        var command = spec.Command.ToArray();
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = spec.WorkingDirectory.IfNone("/"),
        };
        start.Environment.Clear();
        foreach (var (name, value) in _environments[id]) start.Environment[name] = value;
        return start;
    }

    private static void Keep(ConcurrentQueue<string> tail, string? line)
    {
        if (line is null) return;
        tail.Enqueue(line);
        if (tail.Count > TailLines) tail.TryDequeue(out _);
    }

    private static ExitStatus Status(int code) =>
        code > 128 ? new ExitStatus.Signaled(code - 128) : new ExitStatus.Exited(code);

    /// <summary>On another thread: the loop runs effects and must not write to its own inbox.</summary>
    private static void Post(CoreHost host, ProcessId id, ProcessEvent @event) => Task.Run(
        async () => await host.PostAsync(new HostEvent.ProcessReported(id, @event), CancellationToken.None));

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int KillNative(int pid, int signal);
}
