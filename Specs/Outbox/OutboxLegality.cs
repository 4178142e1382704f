using Agent.Core.Model;
using Agent.Core.Outbox;
using Agent.Core.Rollout;
using Agent.Core.Time;
using Agent.Specs.Tools;
using Xunit;

namespace Agent.Specs.Outbox;

/// <summary>Which events mean something in which state of the outbox.</summary>
public sealed class OutboxLegality
{
    private static readonly Instant Now = new(1_000_000);

    /// CO-2, CO-8, WI-4: what is queued has a dead letter at 1; post 7 is the one under way.
    [Fact]
    public void An_outbox_takes_or_refuses_each_event_as_the_table_says() => Legality.Check(
        """
                          | Off Idle Sending Waiting
        Attached          | +   +    +       +
        Detached          | +   +    +       +
        Noted             | +   +    +       +
        Delivered         | .   .    +       .
        DeliveryFailed    | .   .    +       .
        ReplayRequested   | .   +    +       +
        DeadlineReached   | .   .    .       +
        Recovered         | +   +    +       +
        FlushRequested    | .   +    +       +
        DeadLetterRetried | .   +    +       +
        DeadLetterDropped | .   +    +       +
        """,
        Sample().EachCase<OutboxState>(),
        Sample().EachCase<OutboxEvent>(),
        (state, @event) => OutboxMachine.Step(state, new(Now, @event)).Effects
            .Exists(effect => effect is OutboxEffect.Reject) ? "." : "+");

    /// WI-4: an answer about another post than the one under way is not taken for its answer.
    [Fact]
    public void An_answer_about_another_post_is_refused()
    {
        var sending = Sample().Pin("Number", _ => 8L).Any<OutboxState.Sending>();
        foreach (var @event in Sample().EachCase<OutboxEvent>())
        {
            if (@event is not (OutboxEvent.Delivered or OutboxEvent.DeliveryFailed)) continue;
            var step = OutboxMachine.Step(sending, new(Now, @event));
            Assert.Same(sending, step.State);
            Assert.Equal(ErrorCode.Stale, Assert.IsType<OutboxEffect.Reject>(step.Effects.Head).Code);
        }
    }

    private static Samples Sample() => new Samples(1)
        .Pin(_ => OutboxQueue.Empty.Append(Ids.Rollout(1), 1, new(0), new RolloutEvent.Activate(), Importance.Transition)
            .Append(Ids.Rollout(1), 2, new(0), new RolloutEvent.Activate(), Importance.Transition)
            .Bury(new(1, Ids.Rollout(1), 1, new(0), new RolloutEvent.Activate(), Importance.Transition), "refused", "", new(0)))
        .Pin(_ => new Instant(1_000))
        .Pin("Position", _ => 1L)
        .Pin("Number", _ => 7L)
        .Pin("Post", _ => 7L)
        .Pin("Size", _ => 1)
        .Pin("Attempt", _ => 1)
        .Pin("Attempts", _ => 1);
}
