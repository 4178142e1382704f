using System;
using System.Collections.Concurrent;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Core.Time;
using Agent.Shell.Loop;

namespace Agent.Shell.Probes;

/// <summary>
/// A signed file of findings. One that is unsigned, unreadable, old or older than one that was seen shows nothing, neither
/// way. A document shows what it shows once: read again it is no second pass.
/// </summary>
internal sealed class EvidenceProbe(IEvidenceReader reader, IHost host, WallClock wall)
{
    /// <summary>So far may the clock of the one who signed be ahead.</summary>
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(60);

    // What each probe of a soaking rollout has seen. An agent that starts again asks for a new pass anyway.
    private readonly ConcurrentDictionary<(RolloutId Rollout, ProbeName Probe), Shown> _shown = new();

    /// <summary>Null: it is the document that was told at the turn before.</summary>
    public async Task<ProbeResult?> RunAsync(
        RolloutId rollout, ProbeSpec probe, ProbeCheck.Evidence check, CancellationToken limit)
    {
        if (check.Framework.IsNone && check.Controls.IsEmpty)
        {
            return ProbeResult.Inconclusive("it names neither a framework nor controls");
        }

        var before = Begin((rollout, probe.Name));
        return await reader.ReadAsync(check.Path, limit).ConfigureAwait(false) switch
        {
            EvidenceReading.Refused(var why) => ProbeResult.Inconclusive(why),
            EvidenceReading.Verified(var signed, _) when Fault(rollout, check, signed, before.Newest) is { } why =>
                ProbeResult.Inconclusive(why),
            EvidenceReading.Verified(var signed, var findings) =>
                IsNew((rollout, probe.Name), signed, before) ? EvidenceJudge.Judge(probe.Mode, check, findings) : null,
        };
    }

    /// <summary>
    /// A turn that does not come to the same document again ends the row of passes; after it that document may be shown
    /// once more.
    /// </summary>
    private Shown Begin((RolloutId Rollout, ProbeName Probe) key)
    {
        foreach (var other in _shown.Keys)
        {
            if (other.Rollout != key.Rollout && SinceOf(other.Rollout) is null) _shown.TryRemove(other, out _);
        }

        if (!_shown.TryGetValue(key, out var before)) return default;
        _shown[key] = before with { Counts = false };
        return before;
    }

    private bool IsNew((RolloutId Rollout, ProbeName Probe) key, Instant signed, Shown before)
    {
        _shown[key] = new(signed, Counts: true);
        return !before.Counts || signed > before.Newest;
    }

    private string? Fault(RolloutId rollout, ProbeCheck.Evidence check, Instant signed, Instant newest)
    {
        var now = wall.Now;
        if (now - signed > check.MaxAge) return $"stale: it was signed at {signed}";
        if (signed - now > Skew) return $"from the future: it was signed at {signed}";

        // What somebody saw of the release before says nothing of this one.
        if (SinceOf(rollout) is { } since && signed < wall.At(since))
        {
            return $"it was signed at {signed}, before this release ran";
        }

        return signed < newest ? $"it was signed at {signed}, and one of {newest} was seen already" : null;
    }

    /// <summary>When its release began to run, by the loop's clock; null unless it soaks.</summary>
    private Instant? SinceOf(RolloutId rollout) =>
        host.Current.State.Rollouts.Find(rollout).TryGet(out var state) && state is RolloutState.Soaking soaking
            ? soaking.Since
            : null;

    /// <summary>The newest document, and whether it was the last thing told.</summary>
    private readonly record struct Shown(Instant Newest, bool Counts);
}
