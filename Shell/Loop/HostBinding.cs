using Agent.Core;
using Agent.Core.Companion;
using Agent.Core.Container;
using Agent.Core.Host;
using Agent.Core.Outbox;
using Agent.Core.Process;
using Agent.Core.Rollout;
using Agent.Core.Runtime;
using Agent.Core.Time;
using Agent.Shell.Journal.Codec;
using LanguageExt;

namespace Agent.Shell.Loop;

/// <summary>The agent's machine.</summary>
internal sealed class HostBinding : Binding<HostState, HostEvent, HostEffect>
{
    private HostBinding()
    {
    }

    public static HostBinding Instance { get; } = new();

    public override HostState Initial => HostState.Initial;

    public override HostEvent DeadlineReached { get; } = new HostEvent.DeadlineReached();

    public override Transition<HostState, HostEffect> Step(HostState state, Timed<HostEvent> input) =>
        HostMachine.Step(state, input);

    public override Option<Instant> Deadline(HostState state) => HostMachine.Deadline(state);

    public override Refusal? RefusalOf(HostEffect effect) => effect switch
    {
        HostEffect.Runtime(RuntimeEffect.Reject(var code, var reason)) => new(code, reason),
        HostEffect.Process(ProcessEffect.Reject(var code, var reason)) => new(code, reason),
        HostEffect.Rollout(RolloutEffect.Reject(var code, var reason)) => new(code, reason),
        HostEffect.Outbox(OutboxEffect.Reject(var code, var reason)) => new(code, reason),
        HostEffect.Container(ContainerEffect.Reject(var code, var reason)) => new(code, reason),
        HostEffect.Companion(CompanionEffect.Reject(var code, var reason)) => new(code, reason),
        HostEffect.Runtime or HostEffect.Process or HostEffect.Rollout or HostEffect.Outbox or HostEffect.Container
            or HostEffect.Companion => null,
    };

    public override bool IsStart(HostEvent @event) => @event is HostEvent.Started;

    public override void Write(JsonOut to, HostEvent @event) => HostCodec.Write(to, @event);

    public override void Write(JsonOut to, Seq<HostEffect> effects) => HostCodec.Write(to, effects);

    public override void Write(JsonOut to, HostState state) => HostCodec.Write(to, state);

    public override HostEvent ReadEvent(ref JsonIn from) => HostCodec.ReadEvent(ref from);

    public override HostState ReadState(ref JsonIn from) => HostCodec.ReadState(ref from);
}
