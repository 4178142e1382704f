using System.Text;
using Agent.Core.Model;
using Agent.Core.Plane;
using Agent.Core.Rollout;
using Agent.Core.Time;
using Agent.Specs.Tools;
using LanguageExt;
using static LanguageExt.Prelude;
using Event = Agent.Core.Plane.PlaneEvent;
using Moment = Agent.Specs.Tools.Moment<
    Agent.Core.Plane.PlaneState, Agent.Core.Plane.PlaneEvent, Agent.Core.Plane.PlaneEffect>;

namespace Agent.Specs.Plane;

/// <summary>One thing that happens in the world; the number chooses among what is possible then.</summary>
internal sealed record Deed(int Kind, int Choice);

/// <summary>
/// Four hosts with their agents, two channels and a plane between which messages are lost, doubled, overtaken and sent
/// again. The plane's every step is kept.
/// </summary>
internal sealed class FleetWorld
{
    private static readonly string[] Names = ["a", "b", "c", "d"];
    private static readonly string[] Channels = ["stable", "edge"];
    private readonly List<(FleetHost From, Event Message)> _wire = [];
    private int _version;
    private Instant _now = new(0);

    public PlaneState State { get; private set; } = PlaneState.Initial;

    public List<Moment> Moments { get; } = [];

    public List<FleetHost> Hosts { get; } = [.. Names.Select(name => new FleetHost(name))];

    public List<FleetOrder> Manifests { get; } = [];

    /// <summary>Without operators nothing is halted, retried, deferred or shut out, so that the end depends on no order.</summary>
    public static FleetWorld Run(IReadOnlyList<Deed> deeds, bool operators)
    {
        var world = new FleetWorld();
        world.Publish(deeds.Count);
        foreach (var deed in deeds) world.Do(deed, operators);
        return world;
    }

    public static Deed Sample(Samples samples) => new(samples.Below(24), samples.Below(1 << 20));

    public static string Print(IEnumerable<Moment> moments)
    {
        var text = new StringBuilder();
        foreach (var (_, input, effects, _) in moments)
        {
            text.Append(TracePrinter.At(input.At)).Append("  ").Append(TracePrinter.Print(input.Event)).Append('\n');
            foreach (var effect in effects) text.Append("    ! ").Append(TracePrinter.Print(effect)).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>The wire is empty and works: each host says how far it is, and tells what the plane has not.</summary>
    public void Reconcile(bool whole)
    {
        _wire.Clear();
        foreach (var host in Hosts)
        {
            for (var rounds = 0; rounds < 3; rounds++)
            {
                var answers = Replays(Post(host.Heartbeat(_now)));
                foreach (var replay in answers) Post(new Event.Told(host.Name, host.Again(replay, whole)));
            }
        }
    }

    /// <summary>A plane with an empty directory is given the manifests that were published.</summary>
    public void Forget()
    {
        State = PlaneState.Initial;
        foreach (var manifest in Manifests) Post(new Event.Published(manifest));
    }

    private void Do(Deed deed, bool operators)
    {
        _now += TimeSpan.FromSeconds(deed.Choice % 50);
        var host = Hosts[deed.Choice % Hosts.Count];
        var channel = Ids.Channel(Channels[deed.Choice % 2]);
        switch (deed.Kind)
        {
            case 0: Publish(deed.Choice); break;
            case <= 4: Fetch(host, deed.Choice / 4); break;
            case <= 12:
                for (var steps = 0; steps <= deed.Choice / 4096 % 6; steps++) Go(host, (deed.Choice / 4) + (steps * 7), operators);
                break;
            case <= 17:
                for (var messages = 0; messages <= deed.Choice / 64 % 4; messages++) Deliver(deed.Choice + (messages * 5));
                break;
            case 18 or 19: Send(host, host.Heartbeat(_now)); break;
            case 20: Post(new Event.Started()); break;
            case 21 when operators && deed.Choice % 3 == 0: Post(new Event.HaltRequested(channel)); break;
            case 21 when operators: Post(new Event.ResumeRequested(channel)); break;
            case 22 when operators && deed.Choice % 16 == 0: Post(new Event.HostRevoked(host.Name)); break;
            default: Wait(host); break;
        }
    }

    private void Publish(int choice)
    {
        _version++;
        var hosts = Names.Where((_, i) => (choice >> (2 * i) & 3) < 2).Select((name, i) => (name, (choice >> (i + 4)) % 3))
            .DefaultIfEmpty(("a", 0)).ToArray();
        var order = PlaneSpecimens.Fleet(_version, 1 + (choice / 16 % 3), Channels[choice / 64 % 2], hosts);
        if (!Post(new Event.Published(order)).Exists(effect => effect is PlaneEffect.Reject)) Manifests.Add(order);
    }

    private void Fetch(FleetHost host, int choice)
    {
        if (!PlaneMachine.OfferFor(State, host.Name).TryGet(out var id)) return;
        if (!State.Rollouts.Find(id).TryGet(out var rollout) || !rollout.Order.For(host.Name).TryGet(out var order)) return;
        Send(host, new Event.Told(host.Name, choice % 8 == 0
            ? Seq1<Telling>(new Telling.Refused(id, "no-space", ""))
            : host.Accept(order, _now)));
    }

    /// <summary>A rollout of this host goes on, well or badly.</summary>
    private void Go(FleetHost host, int choice, bool operators)
    {
        var open = host.Rollouts.All.Values.Where(state => !state.IsTerminal).ToArray();
        if (open.Length == 0) return;
        var state = open[choice % open.Length];
        var order = state.Profile.Order;
        var bad = choice / 8 % 12 == 0;
        if (state is RolloutState.Soaking { Probes: var probes } && probes.ForAll(probe => probe.Passing))
        {
            Wait(host);
            return;
        }

        RolloutEvent? next = state switch
        {
            RolloutState.Activating { Begun: false } a => new RolloutEvent.ActivationStarted(
                a.Switch.Activation, Ids.Release(9), "release"),
            RolloutState.Activating a when bad => new RolloutEvent.ActivationFailed(a.Switch.Activation, "hook-failed", ""),
            RolloutState.Activating a when operators && choice / 32 % 4 == 0 =>
                new RolloutEvent.ActivationDeferred(a.Switch.Activation, "kernel", Specimens.Boot),
            RolloutState.Activating a => new RolloutEvent.ActivationCompleted(a.Switch.Activation, order.Target),
            RolloutState.Deferred d => new RolloutEvent.ActivationCompleted(d.Switch.Activation, order.Target),
            RolloutState.Soaking s => new RolloutEvent.ProbeReported(
                s.Switch.Activation, Ids.Probe("http"), bad ? new ProbeOutcome.Failed("") : new ProbeOutcome.Passed(""),
                Seq<ControlResult>()),
            RolloutState.Failed { Recovery: Recovery.RollingBack } f when bad =>
                new RolloutEvent.RollbackFailed(f.Switch.Activation, "hook-failed", ""),
            RolloutState.Failed { Recovery: Recovery.RollingBack } f => new RolloutEvent.RollbackCompleted(
                f.Switch.Activation, f.Switch.Previous),
            RolloutState.Failed when operators => new RolloutEvent.RetryRequested(),
            RolloutState.Failed or RolloutState.Pending or RolloutState.Converged or RolloutState.Reverted
                or RolloutState.Superseded => null,
        };
        if (next is not null) Send(host, new Event.Told(host.Name, host.Report(order.Id, next, _now)));
    }

    private void Wait(FleetHost host)
    {
        _now += TimeSpan.FromMinutes(2);
        Send(host, new Event.Told(host.Name, host.Wake(_now)));
        if (PlaneMachine.Deadline(State).TryGet(out var due) && due <= _now) Post(new Event.DeadlineReached());
    }

    /// <summary>Any message of all that are under way arrives, is lost, or arrives and arrives again later.</summary>
    private void Deliver(int choice)
    {
        if (_wire.Count == 0) return;
        var at = choice % 3 == 0 ? choice / 8 % _wire.Count : 0;
        var (from, message) = _wire[at];
        var fate = choice / 4 % 8;
        if (fate != 0) _wire.RemoveAt(at);
        if (fate == 1) return;
        foreach (var replay in Replays(Post(message)))
        {
            Send(from, new Event.Told(from.Name, from.Again(replay, whole: choice % 2 == 0)));
        }
    }

    private void Send(FleetHost host, Event message)
    {
        if (message is not Event.Told { Tellings.IsEmpty: true }) _wire.Add((host, message));
    }

    private Seq<PlaneEffect> Post(Event @event)
    {
        var input = new Timed<Event>(_now, @event);
        var step = PlaneMachine.Step(State, input);
        Moments.Add(new(State, input, step.Effects, step.State));
        State = step.State;
        return step.Effects;
    }

    private static List<Verdict.Replay> Replays(Seq<PlaneEffect> effects) =>
    [
        .. effects.OfType<PlaneEffect.Answer>().SelectMany(answer => answer.Verdicts).OfType<Verdict.Replay>()
            .DistinctBy(replay => replay.Id.Value),
    ];
}
