using System.Text;
using Agent.Core;
using Agent.Core.Model;
using Agent.Core.Time;
using LanguageExt;
using Xunit;

namespace Agent.Specs.Tools;

/// <summary>One step of a trace.</summary>
public sealed record Moment<TState, TEvent, TEffect>(
    TState Before, Timed<TEvent> Input, Seq<TEffect> Effects, TState After);

/// <summary>
/// An event of a random script: this long after the one before, or at the state's deadline. An aimed one is made to
/// concern the attempt or generation that is under way when its turn comes.
/// </summary>
public sealed record Pinch<TEvent>(TimeSpan Gap, bool AtDeadline, bool Aimed, TEvent Event);

/// <summary>
/// Random events in random order against one machine, whether they make sense or not, and the laws that hold for
/// every machine.
/// </summary>
public abstract class Soup<TState, TEvent, TEffect>
    where TState : class
    where TEvent : class
{
    /// <summary>Long enough to go round each machine's life more than once.</summary>
    private const int Longest = 24;

    protected abstract TEvent DeadlineReached { get; }

    protected abstract TState Initial(int seed);

    protected abstract Transition<TState, TEffect> Step(int seed, TState state, Timed<TEvent> input);

    public abstract Option<Instant> Deadline(TState state);

    protected abstract TEvent Sample(Samples samples);

    protected abstract TEvent Aim(TState state, TEvent @event);

    public abstract bool IsReject(TEffect effect);

    /// <summary>Each trace obeys.</summary>
    public void Always(Action<IReadOnlyList<Moment<TState, TEvent, TEffect>>> holds) =>
        Law.Over(Longest, Item, script => Print(Run(script)), script => holds(Run(script)));

    /// <summary>Each step of each trace obeys.</summary>
    public void EachStep(Action<Moment<TState, TEvent, TEffect>> holds) => Always(trace =>
    {
        foreach (var moment in trace) holds(moment);
    });

    /// <summary>The same script leads twice to the same trace, and no step throws.</summary>
    public void IsTotalAndDeterministic() =>
        Law.Over(Longest, Item, script => Print(Run(script)), script =>
        {
            var (first, second) = (Run(script), Run(script));
            for (var i = 0; i < first.Count; i++)
            {
                Assert.True(Same(first[i].After, second[i].After), $"step {i} led to two states");
                Assert.True(Same(first[i].Effects, second[i].Effects), $"step {i} had two sets of effects");
            }
        });

    /// <summary>A refusal is the only effect of its step, and the state is the very same object.</summary>
    public void ARefusalChangesNothing() => EachStep(moment =>
    {
        if (!moment.Effects.Exists(IsReject)) return;
        Assert.Same(moment.Before, moment.After);
        Assert.Equal(1, moment.Effects.Count);
    });

    /// <summary>
    /// A deadline that has come is dealt with by one event: what is left lies ahead, or the timer would fire forever.
    /// </summary>
    public void DeadlinesMakeProgress() => EachStep(moment =>
    {
        if (!Deadline(moment.After).TryGet(out var at)) return;
        var now = Instant.Earlier(at, moment.Input.At) == at ? moment.Input.At : at;
        var state = moment.After;
        for (var rounds = 0; Deadline(state).TryGet(out var due) && due <= now; rounds++)
        {
            Assert.True(rounds < 3, $"the deadline {TracePrinter.At(due)} stays");
            state = Step(0, state, new(now, DeadlineReached)).State;
        }
    });

    public IReadOnlyList<Moment<TState, TEvent, TEffect>> Run(Script<Pinch<TEvent>> script)
    {
        var moments = new List<Moment<TState, TEvent, TEffect>>(script.Items.Count);
        var state = Initial(script.Seed);
        var now = new Instant(0);
        foreach (var item in script.Items)
        {
            var jump = item.AtDeadline && Deadline(state).IsSome;
            var due = Deadline(state).IfNone(now);
            now = !jump ? now + item.Gap : due < now ? now : due;
            var @event = jump ? DeadlineReached : item.Aimed ? Aim(state, item.Event) : item.Event;
            var input = new Timed<TEvent>(now, @event);
            var step = Step(script.Seed, state, input);
            moments.Add(new(state, input, step.Effects, step.State));
            state = step.State;
        }

        return moments;
    }

    private Pinch<TEvent> Item(Samples samples) =>
        new(Gap(samples), samples.Below(4) == 0, samples.Below(4) != 0, Sample(samples));

    private static TimeSpan Gap(Samples samples) => samples.Below(4) switch
    {
        0 => TimeSpan.Zero,
        1 => TimeSpan.FromMilliseconds(samples.Below(1000)),
        2 => TimeSpan.FromSeconds(samples.Below(120)),
        _ => TimeSpan.FromMinutes(samples.Below(20)),
    };

    private static bool Same(object left, object right) =>
        ReferenceEquals(left, right) || left.Equals(right) || TracePrinter.Print(left) == TracePrinter.Print(right);

    private static string Print(IReadOnlyList<Moment<TState, TEvent, TEffect>> trace)
    {
        var text = new StringBuilder();
        foreach (var (before, input, effects, after) in trace)
        {
            text.Append(TracePrinter.At(input.At)).Append("  ").Append(TracePrinter.Print(input.Event)).Append('\n');
            foreach (var effect in effects) text.Append("    ! ").Append(TracePrinter.Print(effect)).Append('\n');
            if (!ReferenceEquals(before, after)) text.Append("    > ").Append(TracePrinter.Print(after)).Append('\n');
        }

        return text.ToString();
    }
}
