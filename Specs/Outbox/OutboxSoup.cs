using Agent.Core;
using Agent.Core.Model;
using Agent.Core.Outbox;
using Agent.Core.Rollout;
using Agent.Core.Time;
using Agent.Specs.Tools;
using LanguageExt;
using Effect = Agent.Core.Outbox.OutboxEffect;
using Event = Agent.Core.Outbox.OutboxEvent;
using State = Agent.Core.Outbox.OutboxState;

namespace Agent.Specs.Outbox;

/// <summary>
/// Random events against an outbox. Most begin with a plane; a few with a queue that is all but full, of observations
/// among transitions or of transitions alone.
/// </summary>
internal sealed class OutboxSoup : Soup<State, Event, Effect>
{
    private static readonly State FullOfBoth = Away(Full(position => position % 3 == 0));
    private static readonly State FullOfTransitions = Away(Full(_ => false));

    protected override Event DeadlineReached { get; } = new Event.DeadlineReached();

    public override Option<Instant> Deadline(State state) => OutboxMachine.Deadline(state);

    public override bool IsReject(Effect effect) => effect is Effect.Reject;

    /// <summary>As long as it can be but for three items; which ones are observations is given.</summary>
    public static OutboxQueue Full(Func<long, bool> observed, int room = 3)
    {
        var queue = OutboxQueue.Empty;
        for (var position = 1L; position <= OutboxQueue.Capacity - room; position++)
        {
            queue = queue.Append(
                Ids.Rollout((int)(position % 4)), position, new Instant(0), new RolloutEvent.Activate(),
                observed(position) ? Importance.Observation : Importance.Transition);
        }

        return queue;
    }

    /// <summary>The plane has been away for a while.</summary>
    public static State Away(OutboxQueue queue) => new State.Waiting(queue, new Instant(60_000), 9, "refused");

    protected override State Initial(int seed) => (seed % 64) switch
    {
        0 => OutboxMachine.Initial,
        1 => FullOfBoth,
        2 => FullOfTransitions,
        _ => new State.Idle(OutboxQueue.Empty),
    };

    protected override Transition<State, Effect> Step(int seed, State state, Timed<Event> input) =>
        OutboxMachine.Step(state, input);

    /// <summary>Half of it is news, and a plane is rarely taken away.</summary>
    protected override Event Sample(Samples samples)
    {
        samples.Pin("Position", random => random.NextInt64(1, 12))
            .Pin("Post", random => random.NextInt64(1, 12))
            .Pin("JitterPermille", random => random.Next(1001))
            .Pin("FromSeq", random => random.NextInt64(1, 12));
        var @event = samples.Below(2) == 0 ? Note(samples) : samples.Any<Event>();
        return @event is Event.Detached && samples.Below(4) != 0 ? Note(samples) : @event;
    }

    /// <summary>News is numbered in order; an answer is about what is under way, whole or in part.</summary>
    protected override Event Aim(State state, Event @event) => @event switch
    {
        Event.Noted noted => noted with { Seq = state.Queue.NextPosition },
        Event.Delivered delivered when state is State.Sending sending =>
            delivered with { Post = sending.Number, Verdicts = Verdicts(sending, delivered) },
        Event.DeliveryFailed failed when state is State.Sending sending => failed with { Post = sending.Number },
        Event.Delivered or Event.DeliveryFailed => new Event.FlushRequested(),
        Event.DeadLetterRetried when Letter(state).TryGet(out var letter) => new Event.DeadLetterRetried(letter),
        Event.DeadLetterDropped when Letter(state).TryGet(out var letter) => new Event.DeadLetterDropped(letter),
        Event.Attached or Event.Detached or Event.ReplayRequested or Event.DeadlineReached or Event.Recovered
            or Event.FlushRequested or Event.DeadLetterRetried or Event.DeadLetterDropped => @event,
    };

    private static Event Note(Samples samples) => new Event.Noted(
        samples.Any<RolloutId>(), samples.Below(20), samples.Any<RolloutEvent>(), samples.Any<Importance>());

    /// <summary>The sampled verdicts say which of the items under way are refused; of one in four nothing is said.</summary>
    private static Seq<ItemVerdict> Verdicts(State.Sending state, Event.Delivered sampled) => state.Queue.Items.First(state.Size)
        .Filter(item => item.Position <= state.Through && (item.Position + sampled.Verdicts.Count) % 4 != 0)
        .Map(item => sampled.Verdicts.Find(verdict => verdict.Position == item.Position)
            .IfNone(() => new ItemVerdict.Accepted(item.Position)))
        .Strict();

    private static Option<long> Letter(State state) => state.Queue.Dead.HeadOrNone().Map(letter => letter.Item.Position);
}
