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

/// <summary>Which events mean something to which plane.</summary>
public sealed class PlaneLegality
{
    private static readonly FleetOrder First = Fleet(1, "stable", ("a", 0), ("b", 1));
    private static readonly Instant Now = new(1_000_000);

    /// CO-2, CO-8, FL-1, WI-1: `+` changes the plane, `=` is taken and changes nothing, `.` is refused. The events are those
    /// of host a and channel stable, and version 2 of it. Upstream: upsert, CAS conflict, CAS needs object (store): a
    /// newer manifest is taken whether there is one or not, an older one is not, and no channel is halted that is not
    /// there.
    [Fact]
    public void A_plane_takes_or_refuses_each_event_as_the_table_says() => Legality.Check(
        """
                        | Initial Active Halted Converged Failed Superseded Token Revoked
        Started         | =       =      =      =         =      =          =     =
        Published       | +       +      +      +         +      .          +     +
        TokenIssued     | +       +      +      +         +      +          .     +
        EnrolRequested  | .       .      .      .         .      .          +     .
        Certified       | +       +      +      +         +      +          +     .
        HostRevoked     | +       +      +      +         +      +          +     =
        Heartbeat       | +       +      +      +         +      +          +     .
        Told            | +       +      +      =         =      +          +     .
        HaltRequested   | .       +      =      +         +      +          .     +
        ResumeRequested | .       =      +      =         =      =          .     =
        DeadlineReached | =       =      =      =         =      =          =     =
        """,
        Planes.Keys,
        new Samples(1)
            .Pin(_ => Fleet(2, "stable", ("a", 0), ("b", 1)))
            .Pin(_ => Ids.Host("a"))
            .Pin(_ => Ids.Channel("stable"))
            .Pin(_ => Ids.Token("t1"))
            .Pin("Expires", _ => Now + TimeSpan.FromHours(1))
            .Pin(_ => Certificate(1, 2000))
            .Pin(_ => Seq1<Telling>(new Telling.Refused(First.Id, "no-space", "")))
            .Pin(_ => new HostReport(Now, Specimens.Boot, "1.0.0", Seq<RunningRelease>(), Seq<RolloutMark>()))
            .EachCase<Event>(),
        (name, @event) =>
        {
            var step = PlaneMachine.Step(Planes[name], new(Now, @event));
            return step.Effects.Exists(effect => effect is PlaneEffect.Reject) ? "."
                : ReferenceEquals(step.State, Planes[name]) ? "=" : "+";
        });

    private static readonly Dictionary<string, PlaneState> Planes = new()
    {
        ["Initial"] = PlaneState.Initial,
        ["Active"] = Run(new Event.Published(First)),
        ["Halted"] = Run(new Event.Published(First), new Event.HaltRequested(First.Channel)),
        ["Converged"] = Run(
            new Event.Published(First), Converges(new FleetHost("a"), First, 1), Converges(new FleetHost("b"), First, 1)),
        ["Failed"] = Run(new Event.Published(First), Fails(new FleetHost("a"), First, 1)),
        ["Superseded"] = Run(new Event.Published(First), new Event.Published(Fleet(3, "stable", ("a", 0)))),
        ["Token"] = Run(new Event.TokenIssued(Ids.Token("t1"), Ids.Host("a"), Now + TimeSpan.FromHours(1))),
        ["Revoked"] = Run(new Event.Published(First), new Event.HostRevoked(Ids.Host("a"))),
    };

    private static PlaneState Run(params Event[] events) => events.Aggregate(
        PlaneState.Initial, (state, @event) => PlaneMachine.Step(state, new(new Instant(1000), @event)).State);
}
