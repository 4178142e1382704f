using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Core.Runtime;
using Agent.Specs.Tools;
using LanguageExt;
using Xunit;

namespace Agent.Specs.Host;

/// <summary>Which machine each event of the host reaches.</summary>
public sealed class HostLegality
{
    /// CO-7, CO-8: the host routes and has no rule of its own.
    [Fact]
    public void Each_event_reaches_the_machines_that_the_table_names() => Legality.Check(
        """
                            | Runtime Processes Containers Companions Rollouts Outbox Boot Policy
        Started             | +       +         +          +          +        +      +    .
        Configured          | +       +         .          .          .        .      .    +
        SpawnRequested      | .       +         .          .          .        .      .    .
        ProcessRequested    | .       +         .          .          .        .      .    .
        ProcessReported     | .       +         .          .          .        .      .    .
        Runtime             | +       .         .          .          .        .      .    .
        RolloutOrdered      | .       .         .          .          +        +      .    .
        RolloutRequested    | .       .         .          .          +        +      .    .
        RolloutReported     | .       .         .          .          +        +      .    .
        ContainersRequested | .       .         +          .          .        .      .    .
        ContainersReported  | .       .         +          .          .        .      .    .
        CompanionsRequested | .       .         .          +          .        .      .    .
        CompanionsReported  | .       .         .          +          .        .      .    .
        Outbox              | .       .         .          .          .        +      .    .
        DeadlineReached     | +       +         +          +          +        +      .    .
        """,
        ["Runtime", "Processes", "Containers", "Companions", "Rollouts", "Outbox", "Boot", "Policy"],
        HostSamples.EachEvent,
        Reaches);

    private static string Reaches(string part, HostEvent @event)
    {
        var step = HostMachine.Step(HostSamples.Busy, new(HostSamples.Due, @event));
        var (before, after) = (HostSamples.Busy, step.State);
        var touched = part switch
        {
            "Runtime" => !ReferenceEquals(before.Runtime, after.Runtime)
                || step.Effects.Exists(effect => effect is HostEffect.Runtime),
            "Processes" => !ReferenceEquals(before.Processes, after.Processes)
                || step.Effects.Exists(effect => effect is HostEffect.Process),
            "Containers" => !ReferenceEquals(before.Containers, after.Containers)
                || step.Effects.Exists(effect => effect is HostEffect.Container),
            "Companions" => !ReferenceEquals(before.Companions, after.Companions)
                || step.Effects.Exists(effect => effect is HostEffect.Companion),
            "Rollouts" => !ReferenceEquals(before.Rollouts, after.Rollouts)
                || step.Effects.Exists(effect => effect is HostEffect.Rollout),
            "Outbox" => !ReferenceEquals(before.Outbox, after.Outbox)
                || step.Effects.Exists(effect => effect is HostEffect.Outbox),
            "Boot" => before.Boot != after.Boot,
            _ => before.Policy != after.Policy,
        };
        return touched ? "+" : ".";
    }
}
