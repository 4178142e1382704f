using Agent.Core.Container;
using Agent.Core.Model;
using Agent.Core.Time;
using Agent.Specs.Tools;
using LanguageExt;
using Xunit;
using static LanguageExt.Prelude;
using Event = Agent.Core.Container.ContainersEvent;

namespace Agent.Specs.Container;

/// <summary>What holds for containers whose engine answers, faultless or not, with and without a crash of the agent.</summary>
public sealed class ContainerWorldLaws
{
    private const int Longest = 12;

    /// CT-2, CT-8: however many calls fail at first, every world comes to rest: nothing is left to do, and what runs is
    /// what is wanted.
    [Fact]
    public void A_world_comes_to_rest() => Over(script => IsAtRest(Run(script, faulty: true)));

    /// CT-4, CT-6: at rest a pass costs one list and leads to nothing.
    [Fact]
    public void A_pass_after_a_clean_pass_is_empty() => Over(script =>
    {
        var world = Run(script, faulty: true);
        var (calls, lists) = (world.Calls.Count, world.Lists);
        world.Step(new Event.ReconcileRequested());
        world.Until(world.Now + TimeSpan.FromSeconds(1));
        Assert.Equal(calls, world.Calls.Count);
        Assert.Equal(lists + 1, world.Lists);
    });

    /// CO-5, CT-6: wherever the agent is killed and whatever calls that swallows, its successor adopts what is there and
    /// reaches the same end.
    [Fact]
    public void A_crash_anywhere_leads_to_the_same_end() => Over(script =>
    {
        var undisturbed = Run(script);
        var crashed = Run(script, crashAfter: 1 + (script.Seed / 7 % Math.Max(1, undisturbed.Steps)));
        IsAtRest(crashed);
        Assert.Equal(Ends(undisturbed), Ends(crashed));
    });

    /// CT-6: at a restart of the agent a living container costs no call but the list.
    [Fact]
    public void Living_containers_are_adopted() => Over(script =>
    {
        var world = Run(script);
        var calls = world.Calls.Count;
        world.Step(new Event.Recovered());
        world.Until(world.Now + TimeSpan.FromSeconds(1));
        Assert.Equal(calls, world.Calls.Count);
        IsAtRest(world);
    });

    /// CT-5: a container of which no call is ever answered changes nothing for one that does not depend on it, nor when.
    /// Upstream: mixed failure collected (prod_orchestrator).
    [Fact]
    public void A_hanging_container_holds_up_no_other() => Over(script =>
    {
        var free = Run(script);
        var held = Run(script, hangs: "job");
        foreach (var uid in (string[])["db", "web"])
        {
            var (before, after) = (Calls(free, uid), Calls(held, uid));
            Assert.Equal(before.Select(call => call.Call), after.Select(call => call.Call));
            Assert.All(before.Zip(after), pair => Assert.True(
                (pair.Item1.At - pair.Item2.At).Duration() < TimeSpan.FromSeconds(1), $"{uid} was held up"));
        }
    });

    /// CT-4: nothing but a pass looks at the engine, the first at once, then one each half minute at rest. Seed 003
    /// `second_pass_fires_after_interval`.
    [Fact]
    public void At_rest_a_pass_comes_every_half_minute()
    {
        var world = new ContainerWorld(2);
        world.Step(new Event.Declared(Seq1(Specimens.Container("db")), Install: true, UsesRuntime: false));
        Assert.Equal(1, world.Lists);
        world.Until(new Instant(1) + TimeSpan.FromMinutes(2));
        var lists = world.Lists;
        world.Until(world.Now + TimeSpan.FromMinutes(10));
        Assert.Equal(20, world.Lists - lists);
    }

    /// CT-5: of two hundred a pass begins one call for each that changed; what that leads to is theirs alone.
    [Fact]
    public void A_pass_begins_one_call_for_each_change()
    {
        var world = new ContainerWorld(3);
        var specs = Enumerable.Range(0, 200).Select(i => Specimens.Container($"c{i:000}")).ToArray().ToSeq();
        world.Step(new Event.Declared(specs, Install: true, UsesRuntime: false));
        world.Until(new Instant(1) + TimeSpan.FromMinutes(10));
        string[] gone = [.. Enumerable.Range(0, 7).Select(i => $"c{i * 17:000}")];
        foreach (var uid in gone) world.Engine.Set(uid, new ContainerStatus.Running(PidAlive: false));
        world.Calls.Clear();
        world.Step(new Event.ReconcileRequested());
        world.Until(world.Now + TimeSpan.FromMilliseconds(6));
        Assert.Equal(gone.Select(uid => (uid, "Remove")), world.Calls.Select(call => (call.Uid.Value, call.Call)));
        world.Until(world.Now + TimeSpan.FromSeconds(1));
        Assert.Equal(gone, world.Calls.Select(call => call.Uid.Value).Distinct().Order(StringComparer.Ordinal));
        IsAtRest(world);
    }

    private static List<(Instant At, ContainerUid Uid, string Call)> Calls(ContainerWorld world, string uid) =>
        [.. world.Calls.Where(call => call.Uid.Value == uid)];

    private static void IsAtRest(ContainerWorld world)
    {
        Assert.True(world.State.Passing is PassState.Resting or PassState.Off, $"{world.State.Passing}");
        foreach (var state in world.State.All.Values)
        {
            var profile = state.Profile;
            var decision = world.State.Judge(state, world.Now);
            Assert.True(state is ContainerState.Idle, $"{profile.Uid} is being {state.GetType().Name}");
            Assert.False(decision is ContainerDecision.Acts or ContainerDecision.Waits(_, { IsSome: true }), $"{decision}");
            var found = world.Engine.Find(profile.Uid.Value);
            var runs = found is { Status: ContainerStatus.Running };
            if (profile.Wish == ContainerWish.Stopped) Assert.False(runs, $"{profile.Uid} runs, its user stopped it");
            if (profile.Wish is ContainerWish.Removed or ContainerWish.Dropped) Assert.Null(found);
            if (decision is ContainerDecision.Settled(ContainerStanding.Running, _)) Assert.True(runs, $"{profile.Uid} does not run");
            if (found is not null && profile.Spec.TryGet(out var spec) && runs) Assert.Equal(spec.Digest, found.Digest);
        }

        Assert.All(world.Engine.All, row => Assert.True(world.State.Find(row.Uid).IsSome, $"{row.Uid} is not known"));
    }

    /// <summary>Where each container ended up.</summary>
    private static string Ends(ContainerWorld world) => string.Join('\n', world.State.All.Values.Select(state =>
        $"{state.Profile.Uid} {state.Profile.Wish} {world.State.Judge(state, world.Now) switch
        {
            ContainerDecision.Settled(var standing, _) => $"{standing}",
            ContainerDecision.Left(var reason) => reason,
            ContainerDecision.Waits(var what, _) => what,
            ContainerDecision.Acts acts => $"{acts}",
        }} {world.Engine.Find(state.Profile.Uid.Value)?.Digest}"));

    private static void Over(Action<Script<ContainerDeed>> holds) => Law.Over(Longest, ContainerDeed.Sample, Print, holds);

    private static ContainerWorld Run(
        Script<ContainerDeed> script, bool faulty = false, int? crashAfter = null, string? hangs = null) =>
        new ContainerWorld(script.Seed, faulty, crashAfter, hangs).Run(script.Items);

    private static string Print(Script<ContainerDeed> script)
    {
        var undisturbed = Run(script);
        var crashed = Run(script, crashAfter: 1 + (script.Seed / 7 % Math.Max(1, undisturbed.Steps)));
        return $"{string.Join('\n', undisturbed.Trace)}\n{Ends(undisturbed)}\n== with a crash\n"
            + $"{string.Join('\n', crashed.Trace)}\n{Ends(crashed)}";
    }
}
