using Agent.Core.Model;
using Agent.Core.Time;
using Effect = Agent.Core.Outbox.OutboxEffect;
using Event = Agent.Core.Outbox.OutboxEvent;
using State = Agent.Core.Outbox.OutboxState;

namespace Agent.Core.Outbox;

/// <summary>
/// The queue of what the plane has to learn. Total and deterministic. One post is under way at most, which keeps the
/// order of each rollout's events; an item leaves the queue by its verdict alone, or as the oldest observation of a
/// full queue. Sending twice is harmless: the plane drops a seq that it has seen.
/// </summary>
public static partial class OutboxMachine
{
    /// <summary>The seq before the first: who asks for what follows it knows nothing of the rollout, not even its order.</summary>
    public const long AsAWhole = 0;

    public static State Initial { get; } = new State.Off(OutboxQueue.Empty);

    public static Transition<State, Effect> Step(State state, Timed<Event> input) => state switch
    {
        State.Off off => WhenOff(off, input.Event),
        State.Idle idle => WhenIdle(idle, input.At, input.Event),
        State.Sending sending => WhenSending(sending, input.At, input.Event),
        State.Waiting waiting => WhenWaiting(waiting, input.At, input.Event),
    };

    /// <summary>When the shell must wake this machine, if at all.</summary>
    public static Option<Instant> Deadline(State state) => state switch
    {
        State.Waiting waiting => waiting.RetryAt,
        State.Off or State.Idle or State.Sending => None,
    };

    private static Transition<State, Effect> WhenOff(State.Off state, Event @event) => @event switch
    {
        Event.Attached => Go(new State.Idle(state.Queue)),
        Event.Detached or Event.Noted or Event.Recovered => Stay(state),

        Event.Delivered or Event.DeliveryFailed => Stale(state, @event),
        Event.ReplayRequested or Event.FlushRequested or Event.DeadLetterRetried or Event.DeadLetterDropped
            or Event.DeadlineReached => Reject(state, @event),
    };

    private static Transition<State, Effect> WhenIdle(State.Idle state, Instant now, Event @event) => @event switch
    {
        Event.Noted noted => Send(Append(state.Queue, noted, now), attempt: 1),
        Event.ReplayRequested(var rollout, _) => Send(state.Queue.Owe(rollout, now), attempt: 1),
        Event.DeadLetterRetried(var position) => Revive(state, position),
        Event.DeadLetterDropped(var position) => Drop(state, position),
        Event.Detached => Detach(state),
        Event.Attached or Event.Recovered or Event.FlushRequested => Stay(state),

        Event.Delivered or Event.DeliveryFailed => Stale(state, @event),
        Event.DeadlineReached => Reject(state, @event),
    };

    private static Transition<State, Effect> WhenSending(State.Sending state, Instant now, Event @event) => @event switch
    {
        Event.Noted noted => Go(state with { Queue = Append(state.Queue, noted, now) }),

        // The answer on its way may settle what the plane has forgotten since, so nothing that is queued counts.
        Event.ReplayRequested(var rollout, _) => Go(state with { Queue = state.Queue.Owe(rollout, now) }),
        Event.Delivered delivered when delivered.Post == state.Number => Settle(state, delivered, now),
        Event.DeliveryFailed failed when failed.Post == state.Number => Fail(state, failed, now),
        Event.Delivered or Event.DeliveryFailed => Stale(state, @event),
        Event.Recovered => Send(Unsent(state, now), state.Attempt),

        Event.DeadLetterRetried(var position) => Revive(state, position),
        Event.DeadLetterDropped(var position) => Drop(state, position),
        Event.Detached => Detach(state),
        Event.Attached or Event.FlushRequested => Stay(state),
        Event.DeadlineReached => Reject(state, @event),
    };

    private static Transition<State, Effect> WhenWaiting(State.Waiting state, Instant now, Event @event) => @event switch
    {
        Event.Noted noted => Go(state with { Queue = Append(state.Queue, noted, now) }),
        Event.ReplayRequested(var rollout, var seq) => Go(state with { Queue = state.Queue.Replay(rollout, seq, now) }),
        Event.DeadlineReached when now < state.RetryAt => Stay(state),
        Event.DeadlineReached or Event.FlushRequested => Send(state.Queue, state.Attempts + 1),

        Event.DeadLetterRetried(var position) => Revive(state, position),
        Event.DeadLetterDropped(var position) => Drop(state, position),
        Event.Detached => Detach(state),
        Event.Attached or Event.Recovered => Stay(state),
        Event.Delivered or Event.DeliveryFailed => Stale(state, @event),
    };

    private static OutboxQueue Append(OutboxQueue queue, Event.Noted noted, Instant now) =>
        queue.Append(noted.Rollout, noted.Seq, now, noted.Event, noted.Importance);

    private static Transition<State, Effect> Detach(State state)
    {
        var queue = state.Queue;
        var off = new State.Off(OutboxQueue.Empty with
        {
            NextPosition = queue.NextPosition,
            NextPost = queue.NextPost,
            DeadForgotten = queue.DeadForgotten,
            Shed = queue.Shed,
        });
        return queue.Items.Count + queue.Dead.Count == 0
            ? Go(off)
            : Go(off, new Effect.Warn($"no plane is configured any more: {queue.Items.Count} items and {queue.Dead.Count} dead letters are forgotten"));
    }

    /// <summary>It takes its old place, so that it comes before what followed it.</summary>
    private static Transition<State, Effect> Revive(State state, long position)
    {
        if (!state.Queue.FindDead(position).TryGet(out var letter)) return NoSuchLetter(state, position);
        if (state.Queue.Items.Count >= OutboxQueue.Capacity)
        {
            return Refuse(state, ErrorCode.OutboxFull, "the outbox is full, ask again when the plane has taken some of it");
        }

        var queue = state.Queue.DropDead(position);
        queue = queue with { Items = queue.Items.Add(letter.Item) };
        return state is State.Idle ? Send(queue, attempt: 1) : Go(state with { Queue = queue });
    }

    private static Transition<State, Effect> Drop(State state, long position) => state.Queue.FindDead(position).IsSome
        ? Go(state with { Queue = state.Queue.DropDead(position) })
        : NoSuchLetter(state, position);

    private static Transition<State, Effect> NoSuchLetter(State state, long position) =>
        Refuse(state, ErrorCode.NoSuchDeadLetter, $"no dead letter {position}");

    private static Transition<State, Effect> Go(State next, params ReadOnlySpan<Effect> effects) =>
        new(next, effects.ToArray().ToSeq());

    private static Transition<State, Effect> Stay(State state) => new(state, Seq<Effect>());

    private static Transition<State, Effect> Refuse(State state, ErrorCode code, string reason) =>
        new(state, Seq1<Effect>(new Effect.Reject(code, reason)));

    private static Transition<State, Effect> Reject(State state, Event @event) =>
        Refuse(state, ErrorCode.NotLegal, $"{@event.GetType().Name} is not legal in {state.GetType().Name}");

    private static Transition<State, Effect> Stale(State state, Event @event) =>
        Refuse(state, ErrorCode.Stale, $"{@event.GetType().Name} is about a post that is not under way");
}
