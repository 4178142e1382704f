using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Shell.Effects;
using Agent.Shell.Observability;
using LanguageExt;

namespace Agent.Shell.Probes;

/// <summary>
/// Runs a probe once. It never throws for what it finds: what cannot be run is inconclusive. Null: it saw nothing that it
/// did not tell before.
/// </summary>
internal interface IProbeRunner
{
    Task<ProbeResult?> RunAsync(RolloutId rollout, ProbeSpec probe, CancellationToken stop);
}

/// <summary>What one run found; the controls are those of an evidence file, as they were judged.</summary>
internal sealed record ProbeResult(ProbeOutcome Outcome, Seq<ControlResult> Controls)
{
    public static ProbeResult Passed(string detail) => new(new ProbeOutcome.Passed(Cut(detail)), default);

    public static ProbeResult Failed(string detail) => new(new ProbeOutcome.Failed(Cut(detail)), default);

    public static ProbeResult Inconclusive(string detail) => new(new ProbeOutcome.Inconclusive(Cut(detail)), default);

    private static string Cut(string detail) => BoundedText.Cut(detail, ProbeOutcome.MaxDetail);
}
