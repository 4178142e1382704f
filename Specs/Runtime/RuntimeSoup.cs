using Agent.Core;
using Agent.Core.Runtime;
using Agent.Core.Time;
using Agent.Specs.Tools;
using LanguageExt;
using Effect = Agent.Core.Runtime.RuntimeEffect;
using Event = Agent.Core.Runtime.RuntimeEvent;
using State = Agent.Core.Runtime.RuntimeState;

namespace Agent.Specs.Runtime;

/// <summary>Random events against the runtime; an even seed keeps it always.</summary>
internal sealed class RuntimeSoup : Soup<State, Event, Effect>
{
    protected override Event DeadlineReached { get; } = new Event.DeadlineReached();

    public override Option<Instant> Deadline(State state) => RuntimeMachine.Deadline(state);

    public override bool IsReject(Effect effect) => effect is Effect.Reject;

    protected override State Initial(int seed) => RuntimeMachine.Initial;

    protected override Transition<State, Effect> Step(int seed, State state, Timed<Event> input) =>
        RuntimeMachine.Step(
            RuntimePolicy.Default with { Keep = seed % 2 == 0 ? Keep.Always : Keep.OnDemand }, state, input);

    protected override Event Sample(Samples samples) => samples.Any<Event>();

    protected override Event Aim(State state, Event @event) => @event switch
    {
        Event.StartProgressed progressed => progressed with { Attempt = state.History.Attempt },
        Event.StartCompleted completed => completed with { Attempt = state.History.Attempt },
        Event.StartFailed failed => failed with { Attempt = state.History.Attempt },
        Event.EnsureRequested or Event.StopRequested or Event.DaemonExited or Event.ProbePassed or Event.ProbeFailed
            or Event.PolicyChanged or Event.Started or Event.DeadlineReached => @event,
    };
}
