using Agent.Core.Model;
using Agent.Core.Time;

namespace Agent.Core.Process;

/// <summary>
/// All processes of this host, by id. It admits, finds and steps them; what happens to one is the machine's matter.
/// </summary>
public sealed record Registry(Map<OrdProcessId, ProcessId, ProcessState> All)
{
    /// <summary>Enough for a busy user, too few for a runaway client to hurt the host.</summary>
    public const int LiveTasksPerPrincipal = 8;

    /// <summary>Live and ended ones together: bounds the rings that one principal can hold in memory.</summary>
    public const int RetainedTasksPerPrincipal = 32;

    /// <summary>All tasks of all principals.</summary>
    public const int RetainedTasks = 256;

    /// <summary>Declared by the operator; bounds every list, batch and snapshot.</summary>
    public const int MaxServices = 1024;

    public static Registry Empty { get; } = new(Map<OrdProcessId, ProcessId, ProcessState>());

    public Option<ProcessState> Find(ProcessId id) => All.Find(id);

    /// <summary>The process, if this principal may know of it. A foreign one is as good as none.</summary>
    public Option<ProcessState> Find(ProcessId id, Principal by) =>
        All.Find(id).Filter(state => by.MayTouch(state.Profile.Spec.Owner));

    public RegistryStep Spawn(ProcessId id, ProcessSpec spec, Instant now) =>
        All.ContainsKey(id) ? Refuse(ErrorCode.InvalidInput, $"the id {id} is taken")
        : spec.Kind == ProcessKind.Task && Overdrawn(spec.Owner).TryGet(out var refusal) ? Refuse(refusal.Code, refusal.Reason)
        : Apply(id, ProcessMachine.Create(id, spec, now, wait: false), now);

    /// <summary>A request: refused alike for an unknown and for a foreign id.</summary>
    public RegistryStep Request(ProcessId id, Principal by, Timed<ProcessEvent> input) =>
        Find(id, by).TryGet(out var state)
            ? Apply(id, ProcessMachine.Step(state, input), input.At)
            : Refuse(ErrorCode.NoSuchProcess, $"no process {id}");

    /// <summary>A fact about a process, told by the shell itself.</summary>
    public RegistryStep Report(ProcessId id, Timed<ProcessEvent> input) =>
        All.Find(id).TryGet(out var state)
            ? Apply(id, ProcessMachine.Step(state, input), input.At)
            : Refuse(ErrorCode.NoSuchProcess, $"no process {id}");

    /// <summary>
    /// Exactly these services are declared: new ones start, changed ones start anew, missing ones go.
    /// </summary>
    public RegistryStep Declare(Seq<ServiceDeclaration> services, Instant now)
    {
        var step = Nothing;
        foreach (var state in Services)
        {
            var declared = services.Find(service => service.Spec.Label == state.Profile.Spec.Label);
            ProcessEvent @event = declared.TryGet(out var service)
                ? new ProcessEvent.Redeclared(service.Spec)
                : new ProcessEvent.Withdrawn();
            step = step.Then(registry => registry.Report(state.Profile.Id, new(now, @event)));
        }

        foreach (var service in services)
        {
            if (Services.Exists(state => state.Profile.Spec.Label == service.Spec.Label)) continue;
            step = step.Then(registry => registry.Apply(
                service.Id, ProcessMachine.Create(service.Id, service.Spec, now, wait: true), now));
        }

        return step.Then(registry => registry.ReleaseWaiting(now));
    }

    /// <summary>The agent has just started: each process learns what the keeper knows of it.</summary>
    public RegistryStep Recover(Seq<ObservedProcess> observed, Instant now)
    {
        var step = Nothing;
        foreach (var state in All.Values)
        {
            var seen = observed
                .Find(row => row.Id == state.Profile.Id && row.Generation == state.Profile.Generation)
                .Map(row => row.Observation)
                .IfNone(new Observation.Absent());
            step = step.Then(registry => registry.Report(
                state.Profile.Id, new(now, new ProcessEvent.Recovered(seen))));
        }

        foreach (var row in observed.Filter(IsStray))
        {
            step = step.Then(registry => new(registry, Clear(row)));
        }

        return step.Then(registry => registry.ReleaseWaiting(now));
    }

    /// <summary>The instant has come: every process whose deadline it is gets its event.</summary>
    public RegistryStep Wake(Instant now)
    {
        var step = Nothing;
        foreach (var state in All.Values)
        {
            if (!ProcessMachine.Deadline(state).TryGet(out var deadline) || deadline > now) continue;
            step = step.ThenTell(state.Profile.Id, new(now, new ProcessEvent.DeadlineReached()));
        }

        return step;
    }

    public Option<Instant> Deadline
    {
        get
        {
            var earliest = Option<Instant>.None;
            foreach (var state in All.Values) earliest = Instant.Earlier(earliest, ProcessMachine.Deadline(state));
            return earliest;
        }
    }

    /// <summary>
    /// What may end next when everything ends: what lives, the engine's daemons aside, and nothing that lives comes after.
    /// </summary>
    public Seq<ProcessId> Stoppable
    {
        get
        {
            var living = All.Values
                .Filter(state => state is not ProcessState.Exited && state.Profile.Spec.Kind != ProcessKind.Daemon).ToSeq().Strict();
            var free = living.Filter(state => !living.Exists(other => ComesAfter(other, state))).Strict();

            // The configuration allows no ring of services; should there be one, it ends all at once.
            return (free.IsEmpty ? living : free).Map(state => state.Profile.Id).Strict();
        }
    }

    private static bool ComesAfter(ProcessState later, ProcessState earlier)
    {
        var spec = later.Profile.Spec;
        return spec.After.Exists(label => IsService(earlier, label)) || spec.AfterStarted.Exists(label => IsService(earlier, label));
    }

    private RegistryStep Nothing => new(this, Seq<ProcessEffect>());

    private Seq<ProcessState> Services =>
        All.Values.Filter(state => state.Profile.Spec.Kind == ProcessKind.Service).ToSeq().Strict();

    private RegistryStep Apply(ProcessId id, Transition<ProcessState, ProcessEffect> transition, Instant now)
    {
        if (transition.State is ProcessState.Reaped) return new(new(All.Remove(id)), transition.Effects);
        var before = All.Find(id);
        if (before.TryGet(out var old) && ReferenceEquals(old, transition.State)) return new(this, transition.Effects);
        var step = new RegistryStep(new(All.AddOrUpdate(id, transition.State)), transition.Effects);
        return FreesOthers(old, transition.State) ? step.Registry.ReleaseWaiting(now).After(step.Effects) : step;
    }

    /// <summary>Only then can what waits go on: a look at all processes is not owed to each use of one.</summary>
    private static bool FreesOthers(ProcessState before, ProcessState after) =>
        after is ProcessState.Running running
        && (before is not ProcessState.Running earlier || (running.IsReady && !earlier.IsReady))
        && after.Profile.Spec.Kind == ProcessKind.Service;

    private RegistryStep ReleaseWaiting(Instant now)
    {
        var step = Nothing;
        foreach (var state in All.Values)
        {
            if (state is not ProcessState.Waiting || !IsFree(state.Profile.Spec)) continue;
            step = step.ThenTell(state.Profile.Id, new(now, new ProcessEvent.DependenciesMet()));
        }

        return step;
    }

    /// <summary>Everything that it comes after is there.</summary>
    private bool IsFree(ProcessSpec spec) =>
        spec.After.ForAll(label => Runs(label) is { IsReady: true }) && spec.AfterStarted.ForAll(label => Runs(label) is not null);

    private ProcessState.Running? Runs(string label)
    {
        foreach (var state in All.Values)
        {
            if (state is ProcessState.Running running && IsService(state, label)) return running;
        }

        return null;
    }

    private static bool IsService(ProcessState state, string label) =>
        state.Profile.Spec.Kind == ProcessKind.Service && state.Profile.Spec.Label == label;

    private Option<(ErrorCode Code, string Reason)> Overdrawn(Principal owner)
    {
        var tasks = 0;
        var retained = 0;
        var live = 0;
        foreach (var state in All.Values)
        {
            if (state.Profile.Spec.Kind != ProcessKind.Task) continue;
            tasks++;
            if (state.Profile.Spec.Owner != owner) continue;
            retained++;
            if (state is not ProcessState.Exited) live++;
        }

        if (tasks >= RetainedTasks)
        {
            return (ErrorCode.RegistryFull, $"{RetainedTasks} tasks are known, release ended ones or wait");
        }

        if (owner.IsRoot) return None;
        if (retained >= RetainedTasksPerPrincipal)
        {
            return (ErrorCode.RegistryFull, $"{RetainedTasksPerPrincipal} of your tasks are known, release ended ones");
        }

        return live >= LiveTasksPerPrincipal
            ? (ErrorCode.Quota, $"{LiveTasksPerPrincipal} of your tasks run, stop one first")
            : None;
    }

    private bool IsStray(ObservedProcess row) =>
        !All.Find(row.Id).TryGet(out var state) || state.Profile.Generation != row.Generation;

    /// <summary>The keeper knows of a spawn that no state stands for: end it, and let the keeper forget it.</summary>
    private static Seq<ProcessEffect> Clear(ObservedProcess row) => row.Observation switch
    {
        Observation.Alive => Seq<ProcessEffect>(
            new ProcessEffect.KillTree(row.Id, row.Generation), new ProcessEffect.Forget(row.Id, row.Generation)),
        Observation.Ended or Observation.Absent => Seq1<ProcessEffect>(new ProcessEffect.Forget(row.Id, row.Generation)),
    };

    private RegistryStep Refuse(ErrorCode code, string reason) =>
        new(this, Seq1<ProcessEffect>(new ProcessEffect.Reject(code, reason)));
}

/// <summary>A service as the configuration declares it; the id is used if none of that label is known yet.</summary>
public sealed record ServiceDeclaration(ProcessId Id, ProcessSpec Spec);

/// <summary>A registry and the effects that led to it.</summary>
public readonly record struct RegistryStep(Registry Registry, Seq<ProcessEffect> Effects)
{
    public RegistryStep Then(Func<Registry, RegistryStep> next)
    {
        var step = next(Registry);
        return step.After(Effects);
    }

    /// <summary>A fact for one process. A method of its own, so that walking past the others captures nothing.</summary>
    public RegistryStep ThenTell(ProcessId id, Timed<ProcessEvent> input) => Registry.Report(id, input).After(Effects);

    public RegistryStep After(Seq<ProcessEffect> earlier) =>
        this with { Effects = earlier.Join(Effects) };
}
