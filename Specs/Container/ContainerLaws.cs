using Agent.Core.Container;
using Agent.Core.Model;
using Agent.Specs.Tools;
using LanguageExt;
using Xunit;
using Effect = Agent.Core.Container.ContainerEffect;
using Event = Agent.Core.Container.ContainersEvent;

namespace Agent.Specs.Container;

/// <summary>What holds for the set of containers whatever happens, in whatever order.</summary>
public sealed class ContainerLaws
{
    private static readonly ContainerSoup Soup = new();

    /// CO-2, CO-9: the same events lead to the same trace, and none throws.
    [Fact]
    public void It_is_total_and_deterministic() => Soup.IsTotalAndDeterministic();

    /// CO-2: what is refused changes nothing.
    [Fact]
    public void A_refusal_changes_nothing() => Soup.ARefusalChangesNothing();

    /// CO-4, CO-9: a deadline that has come is dealt with, or the timer would fire forever.
    [Fact]
    public void Deadlines_make_progress() => Soup.DeadlinesMakeProgress();

    /// CT-5: the engine is asked for one thing at a time for a container, until it answered or the agent started anew.
    [Fact]
    public void At_most_one_call_is_under_way_for_each() => Soup.EachStep(moment =>
    {
        var asked = moment.Effects.ToArray().Select(UidOf).OfType<ContainerUid>().ToList();
        Assert.Equal(asked.Count, asked.Distinct().Count());
        foreach (var uid in asked)
        {
            var before = moment.Before.Find(uid);
            var answered = moment.Input.Event is Event.One(var of, _) && of == uid;
            Assert.True(
                answered || moment.Input.Event is Event.Recovered || before.IsNone
                    || before.Exists(state => state is ContainerState.Idle),
                $"{uid} is busy");
            Assert.True(moment.After.Find(uid).Exists(state => state is not ContainerState.Idle));
        }
    });

    /// CT-4, CT-5: a pass costs one list.
    [Fact]
    public void One_list_at_a_time_is_asked_for() => Soup.EachStep(moment =>
    {
        var lists = moment.Effects.Filter(effect => effect is Effect.List).ToArray();
        Assert.InRange(lists.Length, 0, 1);
        if (lists.Length == 0) return;
        Assert.Equal(moment.Before.Pass + 1, ((Effect.List)lists[0]).Pass);
        Assert.IsType<PassState.Looking>(moment.After.Passing);
    });

    /// CT-7: after its user's stop or removal nothing but a user's start creates or starts a container, whatever the
    /// engine, the declaration, a dependent or a restart of the agent says. What is removed and then declared no more is
    /// dropped, and no word of its user's stands behind it any more, whether it is gone yet or not.
    [Fact]
    public void A_users_stop_beats_every_repair() => Soup.EachStep(moment =>
    {
        foreach (var state in moment.Before.All.Values)
        {
            var profile = state.Profile;
            if (profile.Wish is not (ContainerWish.Stopped or ContainerWish.Removed)) continue;
            var asked = moment.Input.Event is Event.UpRequested
                or Event.One(_, ContainerEvent.StartRequested or ContainerEvent.StopRequested or ContainerEvent.RemoveRequested)
                or Event.DownRequested;
            if (asked) continue;
            Assert.DoesNotContain(moment.Effects, effect => effect is Effect.Create or Effect.Start or Effect.Pull
                && UidOf(effect) == profile.Uid);
            if (!moment.After.Find(profile.Uid).TryGet(out var after)) Assert.Equal(ContainerWish.Removed, profile.Wish);
            else if (after.Profile.Wish == ContainerWish.Dropped) Assert.Equal(ContainerWish.Removed, profile.Wish);
            else Assert.Equal(profile.Wish, after.Profile.Wish);
        }
    });

    /// CT-3: no call names a container that the engine did not list as ours, or that was not made by us.
    [Fact]
    public void Nothing_that_is_not_ours_is_touched() => Soup.Always(trace =>
    {
        var ours = new System.Collections.Generic.HashSet<string>(StringComparer.Ordinal);
        foreach (var (_, input, effects, _) in trace)
        {
            if (input.Event is Event.Listed(_, var found)) ours.UnionWith(found.Map(container => container.EngineId));
            if (input.Event is Event.One(_, ContainerEvent.CreateCompleted(_, var made))) ours.Add(made);
            if (input.Event is Event.One(_, ContainerEvent.Observed(_, { IsSome: true } seen)))
            {
                ours.UnionWith(seen.Map(container => container.EngineId).ToSeq());
            }

            foreach (var id in effects.ToArray().Select(EngineIdOf).OfType<string>()) Assert.Contains(id, ours);
        }
    });

    /// CT-2: what nothing declares is neither stopped nor removed unless somebody asked for that; an empty set least of all.
    [Fact]
    public void What_nothing_declares_stays_unless_asked_for() => Soup.EachStep(moment =>
    {
        foreach (var state in moment.After.All.Values)
        {
            var profile = state.Profile;
            if (profile.Spec.IsSome || profile.Wish != ContainerWish.Repaired) continue;
            Assert.DoesNotContain(moment.Effects, effect => effect is Effect.Stop or Effect.Remove or Effect.Create
                && UidOf(effect) == profile.Uid);
        }
    });

    /// CT-2: nobody's container goes without a word: a set that leaves one out says so, or somebody asked.
    [Fact]
    public void Only_a_word_drops_a_container() => Soup.EachStep(moment =>
    {
        foreach (var state in moment.After.All.Values)
        {
            if (state.Profile.Wish != ContainerWish.Dropped) continue;
            var before = moment.Before.Find(state.Profile.Uid).Map(known => known.Profile.Wish).IfNone(ContainerWish.Repaired);
            if (before is ContainerWish.Removed or ContainerWish.Dropped) continue;
            Assert.True(
                moment.Input.Event is Event.Declared { RemoveDropped: true } or Event.UpRequested { RemoveOrphans: true }
                    or Event.DownRequested or Event.One(_, ContainerEvent.RemoveRequested or ContainerEvent.Withdrawn { Remove: true }),
                $"{moment.Input.Event}");
        }
    });

    /// CT-2: a container that is paused or whose state is not known counts as neither success nor reason to remove it.
    [Fact]
    public void Paused_and_unknown_are_themselves() => Soup.EachStep(moment =>
    {
        foreach (var state in moment.After.All.Values)
        {
            var profile = state.Profile;
            var status = profile.Present.Map(container => container.Status).IfNone(new ContainerStatus.Created());
            if (status is not (ContainerStatus.Paused or ContainerStatus.Unknown) || state is not ContainerState.Idle) continue;
            var decision = moment.After.Judge(state, moment.Input.At);
            Assert.False(decision is ContainerDecision.Settled, $"{decision}");
            if (profile.Wish is ContainerWish.Installed or ContainerWish.Repaired) Assert.IsType<ContainerDecision.Left>(decision);
        }
    });

    /// CT-4: a list that is said to tell nothing new tells nothing new.
    [Fact]
    public void A_list_that_agrees_changes_no_container() => Soup.EachStep(moment =>
    {
        var set = moment.After;
        var found = set.All.Values.Select(state => state.Profile.Present).SelectMany(seen => seen.ToSeq()).ToArray().ToSeq();
        if (set.Passing is not PassState.Looking || !set.Agrees(found)) return;
        var listed = set.Step(new(moment.Input.At, new Event.Listed(set.Pass, found)), runtimeReady: true);
        var confirmed = set.Step(new(moment.Input.At, new Event.ListConfirmed(set.Pass)), runtimeReady: true);
        Assert.Equal(TracePrinter.Print(listed.Containers), TracePrinter.Print(confirmed.Containers));
        Assert.Equal(TracePrinter.Print(listed.Effects), TracePrinter.Print(confirmed.Effects));
    });

    /// CT-8: in half an hour a container is made anew five times at most, without anybody asking.
    [Fact]
    public void The_circuit_holds() => Soup.EachStep(moment =>
    {
        foreach (var state in moment.After.All.Values)
        {
            Assert.InRange(state.Profile.History.Recreations.Count, 0, ContainerHistory.CircuitRecreations);
        }
    });

    internal static ContainerUid? UidOf(Effect effect) => effect switch
    {
        Effect.Pull pull => pull.Uid,
        Effect.Create create => create.Uid,
        Effect.Start start => start.Uid,
        Effect.Stop stop => stop.Uid,
        Effect.Remove remove => remove.Uid,
        Effect.List or Effect.Reject => null,
    };

    private static string? EngineIdOf(Effect effect) => effect switch
    {
        Effect.Start start => start.EngineId,
        Effect.Stop stop => stop.EngineId,
        Effect.Remove remove => remove.EngineId,
        Effect.Pull or Effect.Create or Effect.List or Effect.Reject => null,
    };
}
