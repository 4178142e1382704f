using Agent.Core.Companion;
using Agent.Core.Model;
using Agent.Core.Time;
using Agent.Specs.Tools;
using LanguageExt;
using Xunit;
using static LanguageExt.Prelude;

namespace Agent.Specs.Companion;

/// <summary>Which events mean something for a companion, and for the set of them.</summary>
public sealed class CompanionLegality
{
    private static readonly Instant Now = new(1_000_000);

    /// CO-2, CO-8, CT-10: an answer means something while its call is under way.
    [Fact]
    public void Each_event_is_taken_or_refused_as_the_table_says() => Legality.Check(
        """
                        | Idle Writing Starting Stopping Removing
        Declared        | +    +       +        +        +
        Withdrawn       | +    +       +        +        +
        Observed        | +    +       +        +        +
        RetryRequested  | +    +       +        +        +
        CallCompleted   | .    +       +        +        +
        CallFailed      | .    +       +        +        +
        Reloaded        | +    +       +        +        +
        Recovered       | +    +       +        +        +
        DeadlineReached | +    +       +        +        +
        """,
        Sample().EachCase<CompanionState>(),
        Sample().EachCase<CompanionEvent>(),
        (state, @event) => CompanionMachine.Step(state, new(Now, @event), pass: 3).Effects
            .Exists(effect => effect is CompanionEffect.Reject) ? "." : "+");

    /// CO-2, CO-8, CT-10: a look is taken only by the pass that asked for it.
    [Fact]
    public void The_set_takes_or_refuses_as_the_table_says() => Legality.Check(
        """
                           | Off Resting Looking
        Declared           | +   +       +
        One                | +   +       +
        ReconcileRequested | +   +       +
        Looked             | .   .       +
        LookConfirmed      | .   .       +
        LookFailed         | .   .       +
        ReloadCompleted    | .   .       .
        ReloadFailed       | .   .       .
        Recovered          | +   +       +
        DeadlineReached    | +   +       +
        """,
        Sample().EachCase<LookState>(),
        EachOfSet(),
        (passing, @event) => Refuses(passing, new ReloadState.Quiet(), @event));

    /// CO-2, CO-8, CT-10: so is the answer of a reload.
    [Fact]
    public void A_reload_is_answered_while_it_is_under_way() => Legality.Check(
        """
                           | Quiet UnderWay Failed
        Declared           | +     +        +
        One                | +     +        +
        ReconcileRequested | +     +        +
        Looked             | +     +        +
        LookConfirmed      | +     +        +
        LookFailed         | +     +        +
        ReloadCompleted    | .     +        .
        ReloadFailed       | .     +        .
        Recovered          | +     +        +
        DeadlineReached    | +     +        +
        """,
        Sample().EachCase<ReloadState>(),
        EachOfSet(),
        (reload, @event) => Refuses(new LookState.Looking(Now, Again: false), reload, @event));

    private static IEnumerable<CompanionsEvent> EachOfSet() =>
        Sample().Pin<CompanionEvent>(_ => new CompanionEvent.RetryRequested()).EachCase<CompanionsEvent>();

    private static string Refuses(LookState passing, ReloadState reload, CompanionsEvent @event)
    {
        var name = Ids.Companion("u0.service");
        var set = new Companions(
            Map<OrdCompanionName, CompanionName, CompanionState>().AddOrUpdate(name, CompanionMachine.Create(name)),
            passing, Pass: 3, None, reload, Reloads: 3);
        return set.Step(new(Now, @event)).Effects.Exists(effect => effect is CompanionEffect.Reject) ? "." : "+";
    }

    private static Samples Sample() => new Samples(1).Pin("Call", _ => 3).Pin("Calls", _ => 3).Pin("Pass", _ => 3)
        .Pin("Number", _ => 3)
        .Pin(_ => Ids.Companion("u0.service"));
}
