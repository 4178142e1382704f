using Agent.Core.Container;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Core.Runtime;
using Agent.Core.Time;
using Agent.Specs.Tools;
using LanguageExt;
using Xunit;
using static LanguageExt.Prelude;

namespace Agent.Specs.Simulation;

/// <summary>
/// A small host around the machines: it carries out their effects and answers them, in virtual time that jumps to
/// whatever comes next. Operators act at whole seconds and everything else happens between two of those, so that a
/// crash, which delays by milliseconds, does not change who comes first.
/// </summary>
internal sealed class World(int seed, Keep keep, int? crashAfter = null, bool reboot = false)
{
    private static readonly TimeSpan Blink = TimeSpan.FromMilliseconds(4);

    private readonly PriorityQueue<Action, (long At, int Order)> _coming = new();
    private readonly Keeper _keeper = new(seed);
    private readonly Engine _engine = new(seed, faulty: false);
    private int _order;
    private int _life;
    private int _starter;

    public HostState State { get; private set; } = HostState.Initial;

    public Instant Now { get; private set; } = new(0);

    public int Steps { get; private set; }

    /// <summary>Those until a while after the last command: what follows is passes over what has settled.</summary>
    public int BusySteps { get; private set; }

    public List<string> Trace { get; } = [];

    /// <summary>The last end of each process that is no daemon, also of those that were reaped since.</summary>
    public SortedDictionary<string, string> Ends { get; } = new(StringComparer.Ordinal);

    /// <summary>Every status that a state ever told.</summary>
    public List<ExitStatus> Statuses { get; } = [];

    /// <summary>The ends that a new agent learnt of at its start.</summary>
    public List<ExitStatus> Unseen { get; } = [];

    /// <summary>Which containers the engine has, and which of them run.</summary>
    public string Containers => string.Join(' ', _engine.All.Select(row => $"{row.Uid}:{row.Digest} {row.Status.GetType().Name}"));

    public IReadOnlyCollection<string> Alive => _keeper.Alive;

    public static string NameOf(ProcessState state) => $"{state.Profile.Id}#{state.Profile.Generation}";

    public World Run(IReadOnlyList<Command> commands)
    {
        Step(new HostEvent.Started(Specimens.Boot, Seq<ObservedProcess>()));
        Step(new HostEvent.Configured(RuntimePolicy.Default with { Keep = keep }, Seq<ServiceDeclaration>()));
        var at = new Instant(0);
        foreach (var command in commands)
        {
            at += TimeSpan.FromSeconds(command.Gap);
            Schedule(at, () => Obey(command));
        }

        // Longer than every retention, back-off and circuit window, so that what is to settle has settled.
        var horizon = at + TimeSpan.FromMinutes(45);
        var settled = at + TimeSpan.FromMinutes(5);
        while (Next(horizon))
        {
            if (Now < settled) BusySteps = Steps;
            Assert.True(Steps < 5_000, "the world does not come to rest");
        }

        return this;
    }

    private bool Next(Instant horizon)
    {
        var due = HostMachine.Deadline(State);
        var coming = _coming.TryPeek(out _, out var first) ? new Instant(first.At) : horizon;
        var deadline = due.Exists(at => at <= coming);
        var next = deadline ? due.IfNone(coming) : coming;
        if (next >= horizon) return false;
        if (next > Now) Now = next;
        if (deadline) Step(new HostEvent.DeadlineReached());
        else _coming.Dequeue()();
        return true;
    }

    private void Schedule(Instant at, Action action) => _coming.Enqueue(action, (at.UnixMilliseconds, _order++));

    /// <summary>Something in the agent's own memory: it is gone when the agent is.</summary>
    private void Soon(TimeSpan delay, Action action)
    {
        var life = _life;
        Schedule(Now + delay, () =>
        {
            if (life == _life) action();
        });
    }

    private void Step(HostEvent @event)
    {
        var before = State;
        var step = HostMachine.Step(State, new(Now, @event));
        State = step.State;
        Steps++;
        Note(before, @event, step.Effects);
        var effects = step.Effects.ToArray();
        var crash = Steps == crashAfter;

        // The kill is told twice only after five more seconds, which would change who comes first.
        var kept = !crash || effects.Any(effect => effect is HostEffect.Process(ProcessEffect.KillTree))
            ? effects.Length
            : (seed & 0xff) % (effects.Length + 1);
        for (var i = 0; i < kept; i++) Run(effects[i]);
        if (crash) Crash();
    }

    private void Crash()
    {
        Trace.Add(reboot ? "-- the host loses power" : "-- the agent is killed");
        if (reboot) _keeper.Reboot();
        _life++;
        _starter++;
        _keeper.Unwatch();
        Soon(TimeSpan.FromMilliseconds(20), () => Step(new HostEvent.Started(Specimens.Boot, _keeper.List())));
    }

    private void Run(HostEffect effect)
    {
        if (effect is HostEffect.Process(var process)) Run(process);
        if (effect is HostEffect.Container(var container)) Run(container);
        if (effect is HostEffect.Runtime(RuntimeEffect.StartRuntime(var attempt, _))) Start(attempt, ++_starter);
        if (effect is HostEffect.Runtime(RuntimeEffect.StopDaemons(var daemons)))
        {
            _starter++;
            foreach (var daemon in daemons) Soon(Blink, () => StopDaemon(daemon));
        }
    }

    private void Run(ProcessEffect effect)
    {
        Action act = effect switch
        {
            ProcessEffect.Spawn spawn => () => Spawn(spawn),
            ProcessEffect.Adopt(var id, var generation, _) => () => Adopt(_keeper.Watch(id, generation)),
            ProcessEffect.SendSignal(var id, var generation, var signal) => () => Signal(id, generation, signal),
            ProcessEffect.KillTree(var id, var generation) => () => Kill(_keeper.Find(id, generation), 9),
            ProcessEffect.Forget(var id, var generation) => () => _keeper.Forget(id, generation),
            ProcessEffect.CloseOutput or ProcessEffect.Reap or ProcessEffect.Reject => () => { },
        };
        act();
    }

    private void Spawn(ProcessEffect.Spawn effect)
    {
        var child = _keeper.Spawn(effect.Id, effect.Generation, effect.Spec);
        Soon(Blink, () => Report(child.Id, child.Answer));
        if (child.IsNew && child.Lives.TryGet(out var life)) End(child, life, child.OwnEnd);
        if (child.IsNew && child.ReadyAfter.TryGet(out var delay)) BecomeReady(child, delay);
        if (child.Ended) Soon(Blink * 2, () => Report(child.Id, child.Exit));
    }

    /// <summary>The keeper hears it, whether the agent lives then or not.</summary>
    private void BecomeReady(Child child, TimeSpan delay) => Schedule(Now + delay, () =>
    {
        if (child.Ended) return;
        child.IsReady = true;
        if (child.Watched) Soon(Blink, () => Report(child.Id, child.Ready));
    });

    /// <summary>The engine answers while the runtime is ready; its containers outlive its daemons.</summary>
    private void Run(ContainerEffect effect)
    {
        if (effect is ContainerEffect.List(var pass))
        {
            ContainersEvent listed = State.Runtime is RuntimeState.Ready
                ? new ContainersEvent.Listed(pass, _engine.List())
                : new ContainersEvent.ListFailed(pass, "nobody listens");
            Soon(Blink, () => Step(new HostEvent.ContainersReported(listed)));
        }

        if (Engine.UidOf(effect) is not { } uid) return;
        Schedule(Now + Blink, () =>
        {
            var answer = _engine.Obey(effect, State.Runtime is RuntimeState.Ready, out _);
            Soon(Blink, () => Step(new HostEvent.ContainersReported(new ContainersEvent.One(uid, answer))));
        });
    }

    private void Adopt(Child child)
    {
        if (child.IsReady) Soon(Blink, () => Report(child.Id, child.Ready));
        if (child.Ended) Soon(Blink, () => Report(child.Id, child.Exit));
    }

    private void Signal(ProcessId id, int generation, Signal signal)
    {
        if (_keeper.Find(id, generation) is { IgnoresTerm: false } child) Kill(child, (int)signal);
    }

    private void Kill(Child? child, int signal)
    {
        if (child is not null) End(child, Blink, new ExitStatus.Signaled(signal));
    }

    /// <summary>The process ends by itself, whether the agent lives then or not.</summary>
    private void End(Child child, TimeSpan delay, ExitStatus status) => Schedule(Now + delay, () =>
    {
        if (!child.End(status)) return;
        Trace.Add($"-- {child.Name} ends");
        if (child.Watched) Soon(Blink, () => Report(child.Id, child.Exit));
    });

    private void Report(ProcessId id, ProcessEvent @event) => Step(new HostEvent.ProcessReported(id, @event));

    /// <summary>The first attempts may fail (0) or hang (1); later ones succeed, so that every world rests.</summary>
    private int Fate(int attempt) => attempt > 3 ? 2 : Keeper.Hash(seed, "start", attempt) % 5;

    private void Start(int attempt, int starter)
    {
        if (Fate(attempt) == 0)
        {
            Later(2200, starter, () => Step(new HostEvent.Runtime(
                new RuntimeEvent.StartFailed(attempt, "no luck", Seq<ServiceStatus>()))));
        }

        if (Fate(attempt) < 2) return;
        Later(4, starter, () => StartDaemon("containerd", attempt));
        Later(20, starter, () => StartDaemon("dockerd", attempt));
        Later(200, starter, () => Step(new HostEvent.Runtime(
            new RuntimeEvent.StartCompleted(attempt, "unix:///s", "answers", Seq<ServiceStatus>()))));
    }

    private void Later(int milliseconds, int starter, Action action) => Soon(
        TimeSpan.FromMilliseconds(milliseconds),
        () =>
        {
            if (starter == _starter) action();
        });

    private void StartDaemon(string label, int attempt)
    {
        if (Daemon(label) is not null) return;
        Step(new HostEvent.SpawnRequested(Ids.Of($"{label}{attempt}t{Now.UnixMilliseconds}"), Specimens.Daemon(label)));
    }

    private void StopDaemon(string label)
    {
        if (Daemon(label) is not { } state) return;
        Step(new HostEvent.ProcessRequested(state.Profile.Id, Principal.Root, new ProcessEvent.StopRequested(None)));
    }

    private ProcessState? Daemon(string label) => State.Processes.All.Values.FirstOrDefault(state =>
        state.Profile.Spec.Label == label && state is not (ProcessState.Exited or ProcessState.Stopping));

    private void Obey(Command command)
    {
        if (command.Kind == Deed.KillDaemon)
        {
            if (Daemon("dockerd") is ProcessState.Running victim
                && _keeper.Find(victim.Profile.Id, victim.Profile.Generation) is { } child)
            {
                End(child, TimeSpan.Zero, new ExitStatus.Signaled(9));
            }

            return;
        }

        // While the agent is down its callers wait.
        Soon(TimeSpan.Zero, () => Step(command.Event(State, keep)));
    }

    private void Note(HostState before, HostEvent @event, Seq<HostEffect> effects)
    {
        // An attempt that can succeed does, or is ended by somebody; it never waits for an answer that was lost.
        if (@event is HostEvent.DeadlineReached && before.Runtime is RuntimeState.Starting late
            && State.Runtime is RuntimeState.Failed)
        {
            Assert.Equal(1, Fate(late.History.Attempt));
        }

        Trace.Add($"{TracePrinter.At(Now)}  {@event.GetType().Name} {Subject(@event)}"
            + $" -> {string.Join(", ", effects.Select(Name))} [{State.Runtime.GetType().Name}]");
        foreach (var state in State.Processes.All.Values)
        {
            if (before.Processes.Find(state.Profile.Id).Exists(old => ReferenceEquals(old, state))) continue;
            if (state is ProcessState.Backoff backoff) Statuses.Add(backoff.Last.Status);
            if (state is not ProcessState.Exited exited) continue;
            Statuses.Add(exited.Exit.Status);
            if (@event is HostEvent.Started) Unseen.Add(exited.Exit.Status);
            if (state.Profile.Spec.Kind == ProcessKind.Daemon) continue;
            Ends[NameOf(state)] = $"{exited.Exit.Status} {exited.Exit.Reason}";
        }
    }

    private static string Subject(HostEvent @event) => @event switch
    {
        HostEvent.SpawnRequested(var id, _) => id.Value,
        HostEvent.ProcessRequested(var id, _, var asked) => $"{id} {asked.GetType().Name}",
        HostEvent.ProcessReported(var id, var told) => $"{id} {told.GetType().Name}",
        HostEvent.Runtime(var told) => told.GetType().Name,
        HostEvent.Configured(_, var services) => TracePrinter.Print(services),
        HostEvent.RolloutOrdered(_, var order) => order.Id.Value,
        HostEvent.RolloutRequested(var id, _, var asked) => $"{id} {asked.GetType().Name}",
        HostEvent.RolloutReported(var id, var told) => $"{id} {told.GetType().Name}",
        HostEvent.ContainersRequested(_, var asked) => TracePrinter.Print(asked),
        HostEvent.ContainersReported(var told) => TracePrinter.Print(told),
        HostEvent.CompanionsRequested(_, var asked) => TracePrinter.Print(asked),
        HostEvent.CompanionsReported(var told) => TracePrinter.Print(told),
        HostEvent.Outbox(var told) => told.GetType().Name,
        HostEvent.Started or HostEvent.DeadlineReached => "",
    };

    private static string Name(HostEffect effect) => effect switch
    {
        HostEffect.Runtime(var inner) => inner.GetType().Name,
        HostEffect.Process(var inner) => inner.GetType().Name,
        HostEffect.Rollout(var inner) => inner.GetType().Name,
        HostEffect.Container(var inner) => inner.GetType().Name,
        HostEffect.Companion(var inner) => inner.GetType().Name,
        HostEffect.Outbox(var inner) => inner.GetType().Name,
    };
}
