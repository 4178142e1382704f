using Agent.Core.Model;
using Agent.Core.Time;
using Event = Agent.Core.Container.ContainersEvent;

namespace Agent.Core.Container;

/// <summary>
/// All containers of this host: those that are declared, and those of this agent's instance that nothing declares. It runs
/// the passes, begins what <see cref="ContainerPlan"/> finds is next, and holds back what depends on another; what happens
/// to one is the machine's matter. A call under way holds up nothing but its own container.
/// </summary>
public sealed partial record Containers(
    Map<OrdContainerUid, ContainerUid, ContainerState> All,
    PassState Passing,
    int Pass,
    Option<PassOutcome> Last,
    bool UsesRuntime)
{
    /// <summary>Bounds every list, batch and snapshot; no host runs as many.</summary>
    public const int MaxContainers = 1024;

    public static Containers Empty { get; } = new(
        Map<OrdContainerUid, ContainerUid, ContainerState>(), new PassState.Off(), 0, None, UsesRuntime: false);

    /// <summary>What nobody told the agent of is found within this.</summary>
    public static TimeSpan PassEvery => TimeSpan.FromSeconds(30);

    /// <summary>An engine that is not ready by then may never be; that is told rather than waited for.</summary>
    public static TimeSpan LongestGate => TimeSpan.FromMinutes(30);

    /// <summary>Longer than the shell allows a list to take: whoever breaks that promise ends no passes.</summary>
    public static TimeSpan LongestList => TimeSpan.FromMinutes(2);

    /// <summary>Whether the engine that this agent supervises has work from here.</summary>
    public bool NeedsRuntime => UsesRuntime && All.Values.Exists(state => state.Profile is
    {
        Spec.IsSome: true,
        Wish: ContainerWish.Installed or ContainerWish.Repaired,
    });

    public Option<Instant> Deadline
    {
        get
        {
            var earliest = Passing switch
            {
                PassState.Off => Option<Instant>.None,
                PassState.Gated(var until) => until,
                PassState.Resting(var next) => next,
                PassState.Looking(var since, _) => since + LongestList,
            };
            foreach (var state in All.Values) earliest = Instant.Earlier(earliest, state.Profile.RetryAt);
            return earliest;
        }
    }

    /// <summary>Whether this list would change nothing: each container is idle and believed to be just as it says.</summary>
    public bool Agrees(Seq<ObservedContainer> found)
    {
        if (Doubles(found).IsSome || Existing != found.Count) return false;
        if (!All.Values.ForAll(state => state is ContainerState.Idle && state.Profile.Seen is not Sighting.Unseen)) return false;
        foreach (var container in found)
        {
            var known = All.Find(container.Uid).Bind(state => state.Profile.Present);
            if (!known.TryGet(out var believed) || believed != container) return false;
        }

        return true;
    }

    public Option<ContainerState> Find(ContainerUid uid) => All.Find(uid);

    /// <summary>A list tells of it: until one does, a start is believed, and nobody knows of its health.</summary>
    public bool IsSeen(ContainerProfile profile) =>
        Last.Exists(last => last.Pass >= profile.FromPass && last.Failure.IsNone);

    /// <param name="runtimeReady">Whether the engine that this agent supervises is ready.</param>
    public ContainersStep Step(Timed<Event> input, bool runtimeReady)
    {
        var step = input.Event switch
        {
            Event.Declared declared => Declare(declared, input.At, runtimeReady),
            Event.One(var uid, var @event) => Tell(uid, new(input.At, @event)),
            Event.UpRequested(var uids, var removeOrphans) => Up(uids, removeOrphans, input.At),
            Event.DownRequested(var uids) => Down(uids, input.At),
            Event.ReconcileRequested => Look(input.At),
            Event.EngineReady => Passing is PassState.Off ? Nothing : Look(input.At),
            Event.EngineChanged => LookIfOpen(input.At),
            Event.Listed(var pass, var found) => pass == Pass && Passing is PassState.Looking looking
                ? TakeList(looking, found, input.At)
                : Refuse(ErrorCode.Stale, "the list belongs to a pass that is over"),
            Event.ListConfirmed(var pass) => pass == Pass && Passing is PassState.Looking looking
                ? EndPass(looking, Existing, None, input.At)
                : Refuse(ErrorCode.Stale, "the list belongs to a pass that is over"),
            Event.ListFailed(var pass, var reason) => pass == Pass && Passing is PassState.Looking
                ? FailList(reason, input.At)
                : Refuse(ErrorCode.Stale, "the list belongs to a pass that is over"),
            Event.Recovered => Recover(input.At, runtimeReady),
            Event.DeadlineReached => Wake(input.At),
        };
        return ReferenceEquals(step.Containers, this) ? step : step.Containers.Advance(step.Effects, input.At);
    }

    /// <summary>What the table and its dependencies lead to for a container; of a call under way, that call.</summary>
    public ContainerDecision Judge(ContainerState state, Instant now)
    {
        if (CallOf(state).TryGet(out var call))
        {
            var action = state.Profile.History.LastDeed.Map(deed => deed.Action).IfNone(ContainerAction.Start);
            return new ContainerDecision.Acts(action, call);
        }

        var decision = ContainerPlan.Decide(state.Profile, now);
        if (decision is not ContainerDecision.Acts act) return decision;
        var obstacle = act.Call == ContainerCall.Start ? Unmet(state.Profile)
            : act is { Action: ContainerAction.Remove, Call: ContainerCall.Stop } ? Dependent(state.Profile.Uid)
            : Option<string>.None;
        return obstacle.TryGet(out var what) ? new ContainerDecision.Waits(what, None) : decision;
    }

    public static Option<ContainerCall> CallOf(ContainerState state) => state switch
    {
        ContainerState.Idle => None,
        ContainerState.Pulling => ContainerCall.Pull,
        ContainerState.Creating => ContainerCall.Create,
        ContainerState.Starting => ContainerCall.Start,
        ContainerState.Stopping => ContainerCall.Stop,
        ContainerState.Removing => ContainerCall.Remove,
    };

    /// <summary>Whatever is next for each container that waits for no answer is begun.</summary>
    private ContainersStep Advance(Seq<ContainerEffect> effects, Instant now)
    {
        var containers = this;
        foreach (var state in All.Values)
        {
            if (state is not ContainerState.Idle idle) continue;
            var decision = containers.Judge(idle, now);
            if (decision is ContainerDecision.Acts act)
            {
                var begun = ContainerMachine.Begin(idle, act, now);
                containers = containers.With(begun.State);
                effects = effects.Join(begun.Effects);
            }
            else if (decision is ContainerDecision.Waits(_, { IsSome: true } until) && idle.Profile.RetryAt.IsNone)
            {
                containers = containers.With(idle with { Profile = idle.Profile with { RetryAt = until } });
            }
        }

        return new(containers, effects);
    }

    /// <summary>The first thing that must come about before this one may start.</summary>
    private Option<string> Unmet(ContainerProfile profile)
    {
        foreach (var (on, condition) in profile.Spec.Map(spec => spec.DependsOn).IfNone(Seq<ContainerDependency>()))
        {
            if (!All.Find(on).TryGet(out var other) || !other.Profile.Declared.TryGet(out var spec)) return $"{on}, which nothing declares";
            var runs = other is not (ContainerState.Stopping or ContainerState.Removing)
                && other.Profile.Seen is Sighting.Present({ Status: ContainerStatus.Running(PidAlive: true) });

            // An image may bring a check that nobody declared: where there is one, which only a list tells, it has the word.
            var isHealthy = other.Profile.Present.Exists(container => container.Health == ContainerHealth.Healthy
                || (container.Health == ContainerHealth.None && !spec.HasHealthcheck && IsSeen(other.Profile)));
            var isMet = condition switch
            {
                DependencyCondition.Completed => !runs
                    && other.Profile.End.Exists(end => end.IsSuccess && end.Digest == spec.Digest),
                DependencyCondition.Healthy => runs && isHealthy,
                DependencyCondition.Started => runs,
            };
            if (!isMet) return $"{on} to be {Name(condition)}";
        }

        return None;
    }

    /// <summary>Whether one that is declared waits for this one's health, of which only a list tells.</summary>
    private bool IsHealthAwaited(ContainerUid uid) => All.Values.Exists(state => state.Profile.Declared.Exists(
        spec => spec.DependsOn.Exists(dependency => dependency.On == uid && dependency.Condition == DependencyCondition.Healthy)));

    /// <summary>A container that is to go as well, and uses this one until it has stopped.</summary>
    private Option<string> Dependent(ContainerUid uid)
    {
        foreach (var state in All.Values)
        {
            var other = state.Profile;
            if (other.Wish is not (ContainerWish.Removed or ContainerWish.Dropped) || other.History.Failures > 0) continue;
            if (!other.Spec.Exists(spec => spec.DependsOn.Exists(dependency => dependency.On == uid))) continue;
            if (other.Present.Exists(container => container.Status is ContainerStatus.Running(PidAlive: true)))
            {
                return $"{other.Uid} to stop first, which depends on it";
            }
        }

        return None;
    }

    private static string Name(DependencyCondition condition) => condition switch
    {
        DependencyCondition.Completed => "completed",
        DependencyCondition.Healthy => "healthy",
        DependencyCondition.Started => "started",
    };

    private int Existing => All.Values.Filter(state => state.Profile.Present.IsSome).ToSeq().Count;

    private ContainersStep Nothing => new(this, Seq<ContainerEffect>());

    private Containers With(ContainerState state) => this with { All = All.AddOrUpdate(state.Profile.Uid, state) };

    private ContainersStep Refuse(ErrorCode code, string reason) =>
        new(this, Seq1<ContainerEffect>(new ContainerEffect.Reject(code, reason)));
}

/// <summary>The containers and the effects that led to them.</summary>
public readonly record struct ContainersStep(Containers Containers, Seq<ContainerEffect> Effects);
