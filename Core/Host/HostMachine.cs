using Agent.Core.Companion;
using Agent.Core.Container;
using Agent.Core.Model;
using Agent.Core.Outbox;
using Agent.Core.Process;
using Agent.Core.Rollout;
using Agent.Core.Runtime;
using Agent.Core.Time;
using Effect = Agent.Core.Host.HostEffect;
using Event = Agent.Core.Host.HostEvent;
using State = Agent.Core.Host.HostState;

namespace Agent.Core.Host;

/// <summary>
/// Composes the machines: it routes each event to the one it concerns and lifts the effects. It has no rule of its
/// own. What crosses from machine to machine: a daemon's unasked exit is news for the runtime; containers that want it
/// keep the runtime up, and hear when it is ready; each report of a rollout is queued for the plane in the step that made
/// it; and while the outbox has no room for what they lead to, no rollout is accepted or tried again.
/// </summary>
public static class HostMachine
{
    private const string NoRoom =
        "the plane has not taken what it was told and the outbox is full, ask again when it is reachable";

    public static Transition<State, Effect> Step(State state, Timed<Event> input) => input.Event switch
    {
        Event.Started(var boot, var observed) => WithRollouts(

            // The outbox first: what the rollouts report follows what was under way, in the same post or the next.
            WithOutbox(
                WithCompanions(
                    WithContainers(
                        WithRuntime(
                            WithProcesses(state with { Boot = boot }, state.Processes.Recover(observed, input.At), input),
                            new RuntimeEvent.Started(),
                            input.At),
                        new ContainersEvent.Recovered(),
                        input.At),
                    new CompanionsEvent.Recovered(),
                    input.At),
                new OutboxEvent.Recovered(),
                input.At),
            state.Rollouts.Recover(boot, input.At),
            input.At),
        Event.Configured(var policy, var services) => WithRuntime(
            WithProcesses(state with { Policy = policy }, state.Processes.Declare(services, input.At), input),
            new RuntimeEvent.PolicyChanged(),
            input.At),
        Event.SpawnRequested(var id, var spec) =>
            WithProcesses(state, state.Processes.Spawn(id, spec, input.At), input),
        Event.ProcessRequested(var id, var by, var @event) =>
            WithProcesses(state, state.Processes.Request(id, by, new(input.At, @event)), input),
        Event.ProcessReported(var id, var @event) =>
            WithProcesses(state, state.Processes.Report(id, new(input.At, @event)), input),
        Event.Runtime(var @event) => WithRuntime(Unchanged(state), @event, input.At),
        Event.RolloutOrdered or Event.RolloutRequested(_, _, RolloutEvent.RetryRequested)
            when !state.Outbox.Queue.Admits => Refuse(state, ErrorCode.OutboxFull, NoRoom),
        Event.RolloutOrdered(_, var order) => Accept(state, order, input.At),
        Event.RolloutRequested(var id, _, var @event) =>
            WithRollouts(Unchanged(state), state.Rollouts.Report(id, new(input.At, @event)), input.At),
        Event.RolloutReported(var id, var @event) =>
            WithRollouts(Unchanged(state), state.Rollouts.Report(id, new(input.At, @event)), input.At),
        Event.ContainersRequested(_, var @event) => WithContainers(Unchanged(state), @event, input.At),
        Event.ContainersReported(var @event) => WithContainers(Unchanged(state), @event, input.At),
        Event.CompanionsRequested(_, var @event) => WithCompanions(Unchanged(state), @event, input.At),
        Event.CompanionsReported(var @event) => WithCompanions(Unchanged(state), @event, input.At),
        Event.Outbox(var @event) => WithOutbox(Unchanged(state), @event, input.At),
        Event.DeadlineReached => Wake(state, input),
    };

    /// <summary>The next instant at which something must be looked at, if any.</summary>
    public static Option<Instant> Deadline(State state) => Instant.Earlier(
        Instant.Earlier(RuntimeMachine.Deadline(state.Runtime), state.Processes.Deadline),
        Instant.Earlier(
            Instant.Earlier(state.Containers.Deadline, state.Companions.Deadline),
            Instant.Earlier(state.Rollouts.Deadline, OutboxMachine.Deadline(state.Outbox))));

    /// <summary>The recurring watches that must run in this state.</summary>
    public static Seq<Subscription> Subscriptions(State state)
    {
        var watches = RuntimeMachine.Probe(state.Runtime).TryGet(out var every)
            ? Seq1<Subscription>(new Subscription.RuntimeProbe(state.Runtime.History.Attempt, every))
            : Seq<Subscription>();
        if (state.Containers.Passing is PassState.Resting or PassState.Looking)
        {
            watches = watches.Add(new Subscription.ContainerChanges(
                state.Containers.UsesRuntime ? state.Runtime.History.Attempt : 0));
        }

        foreach (var process in state.Processes.All.Values)
        {
            if (process is not ProcessState.Running { IsReady: false } running) continue;
            var profile = running.Profile;
            if (!profile.Spec.Ready.TryGet(out var ready) || ready.Check is ReadyCheck.Notify) continue;
            watches = watches.Add(new Subscription.ServiceReadiness(profile.Id, profile.Generation, ready.Every));
        }

        foreach (var rollout in state.Rollouts.All.Values)
        {
            if (rollout is not RolloutState.Soaking soaking) continue;
            var id = soaking.Profile.Order.Id;
            watches = watches.Add(new Subscription.RunningRelease(id, soaking.Switch.Activation));
            foreach (var probe in RolloutMachine.Probes(soaking))
            {
                watches = watches.Add(new Subscription.RolloutProbe(id, soaking.Switch.Activation, probe.Name));
            }
        }

        return state.Outbox is OutboxState.Off ? watches : watches.Join(Uplink);
    }

    private static readonly Seq<Subscription> Uplink = Seq<Subscription>(
        new Subscription.PlaneDispatch(),
        new Subscription.PlaneHeartbeat(TimeSpan.FromSeconds(60)),
        new Subscription.PlaneManifests(TimeSpan.FromSeconds(30)),
        new Subscription.PlaneCertificate());

    /// <summary>What is new here is told to the plane as a whole, before anything that happens to it.</summary>
    private static Transition<State, Effect> Accept(State state, RolloutOrder order, Instant now)
    {
        var step = state.Rollouts.Accept(order, now);
        var isNew = !ReferenceEquals(step.Rollouts, state.Rollouts) && state.Outbox is not OutboxState.Off;
        var told = isNew
            ? WithOutbox(Unchanged(state), new OutboxEvent.ReplayRequested(order.Id, OutboxMachine.AsAWhole), now)
            : Unchanged(state);
        return WithRollouts(told, step, now);
    }

    private static Transition<State, Effect> Wake(State state, Timed<Event> input)
    {
        var woken = WithProcesses(state, state.Processes.Wake(input.At), input);
        if (RuntimeMachine.Deadline(woken.State.Runtime).TryGet(out var at) && at <= input.At)
        {
            woken = WithRuntime(woken, new RuntimeEvent.DeadlineReached(), input.At);
        }

        if (woken.State.Containers.Deadline.TryGet(out var due) && due <= input.At)
        {
            woken = WithContainers(woken, new ContainersEvent.DeadlineReached(), input.At);
        }

        if (woken.State.Companions.Deadline.TryGet(out var look) && look <= input.At)
        {
            woken = WithCompanions(woken, new CompanionsEvent.DeadlineReached(), input.At);
        }

        woken = WithRollouts(woken, state.Rollouts.Wake(input.At), input.At);
        return OutboxMachine.Deadline(woken.State.Outbox).TryGet(out var retry) && retry <= input.At
            ? WithOutbox(woken, new OutboxEvent.DeadlineReached(), input.At)
            : woken;
    }

    private static Transition<State, Effect> Unchanged(State state) => new(state, Seq<Effect>());

    private static Transition<State, Effect> Refuse(State state, ErrorCode code, string reason) =>
        new(state, Seq1<Effect>(new Effect.Rollout(new RolloutEffect.Reject(code, reason))));

    private static Transition<State, Effect> WithRollouts(
        Transition<State, Effect> before, RolloutsStep step, Instant now)
    {
        var effects = before.Effects;
        foreach (var effect in step.Effects) effects = effects.Add(new Effect.Rollout(effect));
        var after = new Transition<State, Effect>(
            ReferenceEquals(step.Rollouts, before.State.Rollouts)
                ? before.State
                : before.State with { Rollouts = step.Rollouts },
            effects);
        foreach (var effect in step.Effects)
        {
            if (effect is not RolloutEffect.Report(var id, var seq, var @event, var moved)) continue;
            var importance = moved ? Importance.Transition : Importance.Observation;
            after = WithOutbox(after, new OutboxEvent.Noted(id, seq, @event, importance), now);
        }

        return after;
    }

    private static Transition<State, Effect> WithOutbox(
        Transition<State, Effect> before, OutboxEvent @event, Instant now)
    {
        var step = OutboxMachine.Step(before.State.Outbox, new(now, @event));
        var state = ReferenceEquals(step.State, before.State.Outbox)
            ? before.State
            : before.State with { Outbox = step.State };
        var effects = before.Effects;
        foreach (var effect in step.Effects) effects = effects.Add(new Effect.Outbox(effect));
        return new(state, effects);
    }

    private static Transition<State, Effect> WithRuntime(
        Transition<State, Effect> before, RuntimeEvent @event, Instant now)
    {
        var policy = before.State.Containers.NeedsRuntime
            ? before.State.Policy with { Keep = Keep.Always }
            : before.State.Policy;
        var step = RuntimeMachine.Step(policy, before.State.Runtime, new(now, @event));
        var state = ReferenceEquals(step.State, before.State.Runtime)
            ? before.State
            : before.State with { Runtime = step.State };
        var after = new Transition<State, Effect>(state, Lift(before.Effects, step.Effects));
        var becameReady = step.State is RuntimeState.Ready && before.State.Runtime is not RuntimeState.Ready;
        return becameReady && state.Containers.UsesRuntime
            ? WithContainers(after, new ContainersEvent.EngineReady(), now)
            : after;
    }

    private static Transition<State, Effect> WithContainers(
        Transition<State, Effect> before, ContainersEvent @event, Instant now)
    {
        var known = before.State.Containers;
        var step = known.Step(new(now, @event), before.State.Runtime is RuntimeState.Ready);
        var state = ReferenceEquals(step.Containers, known)
            ? before.State
            : before.State with { Containers = step.Containers };
        var effects = before.Effects;
        foreach (var effect in step.Effects) effects = effects.Add(new Effect.Container(effect));
        var after = new Transition<State, Effect>(state, effects);
        return state.Containers.NeedsRuntime == known.NeedsRuntime
            ? after
            : WithRuntime(after, new RuntimeEvent.PolicyChanged(), now);
    }

    private static Transition<State, Effect> WithCompanions(
        Transition<State, Effect> before, CompanionsEvent @event, Instant now)
    {
        var step = before.State.Companions.Step(new(now, @event));
        var state = ReferenceEquals(step.Companions, before.State.Companions)
            ? before.State
            : before.State with { Companions = step.Companions };
        var effects = before.Effects;
        foreach (var effect in step.Effects) effects = effects.Add(new Effect.Companion(effect));
        return new(state, effects);
    }

    private static Transition<State, Effect> WithProcesses(State state, RegistryStep step, Timed<Event> input)
    {
        var next = ReferenceEquals(step.Registry, state.Processes) ? state : state with { Processes = step.Registry };
        var lifted = new Transition<State, Effect>(next, Lift(step.Effects));
        foreach (var exit in DaemonExits(state.Processes, step.Registry, input.Event))
        {
            lifted = WithRuntime(lifted, new RuntimeEvent.DaemonExited(exit), input.At);
        }

        return lifted;
    }

    /// <summary>The engine daemons that ended in this step without having been told to.</summary>
    private static Seq<DaemonExit> DaemonExits(Registry before, Registry after, Event @event)
    {
        if (@event is Event.SpawnRequested or Event.ProcessRequested || ReferenceEquals(before, after)) return default;
        var exits = Seq<DaemonExit>();
        foreach (var old in Concerned(before, @event))
        {
            if (old.Profile.Spec.Kind != ProcessKind.Daemon) continue;
            if (old is not (ProcessState.Starting { Pending.IsNone: true } or ProcessState.Running)) continue;
            if (!after.Find(old.Profile.Id).TryGet(out var next) || next is not ProcessState.Exited exited) continue;
            exits = exits.Add(new(old.Profile.Spec.Label, exited.Exit.Status, Tail(@event, old.Profile)));
        }

        return exits;
    }

    private static Seq<ProcessState> Concerned(Registry before, Event @event) => @event is Event.ProcessReported(var id, _)
        ? before.Find(id).ToSeq()
        : before.All.Values.ToSeq();

    private static Seq<string> Tail(Event @event, ProcessProfile profile) =>
        @event is Event.ProcessReported(_, ProcessEvent.ExitObserved observed) ? observed.LogTail
        : @event is Event.Started(_, var rows) ? rows
            .Find(row => row.Id == profile.Id && row.Generation == profile.Generation)
            .Map(row => row.Observation is Observation.Ended ended ? ended.LogTail : Seq<string>())
            .IfNone(Seq<string>())
        : Seq<string>();

    private static Seq<Effect> Lift(Seq<ProcessEffect> effects)
    {
        if (effects.IsEmpty) return Seq<Effect>();
        var lifted = new Effect[effects.Count];
        for (var i = 0; i < lifted.Length; i++) lifted[i] = new Effect.Process(effects[i]);
        return lifted.ToSeq();
    }

    private static Seq<Effect> Lift(Seq<Effect> before, Seq<RuntimeEffect> effects)
    {
        foreach (var effect in effects) before = before.Add(new Effect.Runtime(effect));
        return before;
    }
}
