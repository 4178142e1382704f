using Agent.Core.Companion;
using Agent.Core.Container;
using Agent.Core.Model;
using Agent.Core.Outbox;
using Agent.Core.Process;
using Agent.Core.Rollout;
using Agent.Core.Runtime;

namespace Agent.Core.Host;

/// <summary>Everything that can wake the agent.</summary>
public abstract record HostEvent
{
    private HostEvent() { }

    /// <summary>The agent has just started on this boot; <paramref name="Observed"/> is what the keeper has.</summary>
    public sealed record Started(BootId Boot, Seq<ObservedProcess> Observed) : HostEvent;

    /// <summary>A configuration was read, valid as a whole.</summary>
    public sealed record Configured(RuntimePolicy Policy, Seq<ServiceDeclaration> Services) : HostEvent;

    public sealed record SpawnRequested(ProcessId Id, ProcessSpec Spec) : HostEvent;

    /// <summary>Somebody asks something of a process.</summary>
    public sealed record ProcessRequested(ProcessId Id, Principal By, ProcessEvent Event) : HostEvent;

    /// <summary>The shell learnt something about a process.</summary>
    public sealed record ProcessReported(ProcessId Id, ProcessEvent Event) : HostEvent;

    public sealed record Runtime(RuntimeEvent Event) : HostEvent;

    /// <summary>A manifest was verified, and this is what it asks of this host.</summary>
    public sealed record RolloutOrdered(Principal By, RolloutOrder Order) : HostEvent;

    /// <summary>An operator asks something of a rollout.</summary>
    public sealed record RolloutRequested(RolloutId Id, Principal By, RolloutEvent Event) : HostEvent;

    /// <summary>The shell learnt something about a rollout.</summary>
    public sealed record RolloutReported(RolloutId Id, RolloutEvent Event) : HostEvent;

    /// <summary>An operator asks something of the containers.</summary>
    public sealed record ContainersRequested(Principal By, ContainersEvent Event) : HostEvent;

    /// <summary>The shell learnt something about the containers, from the configuration or from their engine.</summary>
    public sealed record ContainersReported(ContainersEvent Event) : HostEvent;

    /// <summary>An operator asks something of the companions.</summary>
    public sealed record CompanionsRequested(Principal By, CompanionsEvent Event) : HostEvent;

    /// <summary>The shell learnt something about the companions, from the configuration or from systemd.</summary>
    public sealed record CompanionsReported(CompanionsEvent Event) : HostEvent;

    /// <summary>Something concerns the queue of what the plane has to learn.</summary>
    public sealed record Outbox(OutboxEvent Event) : HostEvent;

    /// <summary>The instant that <see cref="HostMachine.Deadline"/> named has come.</summary>
    public sealed record DeadlineReached : HostEvent;
}
