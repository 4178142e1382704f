using System;
using System.Collections.Generic;
using System.Text.Json.Serialization;

namespace Agent.Shell.Api;

/// <summary>
/// A signed manifest for this host, as its bytes were received (base 64), and for a release its descriptor, the
/// signatures of that, and where its archive lies on this host. The archive may be left out if the store has it.
/// </summary>
internal sealed record ApplyRequest(
    [property: JsonRequired] ReadOnlyMemory<byte> Manifest,
    [property: JsonRequired] ReadOnlyMemory<byte> Signatures,
    ReadOnlyMemory<byte>? Release = null,
    ReadOnlyMemory<byte>? ReleaseSignatures = null,
    string? Archive = null);

/// <summary>One rollout on this host.</summary>
/// <param name="State">pending, activating, deferred, soaking, converged, failed, reverted or superseded.</param>
/// <param name="Decided">Nothing changes by itself any more; <paramref name="Succeeded"/> only if it converged.</param>
/// <param name="Summary">Where it stands, in one sentence.</param>
/// <param name="NextAt">When something happens next by itself, if that is known.</param>
internal sealed record RolloutInfo(
    string Id,
    string Channel,
    long Version,
    string State,
    bool Decided,
    bool Succeeded,
    string Summary,
    string Activator,
    string Target,
    string? Previous,
    int Activation,
    string ReceivedAt,
    string? Since,
    string? SoakUntil,
    string? VerdictBy,
    string? NextAt,
    FailureInfo? Cause,
    RecoveryInfo? Recovery,
    string? SupersededBy,
    IReadOnlyList<RolloutProbeInfo> Probes);

/// <param name="Code">switch-failed, wrong-release, probes-failed, no-verdict, drifted or stopped.</param>
internal sealed record FailureInfo(string Code, string Detail);

/// <param name="State">held, rolling-back or rollback-due.</param>
internal sealed record RecoveryInfo(string State, string Detail, int Attempt, string? RetryAt);

/// <param name="Status">unreported, passing, failing, inconclusive or undecided.</param>
internal sealed record RolloutProbeInfo(
    string Name, string Mode, string Kind, string Status, string? Detail, string? FailingSince);
