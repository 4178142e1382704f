using Agent.Core.Model;
using Agent.Core.Runtime;
using Agent.Core.Time;
using Agent.Specs.Tools;
using LanguageExt;
using Xunit;
using Effect = Agent.Core.Runtime.RuntimeEffect;
using Event = Agent.Core.Runtime.RuntimeEvent;
using State = Agent.Core.Runtime.RuntimeState;

namespace Agent.Specs.Runtime;

/// <summary>What holds for the runtime whatever happens, in whatever order.</summary>
public sealed class RuntimeLaws
{
    private static readonly RuntimeSoup Soup = new();

    /// CO-2, CO-9: the same events lead to the same trace, and none throws.
    [Fact]
    public void It_is_total_and_deterministic() => Soup.IsTotalAndDeterministic();

    /// CO-2, CO-9: a refused event leaves the state as it was.
    [Fact]
    public void A_refusal_changes_nothing() => Soup.ARefusalChangesNothing();

    /// CO-4, CO-9: deadlines lie ahead of now, or their event makes progress.
    [Fact]
    public void Deadlines_make_progress() => Soup.DeadlinesMakeProgress();

    /// RT-3, RT-4: however it is disturbed, an attempt is over at the deadline it began with.
    [Fact]
    public void Starting_ends_by_its_deadline() => Soup.EachStep(moment =>
    {
        if (moment.After is not State.Starting starting) return;
        Assert.Equal(RuntimePolicy.Default.StartTimeout, starting.Until - starting.Since);
        Assert.True(starting.Since <= moment.Input.At);
        if (moment.Before is State.Starting before && before.History.Attempt == starting.History.Attempt)
        {
            Assert.Equal(before.Until, starting.Until);
        }

        Assert.False(moment.Input.Event is Event.DeadlineReached && starting.Until <= moment.Input.At);
    });

    /// RT-3: whoever asks while it starts or runs joins; only the first one begins an attempt.
    [Fact]
    public void Any_number_of_ensures_begin_one_attempt() => Soup.EachStep(moment =>
    {
        var policy = RuntimePolicy.Default;
        var asked = RuntimeMachine.Step(policy, moment.After, new(moment.Input.At, new Event.EnsureRequested()));
        var again = RuntimeMachine.Step(policy, asked.State, new(moment.Input.At, new Event.EnsureRequested()));
        Assert.True(asked.State is State.Starting or State.Ready);
        Assert.Same(asked.State, again.State);
        Assert.True(again.Effects.IsEmpty);
    });

    /// RT-3, RT-9: attempts are numbered from one, without gaps, and each is issued under its own number.
    [Fact]
    public void Attempts_are_numbered_without_gaps() => Soup.EachStep(moment =>
    {
        var (before, after) = (moment.Before.History.Attempt, moment.After.History.Attempt);
        Assert.InRange(after - before, 0, 1);
        var started = moment.Effects.Filter(effect => effect is Effect.StartRuntime).ToArray();
        if (after > before) Assert.Single(started);
        Assert.All(started, effect => Assert.Equal(after, ((Effect.StartRuntime)effect).Attempt));
    });

    /// RT-9: once something failed its cause stands until the next failure takes its place.
    [Fact]
    public void The_last_cause_is_never_hidden() => Soup.EachStep(moment =>
    {
        if (!moment.Before.History.LastFailure.TryGet(out var before)) return;
        Assert.True(moment.After.History.LastFailure.TryGet(out var after));
        if (moment.After is State.Degraded or State.Failed && after != before) Assert.True(after.At == moment.Input.At);
        else Assert.Equal(before, after);
    });

    /// RT-8: unasked restarts keep their distance, and there are five at most in ten minutes.
    [Fact]
    public void Unasked_restarts_keep_the_back_off_and_the_circuit() => Soup.Always(trace =>
    {
        var restarts = new List<Instant>();
        Instant? down = null;
        foreach (var (before, input, effects, after) in trace)
        {
            var fell = before is State.Starting or State.Ready && after is State.Degraded or State.Failed;
            if (fell) down = input.At;
            if (!effects.Exists(effect => effect is Effect.StartRuntime) || before is State.Starting) continue;
            if (input.Event is not Event.DeadlineReached)
            {
                restarts.Clear();
                continue;
            }

            restarts.RemoveAll(at => input.At - at >= RuntimePolicy.CircuitWindow);
            Assert.True(restarts.Count < RuntimePolicy.CircuitRestarts, "a sixth restart in ten minutes");
            var wait = TimeSpan.FromSeconds(Math.Min(60, 1 << restarts.Count));
            Assert.True(input.At - down!.Value >= wait, $"restarted before the back-off of {wait}");
            restarts.Add(input.At);
        }
    });

    /// RT-8: a retry that stands comes when it was promised, however often the configuration is read meanwhile.
    [Fact]
    public void A_standing_retry_is_not_put_off() => Soup.EachStep(moment =>
    {
        if (!RetryOf(moment.Before).TryGet(out var before) || !RetryOf(moment.After).TryGet(out var after)) return;
        Assert.Equal(before, after);
    });

    /// RT-10: after the user's stop nothing but an ensure starts anything.
    [Fact]
    public void What_its_user_stopped_stays_down_until_an_ensure() => Soup.EachStep(moment =>
    {
        if (moment.Input.Event is Event.StopRequested) Assert.True(moment.After is State.NotStarted { Held: true });
        if (moment.Before is not State.NotStarted { Held: true }) return;
        if (moment.Input.Event is Event.EnsureRequested) Assert.True(moment.After is State.Starting);
        else Assert.True(moment.After is State.NotStarted { Held: true });
    });

    /// CO-9: the same fact twice acts once.
    [Fact]
    public void The_same_fact_twice_acts_once() => Soup.EachStep(moment =>
    {
        if (moment.Input.Event is not (Event.StartCompleted or Event.StartFailed or Event.StopRequested)) return;
        var again = RuntimeMachine.Step(RuntimePolicy.Default, moment.After, moment.Input);
        Assert.Equal(moment.After, again.State);
        Assert.DoesNotContain(again.Effects, effect => effect is Effect.StartRuntime);
    });

    private static Option<Instant> RetryOf(State state) => state switch
    {
        State.Degraded degraded => degraded.RetryAt,
        State.Failed failed => failed.RetryAt,
        State.NotStarted or State.Starting or State.Ready => Option<Instant>.None,
    };
}
