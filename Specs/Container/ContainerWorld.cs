using Agent.Core.Container;
using Agent.Core.Model;
using Agent.Core.Time;
using Agent.Specs.Simulation;
using Agent.Specs.Tools;
using LanguageExt;
using Xunit;
using static LanguageExt.Prelude;
using Effect = Agent.Core.Container.ContainerEffect;
using Event = Agent.Core.Container.ContainersEvent;

namespace Agent.Specs.Container;

/// <summary>What somebody does, this many whole seconds after the deed before.</summary>
internal sealed record ContainerDeed(int Kind, int Which, int Gap)
{
    private static readonly string[] Names = ["db", "web", "job", "late"];

    public static ContainerDeed Sample(Samples samples) =>
        new(samples.Below(8), samples.Below(1000), 1 + samples.Below(samples.Below(3) == 0 ? 300 : 12));

    public Event Event => Kind switch
    {
        0 => new Event.Declared(Specs, Install: Which % 3 != 0, UsesRuntime: false, RemoveDropped: Which % 5 == 0),
        1 => new Event.UpRequested(Seq<ContainerUid>(), RemoveOrphans: Which % 2 == 0),
        2 => new Event.DownRequested(Which % 2 == 0 ? Seq<ContainerUid>() : Seq1(Uid)),
        3 => new Event.ReconcileRequested(),
        4 or 5 => new Event.One(Uid, new ContainerEvent.StopRequested()),
        _ => new Event.One(Uid, new ContainerEvent.StartRequested()),
    };

    private ContainerUid Uid => Ids.Container(Names[Which % Names.Length]);

    /// <summary>The web comes after the database, and what is late after the job, if that succeeds.</summary>
    private Seq<ContainerSpec> Specs => Enumerable.Range(0, 4).Where(i => ((Which >> i) + 1) % 4 != 0).Select(i => (i switch
    {
        1 => Specimens.Container("web", "db"),
        2 => Specimens.Container("job") with { Restart = ContainerRestart.Never },
        3 => Specimens.Container("late") with
        {
            DependsOn = Seq1(new ContainerDependency(Ids.Container("job"), DependencyCondition.Completed)),
        },
        _ => Specimens.Container(Names[i]) with { Restart = ContainerRestart.OnFailure },
    }) with { Digest = "v" + (1 + ((Which >> 5) % 2)) }).ToArray().ToSeq();
}

/// <summary>The set of containers and an engine in memory, in virtual time that jumps to whatever comes next.</summary>
internal sealed class ContainerWorld(int seed, bool faulty = false, int? crashAfter = null, string? hangs = null)
{
    private static readonly TimeSpan Blink = TimeSpan.FromMilliseconds(4);

    private readonly PriorityQueue<Action, (long At, int Order)> _coming = new();
    private int _order;
    private int _life;

    public Engine Engine { get; } = new(seed, faulty);

    public Containers State { get; private set; } = Containers.Empty;

    public Instant Now { get; private set; } = new(0);

    public int Steps { get; private set; }

    public List<string> Trace { get; } = [];

    /// <summary>Every call but a list, with the instant at which it was asked for.</summary>
    public List<(Instant At, ContainerUid Uid, string Call)> Calls { get; } = [];

    public int Lists { get; private set; }

    public ContainerWorld Run(IReadOnlyList<ContainerDeed> deeds)
    {
        var at = new Instant(0);
        foreach (var deed in deeds)
        {
            at += TimeSpan.FromSeconds(deed.Gap);
            Schedule(at, () => Soon(TimeSpan.Zero, () => Step(deed.Event)));
        }

        // Longer than every back-off, so that what is to settle has settled.
        return Until(at + TimeSpan.FromMinutes(4));
    }

    public ContainerWorld Until(Instant horizon)
    {
        while (Next(horizon)) Assert.True(Steps < 20_000, "the world does not come to rest");
        Now = horizon;
        return this;
    }

    public void Step(Event @event)
    {
        var step = State.Step(new(Now, @event), runtimeReady: true);
        Steps++;
        Trace.Add($"{TracePrinter.At(Now)}  {TracePrinter.Print(@event)} -> {TracePrinter.Print(step.Effects)}");
        State = step.Containers;
        var effects = step.Effects.ToArray();
        var crash = Steps == crashAfter;
        var kept = crash ? (seed & 0xff) % (effects.Length + 1) : effects.Length;
        for (var i = 0; i < kept; i++) Carry(effects[i]);
        if (!crash) return;
        Trace.Add("-- the agent is killed");
        _life++;
        Soon(TimeSpan.FromMilliseconds(20), () => Step(new Event.Recovered()));
    }

    private bool Next(Instant horizon)
    {
        var due = State.Deadline;
        var coming = _coming.TryPeek(out _, out var first) ? new Instant(first.At) : horizon;
        var deadline = due.Exists(at => at <= coming);
        var next = deadline ? due.IfNone(coming) : coming;
        if (next >= horizon) return false;
        if (next > Now) Now = next;
        if (deadline) Step(new Event.DeadlineReached());
        else _coming.Dequeue()();
        return true;
    }

    private void Carry(Effect effect)
    {
        if (effect is Effect.List(var pass))
        {
            Lists++;
            var found = Engine.List();
            Soon(Blink, () => Step(State.Agrees(found) ? new Event.ListConfirmed(pass) : new Event.Listed(pass, found)));
        }

        if (Engine.UidOf(effect) is not { } uid) return;
        Calls.Add((Now, uid, effect.GetType().Name));
        if (uid.Value == hangs) return;

        // The engine works whether the agent lives to hear of it or not.
        var life = _life;
        Schedule(Now + Blink, () =>
        {
            var answer = Engine.Obey(effect, isUp: true, out var lives);
            if (effect is Effect.Start start && lives is { } own) Schedule(Now + own.Span, () => End(start.EngineId, own.Code));
            if (life == _life) Soon(Blink, () => Step(new Event.One(uid, answer)));
        });
    }

    private void End(string id, int code)
    {
        if (!Engine.End(id, code)) return;
        Trace.Add($"{TracePrinter.At(Now)}  -- {id} exits with {code}");
        Soon(Blink, () => Step(new Event.EngineChanged()));
    }

    private void Schedule(Instant at, Action action) => _coming.Enqueue(action, (at.UnixMilliseconds, _order++));

    /// <summary>Something in the agent's own memory: it is gone when the agent is.</summary>
    private void Soon(TimeSpan delay, Action action)
    {
        var life = _life;
        Schedule(Now + delay, () =>
        {
            if (life == _life) action();
        });
    }
}
