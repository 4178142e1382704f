using Agent.Core.Companion;
using Agent.Core.Container;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Outbox;
using Agent.Core.Process;
using Agent.Core.Rollout;
using Agent.Core.Runtime;
using Agent.Core.Time;
using Agent.Specs.Tools;
using LanguageExt;
using static LanguageExt.Prelude;

namespace Agent.Specs.Host;

/// <summary>A host on which every event has something to do.</summary>
internal static class HostSamples
{
    /// <summary>Long after every deadline of <see cref="Busy"/>.</summary>
    public static Instant Due { get; } = new(100_000_000);

    public static ProcessId Task { get; } = Ids.Of("t1");

    /// <summary>
    /// A task that runs, a runtime that failed and is to be kept, a container and a companion to be looked for, a rollout that soaks, one
    /// that is switching, and a plane that is being told of them.
    /// </summary>
    public static HostState Busy { get; } = Run(
        new HostEvent.Configured(RuntimePolicy.Default with { Keep = Keep.Always }, Seq<ServiceDeclaration>()),
        new HostEvent.SpawnRequested(Task, Specimens.Task("job", owner: 1000)),
        new HostEvent.ProcessReported(Task, new ProcessEvent.SpawnCompleted(1, Specimens.Identity(10))),
        new HostEvent.Runtime(new RuntimeEvent.StartFailed(1, "no kernel module", Seq<ServiceStatus>())),
        new HostEvent.ContainersReported(new ContainersEvent.Declared(
            Seq1(Specimens.Container("web")), Install: true, UsesRuntime: false)),
        new HostEvent.CompanionsReported(new CompanionsEvent.Declared(Seq1(Specimens.Companion("cache.service")))),
        new HostEvent.Outbox(new OutboxEvent.Attached()),
        new HostEvent.RolloutOrdered(Principal.Root, Specimens.Order(1)),
        new HostEvent.RolloutReported(Ids.Rollout(1), new RolloutEvent.ActivationStarted(1, None, "release")),
        new HostEvent.RolloutReported(Ids.Rollout(1), new RolloutEvent.ActivationCompleted(1, Ids.Release(1))),
        new HostEvent.RolloutOrdered(Principal.Root, Specimens.Order(1, "edge")));

    public static IEnumerable<HostEvent> EachEvent =>
        new Samples(1)
            .Pin(_ => Task)
            .Pin(_ => Ids.Rollout(1))
            .Pin(_ => Specimens.Order(2))
            .Pin<RolloutEvent>(_ => new RolloutEvent.HaltRequested())
            .Pin<RuntimeEvent>(_ => new RuntimeEvent.StopRequested())
            .Pin<ContainersEvent>(_ => new ContainersEvent.ReconcileRequested())
            .Pin<CompanionsEvent>(_ => new CompanionsEvent.ReconcileRequested())
            .Pin<OutboxEvent>(_ => new OutboxEvent.Detached())
            .Pin<ProcessEvent>(_ => new ProcessEvent.Touched())
            .Pin(_ => new Principal(1000))
            .EachCase<HostEvent>();

    private static HostState Run(params HostEvent[] events) => events.Aggregate(
        HostState.Initial, (state, @event) => HostMachine.Step(state, new(new Instant(0), @event)).State);
}
