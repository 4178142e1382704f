using Agent.Core.Process;
using Agent.Core.Time;
using Agent.Specs.Tools;
using LanguageExt;
using Xunit;

namespace Agent.Specs.Process;

/// <summary>Which events mean something in which state of a process.</summary>
public sealed class ProcessLegality
{
    private static readonly Instant Now = new(1_000_000);

    /// CO-2, CO-8, PR-5: a service can be started and stopped at any time; it is released by its declaration alone.
    [Fact]
    public void A_service_takes_or_refuses_each_event_as_the_table_says() => Check(
        ProcessKind.Service,
        """
                          | Waiting Starting StopAwaited Running Stopping Backoff Exited Reaped
        SpawnCompleted    | .       +        +           .       .        .       .      .
        SpawnFailed       | .       +        +           .       .        .       .      .
        ExitObserved      | .       +        +           +       +        .       .      .
        DependenciesMet   | +       .        .           .       .        .       .      .
        BecameReady       | .       .        .           +       +        .       .      .
        StopRequested     | +       +        +           +       +        +       +      .
        ShutdownRequested | +       +        +           +       +        +       +      .
        StartRequested    | +       +        +           +       +        +       +      .
        RestartRequested  | +       +        +           +       +        +       +      .
        SignalRequested   | .       .        .           +       +        .       .      .
        Touched           | +       +        +           +       +        +       +      .
        ReleaseRequested  | .       .        .           .       .        .       .      .
        Redeclared        | +       +        +           +       +        +       +      .
        Withdrawn         | +       +        +           +       +        +       +      .
        Recovered Alive   | +       +        +           +       +        +       +      .
        Recovered Ended   | +       +        +           +       +        +       +      .
        Recovered Absent  | +       +        +           +       +        +       +      .
        DeadlineReached   | .       .        .           +       +        +       +      .
        """);

    /// CO-2, CO-8, PR-5: a task runs once; when it has ended it can be released.
    [Fact]
    public void A_task_takes_or_refuses_each_event_as_the_table_says() => Check(
        ProcessKind.Task,
        """
                          | Waiting Starting StopAwaited Running Stopping Backoff Exited Reaped
        SpawnCompleted    | .       +        +           .       .        .       .      .
        SpawnFailed       | .       +        +           .       .        .       .      .
        ExitObserved      | .       +        +           +       +        .       .      .
        DependenciesMet   | +       .        .           .       .        .       .      .
        BecameReady       | .       .        .           +       +        .       .      .
        StopRequested     | +       +        +           +       +        +       +      .
        ShutdownRequested | +       +        +           +       +        +       +      .
        StartRequested    | +       +        .           +       .        +       .      .
        RestartRequested  | +       +        .           +       .        +       .      .
        SignalRequested   | .       .        .           +       +        .       .      .
        Touched           | +       +        +           +       +        +       +      .
        ReleaseRequested  | .       .        .           .       .        .       +      .
        Redeclared        | +       +        +           +       +        +       +      .
        Withdrawn         | +       +        +           +       +        +       +      .
        Recovered Alive   | +       +        +           +       +        +       +      .
        Recovered Ended   | +       +        +           +       +        +       +      .
        Recovered Absent  | +       +        +           +       +        +       +      .
        DeadlineReached   | .       .        .           +       +        +       +      .
        """);

    private static void Check(ProcessKind kind, string table) => Legality.Check(
        table,
        Sample(kind).EachCase<ProcessState>().SelectMany(Variants),
        Sample(kind).EachCase<ProcessEvent>().SelectMany(Variants),
        (state, @event) => ProcessMachine.Step(state, new(Now, @event)).Effects
            .Exists(effect => effect is ProcessEffect.Reject) ? "." : "+",
        Name);

    /// <summary>A stop that waits for the spawn's answer decides what a start means.</summary>
    private static IEnumerable<ProcessState> Variants(ProcessState state) => state is ProcessState.Starting starting
        ? [starting, starting with { Pending = new StopPlan(ExitReason.Stopped, AfterStop.Stay, TimeSpan.Zero) }]
        : [state];

    private static IEnumerable<ProcessEvent> Variants(ProcessEvent @event) => @event is ProcessEvent.Recovered
        ? new Samples(1).EachCase<Observation>().Select(seen => new ProcessEvent.Recovered(seen))
        : [@event];

    private static string Name(object value) => value switch
    {
        ProcessState.Starting { Pending.IsSome: true } => "StopAwaited",
        ProcessEvent.Recovered(var seen) => $"Recovered {Legality.Name(seen)}",
        _ => Legality.Name(value),
    };

    private static Samples Sample(ProcessKind kind) =>
        new Samples(1).Pin(_ => kind).Pin("Generation", _ => 2).Pin("Pending", _ => Option<StopPlan>.None)
            .Pin(_ => AfterStop.Stay);
}
