using Agent.Core;
using Agent.Core.Container;
using Agent.Core.Model;
using Agent.Core.Time;
using Agent.Specs.Tools;
using LanguageExt;
using Effect = Agent.Core.Container.ContainerEffect;
using Event = Agent.Core.Container.ContainersEvent;

namespace Agent.Specs.Container;

/// <summary>Random events against the set: four uids, three of which may be declared, answers true and false, old and new.</summary>
internal sealed class ContainerSoup : Soup<Containers, Event, Effect>
{
    protected override Event DeadlineReached { get; } = new Event.DeadlineReached();

    public override Option<Instant> Deadline(Containers state) => state.Deadline;

    public override bool IsReject(Effect effect) => effect is Effect.Reject;

    protected override Containers Initial(int seed) => Containers.Empty;

    /// <summary>With an odd seed the runtime is never ready.</summary>
    protected override Transition<Containers, Effect> Step(int seed, Containers state, Timed<Event> input)
    {
        var step = state.Step(input, runtimeReady: seed % 2 == 0);
        return new(step.Containers, step.Effects);
    }

    /// <summary>A list tells each container of its own row.</summary>
    protected override Event Sample(Samples samples)
    {
        var drawn = samples.Pin(Spec).Pin("Digest", random => "v" + (1 + random.Next(2))).Any<Event>();
        return drawn is Event.One(var uid, ContainerEvent.Observed(var pass, var found))
            ? new Event.One(uid, new ContainerEvent.Observed(pass, found.Map(container => container with { Uid = uid })))
            : drawn;
    }

    protected override Event Aim(Containers state, Event @event) => @event switch
    {
        Event.One(var uid, var one) => new Event.One(uid, Answer(state, uid, one)),
        Event.Listed listed => listed with { Pass = state.Pass },
        Event.ListConfirmed => new Event.ListConfirmed(state.Pass),
        Event.ListFailed failed => failed with { Pass = state.Pass },
        Event.Declared or Event.UpRequested or Event.DownRequested or Event.ReconcileRequested or Event.EngineChanged
            or Event.EngineReady or Event.Recovered or Event.DeadlineReached => @event,
    };

    /// <summary>Half of what is aimed answers the call under way, whatever was drawn.</summary>
    private static ContainerEvent Answer(Containers state, ContainerUid uid, ContainerEvent drawn)
    {
        if (!state.Find(uid).TryGet(out var item)) return drawn;
        var call = item.Profile.Calls;
        return item switch
        {
            ContainerState.Pulling => new ContainerEvent.PullCompleted(call),
            ContainerState.Creating => new ContainerEvent.CreateCompleted(call, $"{uid}-{call}"),
            ContainerState.Starting => new ContainerEvent.StartCompleted(call),
            ContainerState.Stopping when call % 3 == 0 => new ContainerEvent.StopFailed(call, "no luck"),
            ContainerState.Stopping => new ContainerEvent.StopCompleted(call),
            ContainerState.Removing => new ContainerEvent.RemoveCompleted(call),
            ContainerState.Idle => drawn,
        };
    }

    private static ContainerSpec Spec(Random random)
    {
        var which = random.Next(3);
        return (which == 0 ? Specimens.Container("c0", "c1") : Specimens.Container("c" + which)) with
        {
            Restart = (ContainerRestart)random.Next(3),
            Digest = "v" + (1 + random.Next(2)),
        };
    }
}
