using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Core.Time;
using Agent.Specs.Tools;
using Xunit;

namespace Agent.Specs.Rollout;

/// <summary>Which events mean something in which state of a rollout.</summary>
public sealed class RolloutLegality
{
    /// <summary>After every deadline of the sampled states.</summary>
    private static readonly Instant Now = new(10_000_000);

    /// CO-2, CO-8, RO-2, RO-8 (every_illegal_state_event_pair_…, illegal_event_in_pending_…,
    /// terminal_states_reject_all_events, converged_invariant_violation_rejected): an event that has no meaning in a
    /// state is refused by name. Begun tells whether the host was touched; it decides what a failure leads to, not
    /// what is legal.
    [Fact]
    public void A_rollout_takes_or_refuses_each_event_as_the_table_says() => Legality.Check(
        """
                            | Pending Activating Begun Deferred Soaking Converged Held RollingBack RollbackDue Reverted Superseded
        Activate            | +       .          .     .        .       .         .    .           .           .        .
        ActivationStarted   | .       +          +     .        .       .         .    .           .           .        .
        ActivationCompleted | .       +          +     +        .       .         .    .           .           .        .
        ActivationDeferred  | .       +          +     .        .       .         .    .           .           .        .
        ActivationFailed    | .       +          +     +        .       .         .    .           .           .        .
        ProbeReported       | .       .          .     .        +       .         .    .           .           .        .
        RunningObserved     | .       .          .     .        +       .         .    .           .           .        .
        RollbackCompleted   | .       .          .     .        .       .         .    +           .           .        .
        RollbackFailed      | .       .          .     .        .       .         .    +           .           .        .
        SuccessorArrived    | +       .          .     +        +       .         +    .           +           .        .
        HaltRequested       | +       .          .     +        +       .         +    .           +           .        .
        RollbackRequested   | .       .          .     +        +       .         +    .           +           .        .
        RetryRequested      | .       .          .     .        .       .         +    .           +           .        .
        Recovered           | +       +          +     +        +       +         +    +           +           +        +
        DeadlineReached     | .       .          .     .        +       .         .    .           +           .        .
        """,
        Sample().EachCase<RolloutState>().SelectMany(Variants),
        Sample().EachCase<RolloutEvent>(),
        (state, @event) => RolloutMachine.Step(state, state.Profile.Seq + 1, new(Now, @event)).Effects
            .Exists(effect => effect is RolloutEffect.Reject) ? "." : "+",
        Name);

    private static IEnumerable<RolloutState> Variants(RolloutState state) => state switch
    {
        RolloutState.Activating activating => [activating with { Begun = false }, activating with { Begun = true }],
        RolloutState.Failed failed =>
        [
            failed with { Recovery = new Recovery.Held(HeldBecause.Policy) },
            failed with { Recovery = new Recovery.RollingBack(1) },
            failed with { Recovery = new Recovery.RollbackDue(Now, 1, "failed", "") },
        ],
        RolloutState.Pending or RolloutState.Deferred or RolloutState.Soaking or RolloutState.Converged
            or RolloutState.Reverted or RolloutState.Superseded => [state],
    };

    private static string Name(object value) => value switch
    {
        RolloutState.Activating { Begun: true } => "Begun",
        RolloutState.Failed { Recovery: var recovery } => Legality.Name(recovery),
        _ => Legality.Name(value),
    };

    private static Samples Sample() => new Samples(1)
        .Pin(_ => new RolloutProfile(Specimens.Order(1), new Instant(0), Seq: 7))
        .Pin(_ => new Switch(2, Ids.Release(0)))
        .Pin(_ => new Instant(1_000))
        .Pin("Activation", _ => 2);
}
