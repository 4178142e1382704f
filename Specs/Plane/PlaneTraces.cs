using Agent.Core.Plane;
using Agent.Core.Rollout;
using Agent.Core.Time;
using Agent.Specs.Tools;
using LanguageExt;
using Xunit;
using static Agent.Specs.Plane.PlaneSpecimens;
using static LanguageExt.Prelude;
using Event = Agent.Core.Plane.PlaneEvent;

namespace Agent.Specs.Plane;

/// <summary>The life of a fleet, told.</summary>
public sealed class PlaneTraces
{
    private readonly FleetHost _a = new("a");
    private readonly FleetHost _b = new("b");
    private readonly FleetHost _c = new("c");

    /// FL-1: waves advance by an event; the last host of all ends the rollout. Upstream: rest pending, binds pending to
    /// ready worker (controllers), first fit (scheduler): here a host is served when its wave is open.
    [Fact]
    public void A_fleet_converges_wave_by_wave()
    {
        var one = Fleet(1, "stable", ("a", 0), ("b", 1), ("c", 2));
        Tell("Three hosts, one in each wave.")
            .At(0, new Event.Started(), new Event.Published(one))
            .At(100, Converges(_a, one, 10))
            .At(200, Converges(_b, one, 110))
            .At(300, Converges(_c, one, 210))
            .IsAsWritten("wave-by-wave");
    }

    /// FL-1, FL-3: it never reaches the second wave; only another release ends the quarantine.
    [Fact]
    public void A_bad_release_stays_in_its_wave()
    {
        var bad = Fleet(1, "stable", ("a", 0), ("b", 1));
        var again = Fleet(2, 1, "stable", ("a", 0), ("b", 0));
        Tell("The first wave rolls back. The same release is published again, then another one.")
            .At(0, new Event.Published(bad))
            .At(10, Fails(_a, bad, 5))
            .At(20, GoesBack(_a, bad, 15))
            .At(30, new Event.Started(), new Event.Published(again))
            .At(40, new Event.Published(Fleet(3, "stable", ("a", 0), ("b", 0))))
            .At(50, new Event.Published(Fleet(4, 1, "stable", ("a", 0), ("b", 0))))
            .IsAsWritten("bad-release");
    }

    /// FL-5: while it is halted hosts go on that have it, waves open, and nobody else gets it.
    [Fact]
    public void A_channel_is_halted()
    {
        var one = Fleet(1, "stable", ("a", 0), ("b", 1));
        Tell("An operator halts the channel while the first wave is under way, and resumes it later.")
            .At(0, new Event.Published(one))
            .At(10, new Event.HaltRequested(one.Channel), new Event.HaltRequested(one.Channel))
            .At(100, Converges(_a, one, 5))
            .At(200, new Event.ResumeRequested(one.Channel))
            .At(201, new Event.ResumeRequested(Ids.Channel("edge")))
            .IsAsWritten("halt-and-resume");
    }

    /// RO-10, WI-3: a gap is asked for, and what comes twice is seen.
    [Fact]
    public void An_event_is_lost()
    {
        var one = Fleet(1, "stable", ("a", 0));
        var order = OrderFor(one, _a);
        var accepted = Told(_a, _a.Accept(order, new Instant(1000)));
        var lost = _a.Report(one.Id, new RolloutEvent.ActivationStarted(1, Ids.Release(0), "release"), new(2000));
        var after = Told(_a, _a.Report(one.Id, new RolloutEvent.ActivationCompleted(1, Ids.Release(1)), new(3000)));
        var again = Told(_a, _a.Again(new Verdict.Replay(one.Id, 2), whole: false));
        Assert.Equal(1, lost.Count);
        Tell("What a host told second never came; the third is not believed without it.")
            .At(0, new Event.Published(one))
            .At(1, accepted)
            .At(3, after)
            .At(4, again, again)
            .At(60, _a.Heartbeat(new Instant(60_000)))
            .IsAsWritten("gap-and-replay");
    }

    /// WI-1: one token, one key, any number of tries; each other use has a refusal of its own. Upstream: mint/register
    /// (server).
    [Fact]
    public void An_answer_to_an_enrolment_is_lost()
    {
        var (token, host) = (Ids.Token("t1"), _a.Name);
        var enrol = new Event.EnrolRequested(token, host, "key-1");
        Tell("The answer is lost, so the host asks again; others try the token, and in the end the host is shut out.")
            .At(0, enrol, new Event.TokenIssued(token, host, new Instant(600_000)))
            .At(1, enrol, new Event.Certified(host, Certificate(1, 1)))
            .At(2, enrol, new Event.Certified(host, Certificate(2, 2)), new Event.Certified(host, Certificate(1, 1)))
            .At(3, new Event.EnrolRequested(token, host, "key-2"), new Event.EnrolRequested(token, _b.Name, "key-1"))
            .At(10, _a.Heartbeat(new Instant(10_000)))
            .At(20, new Event.HostRevoked(host), _a.Heartbeat(new Instant(20_000)), enrol)
            .At(30, new Event.TokenIssued(Ids.Token("t2"), host, new Instant(60_000)))
            .At(31, new Event.EnrolRequested(Ids.Token("t2"), host, "key-3"))
            .At(32, new Event.Certified(host, Certificate(3, 32)), _a.Heartbeat(new Instant(32_000)))
            .At(70, new Event.EnrolRequested(Ids.Token("t2"), host, "key-3"))
            .AtDeadline(PlaneMachine.Deadline, new Event.DeadlineReached())
            .IsAsWritten("enrolment");
    }

    /// FL-4: manifests and hosts are all it needs; no operator has to do a thing.
    [Fact]
    public void A_plane_starts_from_nothing()
    {
        var one = Fleet(1, "stable", ("a", 0), ("b", 1), ("c", 2));
        Converges(_a, one, 10);
        Fails(_b, one, 110);
        GoesBack(_b, one, 120);
        Tell("The plane's directory is lost after the second wave went wrong.")
            .At(0, new Event.Started(), new Event.Published(one))
            .At(1, _b.Heartbeat(new Instant(1000)), Told(_b, _b.Whole(one.Id)))
            .At(2, _a.Heartbeat(new Instant(2000)), Told(_a, _a.Whole(one.Id)))
            .At(3, _c.Heartbeat(new Instant(3000)))
            .IsAsWritten("rebuilt");
    }

    /// FL-2, FL-5: what a host declines is offered again, and meanwhile it is known why it has not got it.
    [Fact]
    public void A_host_declines()
    {
        var one = Fleet(1, "stable", ("a", 0), ("b", 1));
        Tell("A host has no room for it, and five minutes later it has.")
            .At(0, new Event.Published(one))
            .At(1.5, Told(_a, Seq1<Telling>(new Telling.Refused(one.Id, "no-space", "the disk is full"))))
            .AtDeadline(PlaneMachine.Deadline, new Event.DeadlineReached())
            .After(60, Converges(_a, one, 310))
            .IsAsWritten("declined");
    }

    private static Story<PlaneState, Event, PlaneEffect> Tell(string prose) =>
        new(prose, PlaneState.Initial, PlaneMachine.Step, Changes);

    private static IEnumerable<string> Changes(PlaneState before, PlaneState after)
    {
        foreach (var host in after.Hosts.Values)
        {
            var old = before.Hosts.Find(host.Name).IfNone(() => PlaneHost.Create(host.Name));
            if (before.Hosts.Find(host.Name).IsNone) yield return $"{host.Name} is met";
            if (host.Certificate != old.Certificate) yield return $"{host.Name} has {TracePrinter.Print(host.Certificate)}";
            if (host.RevokedAt != old.RevokedAt) yield return $"{host.Name} is shut out";
            if (host.Declined.Count != old.Declined.Count) yield return $"{host.Name} declines {host.Declined.Count}";
            foreach (var mirror in host.Mirrors.Values)
            {
                if (old.Mirrors.Find(mirror.Profile.Order.Id).Exists(known => ReferenceEquals(known, mirror))) continue;
                yield return $"{host.Name} {TracePrinter.Print(mirror)}";
            }
        }

        foreach (var rollout in after.Rollouts.Values)
        {
            if (before.Rollouts.Find(rollout.Order.Id).Exists(old => ReferenceEquals(old, rollout))) continue;
            yield return $"{rollout.Order.Id} {TracePrinter.Print(rollout.Phase)} {TracePrinter.Print(rollout.Waves)}";
        }

        foreach (var (name, channel) in after.Channels.AsEnumerable())
        {
            if (before.Channels.Find(name).Exists(old => ReferenceEquals(old, channel))) continue;
            var halted = channel.Halted ? ", halted" : "";
            var shut = string.Concat(channel.Quarantine.Keys.Select(release => ", without " + TracePrinter.Print(release)));
            yield return $"{name} at {channel.Newest}{halted}{shut}";
        }

        foreach (var id in before.Tokens.Keys.Where(id => after.Tokens.Find(id).IsNone)) yield return $"{id} is gone";
    }
}
