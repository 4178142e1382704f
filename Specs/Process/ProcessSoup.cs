using Agent.Core;
using Agent.Core.Process;
using Agent.Core.Time;
using Agent.Specs.Tools;
using LanguageExt;
using Effect = Agent.Core.Process.ProcessEffect;
using Event = Agent.Core.Process.ProcessEvent;
using State = Agent.Core.Process.ProcessState;

namespace Agent.Specs.Process;

/// <summary>Random events against one process: a service with an even seed, a task with an odd one.</summary>
internal sealed class ProcessSoup : Soup<State, Event, Effect>
{
    protected override Event DeadlineReached { get; } = new Event.DeadlineReached();

    public override Option<Instant> Deadline(State state) => ProcessMachine.Deadline(state);

    public override bool IsReject(Effect effect) => effect is Effect.Reject;

    public static ProcessSpec SpecOf(int seed) => seed % 2 == 0
        ? Specimens.Service("web") with
        {
            Restart = (RestartPolicy)(seed / 2 % 3),
            Ready = seed % 8 == 4 ? Specimens.Ready(TimeSpan.FromSeconds(3)) : Option<Readiness>.None,
        }
        : Specimens.Task("job");

    protected override State Initial(int seed) =>
        ProcessMachine.Create(Ids.Of("p1"), SpecOf(seed), new Instant(0), wait: seed / 6 % 4 == 0).State;

    protected override Transition<State, Effect> Step(int seed, State state, Timed<Event> input) =>
        ProcessMachine.Step(state, input);

    protected override Event Sample(Samples samples) => samples.Pin(Redeclaration).Any<Event>();

    protected override Event Aim(State state, Event @event) => @event switch
    {
        Event.SpawnCompleted completed => completed with { Generation = state.Profile.Generation },
        Event.SpawnFailed failed => failed with { Generation = state.Profile.Generation },
        Event.ExitObserved observed => observed with { Generation = state.Profile.Generation },
        Event.BecameReady ready => ready with { Generation = state.Profile.Generation },
        Event.Recovered(Observation.Alive) when state is State.Running running =>
            new Event.Recovered(new Observation.Alive(running.Identity)),
        Event.DependenciesMet or Event.StopRequested or Event.ShutdownRequested or Event.StartRequested or Event.RestartRequested
            or Event.SignalRequested or Event.Touched or Event.ReleaseRequested or Event.Redeclared
            or Event.Withdrawn or Event.Recovered or Event.DeadlineReached => @event,
    };

    private static ProcessSpec Redeclaration(Random random) =>
        Specimens.Service("web") with { EnvironmentDigest = random.Next(2) == 0 ? "digest" : "other" };
}
