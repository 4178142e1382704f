using System.Linq;
using Agent.Core.Companion;
using Agent.Core.Model;
using Agent.Core.Time;
using LanguageExt;
using CompanionSet = Agent.Core.Companion.Companions;

namespace Agent.Shell.Api;

/// <summary>Companions in the API's words.</summary>
internal static class MappingCompanion
{
    public static CompanionsInfo Of(CompanionSet companions, string units, Instant now) => new(
        units,
        companions.Passing switch
        {
            LookState.Off => "off",
            LookState.Resting => "resting",
            LookState.Looking => "looking",
        },
        companions.Last.TryGet(out var last)
            ? new(last.Pass, last.At.ToString(), last.Failure.TryGet(out var why) ? why : null)
            : null,
        companions.Reload is ReloadState.Failed(var reason, _) ? reason : null,
        [.. companions.All.Values.Select(state => Of(companions, state, now))]);

    private static CompanionInfo Of(CompanionSet companions, CompanionState state, Instant now)
    {
        var profile = state.Profile;
        var spec = profile.Spec.TryGet(out var declared) ? declared : null;
        var seen = profile.Seen.TryGet(out var found) ? found : null;
        var deed = profile.History.LastDeed.TryGet(out var last) ? last : null;
        var (report, detail) = Report(companions.Judge(state, now));
        return new(
            profile.Name.Value,
            spec is not null,
            spec?.Start,
            spec is null ? [] : [.. spec.After.Map(name => name.Value)],
            seen is null ? "unseen" : NameOf(seen.File, spec),
            seen is null ? "unseen" : NameOf(seen.Activity),
            CompanionSet.ActionOf(state).TryGet(out var action) ? WireNames.Of(action) : null,
            report,
            detail,
            deed is null ? null : WireNames.Of(deed.Action),
            deed?.At.ToString(),
            profile.History.Losses.Count(at => now - at < CompanionHistory.CircuitWindow),
            profile.RetryAt.TryGet(out var retry) ? retry.ToString() : null,
            profile.History.LastFailure.TryGet(out var failure) ? new(failure.At.ToString(), failure.Reason) : null);
    }

    private static (string Report, string Detail) Report(CompanionDecision decision) => decision switch
    {
        CompanionDecision.Settled(var detail) => ("ok", detail),
        CompanionDecision.Left(var reason) => ("failed", reason),
        CompanionDecision.Waits(var what, var until) => (until.IsSome ? "failed" : "waiting", "waits for " + what),
        CompanionDecision.Acts(var action) => ("working", WireNames.Of(action)),
    };

    private static string NameOf(UnitFile file, CompanionSpec? spec) => file switch
    {
        UnitFile.Absent => "absent",
        UnitFile.Ours(var digest) => digest == spec?.Digest ? "current" : "other",
        UnitFile.Foreign => "foreign",
    };

    private static string NameOf(UnitActivity activity) => activity switch
    {
        UnitActivity.Active => "active",
        UnitActivity.Activating => "activating",
        UnitActivity.Deactivating => "deactivating",
        UnitActivity.Inactive => "inactive",
        UnitActivity.Failed => "failed",
        UnitActivity.Missing => "missing",
        UnitActivity.Unknown => "unknown",
    };
}
