using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Text;
using System.Threading;
using System.Threading.Channels;
using System.Threading.Tasks;
using Agent.Core.Container;
using Agent.Core.Model;
using Agent.Shell.Containers;
using Xunit;

namespace Agent.Tests.Containers;

/// <summary>What a call of the fake engine does instead of its work.</summary>
internal abstract record EngineFault
{
    private EngineFault() { }

    /// <summary>No answer, until whoever asked gives up.</summary>
    internal sealed record Hang : EngineFault;

    internal sealed record Fail(ContainerFault Fault, string Message) : EngineFault;
}

/// <summary>
/// An engine in memory, with the images and containers of every instance that connects to it. Its programs are lines of
/// `echo`, `sleep` and `exit`; a sleep of 1000 lasts until it is killed. Faults are set by a call's name and uid, as
/// `start web`, or `start` for all.
/// </summary>
internal sealed class FakeEngine
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Instance, string Uid), FakeContainer> _containers = [];
    private readonly HashSet<string> _images = new(StringComparer.Ordinal);
    private readonly List<(string Instance, Channel<ContainerChange> Told)> _listeners = [];
    private int _made;

    public ConcurrentDictionary<string, EngineFault> Faults { get; } = new(StringComparer.Ordinal);

    /// <summary>All calls in order, as `start web`.</summary>
    public ConcurrentQueue<string> Calls { get; } = new();

    /// <summary>What each container uses, asked for anew each time.</summary>
    public Func<ContainerStats> Usage { get; set; } = () => new(TimeSpan.FromSeconds(1), 1 << 20, null, 1);

    public IContainerBackend Connect(string instance) => new FakeBackend(this, instance);

    public void AddImage(string image)
    {
        lock (_lock) _images.Add(image);
    }

    /// <summary>Somebody else ends it: the seed's `set_exited`.</summary>
    public void SetStatus(string instance, string uid, ContainerStatus status)
    {
        lock (_lock) _containers[(instance, uid)].Status = status;
        Tell(instance, uid, status is ContainerStatus.Exited ? "die" : "update");
    }

    /// <summary>Every stream of events breaks, as when the engine is started anew.</summary>
    public void BreakEvents()
    {
        lock (_lock)
        {
            foreach (var (_, told) in _listeners)
            {
                told.Writer.Complete(new ContainerException(ContainerFault.Unreachable, "the engine ended its events"));
            }

            _listeners.Clear();
        }
    }

    private void Tell(string instance, string uid, string what)
    {
        lock (_lock)
        {
            foreach (var (to, told) in _listeners.Where(one => one.Instance == instance))
            {
                told.Writer.TryWrite(new(Rig.Uid(uid), what));
            }
        }
    }

    private async Task EnterAsync(string call, string uid, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        Calls.Enqueue(uid.Length == 0 ? call : $"{call} {uid}");
        if (!Faults.TryGetValue($"{call} {uid}", out var fault) && !Faults.TryGetValue(call, out fault)) return;
        if (fault is EngineFault.Fail(var kind, var message)) throw new ContainerException(kind, message);
        await Task.Delay(Timeout.Infinite, stop);
    }

    private sealed class FakeContainer(string id, string digest, ContainerDefinition definition)
    {
        public string Id => id;

        public string Digest => digest;

        public ContainerDefinition Definition => definition;

        public ContainerStatus Status { get; set; } = new ContainerStatus.Created();

        public List<(LogStream Stream, string Line)> Log { get; } = [];

        public CancellationTokenSource Killed { get; set; } = new();

        public Task Ended { get; set; } = Task.CompletedTask;
    }

    private sealed class FakeBackend(FakeEngine engine, string instance) : IContainerBackend
    {
        public async Task<EngineVersion> VersionAsync(CancellationToken stop)
        {
            await engine.EnterAsync("version", "", stop);
            return new("Fake", "1.0", "1");
        }

        public async Task<IReadOnlyList<ObservedContainer>> ListAsync(CancellationToken stop)
        {
            await engine.EnterAsync("list", "", stop);
            lock (engine._lock)
            {
                return
                [
                    .. engine._containers.Where(one => one.Key.Instance == instance)
                        .OrderBy(one => one.Key.Uid, StringComparer.Ordinal)
                        .Select(one => new ObservedContainer(
                            Rig.Uid(one.Key.Uid), one.Value.Id, one.Value.Digest, one.Value.Status, ContainerHealth.None)),
                ];
            }
        }

        public async Task<string> CreateAsync(ContainerDefinition definition, string digest, CancellationToken stop)
        {
            var uid = definition.Uid.Value;
            await engine.EnterAsync("create", uid, stop);
            FakeContainer made;
            lock (engine._lock)
            {
                if (!engine._images.Contains(definition.Image)) throw Fault(ContainerFault.NotFound, $"no image {definition.Image}");
                if (engine._containers.ContainsKey((instance, uid))) throw Fault(ContainerFault.Conflict, $"{uid} is taken");
                made = new($"fake{++engine._made}", digest, definition);
                engine._containers[(instance, uid)] = made;
            }

            engine.Tell(instance, uid, "create");
            return made.Id;
        }

        public async Task StartAsync(ContainerUid uid, CancellationToken stop)
        {
            await engine.EnterAsync("start", uid.Value, stop);
            var one = Find(uid);
            lock (engine._lock)
            {
                if (one.Status is ContainerStatus.Running) return;
                one.Status = new ContainerStatus.Running(PidAlive: true);
                one.Killed = new();
                engine.Tell(instance, uid.Value, "start");
                one.Ended = RunAsync(uid, one);
            }
        }

        public async Task StopAsync(ContainerUid uid, TimeSpan grace, CancellationToken stop)
        {
            await engine.EnterAsync("stop", uid.Value, stop);
            await EndAsync(Find(uid));
        }

        public async Task RemoveAsync(ContainerUid uid, CancellationToken stop)
        {
            await engine.EnterAsync("remove", uid.Value, stop);
            FakeContainer? gone;
            lock (engine._lock) engine._containers.Remove((instance, uid.Value), out gone);
            if (gone is null) return;
            await EndAsync(gone);
            engine.Tell(instance, uid.Value, "destroy");
        }

        public async Task<bool> ImageExistsAsync(string image, CancellationToken stop)
        {
            await engine.EnterAsync("image", image, stop);
            lock (engine._lock) return engine._images.Contains(image);
        }

        public async Task PullAsync(
            string image, RegistryLogin? login, IProgress<ImageProgress> progress, CancellationToken stop)
        {
            await engine.EnterAsync("pull", image, stop);
            progress.Report(new("layer", "Downloading", 1, 1));
            engine.AddImage(image);
        }

        public async Task<IReadOnlyList<string>> LoadAsync(
            Stream tar, string? reference, IProgress<ImageProgress> progress, CancellationToken stop)
        {
            await engine.EnterAsync("load", reference ?? "", stop);
            using var text = new StreamReader(tar, leaveOpen: true);
            var archive = await text.ReadToEndAsync(stop);
            const string Mark = "\"RepoTags\":[\"";
            var begin = archive.IndexOf(Mark, StringComparison.Ordinal);
            if (begin < 0 && reference is null) throw Fault(ContainerFault.Failed, "no archive of images");
            var name = reference ?? archive[(begin + Mark.Length)..].Split('"')[0];
            engine.AddImage(name);
            return [$"Loaded image: {name}"];
        }

        public async IAsyncEnumerable<LogChunk> LogsAsync(
            ContainerUid uid, LogRequest request, [EnumeratorCancellation] CancellationToken stop)
        {
            await engine.EnterAsync("logs", uid.Value, stop);
            var one = Find(uid);
            if (request.Follow) await one.Ended.WaitAsync(stop);
            (LogStream Stream, string Line)[] lines;
            lock (engine._lock) lines = [.. one.Log];
            foreach (var (stream, line) in request.Tail is { } tail ? lines.TakeLast(tail) : lines)
            {
                yield return new(stream, Encoding.UTF8.GetBytes(line + "\n"));
            }
        }

        public async IAsyncEnumerable<ContainerChange> EventsAsync(
            Action listening, [EnumeratorCancellation] CancellationToken stop)
        {
            await engine.EnterAsync("events", "", stop);
            var told = Channel.CreateUnbounded<ContainerChange>();
            lock (engine._lock) engine._listeners.Add((instance, told));
            listening();
            await foreach (var change in told.Reader.ReadAllAsync(stop)) yield return change;
        }

        public async Task<ContainerStats> StatsAsync(ContainerUid uid, CancellationToken stop)
        {
            await engine.EnterAsync("stats", uid.Value, stop);
            _ = Find(uid);
            return engine.Usage();
        }

        public void Dispose()
        {
            // The engine is the test's.
        }

        private FakeContainer Find(ContainerUid uid)
        {
            lock (engine._lock)
            {
                return engine._containers.TryGetValue((instance, uid.Value), out var one)
                    ? one
                    : throw Fault(ContainerFault.NotFound, $"no container {uid}");
            }
        }

        private async Task RunAsync(ContainerUid uid, FakeContainer one)
        {
            var code = await ProgramAsync(one);
            lock (engine._lock) one.Status = new ContainerStatus.Exited(code, OutOfMemory: false);
            engine.Tell(instance, uid.Value, "die");
        }

        private async Task<int> ProgramAsync(FakeContainer one)
        {
            await Task.Yield();
            try
            {
                foreach (var statement in one.Definition.Command![^1].Split("; "))
                {
                    var words = statement.Split(' ');
                    if (words is ["exit", var code]) return int.Parse(code, CultureInfo.InvariantCulture);
                    if (words is ["sleep", var seconds])
                    {
                        await Task.Delay(TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture)), one.Killed.Token);
                    }
                    else if (words is ["echo", var word, ..])
                    {
                        lock (engine._lock) one.Log.Add((words.Length > 2 ? LogStream.Error : LogStream.Output, word));
                    }
                }

                return 0;
            }
            catch (OperationCanceledException)
            {
                return 137;
            }
        }

        private static async Task EndAsync(FakeContainer one)
        {
            await one.Killed.CancelAsync();
            await one.Ended;
        }

        private static ContainerException Fault(ContainerFault fault, string message) => new(fault, message);
    }
}

/// <summary>The engine in memory.</summary>
public sealed class FakeWorld : BackendWorld
{
    internal FakeEngine Engine { get; } = new();

    public override Task DisposeAsync() => Task.CompletedTask;

    internal override IContainerBackend Connect(string instance) => Engine.Connect(instance);

    protected override Task BeginAsync() => Task.CompletedTask;
}

/// <summary>The fake passes as what it stands in for.</summary>
public sealed class FakeEngineTests(FakeWorld world) : BackendConformance(world), IClassFixture<FakeWorld>
{
    private readonly FakeWorld _world = world;

    /// CT-1, CT-5: a fault is the one call's own: others go on.
    [Fact]
    public async Task A_fault_is_one_calls_own()
    {
        await using var rig = Connect();
        _world.Engine.Faults["start stuck"] = new EngineFault.Hang();
        _world.Engine.Faults["create broken"] = new EngineFault.Fail(ContainerFault.Failed, "no space left on device");
        await rig.CreateAsync(Rig.Script("stuck", "sleep 1000"));
        using var soon = new CancellationTokenSource();
        var start = rig.Backend.StartAsync(Rig.Uid("stuck"), soon.Token);

        await Rig.FaultAsync(ContainerFault.Failed, () => rig.CreateAsync(Rig.Script("broken", "")));
        await rig.RunAsync(Rig.Script("sibling", "sleep 1000"));
        Assert.False(start.IsCompleted);
        await soon.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => start);
    }
}
