using System;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Core.Time;
using Agent.Shell.Loop;

namespace Agent.Shell.Probes;

/// <summary>A signed file of findings. One that is unsigned, unreadable or old shows nothing, neither way.</summary>
internal sealed class EvidenceProbe(IEvidenceReader reader, IHost host, WallClock wall)
{
    /// <summary>So far may the clock of the one who signed be ahead.</summary>
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(60);

    public async Task<ProbeResult> RunAsync(
        RolloutId rollout, ProbeMode mode, ProbeCheck.Evidence check, CancellationToken limit)
    {
        if (check.Framework.IsNone && check.Controls.IsEmpty)
        {
            return ProbeResult.Inconclusive("it names neither a framework nor controls");
        }

        return await reader.ReadAsync(check.Path, limit).ConfigureAwait(false) switch
        {
            EvidenceReading.Refused(var why) => ProbeResult.Inconclusive(why),
            EvidenceReading.Verified(var signed, _) when wall.Now - signed > check.MaxAge =>
                ProbeResult.Inconclusive($"stale: it was signed at {signed}"),
            EvidenceReading.Verified(var signed, _) when signed - wall.Now > Skew =>
                ProbeResult.Inconclusive($"from the future: it was signed at {signed}"),
            EvidenceReading.Verified(var signed, _) when IsBefore(rollout, signed) =>
                ProbeResult.Inconclusive($"it was signed at {signed}, before this release ran"),
            EvidenceReading.Verified(_, var findings) => EvidenceJudge.Judge(mode, check, findings),
        };
    }

    /// <summary>What somebody saw of the release before says nothing of this one.</summary>
    private bool IsBefore(RolloutId rollout, Instant signed) =>
        host.Current.State.Rollouts.Find(rollout).TryGet(out var state)
        && state is RolloutState.Soaking soaking && wall.At(soaking.Since) - signed > Skew;
}
