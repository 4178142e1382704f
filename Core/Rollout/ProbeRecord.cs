using Agent.Core.Model;
using Agent.Core.Time;

namespace Agent.Core.Rollout;

/// <summary>
/// What a probe has shown: passes and failures in a row since the activation or the agent's last start, each counted
/// up to its threshold, and since when, over all starts, it fails without a pass.
/// </summary>
public sealed record ProbeRecord(
    ProbeSpec Spec, int Passes, int Failures, Option<Instant> FailingSince, Option<ProbeOutcome> Last)
{
    public static ProbeRecord Unreported(ProbeSpec spec) => new(spec, 0, 0, None, None);

    public bool Passing => Passes >= Spec.SuccessThreshold;

    public bool Failing => Failures >= Spec.FailureThreshold;

    /// <summary>When this failure has lasted long enough to end the rollout; none while it may not end it.</summary>
    public Option<Instant> SustainedAt(TimeSpan threshold) =>
        Spec.Gates && Failing && FailingSince.TryGet(out var since) ? since + threshold : Option<Instant>.None;

    /// <summary>
    /// The same record if nothing changed that a decision could rest on, so that a steady probe writes no journal.
    /// </summary>
    public ProbeRecord With(ProbeOutcome outcome, Instant now) => outcome switch
    {
        ProbeOutcome.Passed when Passing && Failures == 0 => this,
        ProbeOutcome.Passed => this with
        {
            Passes = Math.Min(Passes + 1, Spec.SuccessThreshold), Failures = 0, FailingSince = None, Last = outcome,
        },
        ProbeOutcome.Failed when Failing && IsLast<ProbeOutcome.Failed>() => this,
        ProbeOutcome.Failed => this with
        {
            Passes = 0,
            Failures = Math.Min(Failures + 1, Spec.FailureThreshold),
            FailingSince = FailingSince.IsSome ? FailingSince : now,
            Last = outcome,
        },

        // It says nothing: a failure goes on failing, and a pass must be shown again.
        ProbeOutcome.Inconclusive when IsLast<ProbeOutcome.Inconclusive>() => this,
        ProbeOutcome.Inconclusive => this with { Passes = 0, Last = outcome },
    };

    private bool IsLast<T>()
        where T : ProbeOutcome => Last.TryGet(out var last) && last is T;
}
