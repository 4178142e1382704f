using System;
using System.Text;
using Agent.Core.Time;
using Agent.Shell.Journal.Codec;
using Agent.Shell.Loop;

namespace Agent.Shell.Journal;

/// <summary>
/// Re-executes recorded events through Core and holds each decision and digest against what was recorded. One path
/// for recovery, `agent replay`, what-if and the debugger: they differ in where they stop and what they do about a
/// difference.
/// </summary>
internal sealed class Replayer<TState, TEvent, TEffect>(Binding<TState, TEvent, TEffect> machine, TState initial) : IDisposable
{
    private readonly RecordBody<TState, TEvent, TEffect> _body = new(machine);

    public TState State { get; private set; } = initial;

    public Instant At { get; private set; }

    public void Dispose() => _body.Dispose();

    /// <summary>
    /// Steps one recorded event; answers how this build's decision differs from the recorded one, if it does.
    /// </summary>
    public Difference? Step(long seq, long unixMilliseconds, ReadOnlySpan<byte> body)
    {
        if (!body.StartsWith(RecordKeys.Event)) throw new UnknownRecordException("it has no event", 0);
        var from = new JsonIn(body[RecordKeys.Event.Length..]);
        var @event = machine.ReadEvent(ref from);
        At = new Instant(unixMilliseconds);
        var transition = machine.Step(State, new(At, @event));
        State = transition.State;

        var recorded = body[(RecordKeys.Event.Length + (int)from.Consumed)..];
        var decided = _body.Of(transition.Effects);
        if (!recorded.StartsWith(decided)) return Differs(seq, body, recorded, decided);
        return recorded.Length == decided.Length ? null : CheckDigest(seq, body, recorded[decided.Length..]);
    }

    private Difference? CheckDigest(long seq, ReadOnlySpan<byte> body, ReadOnlySpan<byte> rest)
    {
        if (!rest.StartsWith(RecordKeys.Digest)) return Differs(seq, body, rest, []);
        var recorded = Encoding.ASCII.GetString(rest[RecordKeys.Digest.Length..^1]);
        var computed = StateDigest.Of(machine, State);
        return recorded == computed ? null : new Difference(
            seq, Event(body), $"state digest {recorded}", $"state digest {computed}");
    }

    private Difference Differs(
        long seq, ReadOnlySpan<byte> body, ReadOnlySpan<byte> recorded, ReadOnlySpan<byte> decided) =>
        new(seq, Event(body), Effects(WithoutDigest(recorded)), Effects(decided));

    private string Event(ReadOnlySpan<byte> body)
    {
        var from = new JsonIn(body[RecordKeys.Event.Length..]);
        machine.ReadEvent(ref from);
        return Encoding.UTF8.GetString(body.Slice(RecordKeys.Event.Length, (int)from.Consumed));
    }

    private static ReadOnlySpan<byte> WithoutDigest(ReadOnlySpan<byte> rest)
    {
        var digest = rest.LastIndexOf(RecordKeys.Digest);
        return digest >= 0 ? rest[..digest] : rest;
    }

    private static string Effects(ReadOnlySpan<byte> fragment) => fragment.StartsWith(RecordKeys.Effects)
        ? Encoding.UTF8.GetString(fragment[RecordKeys.Effects.Length..])
        : fragment.IsEmpty ? "no effect" : Encoding.UTF8.GetString(fragment);
}

/// <summary>
/// One decision that this build would make otherwise: the event, what was decided then, and what would be now.
/// </summary>
internal sealed record Difference(long Seq, string Event, string Recorded, string Decided)
{
    public override string ToString() => $"seq {Seq}: {Event}\n  recorded {Recorded}\n  decided  {Decided}";
}
