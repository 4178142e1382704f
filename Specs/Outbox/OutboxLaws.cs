using Agent.Core.Outbox;
using Agent.Specs.Tools;
using LanguageExt;
using Xunit;
using Effect = Agent.Core.Outbox.OutboxEffect;
using Event = Agent.Core.Outbox.OutboxEvent;
using State = Agent.Core.Outbox.OutboxState;

namespace Agent.Specs.Outbox;

/// <summary>What holds for the outbox whatever happens, in whatever order.</summary>
public sealed class OutboxLaws
{
    private static readonly OutboxSoup Soup = new();

    /// CO-2, CO-9: the same events lead to the same trace, and none throws.
    [Fact]
    public void It_is_total_and_deterministic() => Soup.IsTotalAndDeterministic();

    /// CO-2, CO-9: an event that is not legal leaves the very same state.
    [Fact]
    public void A_refusal_changes_nothing() => Soup.ARefusalChangesNothing();

    /// CO-4, CO-9: deadlines lie ahead of now, or their event makes progress.
    [Fact]
    public void Deadlines_make_progress() => Soup.DeadlinesMakeProgress();

    /// WI-4: an item leaves the queue accepted, as a dead letter, with its plane, or as the oldest observation of a
    /// full queue, which is counted and whose rollout is owed as a whole.
    [Fact]
    public void Nothing_leaves_without_a_reason() => Soup.EachStep(moment =>
    {
        var (before, input, _, after) = moment;
        var shed = after.Queue.Shed - before.Queue.Shed;
        foreach (var item in before.Queue.Items.All.Values)
        {
            if (after.Queue.Items.All.Find(item.Position).Exists(kept => ReferenceEquals(kept, item))) continue;
            if (input.Event is Event.Detached || after.Queue.FindDead(item.Position).IsSome) continue;
            if (input.Event is Event.Delivered(_, var verdicts, _))
            {
                Assert.Contains(verdicts, verdict => verdict == new ItemVerdict.Accepted(item.Position));
                continue;
            }

            Assert.IsType<Event.Noted>(input.Event);
            Assert.Equal(Importance.Observation, item.Importance);
            Assert.Equal(item, before.Queue.Items.All.Values.First(other => other.Importance == Importance.Observation));
            Assert.Equal(OutboxQueue.Capacity, before.Queue.Items.Count);
            Assert.True(after.Queue.Stale.ContainsKey(item.Rollout), "nobody tells the plane of it");
            shed--;
        }

        if (input.Event is Event.Noted(var rollout, _, _, _) && shed == 1)
        {
            // Full of transitions: the new one is told by the whole of its rollout.
            Assert.Equal(OutboxQueue.Capacity, before.Queue.Items.Transitions);
            Assert.True(after.Queue.Stale.ContainsKey(rollout));
            shed--;
        }

        Assert.Equal(0, shed);
    });

    /// WI-4: whatever is noted while there is a plane is queued, at the next position, and is the newest.
    [Fact]
    public void What_is_noted_is_queued_last() => Soup.EachStep(moment =>
    {
        if (moment.Input.Event is not Event.Noted noted || moment.Before is State.Off) return;
        var (before, after) = (moment.Before.Queue, moment.After.Queue);
        Assert.Equal(before.NextPosition + 1, after.NextPosition);
        if (before.Items.Transitions == OutboxQueue.Capacity) return;
        var item = after.Items.Find(before.NextPosition).IfNone(() => throw new InvalidOperationException("it is not queued"));
        Assert.Equal(
            new OutboxItem(before.NextPosition, noted.Rollout, noted.Seq, moment.Input.At, noted.Event, noted.Importance), item);
    });

    /// WI-4: bounds hold whatever comes, and the state says no sooner than it must that there is no room.
    [Fact]
    public void Nothing_is_ever_over_its_bound() => Soup.EachStep(moment =>
    {
        var queue = moment.After.Queue;
        Assert.InRange(queue.Items.Count, 0, OutboxQueue.Capacity);
        Assert.InRange(queue.Dead.Count, 0, OutboxQueue.MaxDead);
        Assert.InRange(queue.Stale.Count, 0, OutboxQueue.Capacity);
        Assert.InRange(queue.BatchLimit, 1, OutboxQueue.MaxBatch);
        Assert.Equal(queue.Items.All.Values.Count(item => item.Importance == Importance.Transition), queue.Items.Transitions);
        Assert.Equal(queue.Items.Transitions <= OutboxQueue.Capacity - OutboxQueue.Reserve, queue.Admits);
    });

    /// WI-3: what is a dead letter is not sent.
    [Fact]
    public void Nothing_is_both_dead_and_queued() => Soup.EachStep(moment =>
    {
        foreach (var letter in moment.After.Queue.Dead)
        {
            Assert.True(moment.After.Queue.Items.Find(letter.Item.Position).IsNone, $"{letter.Item.Position} is both");
        }
    });

    /// WI-4: while a post is under way there is no other, but for an agent that died and sends it again; an answered
    /// one may be followed at once. Numbers rise, so an answer can be about one post alone.
    [Fact]
    public void One_post_is_under_way_at_most() => Soup.Always(trace =>
    {
        var last = 0L;
        foreach (var (before, input, effects, after) in trace)
        {
            var posts = effects.OfType<Effect.Post>().ToArray();
            Assert.InRange(posts.Length, 0, 1);
            if (posts.Length == 0)
            {
                if (after is State.Sending under) Assert.Equal(((State.Sending)before).Number, under.Number);
                continue;
            }

            Assert.Equal(posts[0].Number, Assert.IsType<State.Sending>(after).Number);
            Assert.True(posts[0].Number > last, "a number came twice");
            last = posts[0].Number;
            if (before is State.Sending) Assert.True(input.Event is Event.Recovered or Event.Delivered or Event.DeliveryFailed);
        }
    });

    /// WI-4, RO-10: a post holds the oldest items there are, in order and none left out, within the limit; so the
    /// events of each rollout go in the order of their seqs.
    [Fact]
    public void The_oldest_goes_first() => Soup.EachStep(moment =>
    {
        foreach (var post in moment.Effects.OfType<Effect.Post>())
        {
            var sending = Assert.IsType<State.Sending>(moment.After);
            Assert.InRange(post.Items.Count + post.Snapshots.Count, 1, sending.Queue.BatchLimit);
            Assert.Equal(post.Items.Count + post.Snapshots.Count, sending.Size);
            Assert.Equal(sending.Queue.Items.All.Values.Take(post.Items.Count), post.Items);
            Assert.Equal(post.Items.IsEmpty ? 0 : post.Items.Last.Position, sending.Through);
            Assert.Equal(post.Snapshots, sending.Snapshots);
            if (post.Items.Count + post.Snapshots.Count < sending.Queue.BatchLimit)
            {
                Assert.Equal(post.Items.Count, sending.Queue.Items.Count);
                Assert.Equal(0, sending.Queue.Stale.Count);
            }
        }
    });

    /// WI-4: an outbox that owes something is about to send it, and one that owes nothing rests.
    [Fact]
    public void What_is_owed_is_on_its_way() => Soup.EachStep(moment =>
    {
        var after = moment.After;
        if (after is State.Idle or State.Off) Assert.True(after.Queue.OwesNothing, "it rests and owes");
        if (after is State.Waiting) Assert.False(after.Queue.OwesNothing, "it waits for nothing");
    });

    /// WI-4: a wait is at least half of what the attempt asks for and never longer than five minutes, whatever the
    /// plane says; the whole is counted here a second time.
    [Fact]
    public void Waits_lie_ahead_and_within_the_cap() => Soup.EachStep(moment =>
    {
        if (moment.After is not State.Waiting waiting || moment.Before is State.Waiting) return;
        var wait = waiting.RetryAt - moment.Input.At;
        var whole = Math.Min(300, Math.Pow(2, waiting.Attempts - 1));
        Assert.InRange(wait.TotalSeconds, whole / 2, 300);
        var asked = moment.Input.Event is Event.DeliveryFailed(_, _, var retryAfter, _, _)
            ? retryAfter.Map(span => span.TotalSeconds).IfNone(0) : 0;
        Assert.InRange(wait.TotalSeconds, Math.Min(300, asked), Math.Max(whole, asked));
    });

    /// CO-5, WI-4: what was under way is sent again, and what waited goes on waiting; the rest of the queue is as it was.
    [Fact]
    public void A_restart_loses_nothing() => Soup.EachStep(moment =>
    {
        var step = OutboxMachine.Step(moment.After, new(moment.Input.At, new Event.Recovered()));
        if (moment.After is not State.Sending before)
        {
            Assert.Same(moment.After, step.State);
            return;
        }

        var after = Assert.IsType<State.Sending>(step.State);
        var post = Assert.Single(step.Effects.OfType<Effect.Post>());
        Assert.Same(before.Queue.Items, after.Queue.Items);
        Assert.Equal(before.Attempt, after.Attempt);
        Assert.Equal(
            before.Snapshots.Concat(before.Queue.Stale.Keys).Select(id => id.Value).Distinct().Order(),
            post.Snapshots.Concat(after.Queue.Stale.Keys).Select(id => id.Value).Order());
    });
}
