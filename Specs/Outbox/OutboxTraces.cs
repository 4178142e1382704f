using Agent.Core.Model;
using Agent.Core.Outbox;
using Agent.Core.Rollout;
using Agent.Specs.Tools;
using LanguageExt;
using Xunit;
using static LanguageExt.Prelude;
using Effect = Agent.Core.Outbox.OutboxEffect;
using Event = Agent.Core.Outbox.OutboxEvent;
using State = Agent.Core.Outbox.OutboxState;

namespace Agent.Specs.Outbox;

/// <summary>The life of an outbox, told.</summary>
public sealed class OutboxTraces
{
    private static readonly RolloutId First = Ids.Rollout(1);
    private static readonly RolloutId Second = Ids.Rollout(2, "edge");
    private static readonly RolloutEvent Passed =
        new RolloutEvent.ProbeReported(1, Ids.Probe("http"), new ProbeOutcome.Passed("200"), Seq<ControlResult>());

    /// WI-4: what comes while a post is under way goes together with the next one.
    [Fact]
    public void The_plane_takes_everything() => Tell("The plane is there and takes what it is told.")
        .At(0, Moved(First, 1))
        .At(0.1, Seen(First, 2), Moved(First, 3))
        .At(0.2, Accepted(1, 1))
        .At(0.3, Accepted(2, 2, 3))
        .IsAsWritten("delivered");

    /// WI-4, WI-6: seconds at first, five minutes at most, whatever the plane asks for; an operator need not wait.
    [Fact]
    public void The_plane_is_away() => Tell("The plane is away: waits double to five minutes, spread by jitter, and news is queued.")
        .At(0, Moved(First, 1))
        .At(0, Failed(1, FailureKind.Unavailable, "connection refused"))
        .At(0.5, Seen(First, 2))
        .AtDeadline(OutboxMachine.Deadline, new Event.DeadlineReached())
        .After(0, Failed(2, FailureKind.Unavailable, "connection refused", jitter: 500))
        .AtDeadline(OutboxMachine.Deadline, new Event.DeadlineReached())
        .After(0, Failed(3, FailureKind.Unavailable, "503", after: 30))
        .AtDeadline(OutboxMachine.Deadline, new Event.DeadlineReached())
        .After(0, Failed(4, FailureKind.Unavailable, "503", after: 3600))
        .After(10, new Event.FlushRequested())
        .After(1, Accepted(5, 1, 2))
        .IsAsWritten("plane-away");

    /// WI-3, WI-4: the rest is not held up, and where the rollout stands is told as a whole.
    [Fact]
    public void One_event_is_refused() => Tell("The plane refuses one event of three; an operator looks at it and tries it again.")
        .At(0, Moved(First, 1), Moved(First, 2), Moved(Second, 1))
        .At(1, Accepted(1, 1))
        .At(2, new Event.Delivered(
            2,
            Seq<ItemVerdict>(new ItemVerdict.Refused(2, "invariant", "not legal in Pending"), new ItemVerdict.Accepted(3)),
            Seq<ReplayRequest>()))
        .At(3, Accepted(3))
        .At(60, new Event.DeadLetterRetried(2))
        .At(61, Accepted(4, 2))
        .At(62, new Event.DeadLetterDropped(2))
        .IsAsWritten("refused");

    /// WI-3, WI-4: a post that is refused as a whole is taken apart; then posts grow again.
    [Fact]
    public void One_event_poisons_its_post() => Tell("A 400 for the whole post: one by one shows which item it is.")
        .At(0, Moved(First, 1))
        .At(0, Moved(First, 2), Moved(Second, 1), Seen(Second, 2))
        .At(1, Accepted(1, 1))
        .At(2, Failed(2, FailureKind.Refused, "400 malformed"))
        .At(3, Failed(3, FailureKind.Refused, "400 malformed"))
        .AtDeadline(OutboxMachine.Deadline, new Event.DeadlineReached())
        .After(1, Accepted(4))
        .After(1, Accepted(5, 3, 4))
        .IsAsWritten("poisoned");

    /// WI-4: a plane that refuses everything does not make dead letters faster than it is waited for.
    [Fact]
    public void A_broken_plane_refuses_everything() => Tell("404 for everything: each item given up costs a longer wait.")
        .At(0, Moved(First, 1), Moved(Second, 1))
        .At(0, Failed(1, FailureKind.Refused, "404"))
        .AtDeadline(OutboxMachine.Deadline, new Event.DeadlineReached())
        .After(0, Failed(2, FailureKind.Refused, "404"))
        .AtDeadline(OutboxMachine.Deadline, new Event.DeadlineReached())
        .After(0, Failed(3, FailureKind.Refused, "404"))
        .AtDeadline(OutboxMachine.Deadline, new Event.DeadlineReached())
        .IsAsWritten("broken-plane");

    /// WI-4: half as much at once, until it fits.
    [Fact]
    public void A_post_is_too_large() => Tell("413: the post is halved until the plane takes it, and posts grow again.")
        .At(0, Moved(First, 1))
        .At(0, Seen(First, 2), Seen(First, 3), Seen(First, 4), Seen(First, 5))
        .At(1, Accepted(1, 1))
        .At(2, Failed(2, FailureKind.TooLarge, "413"))
        .At(3, Accepted(3, 2, 3))
        .At(4, Accepted(4, 4, 5))
        .IsAsWritten("too-large");

    /// WI-1, WI-4: it is not the items that are refused.
    [Fact]
    public void The_certificate_is_not_taken() => Tell("401: nothing is given up, the certificate is renewed, and it goes on.")
        .At(0, Moved(First, 1))
        .At(1, Failed(1, FailureKind.Unauthorized, "401 certificate expired"))
        .AtDeadline(OutboxMachine.Deadline, new Event.DeadlineReached())
        .After(1, Accepted(2, 1))
        .IsAsWritten("unauthorized");

    /// RO-10: what is queued still is sent again as it is, after a pause, for the answer was of no use.
    [Fact]
    public void A_replay_is_asked_for_that_is_queued() => Tell("The plane lacks an event that is queued still: it comes first anyway.")
        .At(0, Moved(First, 4))
        .At(0, Moved(First, 5))
        .At(1, new Event.Delivered(1, Seq<ItemVerdict>(), Seq1(new ReplayRequest(First, 4))))
        .AtDeadline(OutboxMachine.Deadline, new Event.DeadlineReached())
        .After(1, Accepted(2, 1, 2))
        .IsAsWritten("replay-asked");

    /// RO-10: what was acknowledged once is not queued any more; the rollout goes as a whole.
    [Fact]
    public void A_replay_is_asked_for_that_is_gone() => Tell("A plane that lost its store asks from the first on: it gets the whole.")
        .At(0, Moved(First, 4))
        .At(1, new Event.Delivered(1, Seq<ItemVerdict>(), Seq1(new ReplayRequest(First, 1))))
        .AtDeadline(OutboxMachine.Deadline, new Event.DeadlineReached())
        .After(0, Failed(2, FailureKind.Unavailable, "timeout"))
        .AtDeadline(OutboxMachine.Deadline, new Event.DeadlineReached())
        .After(1, Accepted(3, 1))
        .IsAsWritten("snapshot-owed");

    /// RO-10, FL-4: nothing is queued, and still there is something to send.
    [Fact]
    public void A_plane_that_lost_its_store_asks() => Tell("A plane comes back with an empty store and asks with no post under way.")
        .At(0, Moved(First, 1))
        .At(1, Accepted(1, 1))
        .At(60, new Event.ReplayRequested(First, 1), new Event.ReplayRequested(Second, 1))
        .At(61, Accepted(2))
        .At(62, Accepted(3))
        .IsAsWritten("plane-lost-its-store");

    /// WI-4: the oldest observation makes room, and its rollout is owed as a whole.
    [Fact]
    public void The_queue_is_full() => new Story<State, Event, Effect>(
            "The plane is away and the queue all but full: observations go, the oldest first.",
            OutboxSoup.Away(OutboxSoup.Full(position => position > 9_996, room: 1)),
            OutboxMachine.Step)
        .At(1, Moved(Second, 1))
        .At(2, Moved(Second, 2))
        .At(3, Seen(Second, 3))
        .IsAsWritten("full");

    /// WI-4: what a host is kept from by the order it does not take (Admits) loses nothing either.
    [Fact]
    public void The_queue_is_full_of_transitions() => new Story<State, Event, Effect>(
            "Nothing may go from a queue full of transitions: the whole of the rollout is owed instead.",
            OutboxSoup.Away(OutboxSoup.Full(_ => false, room: 0)),
            OutboxMachine.Step)
        .At(1, Moved(Second, 1))
        .IsAsWritten("full-of-transitions");

    /// CO-5, WI-4: the post has a new number, so the old one's answer cannot be taken for its own.
    [Fact]
    public void The_agent_dies_while_sending() => Tell("The agent is killed with a post under way, and its successor sends it again.")
        .At(0, Moved(First, 1))
        .Meanwhile("the plane takes it; the agent is killed before the answer comes")
        .At(5, new Event.Recovered())
        .At(6, Accepted(1, 1))
        .At(7, Accepted(2, 1))
        .IsAsWritten("agent-restarts");

    /// WI-6: without a plane nothing is queued, and no number is given out twice.
    [Fact]
    public void The_plane_is_taken_away() => Tell("The configuration names no plane any more, and later one again.")
        .At(0, Moved(First, 1), Moved(First, 2))
        .At(1, new Event.Detached())
        .At(2, Accepted(1, 1), Moved(First, 3))
        .At(60, new Event.Attached())
        .At(61, Moved(First, 4))
        .IsAsWritten("detached");

    private static Story<State, Event, Effect> Tell(string prose)
    {
        var idle = OutboxMachine.Step(OutboxMachine.Initial, new(new(0), new Event.Attached())).State;
        return new(prose, idle, OutboxMachine.Step);
    }

    private static Event Moved(RolloutId id, long seq) =>
        new Event.Noted(id, seq, new RolloutEvent.Activate(), Importance.Transition);

    private static Event Seen(RolloutId id, long seq) => new Event.Noted(id, seq, Passed, Importance.Observation);

    private static Event Accepted(long post, params long[] positions) => new Event.Delivered(
        post, positions.Select(ItemVerdict (position) => new ItemVerdict.Accepted(position)).ToArray().ToSeq(), Seq<ReplayRequest>());

    private static Event Failed(long post, FailureKind kind, string detail, int jitter = 0, double? after = null) =>
        new Event.DeliveryFailed(
            post, kind, after is { } seconds ? TimeSpan.FromSeconds(seconds) : Option<TimeSpan>.None, detail, jitter);
}
