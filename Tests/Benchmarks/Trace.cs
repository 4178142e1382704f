using System;
using System.Collections.Generic;
using System.Globalization;
using Agent.Core;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Core.Runtime;
using Agent.Core.Time;
using LanguageExt;

namespace Agent.Benchmarks;

/// <summary>Takes one event of a trace, with the decision that followed it.</summary>
internal delegate void TraceVisitor(Timed<HostEvent> input, Transition<HostState, HostEffect> decided);

/// <summary>
/// A host that lives: twenty services that end and come back, tasks that are spawned, used, stopped and released, a
/// runtime that is probed. Each spawn is answered and each signal ends its process. The same seed is the same life.
/// </summary>
internal sealed class Trace(int seed)
{
    private const int Services = 20;
    private const int Tasks = 8;

    private static readonly Instant Begin = new(1_760_000_000_000);
    private static readonly BootId Boot = new("3f0c7a52-6f0b-4d58-9a1e-0c5f2a7e9b11");

    private readonly Random _random = new(seed);
    private readonly Queue<HostEvent> _due = new();
    private readonly List<ProcessId> _services = [];
    private readonly List<ProcessId> _tasks = [];
    private HostState _state = HostState.Initial;
    private Instant _now = Begin;
    private int _ids;

    public void Play(int events, TraceVisitor visit)
    {
        _due.Enqueue(new HostEvent.Started(Boot, Seq<ObservedProcess>.Empty));
        _due.Enqueue(new HostEvent.Configured(RuntimePolicy.Default, Declared()));
        _due.Enqueue(new HostEvent.Runtime(new RuntimeEvent.EnsureRequested()));
        for (var n = 0; n < events; n++)
        {
            _now += TimeSpan.FromMilliseconds(_random.Next(1, 40));
            var input = new Timed<HostEvent>(_now, Next());
            var decided = HostMachine.Step(_state, input);
            _state = decided.State;
            foreach (var effect in decided.Effects) Answer(effect);
            visit(input, decided);
        }
    }

    private HostEvent Next() => _due.TryDequeue(out var due) ? due
        : HostMachine.Deadline(_state).TryGet(out var deadline) && deadline <= _now ? new HostEvent.DeadlineReached()
        : Chance();

    private HostEvent Chance() => _random.Next(100) switch
    {
        < 12 when _tasks.Count < Tasks => SpawnTask(),
        < 40 when _tasks.Count > 0 => Asked(Any(_tasks), new ProcessEvent.Touched()),
        < 50 when _tasks.Count > 0 => Asked(Any(_tasks), new ProcessEvent.StopRequested(Option<TimeSpan>.None)),
        < 62 when _tasks.Count > 0 => Release(),
        < 75 => new HostEvent.Runtime(new RuntimeEvent.ProbePassed()),
        < 78 => new HostEvent.Runtime(new RuntimeEvent.EnsureRequested()),
        < 80 => Asked(Any(_services), new ProcessEvent.SignalRequested(Signal.Hangup)),
        < 90 => Asked(Any(_services), new ProcessEvent.RestartRequested()),
        _ => End(Any(_services), new ExitStatus.Exited(_random.Next(3))),
    };

    private void Answer(HostEffect effect)
    {
        if (effect is HostEffect.Process(ProcessEffect.Spawn(var id, var generation, _)))
        {
            _due.Enqueue(new HostEvent.ProcessReported(
                id, new ProcessEvent.SpawnCompleted(generation, new(1000 + _random.Next(30_000), _now.UnixMilliseconds, Boot))));
        }
        else if (effect is HostEffect.Process(ProcessEffect.SendSignal(var signalled, _, Signal.Term)))
        {
            _due.Enqueue(End(signalled, new ExitStatus.Signaled((int)Signal.Term)));
        }
        else if (effect is HostEffect.Process(ProcessEffect.Reap(var reaped, _)))
        {
            _tasks.Remove(reaped);
        }
        else if (effect is HostEffect.Runtime(RuntimeEffect.StartRuntime(var attempt, _)))
        {
            _due.Enqueue(new HostEvent.Runtime(new RuntimeEvent.StartProgressed(attempt, Table(ServiceHealth.NotReady))));
            _due.Enqueue(new HostEvent.Runtime(new RuntimeEvent.StartCompleted(
                attempt, "unix:///run/agent/docker.sock", "started", Table(ServiceHealth.Ready))));
        }
    }

    private HostEvent.ProcessReported End(ProcessId id, ExitStatus status) => new(id, new ProcessEvent.ExitObserved(
        _state.Processes.Find(id).Map(state => state.Profile.Generation).IfNone(0), status,
        TimeSpan.FromMilliseconds(_random.Next(5000)), _random.Next(1 << 26), Seq<string>.Empty));

    private HostEvent.SpawnRequested SpawnTask()
    {
        var id = NewId();
        _tasks.Add(id);
        return new(id, Spec(ProcessKind.Task, $"build-{_ids}"));
    }

    private HostEvent Release()
    {
        var id = Any(_tasks);
        return _state.Processes.Find(id).Map(state => state is ProcessState.Exited).IfNone(false)
            ? Asked(id, new ProcessEvent.ReleaseRequested())
            : End(id, new ExitStatus.Exited(0));
    }

    private Seq<ServiceDeclaration> Declared()
    {
        for (var n = 0; n < Services; n++) _services.Add(NewId());
        return _services.ToArray().Map(id => new ServiceDeclaration(id, Spec(ProcessKind.Service, $"service-{id}"))).ToSeq().Strict();
    }

    private ProcessId Any(List<ProcessId> of) => of[_random.Next(of.Count)];

    private ProcessId NewId()
    {
        var text = $"{_random.NextInt64():x16}{++_ids:x10}".ToLower(CultureInfo.InvariantCulture);
        return ProcessId.Parse(text).IfNone(() => throw new InvalidOperationException(text));
    }

    private static HostEvent.ProcessRequested Asked(ProcessId id, ProcessEvent @event) => new(id, Principal.Root, @event);

    private static ProcessSpec Spec(ProcessKind kind, string label) => new(
        kind, Principal.Root, label, new[] { "/usr/bin/worker", "--listen", "127.0.0.1:8080", "--verbose" }.ToSeq(),
        "/srv/app", Option<string>.None, "5f6c1d0a9be34c77", StdinMode.None, Overflow.DropOldest,
        ProcessSpec.DefaultRingBytes,
        kind == ProcessKind.Task ? ProcessSpec.DefaultTaskLifetime : Option<TimeSpan>.None,
        kind == ProcessKind.Task ? ProcessSpec.DefaultTaskIdle : Option<TimeSpan>.None,
        ProcessSpec.DefaultRetention, Signal.Term, ProcessSpec.DefaultGrace,
        kind == ProcessKind.Task ? RestartPolicy.Never : RestartPolicy.Always, Seq<string>.Empty);

    private static Seq<ServiceStatus> Table(ServiceHealth health) => new[]
    {
        new ServiceStatus(RuntimeMachine.Containerd, health, "pid 812", 812, true),
        new ServiceStatus(RuntimeMachine.Dockerd, health, "pid 840", 840, true),
    }.ToSeq();
}
