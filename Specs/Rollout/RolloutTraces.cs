using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Core.Time;
using Agent.Specs.Tools;
using LanguageExt;
using Xunit;
using static LanguageExt.Prelude;
using Effect = Agent.Core.Rollout.RolloutEffect;
using Event = Agent.Core.Rollout.RolloutEvent;
using State = Agent.Core.Rollout.RolloutState;

namespace Agent.Specs.Rollout;

/// <summary>The life of a rollout, told. Release 1 is its target; release 0 ran before.</summary>
public sealed class RolloutTraces
{
    private static readonly Event Deadline = new Event.DeadlineReached();
    private static readonly RolloutOrder Usual = Specimens.Order(1);
    private static readonly RolloutOrder Halting =
        Usual with { Policy = Usual.Policy with { OnFailure = OnFailure.Halt } };
    private static readonly RolloutOrder Patient =
        Usual with { Policy = Usual.Policy with { Soak = TimeSpan.FromMinutes(10) } };

    /// RO-4, RO-5 (happy_path_pending_to_converged, local_activate_moves_pending_to_activating): the probe passes, the
    /// soak is over, it has converged; whatever comes later comes too late.
    [Fact]
    public void It_converges() => Soaking("The target runs, its probe passes, and the soak is over.", Usual)
        .At(20, Passed())
        .At(50, Passed())
        .At(55, new Event.RunningObserved(1, Ids.Release(1)))
        .AtDeadline(RolloutMachine.Deadline, Deadline)
        .After(1, Failed(), new Event.RollbackRequested())
        .IsAsWritten("converges");

    /// RO-6, RO-8 (sustained_failure_rollback_path): two minutes without a pass, and the way back in the same step.
    [Fact]
    public void A_lasting_failure_goes_back() => Soaking("The probe fails for two minutes without a pass.", Usual)
        .At(20, Failed())
        .At(50, Failed())
        .At(110, Failed())
        .AtDeadline(RolloutMachine.Deadline, Deadline)
        .After(8, new Event.RollbackCompleted(2, Ids.Release(0)))
        .IsAsWritten("lasting-failure");

    /// RO-6 (activation_failure_rollback_and_halt_fires_rollback_immediately): a hook that fails half way may have
    /// changed anything, so the host goes back.
    [Fact]
    public void A_switch_fails_half_way() => Tell("The hook of the new release fails.", Usual)
        .At(1, new Event.Activate())
        .At(2, new Event.ActivationStarted(1, Ids.Release(0), "release"))
        .At(4, new Event.ActivationFailed(1, "hook-failed", "exit 1"))
        .At(6, new Event.RollbackCompleted(2, Ids.Release(0)))
        .IsAsWritten("switch-fails-half-way");

    /// RO-4: what failed before the host was touched needs no way back.
    [Fact]
    public void A_switch_fails_before_it_began() => Tell("The release does not fit on the disk.", Usual)
        .At(1, new Event.Activate())
        .At(2, new Event.ActivationFailed(1, "no-space", "the disk is full"))
        .At(3, new Event.RollbackRequested())
        .At(60, new Event.RetryRequested())
        .At(61, new Event.ActivationStarted(2, Ids.Release(0), "release"))
        .IsAsWritten("switch-fails-before-it-began");

    /// RO-6 (halt_only_does_not_fire_rollback): it waits for its operator, who tries again; the way back is still what
    /// ran at first, although the target runs when the second switch begins.
    [Fact]
    public void An_operator_tries_again() => Soaking("The manifest says halt; an operator mends what was wrong and retries.", Halting)
        .At(20, Failed())
        .AtDeadline(RolloutMachine.Deadline, Deadline)
        .AtDeadline(RolloutMachine.Deadline, Deadline)
        .At(600, new Event.RetryRequested())
        .At(601, new Event.ActivationStarted(2, Ids.Release(1), "release"))
        .At(602, new Event.ActivationCompleted(2, Ids.Release(1)))
        .At(603, Passed(1), Passed(2))
        .AtDeadline(RolloutMachine.Deadline, Deadline)
        .IsAsWritten("halted-and-tried-again");

    /// RO-6: it waits for its operator, who wants the host back.
    [Fact]
    public void An_operator_goes_back() => Soaking("The manifest says halt; an operator gives up.", Halting)
        .At(20, Failed())
        .AtDeadline(RolloutMachine.Deadline, Deadline)
        .AtDeadline(RolloutMachine.Deadline, Deadline)
        .At(600, new Event.RollbackRequested(), new Event.RollbackRequested())
        .At(605, new Event.RollbackCompleted(2, Ids.Release(0)))
        .IsAsWritten("halted-and-taken-back");

    /// RO-8: it is tried again after 5 s and 10 s, stays visible, and is not called reverted before it is.
    [Fact]
    public void A_rollback_fails_twice() => Soaking("The way back fails, then ends in the wrong release, then succeeds.", Usual)
        .At(20, Failed())
        .AtDeadline(RolloutMachine.Deadline, Deadline)
        .AtDeadline(RolloutMachine.Deadline, Deadline)
        .After(2, new Event.RollbackFailed(2, "hook-failed", "exit 1"))
        .After(1, Deadline)
        .AtDeadline(RolloutMachine.Deadline, Deadline)
        .After(2, new Event.RollbackCompleted(3, Ids.Release(1)))
        .After(1, new Event.RollbackCompleted(3, Ids.Release(0)))
        .AtDeadline(RolloutMachine.Deadline, Deadline)
        .After(2, new Event.RollbackCompleted(4, Ids.Release(0)))
        .IsAsWritten("rollback-fails-twice");

    /// RO-8: halted between two tries, it goes on with the way back when it is tried again, and not with the switch.
    [Fact]
    public void A_halted_rollback_is_tried_again() => Soaking("The way back fails; an operator halts it, then tries again.", Usual)
        .At(20, Failed())
        .AtDeadline(RolloutMachine.Deadline, Deadline)
        .AtDeadline(RolloutMachine.Deadline, Deadline)
        .After(2, new Event.RollbackFailed(2, "hook-failed", "exit 1"))
        .After(1, new Event.HaltRequested())
        .After(600, new Event.RetryRequested())
        .After(2, new Event.RollbackCompleted(3, Ids.Release(0)))
        .IsAsWritten("rollback-halted");

    /// RO-9 (local_activation_deferred_…, deferred_then_synthesized_completion_advances_to_soaking): after the reboot
    /// the host sees for itself what runs and goes on.
    [Fact]
    public void A_reboot_completes_it() => Staged("The kernel changes: it is staged until the host reboots.")
        .Meanwhile("the agent is upgraded")
        .At(100, new Event.Recovered(Specimens.Boot))
        .Meanwhile("the host reboots")
        .At(900, new Event.Recovered(new BootId("next")))
        .At(901, new Event.ActivationCompleted(1, Ids.Release(1)))
        .At(902, Passed())
        .AtDeadline(RolloutMachine.Deadline, Deadline)
        .IsAsWritten("deferred");

    /// RO-4, RO-9: the loader took the old system; that is a failure like any other, and what was staged is taken back.
    [Fact]
    public void A_reboot_leads_into_the_old_release() => Staged("It is staged, and the host boots what it ran before.")
        .Meanwhile("the host reboots")
        .At(900, new Event.Recovered(new BootId("next")))
        .At(901, new Event.ActivationCompleted(1, Ids.Release(0)))
        .At(905, new Event.RollbackCompleted(2, Ids.Release(0)))
        .IsAsWritten("deferred-booted-into-the-old");

    /// RO-6 (merge_snapshot …): a probe that comes and goes never fails for two minutes on end.
    [Fact]
    public void A_pass_clears_the_clock() => Soaking("The probe flaps: each pass begins its clock anew.", Patient)
        .At(20, Failed())
        .At(100, Passed())
        .At(130, Failed())
        .At(200, Failed())
        .At(249, Passed())
        .At(300, Failed())
        .At(410, Passed())
        .AtDeadline(RolloutMachine.Deadline, Deadline)
        .IsAsWritten("flapping");

    /// RO-7: a probe that cannot be run leaves it open until the verdict is due, and then the manifest's word for that
    /// applies.
    [Fact]
    public void It_stays_open_until_the_verdict_is_due() => Soaking("The probe's command is missing on this host.", Usual)
        .At(20, Inconclusive())
        .At(50, Inconclusive())
        .AtDeadline(RolloutMachine.Deadline, Deadline)
        .After(20, Inconclusive())
        .AtDeadline(RolloutMachine.Deadline, Deadline)
        .IsAsWritten("inconclusive");

    /// RO-3, RO-6: it was soaking what somebody replaced by hand; the agent does not fight him.
    [Fact]
    public void Somebody_switches_the_host() => Soaking("An administrator switches the host by hand.", Usual)
        .At(20, Passed())
        .At(40, new Event.RunningObserved(1, Ids.Release(1)))
        .At(55, new Event.RunningObserved(1, Ids.Release(7)))
        .At(61, Deadline, Passed())
        .IsAsWritten("drift");

    /// CO-5, RO-5, RO-6: the deadlines passed while there was no agent; what was seen before proves nothing, and nothing
    /// is judged before the probe has reported and the target was seen running.
    [Fact]
    public void The_agent_is_away_past_the_verdict() => Soaking("The agent is away for ten hours of a one-minute soak.", Usual)
        .At(20, Passed())
        .Meanwhile("the agent dies, and nobody starts it")
        .At(36_000, new Event.Recovered(Specimens.Boot))
        .At(36_000, Deadline)
        .At(36_001, Passed())
        .At(36_005, new Event.RunningObserved(1, Ids.Release(1)))
        .IsAsWritten("agent-away-past-the-verdict");

    /// CO-5, RO-6: a failure's clock goes on while there is no agent, but a new report must say that it still fails.
    [Fact]
    public void The_agent_is_away_while_a_probe_fails() => Soaking("A probe failed once, then the agent is away.", Usual)
        .At(20, Failed())
        .Meanwhile("the agent is restarted")
        .At(300, new Event.Recovered(Specimens.Boot))
        .At(300, Deadline)
        .At(301, new Event.RunningObserved(1, Ids.Release(1)))
        .At(305, Failed())
        .IsAsWritten("agent-away-while-a-probe-fails");

    /// CO-5, RO-4, RO-11: the successor orders the same switch, which is done already; the way back stays.
    [Fact]
    public void The_agent_dies_in_mid_switch() => Tell("The switch restarts the agent.", Usual)
        .At(1, new Event.Activate())
        .At(2, new Event.ActivationStarted(1, Ids.Release(0), "release"))
        .Meanwhile("the agent is killed")
        .At(5, new Event.Recovered(Specimens.Boot))
        .At(6, new Event.ActivationStarted(1, Ids.Release(1), "release"))
        .At(7, new Event.ActivationCompleted(1, Ids.Release(1)))
        .At(20, Failed())
        .AtDeadline(RolloutMachine.Deadline, Deadline)
        .AtDeadline(RolloutMachine.Deadline, Deadline)
        .Meanwhile("the agent is killed again")
        .After(5, new Event.Recovered(Specimens.Boot))
        .After(2, new Event.RollbackCompleted(2, Ids.Release(0)))
        .IsAsWritten("agent-dies-in-mid-switch");

    /// RO-6: it stops where it is; an answer about what was halted comes too late.
    [Fact]
    public void An_operator_halts_it() => Soaking("An operator does not like what he sees.", Usual)
        .At(20, Passed())
        .At(30, new Event.HaltRequested(), new Event.HaltRequested())
        .At(50, Passed())
        .IsAsWritten("halted");

    /// RO-4 (converged_with_wrong_current_closure): the switch says it is done, and something else runs.
    [Fact]
    public void The_wrong_release_runs() => Tell("The switch is reported as done, but the host runs another release.", Usual)
        .At(1, new Event.Activate())
        .At(2, new Event.ActivationStarted(1, Ids.Release(0), "release"))
        .At(3, new Event.ActivationCompleted(1, Ids.Release(3)))
        .At(5, new Event.RollbackCompleted(2, Ids.Release(0)))
        .IsAsWritten("wrong-release");

    /// RO-10 (seq_regression_rejected): an answer of the first switch that comes after the second began is dropped.
    [Fact]
    public void An_answer_comes_late() => Tell("The first switch timed out; its late answer is not the second's.", Halting)
        .At(1, new Event.Activate())
        .At(2, new Event.ActivationStarted(1, Ids.Release(0), "release"))
        .At(302, new Event.ActivationFailed(1, "timed-out", "300 s"))
        .At(310, new Event.RetryRequested())
        .At(311, new Event.ActivationCompleted(1, Ids.Release(1)))
        .At(312, new Event.ActivationStarted(2, Ids.Release(1), "release"), new Event.ActivationCompleted(2, Ids.Release(1)))
        .IsAsWritten("late-answer");

    private static Story<State, Event, Effect> Tell(string prose, RolloutOrder order) => new(
        prose,
        RolloutMachine.Create(order, new Instant(0)),
        (state, input) => RolloutMachine.Step(state, state.Profile.Seq + 1, input));

    private static Story<State, Event, Effect> Soaking(string prose, RolloutOrder order) => Tell(prose, order)
        .At(1, new Event.Activate())
        .At(2, new Event.ActivationStarted(1, Ids.Release(0), "release"))
        .At(4, new Event.ActivationCompleted(1, Ids.Release(1)));

    private static Story<State, Event, Effect> Staged(string prose) => Tell(prose, Usual)
        .At(1, new Event.Activate())
        .At(2, new Event.ActivationStarted(1, Ids.Release(0), "nixos"))
        .At(9, new Event.ActivationDeferred(1, "kernel", Specimens.Boot));

    private static Event Passed(int activation = 1) => Probed(activation, new ProbeOutcome.Passed("connected"));

    private static Event Failed() => Probed(1, new ProbeOutcome.Failed("refused"));

    private static Event Inconclusive() => Probed(1, new ProbeOutcome.Inconclusive("no such command"));

    private static Event Probed(int activation, ProbeOutcome outcome) =>
        new Event.ProbeReported(activation, Ids.Probe("http"), outcome, Seq<ControlResult>());
}
