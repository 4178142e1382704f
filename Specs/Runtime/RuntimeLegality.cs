using Agent.Core.Runtime;
using Agent.Core.Time;
using Agent.Specs.Tools;
using Xunit;

namespace Agent.Specs.Runtime;

/// <summary>Which events mean something in which state of the runtime.</summary>
public sealed class RuntimeLegality
{
    private static readonly Instant Now = new(1_000_000);

    /// CO-2, CO-8, RT-1: every state has an answer to every event of its own attempt.
    [Fact]
    public void Each_event_is_taken_or_refused_as_the_table_says() => Legality.Check(
        """
                        | NotStarted Starting Ready Degraded Failed
        EnsureRequested | +          +        +     +        +
        StopRequested   | +          +        +     +        +
        StartProgressed | .          +        .     .        .
        StartCompleted  | .          +        .     .        .
        StartFailed     | .          +        .     .        .
        DaemonExited    | +          +        +     +        +
        ProbePassed     | .          .        +     +        .
        ProbeFailed     | .          .        +     +        .
        PolicyChanged   | +          +        +     +        +
        Started         | +          +        +     +        +
        DeadlineReached | .          +        .     +        +
        """,
        Sample().EachCase<RuntimeState>(),
        Sample().EachCase<RuntimeEvent>(),
        (state, @event) => RuntimeMachine.Step(RuntimePolicy.Default, state, new(Now, @event)).Effects
            .Exists(effect => effect is RuntimeEffect.Reject) ? "." : "+");

    private static Samples Sample() => new Samples(1).Pin("attempt", _ => 3).Pin("Attempt", _ => 3);
}
