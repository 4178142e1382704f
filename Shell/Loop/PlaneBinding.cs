using Agent.Core;
using Agent.Core.Plane;
using Agent.Core.Time;
using Agent.Shell.Journal.Codec;
using LanguageExt;

namespace Agent.Shell.Loop;

/// <summary>The plane's machine.</summary>
internal sealed class PlaneBinding : Binding<PlaneState, PlaneEvent, PlaneEffect>
{
    private PlaneBinding()
    {
    }

    public static PlaneBinding Instance { get; } = new();

    public override PlaneState Initial => PlaneState.Initial;

    public override PlaneEvent DeadlineReached { get; } = new PlaneEvent.DeadlineReached();

    public override Transition<PlaneState, PlaneEffect> Step(PlaneState state, Timed<PlaneEvent> input) =>
        PlaneMachine.Step(state, input);

    public override Option<Instant> Deadline(PlaneState state) => PlaneMachine.Deadline(state);

    public override Refusal? RefusalOf(PlaneEffect effect) => effect switch
    {
        PlaneEffect.Reject(var code, var reason) => new(code, reason),
        PlaneEffect.Offer or PlaneEffect.WaveOpened or PlaneEffect.Moved or PlaneEffect.Quarantined
            or PlaneEffect.QuarantineLifted or PlaneEffect.Certify or PlaneEffect.Revoke or PlaneEffect.Answer => null,
    };

    public override bool IsStart(PlaneEvent @event) => @event is PlaneEvent.Started;

    public override void Write(JsonOut to, PlaneEvent @event) => PlaneCodec.Write(to, @event);

    public override void Write(JsonOut to, Seq<PlaneEffect> effects) => PlaneCodec.Write(to, effects);

    public override void Write(JsonOut to, PlaneState state) => PlaneStateCodec.Write(to, state);

    public override PlaneEvent ReadEvent(ref JsonIn from) => PlaneCodec.ReadEvent(ref from);

    public override PlaneState ReadState(ref JsonIn from) => PlaneStateCodec.Read(ref from);
}
