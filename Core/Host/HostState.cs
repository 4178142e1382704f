using Agent.Core.Companion;
using Agent.Core.Container;
using Agent.Core.Model;
using Agent.Core.Outbox;
using Agent.Core.Process;
using Agent.Core.Rollout;
using Agent.Core.Runtime;

namespace Agent.Core.Host;

/// <summary>Everything the agent knows of its host: the states of its machines, side by side.</summary>
public sealed record HostState(
    BootId Boot, RuntimePolicy Policy, RuntimeState Runtime, Registry Processes, Rollouts Rollouts,
    OutboxState Outbox, Containers Containers, Companions Companions)
{
    public static HostState Initial { get; } =
        new(
            new BootId(""), RuntimePolicy.Default, RuntimeMachine.Initial, Registry.Empty, Rollouts.Empty,
            OutboxMachine.Initial, Containers.Empty, Companions.Empty);
}
