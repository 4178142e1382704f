using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Core.Time;
using Agent.Specs.Tools;
using LanguageExt;
using Xunit;
using Effect = Agent.Core.Rollout.RolloutEffect;
using Event = Agent.Core.Rollout.RolloutEvent;
using State = Agent.Core.Rollout.RolloutState;

namespace Agent.Specs.Rollout;

/// <summary>How a soaking rollout is judged, beside a second account of its probes in the plainest way.</summary>
public sealed class JudgementLaws
{
    private static readonly RolloutSoup Soup = new();

    /// RO-5 (converged_with_failing_enforce_probe, before_soak_due_at, all_enforce_probes_pass, soak counted from the
    /// activation): the soak is over, and each enforced probe has passed as often as it must, with nothing else between,
    /// since the activation and since the agent's start, after which the target was seen running too.
    [Fact]
    public void Converged_is_soaked_and_proven() => EachSoak((soak, moment) =>
    {
        if (moment.After is not State.Converged converged) return;
        var order = converged.Profile.Order;
        Assert.True(moment.Input.At - soak.Since >= order.Policy.Soak, "converged before its time");
        Assert.True(soak.Seen, "converged without a look at what runs");
        foreach (var probe in Enforced(order))
        {
            Assert.True(soak.PassesInARow(probe.Name) >= probe.SuccessThreshold, $"{probe.Name} has not passed");
        }
    });

    /// RO-6 (…_collect_failing_enforce_probes): a rollout fails by its probes only if an enforced one failed as often
    /// as it must since the agent's start, and for as long as it must, counted from the first failure after its last pass.
    [Fact]
    public void Only_a_lasting_failure_ends_a_rollout() => EachSoak((soak, moment) =>
    {
        if (moment.After is not State.Failed { Cause: FailureCause.ProbesFailed failed }) return;
        var order = moment.After.Profile.Order;
        var lasting = Enforced(order).Where(probe => soak.FailuresSincePass(probe.Name) >= probe.FailureThreshold)
            .Select(probe => moment.Input.At - soak.FailingSince(probe.Name)).ToArray();
        Assert.Contains(lasting, lasted => lasted >= order.Policy.FailureThreshold);
        Assert.Contains(failed.Lasted, lasting);
        Assert.Equal(
            Enforced(order).Where(probe => soak.FailuresSincePass(probe.Name) >= probe.FailureThreshold).Select(probe => probe.Name),
            failed.Probes.ToArray());
    });

    /// RO-6: a lasting failure is not overlooked either: what soaks on has none, and none is later than its deadline.
    [Fact]
    public void A_lasting_failure_is_not_overlooked() => EachSoak((soak, moment) =>
    {
        if (moment.After is not State.Soaking soaking) return;
        var order = soaking.Profile.Order;
        foreach (var probe in Enforced(order))
        {
            if (soak.FailuresSincePass(probe.Name) < probe.FailureThreshold) continue;
            var ends = soak.FailingSince(probe.Name) + order.Policy.FailureThreshold;
            Assert.True(Soup.Deadline(soaking).Exists(at => at <= ends), $"{probe.Name} ends it at {TracePrinter.At(ends)}");
        }
    });

    /// RO-6 (probe_result_updates_map_without_state_change, merge_snapshot … preserves failure timer): what the state
    /// remembers of a probe is what was told, and a pass clears its failure clock.
    [Fact]
    public void A_pass_clears_the_failure_clock() => EachSoak((soak, moment) =>
    {
        if (moment.After is not State.Soaking soaking) return;
        foreach (var record in soaking.Probes)
        {
            var name = record.Spec.Name;
            Assert.Equal(soak.IsFailing(name), record.FailingSince.IsSome);
            if (record.FailingSince.TryGet(out var since)) Assert.Equal(soak.FailingSince(name), since);
            Assert.Equal(soak.PassesInARow(name) >= record.Spec.SuccessThreshold, record.Passing);
            Assert.Equal(soak.FailuresSincePass(name) >= record.Spec.FailureThreshold, record.Failing);
        }
    });

    /// RO-7: a probe that could not be run starts no failure clock, ends none, and proves nothing.
    [Fact]
    public void Inconclusive_neither_passes_nor_fails() => Soup.EachStep(moment =>
    {
        if (moment.Input.Event is not Event.ProbeReported(_, var name, ProbeOutcome.Inconclusive, _)) return;
        if (moment.Before is not State.Soaking before || moment.Effects.Exists(Soup.IsReject)) return;
        var was = before.Probes.Find(record => record.Spec.Name == name);
        var due = Soup.Deadline(before).Exists(at => at <= moment.Input.At);
        if (due) return;
        var after = Assert.IsType<State.Soaking>(moment.After);
        var now = after.Probes.Find(record => record.Spec.Name == name);
        Assert.Equal(was.Map(record => record.FailingSince), now.Map(record => record.FailingSince));
        Assert.Equal(was.Map(record => record.Failures), now.Map(record => record.Failures));
        Assert.True(now.ForAll(record => !record.Passing), "it reads as passing");
    });

    /// RO-7: only when the time for a verdict is over does an open question end it, and every probe named is open. Each
    /// start of the agent gives that time anew.
    [Fact]
    public void Without_a_verdict_it_ends_when_the_verdict_is_due() => EachSoak((soak, moment) =>
    {
        var policy = moment.After.Profile.Order.Policy;
        var due = soak.Since + policy.Soak + policy.VerdictWithin;
        if (soak.StartedAt + policy.VerdictWithin > due) due = soak.StartedAt + policy.VerdictWithin;
        if (moment.After is State.Soaking soaking)
        {
            Assert.True(Soup.Deadline(soaking).Exists(at => at <= due));
            return;
        }

        if (moment.After is not State.Failed { Cause: FailureCause.NoVerdict(var open) }) return;
        Assert.True(moment.Input.At >= due, "judged before the verdict is due");
        Assert.Equal(
            Enforced(moment.After.Profile.Order)
                .Where(probe => soak.PassesInARow(probe.Name) < probe.SuccessThreshold).Select(probe => probe.Name),
            open.ToArray());
        Assert.True(!open.IsEmpty || !soak.Seen, "nothing was open");
    });

    /// RO-5 (converged_with_failing_observe_probe_accepted, excludes observe+disabled, ignores observe+disabled):
    /// whatever such probes say, the rollout goes the way it goes without them.
    [Fact]
    public void Observed_and_disabled_probes_decide_nothing() => Soup.Always(trace =>
    {
        if (trace.Count == 0) return;
        var silent = trace[0].Before;
        var aside = silent.Profile.Order.Probes.Filter(probe => !probe.Gates).Map(probe => probe.Name).ToArray();
        foreach (var (_, input, _, after) in trace)
        {
            // Its report is a look at the clock and nothing else, which the deadline is too.
            var told = input.Event is Event.ProbeReported(var activation, var name, _, _) && aside.Contains(name)
                ? silent is State.Soaking && About(activation, silent) ? new Event.DeadlineReached() : null
                : input.Event;
            if (told is not null) silent = RolloutMachine.Step(silent, silent.Profile.Seq + 1, new(input.At, told)).State;
            Assert.Equal(Course(after), Course(silent));
        }
    });

    /// RO-12: the probes that run are those of the soaking state that are not disabled.
    [Fact]
    public void Probes_run_while_it_soaks_and_only_then() => Soup.EachStep(moment =>
    {
        var run = RolloutMachine.Probes(moment.After).Map(probe => probe.Name).ToArray();
        var wanted = moment.After.Profile.Order.Probes.Filter(probe => probe.Mode != ProbeMode.Disabled);
        Assert.Equal(moment.After is State.Soaking ? wanted.Map(probe => probe.Name).ToArray() : [], run);
    });

    /// <summary>Each step that judges, with what was told up to it.</summary>
    private static void EachSoak(Action<Account, Moment<State, Event, Effect>> holds) => Soup.Always(trace =>
    {
        var account = new Account(new Instant(0));
        foreach (var moment in trace)
        {
            if (moment.Effects.Exists(Soup.IsReject)) continue;
            if (moment.Input.Event is Event.ActivationCompleted) account = new Account(moment.Input.At);
            else if (moment.Before is not State.Soaking) continue;
            account.Note(moment.Input);

            holds(account, moment);
        }
    });

    private static IEnumerable<ProbeSpec> Enforced(RolloutOrder order) =>
        order.Probes.Filter(probe => probe.Mode == ProbeMode.Enforce);

    private static bool About(int activation, State state) =>
        RolloutMachine.SwitchOf(state).Exists(newest => newest.Activation == activation);

    /// <summary>A state without what probes that decide nothing leave in it: their records, and the count of changes.</summary>
    private static State Course(State state)
    {
        var uncounted = state with { Profile = state.Profile with { Seq = 0 } };
        return uncounted is State.Soaking soaking
            ? soaking with { Probes = soaking.Probes.Filter(record => record.Spec.Gates).Strict() }
            : uncounted;
    }

    /// <summary>What was told since the activation, in order, and from where on by the agent that runs.</summary>
    private sealed record Account(Instant Since)
    {
        private readonly List<(Instant At, ProbeName Probe, ProbeOutcome Outcome)> _told = [];
        private int _start;

        public Instant StartedAt { get; private set; } = Since;

        public bool Seen { get; private set; } = true;

        public void Note(Timed<Event> input)
        {
            if (input.Event is Event.ProbeReported told) _told.Add((input.At, told.Probe, told.Outcome));
            if (input.Event is Event.RunningObserved) Seen = true;
            if (input.Event is Event.Recovered) (_start, StartedAt, Seen) = (_told.Count, input.At, false);
        }

        public int PassesInARow(ProbeName probe) =>
            _told.Skip(_start).Where(told => told.Probe == probe).Reverse()
                .TakeWhile(told => told.Outcome is ProbeOutcome.Passed).Count();

        public int FailuresSincePass(ProbeName probe) =>
            _told.Skip(_start).Where(told => told.Probe == probe).Reverse()
                .TakeWhile(told => told.Outcome is not ProbeOutcome.Passed)
                .Count(told => told.Outcome is ProbeOutcome.Failed);

        public bool IsFailing(ProbeName probe) => Failures(probe).Any();

        public Instant FailingSince(ProbeName probe) => Failures(probe).Last().At;

        /// <summary>Newest first.</summary>
        private IEnumerable<(Instant At, ProbeName Probe, ProbeOutcome Outcome)> Failures(ProbeName probe) =>
            _told.Where(told => told.Probe == probe).Reverse().TakeWhile(told => told.Outcome is not ProbeOutcome.Passed)
                .Where(told => told.Outcome is ProbeOutcome.Failed);
    }
}
