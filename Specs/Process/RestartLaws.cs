using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Core.Time;
using Agent.Specs.Tools;
using Xunit;
using Event = Agent.Core.Process.ProcessEvent;
using State = Agent.Core.Process.ProcessState;

namespace Agent.Specs.Process;

/// <summary>
/// A service that dies again and again, beside a second account of its streaks in the plainest way. Random events
/// alone hardly ever lead through more than a few lives.
/// </summary>
public sealed class RestartLaws
{
    /// <summary>Long enough for a back-off of a minute and for a second streak after it.</summary>
    private const int Longest = 24;

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    /// PR-12: 0, 1, 2, 4 s and so on to a minute; a minute of running or somebody's start begins it anew.
    [Fact]
    public void Restarts_wait_twice_as_long_each_time() => Over(ends =>
    {
        var streak = 0;
        foreach (var (at, ran, anew, state) in ends)
        {
            streak = anew || ran >= Minute ? 1 : streak + 1;
            if (streak == 1)
            {
                Assert.IsType<State.Starting>(state);
                continue;
            }

            var wait = Math.Min(60, Math.Pow(2, streak - 2));
            Assert.Equal(TimeSpan.FromSeconds(wait), Assert.IsType<State.Backoff>(state).Until - at);
        }
    });

    /// PR-12: five exits within a minute show as crash-looping until a run was stable or somebody starts it.
    [Fact]
    public void Five_exits_in_a_minute_are_a_crash_loop() => Over(ends =>
    {
        var exits = new List<Instant>();
        var looping = false;
        foreach (var (at, ran, anew, state) in ends)
        {
            if (anew || ran >= Minute)
            {
                exits.Clear();
                looping = false;
            }

            exits.Add(at);
            looping |= exits.Count >= 5 && at - exits[^5] <= Minute;
            Assert.Equal(looping, state.Profile.Tally.CrashLooping);
            Assert.True(state.Profile.Tally.Exits.Count <= RestartTally.CrashLoopExits, "the tally grows");
        }
    });

    private static void Over(Action<List<End>> holds) =>
        Law.Over(Longest, Life.Sample, script => string.Join('\n', Run(script)), script => holds(Run(script)));

    private static List<End> Run(Script<Life> script)
    {
        var ends = new List<End>();
        var now = new Instant(0);
        var anew = false;
        var state = ProcessMachine.Create(Ids.Of("p1"), Specimens.Service("web"), now, wait: false).State;
        foreach (var life in script.Items)
        {
            var generation = state.Profile.Generation;
            if (life.Ran.TryGet(out var ran))
            {
                Tell(new Event.SpawnCompleted(generation, Specimens.Identity(generation)));
                now += ran;
                Tell(Specimens.Exit(generation, generation % 2));
            }
            else
            {
                Tell(new Event.SpawnFailed(generation, "not-found", "/bin/web"));
            }

            ends.Add(new(now, ran, anew, state));
            anew = false;
            if (state is not State.Backoff backoff) continue;
            anew = life.StartedAfter;
            if (!anew) now = backoff.Until;
            Tell(anew ? new Event.StartRequested() : new Event.DeadlineReached());
        }

        return ends;

        void Tell(Event @event) => state = ProcessMachine.Step(state, new(now, @event)).State;
    }

    /// <summary>One incarnation: how long it ran, none if it never did, and whether its user cuts the wait short.</summary>
    private sealed record Life(LanguageExt.Option<TimeSpan> Ran, bool StartedAfter)
    {
        public static Life Sample(Samples samples)
        {
            LanguageExt.Option<TimeSpan> ran = samples.Below(8) switch
            {
                0 => LanguageExt.Prelude.None,
                < 4 => TimeSpan.FromMilliseconds(samples.Below(1000)),
                < 7 => TimeSpan.FromSeconds(samples.Below(20)),
                _ => TimeSpan.FromSeconds(samples.Below(64)),
            };
            return new(ran, samples.Below(24) == 0);
        }
    }

    private sealed record End(Instant At, TimeSpan Ran, bool Anew, State State)
    {
        public override string ToString() =>
            $"{TracePrinter.At(At)}  ran {TracePrinter.Print(Ran)}{(Anew ? " anew" : "")}  > {TracePrinter.Print(State)}";
    }
}
