using System.Collections.Generic;
using System.Linq;
using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Core.Time;
using LanguageExt;
using State = Agent.Core.Rollout.RolloutState;

namespace Agent.Shell.Api;

/// <summary>Where a rollout stands, as the wire shows it.</summary>
internal static class MappingRollout
{
    public static RolloutInfo Of(State state)
    {
        var order = state.Profile.Order;
        var @switch = RolloutMachine.SwitchOf(state).IfNone(Switch.None);
        var soaking = state as State.Soaking;
        var failed = state as State.Failed;
        var cause = failed?.Cause ?? (state as State.Reverted)?.Cause;
        return new(
            order.Id.Value, order.Channel.Value, order.Version, NameOf(state), IsDecided(state), state is State.Converged,
            Summary(state), WireNames.Of(order.Activator), order.Target.Value, Text(@switch.Previous),
            @switch.Activation, state.Profile.ReceivedAt.ToString(), SinceOf(state)?.ToString(),
            soaking?.SoakUntil.ToString(), soaking?.VerdictBy.ToString(),
            RolloutMachine.Deadline(state).TryGet(out var next) ? next.ToString() : null,
            cause is null ? null : new(CodeOf(cause), Describe(cause)),
            failed is null ? null : RecoveryOf(failed.Recovery),
            (state as State.Superseded)?.By.Value,
            soaking is null ? [] : [.. soaking.Probes.Select(Probe)]);
    }

    /// <summary>Nothing changes any more unless somebody asks: what a caller that waits is waiting for.</summary>
    public static bool IsDecided(State state) =>
        state.IsTerminal || state is State.Deferred or State.Failed { Recovery: Recovery.Held };

    public static string Describe(FailureCause cause) => cause switch
    {
        FailureCause.SwitchFailed(var code, var detail) => $"the switch failed ({code}): {detail}",
        FailureCause.WrongRelease(var running) => $"after the switch {Text(running) ?? "nothing"} runs",
        FailureCause.ProbesFailed(var probes, var lasted) =>
            $"{Join(probes)} failed for {Config.Durations.Show(lasted)} without a pass",
        FailureCause.NoVerdict({ IsEmpty: true }) => "what runs could not be seen in the time for a verdict",
        FailureCause.NoVerdict(var probes) => $"{Join(probes)} did not pass in the time for a verdict",
        FailureCause.Drifted(var running) => $"somebody switched this host to {Text(running) ?? "nothing"}",
        FailureCause.Stopped(OnFailure.Halt) => "an operator halted it",
        FailureCause.Stopped => "an operator rolled it back",
    };

    private static string NameOf(State state) => state switch
    {
        State.Pending => "pending",
        State.Activating => "activating",
        State.Deferred => "deferred",
        State.Soaking => "soaking",
        State.Converged => "converged",
        State.Failed => "failed",
        State.Reverted => "reverted",
        State.Superseded => "superseded",
    };

    private static string Summary(State state) => state switch
    {
        State.Pending => "it waits for its turn on this host",
        State.Activating { Begun: false } => "the release is checked and prepared",
        State.Activating => "the host is being switched",
        State.Deferred deferred => $"everything is in place but {deferred.Component}, which needs a reboot",
        State.Soaking { Soaked: true } soaking => $"soaked, waits until {Join(Unproven(soaking))} passed",
        State.Soaking soaking => $"runs and is watched until {soaking.SoakUntil}",
        State.Converged => "it runs, soaked, and every enforced probe passed",
        State.Failed failed => $"{Describe(failed.Cause)}; {RecoveryOf(failed.Recovery).Detail}",
        State.Reverted reverted => $"{Describe(reverted.Cause)}; the host is back on {reverted.To}",
        State.Superseded superseded => $"{superseded.By} took its place",
    };

    private static Instant? SinceOf(State state) => state switch
    {
        State.Soaking soaking => soaking.Since,
        State.Converged converged => converged.At,
        State.Failed failed => failed.At,
        State.Reverted reverted => reverted.At,
        State.Superseded superseded => superseded.At,
        State.Pending or State.Activating or State.Deferred => null,
    };

    private static string CodeOf(FailureCause cause) => cause switch
    {
        FailureCause.SwitchFailed => "switch-failed",
        FailureCause.WrongRelease => "wrong-release",
        FailureCause.ProbesFailed => "probes-failed",
        FailureCause.NoVerdict => "no-verdict",
        FailureCause.Drifted => "drifted",
        FailureCause.Stopped => "stopped",
    };

    private static RecoveryInfo RecoveryOf(Recovery recovery) => recovery switch
    {
        Recovery.Held(var because) => new("held", Why(because), 0, null),
        Recovery.RollingBack(var attempt) => new("rolling-back", "the host is being switched back", attempt, null),
        Recovery.RollbackDue r => new(
            "rollback-due", $"the way back failed ({r.Code}): {r.Detail}; tried again at {r.RetryAt}", r.Attempt,
            r.RetryAt.ToString()),
    };

    private static string Why(HeldBecause because) => because switch
    {
        HeldBecause.Policy => "it waits for an operator, as the manifest says",
        HeldBecause.Operator => "it stays as it is until an operator decides",
        HeldBecause.Drift => "the agent leaves the host as it is",
        HeldBecause.NoWayBack => "no other release ran before it, there is none to go back to",
        HeldBecause.NothingSwitched => "nothing was switched, the host runs what it ran",
        _ => "the way back failed and was halted; retry goes on with it",
    };

    private static RolloutProbeInfo Probe(ProbeRecord record)
    {
        var last = record.Last.TryGet(out var outcome) ? outcome : null;
        var status = last is null ? "unreported"
            : record.Passing ? "passing"
            : last is ProbeOutcome.Inconclusive ? "inconclusive"
            : record.Failing ? "failing"
            : "undecided";
        return new(
            record.Spec.Name.Value, WireNames.Of(record.Spec.Mode), KindOf(record.Spec.Check), status,
            last?.Detail, record.FailingSince.TryGet(out var since) ? since.ToString() : null);
    }

    private static string KindOf(ProbeCheck check) => check switch
    {
        ProbeCheck.Http => "http",
        ProbeCheck.Tcp => "tcp",
        ProbeCheck.Exec => "exec",
        ProbeCheck.Process => "process",
        ProbeCheck.Runtime => "runtime",
        ProbeCheck.Container => "container",
        ProbeCheck.Evidence => "evidence",
    };

    private static Seq<ProbeName> Unproven(State.Soaking soaking) =>
        soaking.Probes.Filter(record => record.Spec.Gates && !record.Passing).Map(record => record.Spec.Name);

    private static string Join(IEnumerable<ProbeName> names) => string.Join(", ", names.Select(name => name.Value));

    private static string? Text(Option<ReleaseId> release) => release.TryGet(out var known) ? known.Value : null;
}
