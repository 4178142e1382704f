using Agent.Core;
using Agent.Core.Companion;
using Agent.Core.Model;
using Agent.Core.Time;
using Agent.Specs.Tools;
using LanguageExt;
using Effect = Agent.Core.Companion.CompanionEffect;
using Event = Agent.Core.Companion.CompanionsEvent;

namespace Agent.Specs.Companion;

/// <summary>Random events against the set: four names, three of which may be declared, answers true and false, old and new.</summary>
internal sealed class CompanionSoup : Soup<Companions, Event, Effect>
{
    protected override Event DeadlineReached { get; } = new Event.DeadlineReached();

    public override Option<Instant> Deadline(Companions state) => state.Deadline;

    public override bool IsReject(Effect effect) => effect is Effect.Reject;

    protected override Companions Initial(int seed) => Companions.Empty;

    protected override Transition<Companions, Effect> Step(int seed, Companions state, Timed<Event> input)
    {
        var step = state.Step(input);
        return new(step.Companions, step.Effects);
    }

    protected override Event Sample(Samples samples)
    {
        var drawn = samples.Pin(Spec).Pin("Digest", random => "v" + (1 + random.Next(2))).Any<Event>();
        return drawn is Event.One(var name, CompanionEvent.Observed(var pass, var found))
            ? new Event.One(name, new CompanionEvent.Observed(pass, found with { Name = name }))
            : drawn;
    }

    /// <summary>A look tells of all that it was asked for, if not of each truly.</summary>
    protected override Event Aim(Companions state, Event @event) => @event switch
    {
        Event.One(var name, var one) => new Event.One(name, Answer(state, name, one)),
        Event.Looked(_, var found) => new Event.Looked(state.Pass, Rows(state, found)),
        Event.LookConfirmed => new Event.LookConfirmed(state.Pass),
        Event.LookFailed failed => failed with { Pass = state.Pass },
        Event.ReloadCompleted => new Event.ReloadCompleted(state.Reloads),
        Event.ReloadFailed failed => failed with { Number = state.Reloads },
        Event.Declared or Event.ReconcileRequested or Event.Recovered or Event.DeadlineReached => @event,
    };

    private static Seq<ObservedCompanion> Rows(Companions state, Seq<ObservedCompanion> found) => found.IsEmpty
        ? found
        : state.All.Keys.Select((name, i) => found[i % found.Count] with { Name = name }).ToArray().ToSeq();

    private static CompanionEvent Answer(Companions state, CompanionName name, CompanionEvent drawn)
    {
        if (!state.Find(name).TryGet(out var item) || item is CompanionState.Idle) return drawn;
        var call = item.Profile.Calls;
        return drawn is CompanionEvent.CallFailed failed ? failed with { Call = call } : new CompanionEvent.CallCompleted(call);
    }

    private static CompanionSpec Spec(Random random)
    {
        var which = random.Next(3);
        var spec = which == 0 ? Specimens.Companion("u0.service", "u1.service") : Specimens.Companion($"u{which}.service");
        return spec with { Digest = "v" + (1 + random.Next(2)), Start = random.Next(4) != 0, Restart = random.Next(4) != 0 };
    }
}
