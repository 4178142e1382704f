using Agent.Core.Companion;
using Agent.Core.Container;
using Agent.Core.Outbox;
using Agent.Core.Process;
using Agent.Core.Rollout;
using Agent.Core.Runtime;

namespace Agent.Core.Host;

/// <summary>What one of the machines wants done.</summary>
public abstract record HostEffect
{
    private HostEffect() { }

    public sealed record Runtime(RuntimeEffect Effect) : HostEffect;

    public sealed record Process(ProcessEffect Effect) : HostEffect;

    public sealed record Rollout(RolloutEffect Effect) : HostEffect;

    public sealed record Container(ContainerEffect Effect) : HostEffect;

    public sealed record Companion(CompanionEffect Effect) : HostEffect;

    public sealed record Outbox(OutboxEffect Effect) : HostEffect;
}
