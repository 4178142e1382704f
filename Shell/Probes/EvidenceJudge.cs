using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Agent.Core.Model;
using Agent.Core.Rollout;
using LanguageExt;

namespace Agent.Shell.Probes;

/// <summary>
/// Which findings count, and in which mode. With a framework all its findings count, in the probe's mode unless the
/// manifest gives the control one of its own; without one exactly the listed controls count, each in its mode. What is
/// disabled does not count. It passes if every result in enforce mode does.
/// </summary>
internal static class EvidenceJudge
{
    /// <summary>All results stand in one record of the journal; the largest catalogues have some 200.</summary>
    public const int MaxResults = 256;

    private const string ModeOfProbe = "the mode of the probe";
    private const string ModeOfManifest = "the mode that the manifest gives it";
    private const string Missing = "no finding of it";

    private static ProbeResult TooMany => ProbeResult.Inconclusive("more findings count than a report can hold");

    public static ProbeResult Judge(ProbeMode mode, ProbeCheck.Evidence check, IReadOnlyList<Finding> findings)
    {
        var results = new OrderedDictionary<(string Control, string? Framework, string? Article), ControlResult>();
        foreach (var finding in findings)
        {
            if (CountsAs(mode, check, finding) is not { Mode: not ProbeMode.Disabled } counts) continue;
            var key = (finding.Id, finding.Framework, finding.Article);
            var passed = finding.Passed && (!results.TryGetValue(key, out var other) || other.Passed);
            results[key] = new(
                finding.Id, passed, counts.Mode, Of(finding.Framework), Of(finding.Article), counts.Reason);
            if (results.Count > MaxResults) return TooMany;
        }

        if (results.Count == 0) return ProbeResult.Failed("no finding counts");
        var all = results.Values.Concat(Unreported(check, findings)).ToArray();
        return Sum(all) with { Controls = all.ToSeq() };
    }

    /// <summary>In which mode a finding counts and why in that one; null if it does not count at all.</summary>
    private static (ProbeMode Mode, string Reason)? CountsAs(ProbeMode mode, ProbeCheck.Evidence check, Finding finding)
    {
        if (check.Framework.TryGet(out var framework) && finding.Framework != framework) return null;
        foreach (var listed in check.Controls)
        {
            if (listed.Id == finding.Id) return (listed.Mode, listed.Reason.IfNone(ModeOfManifest));
        }

        return check.Framework.IsSome ? (mode, ModeOfProbe) : null;
    }

    /// <summary>A control asked for by name that is not in the file has shown nothing: it does not pass.</summary>
    private static IEnumerable<ControlResult> Unreported(ProbeCheck.Evidence check, IReadOnlyList<Finding> findings) =>
        from listed in check.Controls
        where check.Framework.IsNone && listed.Mode != ProbeMode.Disabled
        where !findings.Any(finding => finding.Id == listed.Id)
        select new ControlResult(
            listed.Id, Passed: false, listed.Mode, Option<string>.None, Option<string>.None, Missing);

    private static ProbeResult Sum(ControlResult[] results)
    {
        var enforced = results.Where(result => result.Mode == ProbeMode.Enforce).ToArray();
        var failing = enforced.Where(result => !result.Passed).Select(result => result.Control).Distinct().ToArray();
        if (failing.Length > 0) return ProbeResult.Failed($"failing: {string.Join(", ", failing)}");
        return ProbeResult.Passed(string.Create(
            CultureInfo.InvariantCulture, $"{results.Count(result => result.Passed)} of {results.Length} pass"));
    }

    private static Option<string> Of(string? text) => text is null ? Option<string>.None : Option<string>.Some(text);
}
