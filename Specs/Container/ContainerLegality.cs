using Agent.Core.Container;
using Agent.Core.Model;
using Agent.Core.Time;
using Agent.Specs.Tools;
using LanguageExt;
using Xunit;
using static LanguageExt.Prelude;

namespace Agent.Specs.Container;

/// <summary>Which events mean something for a container, and for the set of them.</summary>
public sealed class ContainerLegality
{
    private static readonly Instant Now = new(1_000_000);

    /// CO-2, CO-8, CT-5: each call is answered by its own events and by no others.
    [Fact]
    public void Each_event_is_taken_or_refused_as_the_table_says() => Legality.Check(
        """
                        | Idle Pulling Creating Starting Stopping Removing
        Declared        | +    +       +        +        +        +
        Withdrawn       | +    +       +        +        +        +
        Observed        | +    +       +        +        +        +
        StartRequested  | +    +       +        +        +        +
        StopRequested   | +    +       +        +        +        +
        RemoveRequested | +    +       +        +        +        +
        PullCompleted   | .    +       .        .        .        .
        PullFailed      | .    +       .        .        .        .
        CreateCompleted | .    .       +        .        .        .
        CreateFailed    | .    .       +        .        .        .
        StartCompleted  | .    .       .        +        .        .
        StartFailed     | .    .       .        +        .        .
        StopCompleted   | .    .       .        .        +        .
        StopFailed      | .    .       .        .        +        .
        RemoveCompleted | .    .       .        .        .        +
        RemoveFailed    | .    .       .        .        .        +
        Recovered       | +    +       +        +        +        +
        DeadlineReached | +    +       +        +        +        +
        """,
        Sample().Pin(_ => ContainerWish.Installed).EachCase<ContainerState>(),
        Sample().EachCase<ContainerEvent>(),
        (state, @event) => ContainerMachine.Step(state, new(Now, @event), pass: 3).Effects
            .Exists(effect => effect is ContainerEffect.Reject) ? "." : "+");

    /// CO-2, CO-8, CT-4: a list is taken only by the pass that asked for it.
    [Fact]
    public void The_set_takes_or_refuses_as_the_table_says() => Legality.Check(
        """
                           | Off Gated Resting Looking
        Declared           | +   +     +       +
        One                | +   +     +       +
        UpRequested        | +   +     +       +
        DownRequested      | +   +     +       +
        ReconcileRequested | +   +     +       +
        EngineChanged      | +   +     +       +
        EngineReady        | +   +     +       +
        Listed             | .   .     .       +
        ListConfirmed      | .   .     .       +
        ListFailed         | .   .     .       +
        Recovered          | +   +     +       +
        DeadlineReached    | +   +     +       +
        """,
        Sample().EachCase<PassState>(),
        Sample().Pin<ContainerEvent>(_ => new ContainerEvent.StopRequested()).EachCase<ContainersEvent>(),
        (passing, @event) => Set(passing).Step(new(Now, @event), runtimeReady: true).Effects
            .Exists(effect => effect is ContainerEffect.Reject) ? "." : "+");

    private static Containers Set(PassState passing)
    {
        var uid = Ids.Container("c0");
        return new(
            Map<OrdContainerUid, ContainerUid, ContainerState>().AddOrUpdate(uid, ContainerMachine.Create(uid)),
            passing, Pass: 3, None, UsesRuntime: true);
    }

    private static Samples Sample() => new Samples(1).Pin("Call", _ => 3).Pin("Calls", _ => 3).Pin("Pass", _ => 3)
        .Pin(_ => Ids.Container("c0"))
        .Pin(_ => Some(Specimens.Container("c0")));
}
