using Agent.Core.Model;
using Agent.Core.Plane;
using Agent.Core.Rollout;
using Agent.Core.Time;
using Agent.Specs.Tools;
using LanguageExt;
using static LanguageExt.Prelude;

namespace Agent.Specs.Plane;

/// <summary>Manifests for small fleets, and what a host tells that goes through them.</summary>
internal static class PlaneSpecimens
{
    public static Certificate Certificate(int number, double at) =>
        new("serial-" + number, new Instant((long)(at * 1000)), new Instant(((long)at + 1_000_000) * 1000));

    /// <summary>Release n as version n, each host in its wave; the policy is that of <see cref="Specimens.Order"/>.</summary>
    public static FleetOrder Fleet(int number, string channel, params (string Host, int Wave)[] hosts) =>
        Fleet(number, number, channel, hosts);

    public static FleetOrder Fleet(int number, int release, string channel, params (string Host, int Wave)[] hosts)
    {
        var order = Specimens.Order(number, channel);
        return new(
            order.Id, order.Version, order.Activator, order.Policy, order.Probes,
            Seq(Option<TimeSpan>.None, Some(TimeSpan.FromSeconds(30))),
            hosts.Aggregate(
                Map<OrdHostName, HostName, HostRow>(),
                (map, host) => map.AddOrUpdate(Ids.Host(host.Host), new HostRow(Ids.Release(release), host.Wave))));
    }

    public static PlaneEvent Told(FleetHost host, params Seq<Telling>[] tellings) =>
        new PlaneEvent.Told(host.Name, tellings.Aggregate(Seq<Telling>(), (all, more) => all.Concat(more).Strict()));

    /// <summary>The host takes it and converges, all told at once.</summary>
    public static PlaneEvent Converges(FleetHost host, FleetOrder fleet, double at)
    {
        var (order, now) = (OrderFor(fleet, host), At(at));
        return Told(
            host, host.Accept(order, now), Switches(host, order, now),
            host.Report(order.Id, Probed(new ProbeOutcome.Passed("200")), now),
            host.Wake(now + order.Policy.Soak));
    }

    /// <summary>The host takes it, its switch fails, and it goes back.</summary>
    public static PlaneEvent Fails(FleetHost host, FleetOrder fleet, double at)
    {
        var (order, now) = (OrderFor(fleet, host), At(at));
        return Told(
            host, host.Accept(order, now),
            host.Report(order.Id, new RolloutEvent.ActivationStarted(1, Ids.Release(0), "release"), now),
            host.Report(order.Id, new RolloutEvent.ActivationFailed(1, "hook-failed", "exit 1"), now));
    }

    public static PlaneEvent GoesBack(FleetHost host, FleetOrder fleet, double at) => Told(
        host, host.Report(fleet.Id, new RolloutEvent.RollbackCompleted(2, Ids.Release(0)), At(at)));

    public static RolloutOrder OrderFor(FleetOrder fleet, FleetHost host) =>
        fleet.For(host.Name).IfNone(() => throw new InvalidOperationException($"{host.Name} is not listed"));

    private static Seq<Telling> Switches(FleetHost host, RolloutOrder order, Instant now) => host
        .Report(order.Id, new RolloutEvent.ActivationStarted(1, Ids.Release(0), "release"), now)
        .Concat(host.Report(order.Id, new RolloutEvent.ActivationCompleted(1, order.Target), now)).Strict();

    private static RolloutEvent.ProbeReported Probed(ProbeOutcome outcome) =>
        new(1, Ids.Probe("http"), outcome, Seq<ControlResult>());

    private static Instant At(double seconds) => new((long)(seconds * 1000));
}
