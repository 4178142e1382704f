using Agent.Core.Companion;
using Agent.Core.Model;
using Agent.Specs.Tools;
using LanguageExt;
using Xunit;
using Effect = Agent.Core.Companion.CompanionEffect;
using Event = Agent.Core.Companion.CompanionsEvent;

namespace Agent.Specs.Companion;

/// <summary>What holds for the set of companions whatever happens, in whatever order.</summary>
public sealed class CompanionLaws
{
    private static readonly CompanionSoup Soup = new();

    /// CO-2, CO-9: the same events lead to the same trace, and none throws.
    [Fact]
    public void It_is_total_and_deterministic() => Soup.IsTotalAndDeterministic();

    /// CO-2: what is refused changes nothing.
    [Fact]
    public void A_refusal_changes_nothing() => Soup.ARefusalChangesNothing();

    /// CO-4, CO-9: a deadline that has come is dealt with, or the timer would fire forever.
    [Fact]
    public void Deadlines_make_progress() => Soup.DeadlinesMakeProgress();

    /// CT-10: one thing at a time is done to a companion, until it is answered or the agent starts anew.
    [Fact]
    public void At_most_one_call_is_under_way_for_each() => Soup.EachStep(moment =>
    {
        var asked = moment.Effects.ToArray().Select(NameOf).OfType<CompanionName>().ToList();
        Assert.Equal(asked.Count, asked.Distinct().Count());
        foreach (var name in asked)
        {
            var answered = moment.Input.Event is Event.Recovered || (moment.Input.Event is Event.One(var of, _) && of == name);
            Assert.True(answered || moment.Before.Find(name).Exists(state => state is CompanionState.Idle), $"{name} is busy");
            Assert.True(moment.After.Find(name).Exists(state => state is not CompanionState.Idle));
        }
    });

    /// CT-10: unchanged bytes are written by nothing, and never restart anything.
    [Fact]
    public void Only_bytes_that_differ_are_written() => EachAction((effect, profile) =>
    {
        var isDeclared = profile.Spec.TryGet(out var spec) && profile.Seen.Exists(
            seen => seen.File is UnitFile.Ours(var digest) && digest == spec.Digest);
        if (effect is Effect.Write) Assert.False(isDeclared, $"{profile.Name} has these bytes already");
        if (effect is Effect.Start or Effect.Restart) Assert.True(isDeclared, $"{profile.Name} is started of other bytes");
        if (effect is Effect.Restart) Assert.True(profile.OwesRestart, $"{profile.Name} did not change");
    });

    /// CT-10: what bears no mark of ours, or is taken from another place, is written, started, stopped and removed by nothing.
    [Fact]
    public void Nothing_that_is_not_ours_is_touched() => EachAction((_, profile) =>
        Assert.DoesNotContain(profile.Seen.ToArray(), seen => seen.File is UnitFile.Foreign));

    /// CT-2, CT-10: only what was written by this agent is stopped or removed, and only once nothing declares it.
    [Fact]
    public void Nothing_is_removed_that_it_did_not_write() => EachAction((effect, profile) =>
    {
        if (effect is not (Effect.Stop or Effect.Remove)) return;
        Assert.True(profile.Spec.IsNone, $"{profile.Name} is declared");
        Assert.True(profile.Wrote.IsSome, $"{profile.Name} was never ours");
        if (effect is Effect.Remove) Assert.True(profile.Seen.Exists(seen => seen.File is UnitFile.Ours));
    });

    /// CT-10: it is stopped before its file goes, or systemd would be left with what nobody can name.
    [Fact]
    public void What_runs_is_not_removed() => EachAction((effect, profile) =>
    {
        if (effect is Effect.Remove) Assert.True(profile.Seen.Exists(seen => seen.Activity is
            UnitActivity.Inactive or UnitActivity.Failed or UnitActivity.Missing));
    });

    /// CT-2, CT-10: what systemd says and the agent does not know is neither a success nor a reason to do anything.
    [Fact]
    public void Unknown_is_itself() => Soup.EachStep(moment =>
    {
        foreach (var state in moment.After.All.Values)
        {
            var profile = state.Profile;
            if (!profile.Seen.Exists(seen => seen.Activity is UnitActivity.Unknown)) continue;
            if (profile.Spec.TryGet(out var spec) && !spec.Start) continue;
            var decision = moment.After.Judge(state, moment.Input.At);
            var isGone = profile.Spec.IsNone && profile.Seen.Exists(seen => seen.File is UnitFile.Foreign);
            Assert.False(decision is CompanionDecision.Settled && !isGone, $"{decision}");
            Assert.False(decision is CompanionDecision.Acts(CompanionAction.Start or CompanionAction.Restart) && state is CompanionState.Idle);
        }
    });

    /// CT-10: systemd reads all files at once, and no file changes meanwhile.
    [Fact]
    public void A_reload_has_all_files_for_itself() => Soup.EachStep(moment =>
    {
        Assert.InRange(moment.Effects.Filter(effect => effect is Effect.Reload).ToArray().Length, 0, 1);
        if (moment.After.Reload is not ReloadState.UnderWay) return;
        Assert.DoesNotContain(
            moment.After.All.Values, state => state is CompanionState.Writing or CompanionState.Removing);
    });

    /// CT-10: a companion is not started until those it comes after are active.
    [Fact]
    public void A_start_waits_for_what_it_comes_after() => EachAction((effect, profile, moment) =>
    {
        if (effect is not Effect.Start) return;
        foreach (var on in profile.Spec.Map(spec => spec.After).IfNone(LanguageExt.Seq<CompanionName>.Empty))
        {
            Assert.True(moment.After.Find(on).Exists(other => other.Profile.IsActive), $"{on} is not active");
        }
    });

    /// CT-10: a look that is said to tell nothing new tells nothing new.
    [Fact]
    public void A_look_that_agrees_changes_no_companion() => Soup.EachStep(moment =>
    {
        var set = moment.After;
        var found = set.All.Values.Select(state => state.Profile.Seen).SelectMany(seen => seen.ToSeq()).ToArray().ToSeq();
        if (set.Passing is not LookState.Looking || !set.Agrees(found)) return;
        var looked = set.Step(new(moment.Input.At, new Event.Looked(set.Pass, found)));
        var confirmed = set.Step(new(moment.Input.At, new Event.LookConfirmed(set.Pass)));
        Assert.Equal(TracePrinter.Print(looked.Companions), TracePrinter.Print(confirmed.Companions));
        Assert.Equal(TracePrinter.Print(looked.Effects), TracePrinter.Print(confirmed.Effects));
    });

    /// CT-8, CT-10: what is lost again and again is repaired five times in half an hour at most.
    [Fact]
    public void The_circuit_holds() => EachAction((effect, profile, moment) =>
    {
        Assert.InRange(profile.History.Losses.Count, 0, CompanionHistory.CircuitRepairs + 1);
        if (effect is Effect.Write or Effect.Start) Assert.True(profile.History.CircuitUntil(moment.Input.At).IsNone);
    });

    internal static CompanionName? NameOf(Effect effect) => effect switch
    {
        Effect.Write write => write.Name,
        Effect.Start start => start.Name,
        Effect.Restart restart => restart.Name,
        Effect.Stop stop => stop.Name,
        Effect.Remove remove => remove.Name,
        Effect.Look or Effect.Reload or Effect.Reject => null,
    };

    private static void EachAction(Action<Effect, CompanionProfile> holds) => EachAction((effect, profile, _) => holds(effect, profile));

    /// <summary>Each call with what was believed when it began.</summary>
    private static void EachAction(Action<Effect, CompanionProfile, Moment<Companions, Event, Effect>> holds) => Soup.EachStep(moment =>
    {
        foreach (var effect in moment.Effects)
        {
            if (NameOf(effect) is not { } name) continue;
            Assert.True(moment.After.Find(name).TryGet(out var state));
            holds(effect, state.Profile, moment);
        }
    });
}
