using Agent.Core.Companion;
using Agent.Core.Time;
using Agent.Specs.Tools;
using LanguageExt;
using Xunit;
using static LanguageExt.Prelude;
using Event = Agent.Core.Companion.CompanionsEvent;

namespace Agent.Specs.Companion;

/// <summary>What holds for companions on a host with a systemd, with and without a crash of the agent.</summary>
public sealed class CompanionWorldLaws
{
    private const int Longest = 10;

    /// CT-10: whatever is deleted, changed, stopped and declared, every world comes to rest, and there is what is declared.
    [Fact]
    public void A_world_comes_to_rest() => Over(script => IsAtRest(Run(script)));

    /// CT-4, CT-10: at rest a pass costs one look and leads to nothing.
    [Fact]
    public void A_pass_after_a_clean_pass_is_empty() => Over(script =>
    {
        var world = Run(script);
        var (calls, looks) = (world.Calls.Count, world.Looks);
        world.Step(new Event.ReconcileRequested());
        world.Until(world.Now + TimeSpan.FromSeconds(1));
        Assert.Equal(calls, world.Calls.Count);
        Assert.Equal(looks + (world.State.Passing is LookState.Off ? 0 : 1), world.Looks);
    });

    /// CO-5, CT-10: wherever the agent is killed and whatever calls that swallows, its successor reaches the same end.
    [Fact]
    public void A_crash_anywhere_leads_to_the_same_end() => Over(script =>
    {
        var undisturbed = Run(script);
        var crashed = Run(script, 1 + (script.Seed / 7 % Math.Max(1, undisturbed.Steps)));
        IsAtRest(crashed);
        Assert.Equal(Ends(undisturbed), Ends(crashed));
    });

    /// CT-6, CT-10: at a restart of the agent what is as declared costs a look, and nothing is restarted.
    [Fact]
    public void What_lives_is_left_alone_by_a_new_agent() => Over(script =>
    {
        var world = Run(script);
        var calls = world.Calls.Count;
        world.Step(new Event.Recovered());
        world.Until(world.Now + TimeSpan.FromSeconds(1));
        Assert.Equal(calls, world.Calls.Count);
        IsAtRest(world);
    });

    /// CT-5, CT-10: a unit whose starts come to nothing changes nothing that is done to one that does not come after it.
    /// Only declarations are told here, far apart: the looks that it leads to would find a stranger's deeds sooner.
    [Fact]
    public void A_broken_unit_changes_no_others_calls() => Over(script =>
    {
        var told = script with { Items = [.. script.Items.Where(deed => deed.Kind > 2).Select(deed => deed with { Gap = deed.Gap + 60 })] };
        var (free, held) = (Run(told), Run(told, broken: "tick.timer"));
        foreach (var name in (string[])["db.service", "web.service"]) Assert.Equal(CallsOf(free, name), CallsOf(held, name));
    });

    /// CT-10: on their own cadence: at rest one look each half minute.
    [Fact]
    public void At_rest_a_pass_comes_every_half_minute()
    {
        var world = new CompanionWorld(2);
        world.Step(new Event.Declared(Seq1(Specimens.Companion("db.service"))));
        world.Until(new Instant(1) + TimeSpan.FromMinutes(2));
        var looks = world.Looks;
        world.Until(world.Now + TimeSpan.FromMinutes(10));
        Assert.Equal(20, world.Looks - looks);
    }

    private static string CallsOf(CompanionWorld world, string name) =>
        string.Join(' ', world.Calls.Where(call => call.Name?.Value == name).Select(call => call.Call));

    private static void IsAtRest(CompanionWorld world)
    {
        Assert.True(world.State.Passing is LookState.Resting or LookState.Off, $"{world.State.Passing}");
        Assert.IsType<ReloadState.Quiet>(world.State.Reload);
        var declared = world.State.All.Values.Select(state => state.Profile).ToList();
        Assert.All(declared, profile => Assert.True(profile.Spec.IsSome, $"{profile.Name} is not forgotten"));
        Assert.All(world.State.All.Values, state => Assert.True(
            world.State.Judge(state, world.Now) is CompanionDecision.Settled
                || world.State.Judge(state, world.Now) is CompanionDecision.Waits(var what, _) && what == "db.service, which nothing declares",
            $"{world.State.Judge(state, world.Now)}"));
        Assert.Equal(
            string.Join(' ', declared.Select(profile => $"{profile.Name}:{profile.Spec.Map(spec => spec.Digest).IfNone("")}")),
            world.Systemd.Files);
    }

    /// <summary>What there is, and of what bytes it runs.</summary>
    private static string Ends(CompanionWorld world) => $"{world.Systemd.Files}\n{world.Systemd.Running}";

    private static void Over(Action<Script<CompanionDeed>> holds) => Law.Over(Longest, CompanionDeed.Sample, Print, holds);

    private static CompanionWorld Run(Script<CompanionDeed> script, int? crashAfter = null, string? broken = null) =>
        new CompanionWorld(script.Seed, crashAfter, broken).Run(script.Items);

    private static string Print(Script<CompanionDeed> script)
    {
        var undisturbed = Run(script);
        var crashed = Run(script, 1 + (script.Seed / 7 % Math.Max(1, undisturbed.Steps)));
        return $"{string.Join('\n', undisturbed.Trace)}\n{Ends(undisturbed)}\n== with a crash\n"
            + $"{string.Join('\n', crashed.Trace)}\n{Ends(crashed)}";
    }
}
