using System.Buffers;
using System.Collections.Generic;
using Agent.Core.Companion;
using Agent.Core.Container;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Outbox;
using Agent.Core.Process;
using Agent.Core.Rollout;
using Agent.Core.Runtime;
using LanguageExt;
using CompanionSet = Agent.Core.Companion.Companions;
using ContainerSet = Agent.Core.Container.Containers;
using Effect = Agent.Core.Host.HostEffect;
using Event = Agent.Core.Host.HostEvent;

namespace Agent.Shell.Journal.Codec;

/// <summary>
/// The written form of the host's events, effects and state: the body of a journal record and of a snapshot. Core
/// knows nothing of it. A missing case does not compile; that both directions agree is a test's matter.
/// </summary>
internal static class HostCodec
{
    public static JsonOut Write(JsonOut to, Event @event) => @event switch
    {
        Event.Started e => Observed(to.Begin("started"u8).Text("boot"u8, e.Boot.Value), e.Observed).End(),
        Event.Configured e => Services(Policy(to.Begin("configured"u8), e.Policy), e.Services).End(),
        Event.SpawnRequested e => SpecCodec.Write(
            to.Begin("spawnRequested"u8).Text("id"u8, e.Id.Value).Name("spec"u8), e.Spec).End(),
        Event.ProcessRequested e => ProcessCodec.Write(
            to.Begin("processRequested"u8).Text("id"u8, e.Id.Value).Number("by"u8, e.By.Uid).Name("event"u8), e.Event).End(),
        Event.ProcessReported e => ProcessCodec.Write(
            to.Begin("processReported"u8).Text("id"u8, e.Id.Value).Name("event"u8), e.Event).End(),
        Event.Runtime e => RuntimeCodec.Write(to.Begin("runtime"u8).Name("event"u8), e.Event).End(),
        Event.RolloutOrdered e => RolloutOrderCodec.Write(
            to.Begin("rolloutOrdered"u8).Number("by"u8, e.By.Uid).Name("order"u8), e.Order).End(),
        Event.RolloutRequested e => RolloutCodec.Write(
            to.Begin("rolloutRequested"u8).Text("id"u8, e.Id.Value).Number("by"u8, e.By.Uid).Name("event"u8), e.Event).End(),
        Event.RolloutReported e => RolloutCodec.Write(
            to.Begin("rolloutReported"u8).Text("id"u8, e.Id.Value).Name("event"u8), e.Event).End(),
        Event.ContainersRequested e => ContainersCodec.Write(
            to.Begin("containersRequested"u8).Number("by"u8, e.By.Uid).Name("event"u8), e.Event).End(),
        Event.ContainersReported e => ContainersCodec.Write(to.Begin("containersReported"u8).Name("event"u8), e.Event).End(),
        Event.CompanionsRequested e => CompanionCodec.Write(
            to.Begin("companionsRequested"u8).Number("by"u8, e.By.Uid).Name("event"u8), e.Event).End(),
        Event.CompanionsReported e => CompanionCodec.Write(to.Begin("companionsReported"u8).Name("event"u8), e.Event).End(),
        Event.Outbox e => OutboxCodec.Write(to.Begin("outbox"u8).Name("event"u8), e.Event).End(),
        Event.DeadlineReached => to.Begin("deadlineReached"u8).End(),
    };

    public static Event ReadEvent(ref JsonIn from)
    {
        var type = from.BeginTyped();
        Event @event = type switch
        {
            "started" => new Event.Started(new BootId(from.Text("boot"u8)), Observed(ref from)),
            "configured" => new Event.Configured(Policy(ref from), Services(ref from)),
            "spawnRequested" => new Event.SpawnRequested(ProcessCodec.Id(ref from), SpecCodec.Named(ref from)),
            "processRequested" => new Event.ProcessRequested(
                ProcessCodec.Id(ref from), By(ref from), ProcessEvent(ref from)),
            "processReported" => new Event.ProcessReported(ProcessCodec.Id(ref from), ProcessEvent(ref from)),
            "runtime" => new Event.Runtime(RuntimeEvent(ref from)),
            "rolloutOrdered" => new Event.RolloutOrdered(By(ref from), RolloutOrderCodec.NamedOrder(ref from)),
            "rolloutRequested" => new Event.RolloutRequested(
                RolloutOrderCodec.Id(ref from), By(ref from), RolloutEvent(ref from)),
            "rolloutReported" => new Event.RolloutReported(RolloutOrderCodec.Id(ref from), RolloutEvent(ref from)),
            "containersRequested" => new Event.ContainersRequested(By(ref from), ContainersCodec.NamedEvent(ref from)),
            "containersReported" => new Event.ContainersReported(ContainersCodec.NamedEvent(ref from)),
            "companionsRequested" => new Event.CompanionsRequested(By(ref from), CompanionCodec.NamedEvent(ref from)),
            "companionsReported" => new Event.CompanionsReported(CompanionCodec.NamedEvent(ref from)),
            "outbox" => new Event.Outbox(OutboxEvent(ref from)),
            "deadlineReached" => new Event.DeadlineReached(),
            _ => throw new UnknownRecordException($"event \"{type}\"", from.Consumed),
        };
        from.End();
        return @event;
    }

    public static JsonOut Write(JsonOut to, Seq<Effect> effects)
    {
        to.BeginList();
        foreach (var effect in effects) Write(to, effect);
        return to.EndList();
    }

    public static JsonOut Write(JsonOut to, Effect effect) => effect switch
    {
        Effect.Runtime(var runtime) => RuntimeCodec.Write(to, runtime),
        Effect.Process(var process) => ProcessCodec.Write(to, process),
        Effect.Rollout(var rollout) => RolloutCodec.Write(to, rollout),
        Effect.Container(var container) => ContainerCodec.Write(to, container),
        Effect.Companion(var companion) => CompanionCodec.Write(to, companion),
        Effect.Outbox(var outbox) => OutboxCodec.Write(to, outbox),
    };

    public static JsonOut Write(JsonOut to, HostState state)
    {
        Policy(to.Begin().Text("boot"u8, state.Boot.Value), state.Policy);
        RuntimeCodec.Write(to.Name("runtime"u8), state.Runtime).BeginList("processes"u8);
        foreach (var process in state.Processes.All.Values) ProcessStateCodec.Write(to, process);
        to.EndList();

        // Left out where there never was one, so that the digests of journals without rollouts, plane, containers or
        // companions stay true.
        if (!ReferenceEquals(state.Rollouts, Rollouts.Empty)) RolloutStateCodec.Write(to.Name("rollouts"u8), state.Rollouts);
        if (!ReferenceEquals(state.Outbox, OutboxMachine.Initial)) OutboxStateCodec.Write(to.Name("outbox"u8), state.Outbox);
        if (!ReferenceEquals(state.Containers, ContainerSet.Empty)) ContainerStateCodec.Write(to.Name("containers"u8), state.Containers);
        if (!ReferenceEquals(state.Companions, CompanionSet.Empty)) CompanionStateCodec.Write(to.Name("companions"u8), state.Companions);
        return to.End();
    }

    public static HostState ReadState(ref JsonIn from)
    {
        from.Begin();
        var boot = new BootId(from.Text("boot"u8));
        var policy = Policy(ref from);
        from.Name("runtime"u8);
        var runtime = RuntimeCodec.ReadState(ref from);
        var processes = Map<OrdProcessId, ProcessId, ProcessState>.Empty;
        from.BeginList("processes"u8);
        while (!from.AtListEnd)
        {
            var process = ProcessStateCodec.Read(ref from);
            processes = processes.AddOrUpdate(process.Profile.Id, process);
        }

        from.EndList();
        var rollouts = from.TakeName("rollouts"u8) ? RolloutStateCodec.ReadAll(ref from) : Rollouts.Empty;
        var outbox = from.TakeName("outbox"u8) ? OutboxStateCodec.Read(ref from) : OutboxMachine.Initial;
        var containers = from.TakeName("containers"u8) ? ContainerStateCodec.ReadAll(ref from) : ContainerSet.Empty;
        var companions = from.TakeName("companions"u8) ? CompanionStateCodec.ReadAll(ref from) : CompanionSet.Empty;
        from.End();
        return new(boot, policy, runtime, new Registry(processes), rollouts, outbox, containers, companions);
    }

    private static ProcessEvent ProcessEvent(ref JsonIn from)
    {
        from.Name("event"u8);
        return ProcessCodec.ReadEvent(ref from);
    }

    private static RolloutEvent RolloutEvent(ref JsonIn from)
    {
        from.Name("event"u8);
        return RolloutCodec.ReadEvent(ref from);
    }

    private static OutboxEvent OutboxEvent(ref JsonIn from)
    {
        from.Name("event"u8);
        return OutboxCodec.ReadEvent(ref from);
    }

    private static Principal By(ref JsonIn from) => new(checked((uint)from.Number("by"u8)));

    private static RuntimeEvent RuntimeEvent(ref JsonIn from)
    {
        from.Name("event"u8);
        return RuntimeCodec.ReadEvent(ref from);
    }

    private static JsonOut Policy(JsonOut to, RuntimePolicy policy) => to.Name("policy"u8).Begin()
        .Text("keep"u8, Names.Of(policy.Keep)).Span("startTimeoutMs"u8, policy.StartTimeout).End();

    private static RuntimePolicy Policy(ref JsonIn from)
    {
        from.Name("policy"u8);
        from.Begin();
        var policy = new RuntimePolicy(Names.Keep(from.Text("keep"u8)), from.Span("startTimeoutMs"u8));
        from.End();
        return policy;
    }

    private static JsonOut Services(JsonOut to, Seq<ServiceDeclaration> services)
    {
        to.BeginList("services"u8);
        foreach (var service in services)
        {
            SpecCodec.Write(to.Begin().Text("id"u8, service.Id.Value).Name("spec"u8), service.Spec).End();
        }

        return to.EndList();
    }

    private static Seq<ServiceDeclaration> Services(ref JsonIn from)
    {
        var services = new List<ServiceDeclaration>();
        from.BeginList("services"u8);
        while (!from.AtListEnd)
        {
            from.Begin();
            services.Add(new(ProcessCodec.Id(ref from), SpecCodec.Named(ref from)));
            from.End();
        }

        from.EndList();
        return services.ToArray().ToSeq();
    }

    private static JsonOut Observed(JsonOut to, Seq<ObservedProcess> observed)
    {
        to.BeginList("observed"u8);
        foreach (var row in observed)
        {
            ProcessCodec.Write(
                to.Begin().Text("id"u8, row.Id.Value).Number("generation"u8, row.Generation).Name("observation"u8),
                row.Observation).End();
        }

        return to.EndList();
    }

    private static Seq<ObservedProcess> Observed(ref JsonIn from)
    {
        var observed = new List<ObservedProcess>();
        from.BeginList("observed"u8);
        while (!from.AtListEnd)
        {
            from.Begin();
            observed.Add(new(
                ProcessCodec.Id(ref from), from.Int("generation"u8), ProcessCodec.NamedObservation(ref from)));
            from.End();
        }

        from.EndList();
        return observed.ToArray().ToSeq();
    }
}
