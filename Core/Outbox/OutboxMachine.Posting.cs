using Agent.Core.Model;
using Agent.Core.Time;
using Effect = Agent.Core.Outbox.OutboxEffect;
using Event = Agent.Core.Outbox.OutboxEvent;
using State = Agent.Core.Outbox.OutboxState;

namespace Agent.Core.Outbox;

/// <summary>What is posted, what becomes of an answer, and how long a post waits for the next.</summary>
public static partial class OutboxMachine
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1);

    /// <summary>A plane that was away is not found much later than it came back.</summary>
    public static TimeSpan LongestRetry { get; } = TimeSpan.FromMinutes(5);

    /// <summary>The rollouts that are owed as a whole first: what is queued of them may build on that.</summary>
    private static Transition<State, Effect> Send(OutboxQueue queue, int attempt)
    {
        var stale = queue.Stale;
        var snapshots = Seq<RolloutId>();
        foreach (var rollout in queue.Stale.Keys)
        {
            if (snapshots.Count >= queue.BatchLimit) break;
            snapshots = snapshots.Add(rollout);
            stale = stale.Remove(rollout);
        }

        var items = queue.Items.First(queue.BatchLimit - snapshots.Count);
        var sending = new State.Sending(
            queue with { Stale = stale, NextPost = queue.NextPost + 1 },
            queue.NextPost,
            items.IsEmpty ? 0 : items.Last.Position,
            items.Count + snapshots.Count,
            snapshots,
            attempt);
        return Go(sending, new Effect.Post(sending.Number, items, snapshots));
    }

    /// <summary>
    /// The plane has answered. An answer after which no less is owed than before was of no use: whoever goes on
    /// without a pause then would never stop.
    /// </summary>
    private static Transition<State, Effect> Settle(State.Sending state, Event.Delivered delivered, Instant now)
    {
        var (queue, warnings) = (state.Queue, Seq<Effect>());
        foreach (var verdict in delivered.Verdicts)
        {
            if (verdict.Position > state.Through || !queue.Items.Find(verdict.Position).TryGet(out var item)) continue;
            if (verdict is ItemVerdict.Refused(_, var code, var detail))
            {
                (queue, warnings) = (queue.Bury(item, code, detail, now), warnings.Add(Buried(item, code, detail)));
            }
            else
            {
                queue = queue.Remove(item);
            }
        }

        foreach (var (rollout, seq) in delivered.Replays) queue = queue.Replay(rollout, seq, now);

        var useful = queue.Owed < state.Queue.Owed + state.Snapshots.Count;
        if (useful) queue = queue with { BatchLimit = Math.Min(OutboxQueue.MaxBatch, queue.BatchLimit * 2) };
        var step = queue.OwesNothing ? Go(new State.Idle(queue))
            : useful ? Send(queue, attempt: 1)
            : Wait(queue, state.Attempt, now, "the plane answered and took nothing", None, jitterPermille: 0);
        return new(step.State, warnings.Join(step.Effects));
    }

    /// <summary>What is wrong with the post is taken apart at once; whatever else is wrong takes its time.</summary>
    private static Transition<State, Effect> Fail(State.Sending state, Event.DeliveryFailed failed, Instant now)
    {
        if (failed.Kind is FailureKind.Unavailable or FailureKind.Unauthorized)
        {
            return Wait(Unsent(state, now), state.Attempt, now, failed.Detail, failed.RetryAfter, failed.JitterPermille);
        }

        if (state.Size == 1) return GiveUp(state, failed, now);
        var limit = failed.Kind == FailureKind.TooLarge ? state.Size / 2 : 1;
        return Send(Unsent(state, now) with { BatchLimit = limit }, state.Attempt);
    }

    /// <summary>
    /// The one thing in the post is what the plane does not take. The next post waits all the same: a plane that
    /// refuses everything is broken, and must not turn a whole queue into dead letters before somebody looks.
    /// </summary>
    private static Transition<State, Effect> GiveUp(State.Sending state, Event.DeliveryFailed failed, Instant now)
    {
        var code = failed.Kind == FailureKind.TooLarge ? "too-large" : "refused";
        var (queue, warning) = (state.Queue with { BatchLimit = 1 }, Option<Effect>.None);
        if (state.Snapshots.HeadOrNone().TryGet(out var rollout))
        {
            warning = new Effect.Warn($"the plane does not take {rollout} as a whole ({code}): {failed.Detail}");
        }
        else if (queue.Items.Find(state.Through).TryGet(out var item))
        {
            (queue, warning) = (queue.Bury(item, code, failed.Detail, now), Buried(item, code, failed.Detail));
        }

        var step = queue.OwesNothing
            ? Go(new State.Idle(queue))
            : Wait(queue, state.Attempt, now, failed.Detail, failed.RetryAfter, failed.JitterPermille);
        return new(step.State, warning.ToSeq().Join(step.Effects));
    }

    private static Transition<State, Effect> Wait(
        OutboxQueue queue, int attempts, Instant now, string failure, Option<TimeSpan> retryAfter, int jitterPermille)
    {
        var wait = BackOff(attempts, jitterPermille);
        if (retryAfter.TryGet(out var asked) && asked > wait) wait = asked < LongestRetry ? asked : LongestRetry;
        return Go(new State.Waiting(queue, now + wait, attempts, failure));
    }

    /// <summary>1 s, 2 s, 4 s and so on to five minutes, less up to half of it by the jitter.</summary>
    private static TimeSpan BackOff(int attempts, int jitterPermille)
    {
        var whole = attempts > 9 ? LongestRetry : FirstRetry * (1 << (attempts - 1));
        if (whole > LongestRetry) whole = LongestRetry;
        return whole - TimeSpan.FromMilliseconds((long)whole.TotalMilliseconds * Math.Clamp(jitterPermille, 0, 1000) / 2000);
    }

    /// <summary>Everything that is owed, what is under way included.</summary>
    private static OutboxQueue Unsent(State.Sending state, Instant now) =>
        state.Snapshots.Fold(state.Queue, (queue, rollout) => queue.Owe(rollout, now));

    private static Effect.Warn Buried(OutboxItem item, string code, string detail) =>
        new Effect.Warn($"the plane refuses seq {item.Seq} of {item.Rollout}, dead letter {item.Position} ({code}): {detail}");
}
