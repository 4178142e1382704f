using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Outbox;
using Agent.Core.Rollout;
using Agent.Core.Time;
using Agent.Specs.Rollout;
using Agent.Specs.Tools;
using LanguageExt;
using Xunit;
using static LanguageExt.Prelude;

namespace Agent.Specs.Outbox;

/// <summary>What becomes of the post under way, or of those who exchange it.</summary>
internal enum Fate
{
    /// <summary>Nothing yet: it is on its way.</summary>
    Pending,
    Delivered,

    /// <summary>The plane never sees it.</summary>
    PostLost,

    /// <summary>The plane took it, and the agent does not learn of it.</summary>
    AnswerLost,

    /// <summary>The answer comes, and comes again later.</summary>
    AnsweredTwice,

    /// <summary>An earlier post comes again, whose answer nobody waits for.</summary>
    OldPostAgain,
    TooLarge,
    Malformed,
    Unauthorized,
    AgentRestarts,
    PlaneForgets,
    RetryDue,
    LetterRetried,
}

/// <summary>One turn: this long after the one before, an errand for the host, and a fate for what is under way.</summary>
internal sealed record Turn(int GapSeconds, Errand Errand, Fate Fate);

/// <summary>A host with its outbox, a model plane, and a network between them that does what the script says.</summary>
internal sealed class PlaneWorld
{
    private readonly ModelPlane _plane;
    private readonly List<OutboxEffect.Post> _posts = [];
    private readonly List<OutboxEvent> _answers = [];
    private readonly Dictionary<long, int> _left = [];
    private Instant _now = new(0);

    public PlaneWorld(int seed, bool poisoned)
    {
        _plane = new ModelPlane((id, seq) => poisoned && (seed + id.Ref[^1] + (seq * 7)) % 11 == 0);
        Step(new HostEvent.Outbox(new OutboxEvent.Attached()));
    }

    public HostState State { get; private set; } = HostState.Initial;

    public List<string> Trace { get; } = [];

    private OutboxState Outbox => State.Outbox;

    public PlaneWorld Run(IEnumerable<Turn> turns)
    {
        foreach (var turn in turns) Play(turn);
        return this;
    }

    /// <summary>From here on the plane answers everything, and time passes until nothing is owed.</summary>
    public PlaneWorld Settle()
    {
        for (var rounds = 0; Outbox is not OutboxState.Idle; rounds++)
        {
            Assert.True(rounds < 1000, $"it does not drain: {TracePrinter.Print(Outbox)}");
            Meet(Outbox is OutboxState.Sending ? Fate.Delivered : Fate.RetryDue);
        }

        return this;
    }

    /// <summary>Each item ever queued left the queue once: the plane has it, or it is a dead letter.</summary>
    public void EverythingIsAccountedFor()
    {
        for (var position = 1L; position < Outbox.Queue.NextPosition; position++)
        {
            Assert.Equal(1, _left.GetValueOrDefault(position));
        }
    }

    /// <summary>The plane knows what the host knows, of every rollout.</summary>
    public void MirrorsAgree()
    {
        foreach (var state in State.Rollouts.All.Values)
        {
            var mirror = _plane.Mirrors[state.Profile.Order.Id];
            Assert.Equal(state.Profile.Seq, mirror.Profile.Seq);
            if (state != mirror) Assert.Equal(TracePrinter.Print(state), TracePrinter.Print(mirror));
        }
    }

    public static Turn Sample(Samples samples) => new(
        samples.Below(4) == 0 ? samples.Below(600) : samples.Below(3),
        RolloutsSoup.Any(samples),
        samples.Below(3) != 0 ? Fate.Delivered : samples.Any<Fate>());

    private void Play(Turn turn)
    {
        _now += TimeSpan.FromSeconds(turn.GapSeconds);
        var errand = RolloutsSoup.Aimed(State.Rollouts, turn.Errand);
        Step(errand switch
        {
            Errand.Accept(var accepted) => new HostEvent.RolloutOrdered(Principal.Root, accepted),
            Errand.Report(var id, var @event) => new HostEvent.RolloutReported(id, @event),
            Errand.Recover => Started,
            Errand.Wake => new HostEvent.DeadlineReached(),
        });

        // Of two manifests with one id the plane dispatched the one that the host took.
        if (errand is Errand.Accept(var order)
            && State.Rollouts.Find(order.Id).Exists(state => ReferenceEquals(state.Profile.Order, order)))
        {
            _plane.Dispatch(order, _now);
        }

        Meet(turn.Fate);
    }

    private void Meet(Fate fate)
    {
        if (fate is Fate.AgentRestarts) Step(Started);
        if (fate is Fate.PlaneForgets) Step(_plane.Forget());
        if (fate is Fate.OldPostAgain && _posts.Count > 0) Take(_posts[(int)(_now.UnixMilliseconds / 1000 % _posts.Count)]);
        if (fate is Fate.AnsweredTwice) Step([.. _answers]);
        if (fate is Fate.LetterRetried && Outbox.Queue.Dead.HeadOrNone().TryGet(out var letter))
        {
            _left[letter.Item.Position]--;
            Step(new OutboxEvent.DeadLetterRetried(letter.Item.Position));
        }

        if (fate is Fate.RetryDue && OutboxMachine.Deadline(Outbox).TryGet(out var due))
        {
            _now = due > _now ? due : _now;
            Step(new HostEvent.DeadlineReached());
        }

        if (Outbox is OutboxState.Sending) Answer(fate, _posts[^1]);
    }

    private void Answer(Fate fate, OutboxEffect.Post post)
    {
        if (fate is Fate.Delivered or Fate.AnsweredTwice) Step(Take(post));
        if (fate is Fate.PostLost) Step(Failed(post, FailureKind.Unavailable));
        if (fate is Fate.Unauthorized) Step(Failed(post, FailureKind.Unauthorized));
        if (fate is Fate.AnswerLost)
        {
            Take(post);
            Step(Failed(post, FailureKind.Unavailable));
        }

        // One item is never too large, and only a batch hides which item is the wrong one.
        if (post.Items.Count + post.Snapshots.Count == 1) return;
        if (fate is Fate.TooLarge) Step(Failed(post, FailureKind.TooLarge));
        if (fate is Fate.Malformed) Step(Failed(post, FailureKind.Refused));
    }

    private OutboxEvent.Delivered Take(OutboxEffect.Post post)
    {
        var answer = _plane.Take(post, State.Rollouts.Find);
        _answers.Add(answer);
        return answer;
    }

    private static OutboxEvent.DeliveryFailed Failed(OutboxEffect.Post post, FailureKind kind) =>
        new(post.Number, kind, None, "out of luck", JitterPermille: 250);

    private static HostEvent Started => new HostEvent.Started(Specimens.Boot, Seq<Core.Process.ObservedProcess>());

    private void Step(params OutboxEvent[] events)
    {
        foreach (var @event in events) Step(new HostEvent.Outbox(@event));
    }

    private void Step(HostEvent @event)
    {
        var before = Outbox.Queue;
        var step = HostMachine.Step(State, new(_now, @event));
        State = step.State;
        Trace.Add($"{TracePrinter.At(_now)}  {TracePrinter.Print(@event)}");
        foreach (var effect in step.Effects)
        {
            Trace.Add($"    ! {TracePrinter.Print(effect)}");
            if (effect is HostEffect.Outbox(OutboxEffect.Post post)) _posts.Add(post);
        }

        foreach (var position in before.Items.All.Keys)
        {
            if (Outbox.Queue.Items.Find(position).IsNone) _left[position] = _left.GetValueOrDefault(position) + 1;
        }
    }
}
