using Agent.Core;
using Agent.Core.Companion;
using Agent.Core.Container;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Outbox;
using Agent.Core.Process;
using Agent.Core.Time;
using Agent.Specs.Tools;
using LanguageExt;

namespace Agent.Specs.Host;

/// <summary>Random events against a host: a handful of ids, two users and root, tasks, services and daemons.</summary>
internal sealed class HostSoup : Soup<HostState, HostEvent, HostEffect>
{
    protected override HostEvent DeadlineReached { get; } = new HostEvent.DeadlineReached();

    public override Option<Instant> Deadline(HostState state) => HostMachine.Deadline(state);

    public override bool IsReject(HostEffect effect) => effect is
        HostEffect.Runtime(Core.Runtime.RuntimeEffect.Reject) or HostEffect.Process(ProcessEffect.Reject)
        or HostEffect.Rollout(Core.Rollout.RolloutEffect.Reject) or HostEffect.Outbox(OutboxEffect.Reject)
        or HostEffect.Container(ContainerEffect.Reject) or HostEffect.Companion(CompanionEffect.Reject);

    protected override HostState Initial(int seed) => HostState.Initial;

    protected override Transition<HostState, HostEffect> Step(int seed, HostState state, Timed<HostEvent> input) =>
        HostMachine.Step(state, input);

    protected override HostEvent Sample(Samples samples) =>
        samples.Pin(Spec).Pin(Declaration).Any<HostEvent>();

    /// <summary>A request carries what its caller likes; a report is aimed at the generation under way.</summary>
    protected override HostEvent Aim(HostState state, HostEvent @event) => @event switch
    {
        HostEvent.ProcessReported(var id, ProcessEvent.SpawnCompleted completed) => new HostEvent.ProcessReported(
            id, completed with { Generation = Generation(state, id) }),
        HostEvent.ProcessReported(var id, ProcessEvent.ExitObserved observed) => new HostEvent.ProcessReported(
            id, observed with { Generation = Generation(state, id) }),
        HostEvent.Started or HostEvent.Configured or HostEvent.SpawnRequested or HostEvent.ProcessRequested
            or HostEvent.ProcessReported or HostEvent.Runtime or HostEvent.RolloutOrdered or HostEvent.RolloutRequested
            or HostEvent.RolloutReported or HostEvent.ContainersRequested or HostEvent.ContainersReported
            or HostEvent.CompanionsRequested or HostEvent.CompanionsReported or HostEvent.Outbox
            or HostEvent.DeadlineReached => @event,
    };

    private static int Generation(HostState state, ProcessId id) =>
        state.Processes.Find(id).Map(process => process.Profile.Generation).IfNone(1);

    private static ProcessSpec Spec(Random random) => random.Next(4) == 0
        ? Specimens.Daemon(random.Next(2) == 0 ? "dockerd" : "containerd")
        : Specimens.Task("job", (uint)random.Next(3) * 1000);

    private static ServiceDeclaration Declaration(Random random)
    {
        var label = random.Next(3);
        return new(Ids.Of("s" + label), label == 0 ? Specimens.Service("w0", "w1") : Specimens.Service("w" + label));
    }
}
