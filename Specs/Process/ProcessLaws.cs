using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Core.Time;
using Agent.Specs.Tools;
using LanguageExt;
using Xunit;
using Effect = Agent.Core.Process.ProcessEffect;
using Event = Agent.Core.Process.ProcessEvent;
using State = Agent.Core.Process.ProcessState;

namespace Agent.Specs.Process;

/// <summary>What holds for a process whatever happens, in whatever order.</summary>
public sealed class ProcessLaws
{
    private static readonly ProcessSoup Soup = new();

    /// CO-2, CO-9: the same events lead to the same trace, and none throws.
    [Fact]
    public void It_is_total_and_deterministic() => Soup.IsTotalAndDeterministic();

    /// CO-2, CO-9: a refused event leaves the state as it was.
    [Fact]
    public void A_refusal_changes_nothing() => Soup.ARefusalChangesNothing();

    /// CO-4, CO-9: deadlines lie ahead of now, or their event makes progress.
    [Fact]
    public void Deadlines_make_progress() => Soup.DeadlinesMakeProgress();

    /// CO-9: what is reaped stays so.
    [Fact]
    public void The_reaped_stay_reaped() => Soup.EachStep(moment =>
    {
        if (moment.Before is State.Reaped) Assert.Same(moment.Before, moment.After);
    });

    /// CO-9, PR-14, upstream double_register_overwrites_call_id: an answer or an exit that comes twice acts once, and
    /// so does a stop.
    [Fact]
    public void The_same_fact_twice_acts_once() => Soup.EachStep(moment =>
    {
        var fact = moment.Input.Event is Event.SpawnCompleted or Event.SpawnFailed or Event.ExitObserved;
        if (!fact && moment.Input.Event is not Event.StopRequested) return;
        var again = ProcessMachine.Step(moment.After, moment.Input);
        Assert.Equal(moment.After, again.State);
        Assert.DoesNotContain(again.Effects, effect => !Soup.IsReject(effect));
    });

    /// PR-9: while it stops, its kill never moves away but by a kill.
    [Fact]
    public void A_kill_comes_at_the_grace_at_the_latest() => Soup.EachStep(moment =>
    {
        if (moment.After is not State.Stopping after) return;
        var killed = moment.Effects.Exists(effect => effect is Effect.KillTree);
        if (moment.Before is State.Stopping before)
        {
            Assert.True(killed || after.KillAt <= before.KillAt, "the kill was put off");
            Assert.True(killed || moment.Input.Event is not Event.DeadlineReached || before.KillAt > moment.Input.At);
        }
        else
        {
            Assert.Equal(moment.Input.At + after.Plan.Grace, after.KillAt);
            Assert.True(moment.Effects.Exists(effect => effect is Effect.SendSignal), "a stop without its signal");
        }
    });

    /// PR-12: 0, 1, 2, 4 s and so on to a minute, counted here a second time in the plainest way.
    [Fact]
    public void Restarts_wait_as_the_policy_says() => Soup.Always(trace =>
    {
        var streak = 0;
        foreach (var (before, input, effects, after) in trace)
        {
            if (input.Event is Event.StartRequested or Event.RestartRequested or Event.Redeclared
                && after.Profile.Generation > before.Profile.Generation)
            {
                streak = 0;
            }

            if (before is State.Stopping { Plan.Then: not AfterStop.Obey } or State.Starting { Pending.IsSome: true }
                && after.Profile.Generation > before.Profile.Generation)
            {
                streak = 0;
            }

            if (!EndedUnasked(before, input.Event, after)) continue;
            var stable = before is State.Running running && input.At - running.Since >= TimeSpan.FromMinutes(1);
            streak = stable ? 1 : streak + 1;
            var wait = streak == 1 ? 0 : Math.Min(60, Math.Pow(2, streak - 2));
            if (after is State.Backoff backoff)
            {
                Assert.Equal(TimeSpan.FromSeconds(wait), backoff.Until - input.At);
                Assert.NotEqual(0, wait);
            }
            else if (after is State.Starting)
            {
                Assert.Equal(0, wait);
            }
        }
    });

    /// PR-13: what waits for readiness runs on only with it; without it, it is stopped when its time is over.
    [Fact]
    public void What_is_not_ready_in_time_is_stopped() => Soup.EachStep(moment =>
    {
        if (moment.Before is not State.Running before || !before.ReadyBy.TryGet(out var by)) return;
        if (moment.Input.Event is Event.BecameReady(var generation) && generation == before.Profile.Generation)
        {
            Assert.True(moment.After is State.Running { IsReady: true });
        }

        if (moment.Input.Event is Event.DeadlineReached && by <= moment.Input.At) Assert.IsType<State.Stopping>(moment.After);
        if (moment.After is State.Running { IsReady: true }) Assert.IsType<Event.BecameReady>(moment.Input.Event);
    });

    /// PR-13: what the agent's own end stopped comes back with the next declaration, what its user stopped does not.
    [Fact]
    public void A_shutdown_is_no_wish_of_the_user() => Soup.EachStep(moment =>
    {
        if (moment.Before is not State.Exited before || moment.Input.Event is not Event.Redeclared) return;
        if (before.Exit.Reason == ExitReason.Shutdown) Assert.IsType<State.Waiting>(moment.After);
        if (before.Exit.Reason == ExitReason.Stopped) Assert.IsType<State.Exited>(moment.After);
    });

    /// PR-14: an exit that nobody saw is told as such.
    [Fact]
    public void Lost_is_never_success() => Soup.EachStep(moment =>
    {
        if (moment.Input.Event is not Event.Recovered(Observation.Absent)) return;
        if (moment.Before is not (State.Running or State.Stopping)) return;
        Assert.True(moment.After is not State.Exited exited || exited.Exit.Status is ExitStatus.Lost);
        Assert.True(moment.After is not State.Backoff backoff || backoff.Last.Status is ExitStatus.Lost);
        Assert.True(moment.After is not (State.Running or State.Stopping));
    });

    /// PR-5, PR-14: generations are numbered without gaps, and each spawn is issued under the current one.
    [Fact]
    public void Generations_are_numbered_without_gaps() => Soup.EachStep(moment =>
    {
        var (before, after) = (moment.Before.Profile.Generation, moment.After.Profile.Generation);
        Assert.InRange(after - before, 0, 1);
        foreach (var effect in moment.Effects)
        {
            if (effect is Effect.Spawn spawn) Assert.Equal(after, spawn.Generation);
        }
    });

    /// PR-9, PR-12: what its user stopped starts again only when somebody asks. To stop what is being removed is no
    /// wish that outlives it.
    [Fact]
    public void What_its_user_stopped_stays_stopped() => Soup.Always(trace =>
    {
        if (trace.Count == 0 || trace[0].Before.Profile.Spec.Kind != ProcessKind.Service) return;
        var held = false;
        var withdrawn = false;
        foreach (var (before, input, effects, after) in trace)
        {
            if (input.Event is Event.Withdrawn or Event.Redeclared) withdrawn = input.Event is Event.Withdrawn;
            if (input.Event is Event.StopRequested) held = !withdrawn;
            if (input.Event is Event.StartRequested or Event.RestartRequested or Event.Withdrawn) held = false;
            if (held) Assert.DoesNotContain(effects, effect => effect is Effect.Spawn && !Reissued(before, after));
        }
    });

    /// PR-5, trap spawn past retirement: what the configuration dropped ends removed, whatever is asked of it
    /// meanwhile.
    [Fact]
    public void The_withdrawn_end_removed() => Soup.Always(trace =>
    {
        var withdrawn = false;
        foreach (var (before, input, _, after) in trace)
        {
            if (input.Event is Event.Withdrawn && before is not State.Reaped) withdrawn = true;
            if (input.Event is Event.Redeclared) withdrawn = false;
            if (withdrawn) Assert.True(after is State.Starting or State.Stopping or State.Reaped, after.GetType().Name);
        }
    });

    /// PR-1, PR-5: what runs undisturbed is what was declared last; another spec always leads to another incarnation.
    [Fact]
    public void What_runs_is_what_was_declared() => Soup.Always(trace =>
    {
        var spawned = trace.Count == 0 ? "" : trace[0].Before.Profile.Spec.EnvironmentDigest;
        foreach (var (_, _, effects, after) in trace)
        {
            foreach (var effect in effects)
            {
                if (effect is Effect.Spawn spawn) spawned = spawn.Spec.EnvironmentDigest;
            }

            if (after is State.Running running) Assert.Equal(running.Profile.Spec.EnvironmentDigest, spawned);
        }
    });

    /// PR-10: nothing is reaped before its retention but what was released or withdrawn.
    [Fact]
    public void Nothing_is_reaped_before_its_time() => Soup.EachStep(moment =>
    {
        if (moment.After is not State.Reaped reaped || moment.Before is State.Reaped) return;
        if (reaped.Reason == ReapReason.RetentionOver)
        {
            var exited = Assert.IsType<State.Exited>(moment.Before);
            Assert.True(moment.Input.At - exited.At >= exited.Profile.Spec.ExitRetention);
        }

        if (reaped.Reason == ReapReason.Released) Assert.IsType<Event.ReleaseRequested>(moment.Input.Event);
    });

    /// PR-10, upstream the sweep: it is reaped in one step, under the reason that the state tells. Upstream: deleted
    /// event (store).
    [Fact]
    public void A_reap_is_told_with_its_reason() => Soup.EachStep(moment =>
    {
        var told = moment.Effects.Filter(effect => effect is Effect.Reap).ToArray();
        if (moment.After is not State.Reaped reaped || moment.Before is State.Reaped)
        {
            Assert.Empty(told);
            return;
        }

        Assert.Equal([new Effect.Reap(reaped.Profile.Id, reaped.Reason)], told);
    });

    /// PR-11, PR-14: whatever may run where the state says that nothing does is killed before it is forgotten.
    [Fact]
    public void Nothing_runs_that_no_state_stands_for() => Soup.EachStep(moment =>
    {
        var (before, input, effects, _) = moment;
        var ended = before is State.Backoff or State.Exited;
        var found = ended && input.Event is Event.Recovered(Observation.Alive);
        var refused = input.Event is Event.SpawnFailed && !effects.Exists(Soup.IsReject);
        if (!found && !refused) return;
        var own = (before.Profile.Id, before.Profile.Generation);
        var order = effects.ToList();
        var kill = order.IndexOf(new Effect.KillTree(own.Id, own.Generation));
        var forget = order.IndexOf(new Effect.Forget(own.Id, own.Generation));
        Assert.True(kill >= 0 && kill < forget, "forgotten alive");
    });

    /// PR-1, PR-10: a task's life and idleness are bounded.
    [Fact]
    public void A_task_is_stopped_at_its_limits() => Soup.EachStep(moment =>
    {
        if (moment.After is not State.Running running || running.Profile.Spec.Kind != ProcessKind.Task) return;
        var due = Soup.Deadline(running);
        Assert.True(due.IsSome);
        Assert.True(due.ForAll(at => at <= running.Since + ProcessSpec.DefaultTaskLifetime));
        Assert.True(due.ForAll(at => at <= running.TouchedAt + ProcessSpec.DefaultTaskIdle));
        if (moment.Input.Event is Event.DeadlineReached) Assert.True(due.ForAll(at => at > moment.Input.At));
    });

    private static bool EndedUnasked(State before, Event @event, State after) =>
        before is State.Running or State.Starting { Pending.IsNone: true } or State.Stopping { Plan.Then: AfterStop.Obey }
        && after is State.Exited or State.Backoff or State.Starting
        && (@event is Event.SpawnFailed or Event.ExitObserved
            || (@event is Event.Recovered && (before is State.Running or State.Stopping || !ReferenceEquals(before, after))))
        && !ReferenceEquals(before, after);

    /// <summary>A spawn that a crash may have swallowed is asked for once more, under its own generation.</summary>
    private static bool Reissued(State before, State after) =>
        before is State.Starting && before.Profile.Generation == after.Profile.Generation;
}
