using System.Runtime.CompilerServices;
using System.Text;
using Agent.Core;
using Agent.Core.Time;
using LanguageExt;
using Xunit;

namespace Agent.Specs.Tools;

/// <summary>
/// A machine's run told line by line: the event at the margin, `!` before each effect, `>` before each new state. An
/// event that leaves the state alone has no `>` line.
/// </summary>
public sealed class Story<TState, TEvent, TEffect>
    where TState : class
    where TEvent : class
{
    /// <summary>As wide as an instant with milliseconds.</summary>
    private const string Margin = "              ";

    private readonly Func<TState, Timed<TEvent>, Transition<TState, TEffect>> _step;
    private readonly Func<TState, TState, IEnumerable<string>> _changes;
    private readonly StringBuilder _text = new();
    private Instant _now = new(0);

    public Story(
        string prose,
        TState initial,
        Func<TState, Timed<TEvent>, Transition<TState, TEffect>> step,
        Func<TState, TState, IEnumerable<string>>? changes = null)
    {
        State = initial;
        _step = step;
        _changes = changes ?? ((before, after) => ReferenceEquals(before, after) ? [] : [TracePrinter.Print(after)]);
        _text.Append(prose).Append("\n\n");
    }

    public TState State { get; private set; }

    /// <summary>What happened, this many seconds after the epoch.</summary>
    public Story<TState, TEvent, TEffect> At(double seconds, params TEvent[] events)
    {
        var at = new Instant((long)Math.Round(seconds * 1000));
        Assert.True(at >= _now, "a story goes forward");
        _now = at;
        foreach (var @event in events) Tell(@event);
        return this;
    }

    /// <summary>What happened this many seconds after the event before.</summary>
    public Story<TState, TEvent, TEffect> After(double seconds, params TEvent[] events) =>
        At((_now.UnixMilliseconds / 1000.0) + seconds, events);

    /// <summary>A line of the narrator's, for what the machine cannot see.</summary>
    public Story<TState, TEvent, TEffect> Meanwhile(string what)
    {
        _text.Append("-- ").Append(what).Append('\n');
        return this;
    }

    /// <summary>Time passes until the deadline that the state names, and that is the event.</summary>
    public Story<TState, TEvent, TEffect> AtDeadline(Func<TState, Option<Instant>> deadline, TEvent reached)
    {
        _now = deadline(State).IfNone(() => throw new InvalidOperationException($"no deadline in {State}"));
        Tell(reached);
        return this;
    }

    public void IsAsWritten(string name, [CallerFilePath] string specFile = "") =>
        Golden.Check(_text.ToString(), name, specFile);

    private void Fact(char sign, string text) =>
        _text.Append(Margin).Append(sign).Append(' ').Append(text).Append('\n');

    private void Tell(TEvent @event)
    {
        var before = State;
        var step = _step(before, new(_now, @event));
        State = step.State;
        _text.Append(TracePrinter.At(_now).PadRight(Margin.Length + 2)).Append(TracePrinter.Print(@event)).Append('\n');
        foreach (var effect in step.Effects) Fact('!', TracePrinter.Print(effect));
        foreach (var change in _changes(before, State)) Fact('>', change);
    }
}
