using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Core.Runtime;
using Agent.Specs.Simulation;
using Agent.Specs.Tools;
using Xunit;

namespace Agent.Specs.Host;

/// <summary>What holds for a host whose effects are carried out and answered, with and without a crash.</summary>
public sealed class WorldLaws
{
    private const int Longest = 12;

    /// RT-3, RT-8, PR-9, PR-11, PR-12: every world comes to rest: every stop and every start has ended, and exactly
    /// those processes live that a state says are running.
    [Fact]
    public void A_world_comes_to_rest() => Over(script => IsAtRest(Run(script)));

    /// CO-5, CO-9, PR-14, RT-6: wherever the agent is killed and whatever effects that swallows, its successor
    /// reaches the same end, never runs one id twice, and loses no exit that the keeper saw.
    [Fact]
    public void A_crash_anywhere_leads_to_the_same_end() => Over(script =>
    {
        var undisturbed = Run(script);
        var crashed = Run(script, Point(script, undisturbed.BusySteps));
        IsAtRest(crashed);
        Assert.Equal(Ends(undisturbed), Ends(crashed));
        Assert.DoesNotContain(crashed.Statuses, status => status is ExitStatus.Lost);
    });

    /// PR-14: after a power cut what ran has an exit that nobody could see, and none of it counts as a success.
    [Fact]
    public void After_a_power_cut_what_ran_is_lost() => Over(script =>
    {
        var world = Run(script, Point(script, Run(script).BusySteps), reboot: true);
        IsAtRest(world);
        Assert.All(world.Unseen, status => Assert.IsType<ExitStatus.Lost>(status));
    });

    private static void IsAtRest(World world)
    {
        var running = world.State.Processes.All.Values.Where(state => state is ProcessState.Running)
            .Select(World.NameOf).Order(StringComparer.Ordinal);
        Assert.Equal(running, world.Alive);
        Assert.DoesNotContain(
            world.State.Processes.All.Values,
            state => state is ProcessState.Starting or ProcessState.Stopping or ProcessState.Backoff);
        Assert.True(world.State.Runtime is not RuntimeState.Starting, "the runtime still starts");
        if (world.State.Policy.Keep == Keep.Always)
        {
            Assert.True(world.State.Runtime is RuntimeState.Ready or RuntimeState.NotStarted { Held: true });
        }
    }

    /// <summary>How each process ended, and which incarnations live; daemons are the runtime's own matter.</summary>
    private static string Ends(World world) => string.Join('\n', world.Ends.Select(end => $"{end.Key} {end.Value}"))
        + "\ncontainers " + world.Containers
        + "\nalive " + string.Join(' ', world.Alive.Where(name => name[0] is 's' or 't'));

    private static void Over(Action<Script<Command>> holds) => Law.Over(Longest, Command.Sample, Print, holds);

    private static World Run(Script<Command> script, int? crashAfter = null, bool reboot = false) =>
        Make(script, crashAfter, reboot).Run(script.Items);

    /// <summary>As far as it comes: a world that breaks a law of its own is told up to there.</summary>
    private static World Tell(Script<Command> script, int? crashAfter)
    {
        var world = Make(script, crashAfter, reboot: false);
        try
        {
            return world.Run(script.Items);
        }
        catch (Xunit.Sdk.XunitException broken)
        {
            world.Trace.Add($"-- {broken.Message}");
            return world;
        }
    }

    private static World Make(Script<Command> script, int? crashAfter, bool reboot) =>
        new(script.Seed, script.Seed % 2 == 0 ? Keep.Always : Keep.OnDemand, crashAfter, reboot);

    private static int Point(Script<Command> script, int steps) => 1 + (script.Seed / 7 % steps);

    private static string Print(Script<Command> script)
    {
        var undisturbed = Tell(script, crashAfter: null);
        var crashed = Tell(script, Point(script, Math.Max(1, undisturbed.BusySteps)));
        return $"{string.Join('\n', undisturbed.Trace)}\n{Ends(undisturbed)}\n== with a crash\n"
            + $"{string.Join('\n', crashed.Trace)}\n{Ends(crashed)}";
    }
}
