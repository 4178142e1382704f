using System;
using System.Collections.Generic;
using System.Text.Json.Serialization;
using Agent.Shell.Api;

namespace Agent.Shell.Uplink;

// The shapes between agents, operators and planes, shared by all three. What a host tells of its rollouts is written as
// the journal writes it, so it is the very event that was stepped; everything else is here. A request refuses what it
// does not know; an answer may grow.

/// <param name="Token">The secret part of an enrolment token.</param>
/// <param name="Csr">PKCS#10 as PEM.</param>
internal sealed record EnrolRequest(
    [property: JsonRequired] string Token, [property: JsonRequired] string Host, [property: JsonRequired] string Csr);

/// <summary>A certificate, and the authority that the plane's own one comes from, as PEM.</summary>
internal sealed record CertificateAnswer(
    [property: JsonRequired] string Certificate, [property: JsonRequired] string Authority);

internal sealed record RenewRequest([property: JsonRequired] string Csr);

/// <summary>What this host is and runs, and how far its rollouts are.</summary>
internal sealed record HeartbeatRequest(
    [property: JsonRequired] string BootId,
    [property: JsonRequired] string Version,
    [property: JsonRequired] IReadOnlyList<RunningInfo> Running,
    [property: JsonRequired] IReadOnlyList<MarkInfo> Rollouts);

/// <summary>The release that runs on a channel.</summary>
internal sealed record RunningInfo([property: JsonRequired] string Channel, [property: JsonRequired] string Release);

/// <summary>A rollout and the seq of its newest event.</summary>
internal sealed record MarkInfo([property: JsonRequired] string Id, [property: JsonRequired] long Seq);

/// <summary>What the plane lacks.</summary>
internal sealed record HeartbeatAnswer([property: JsonRequired] IReadOnlyList<ReplayInfo> Replay);

internal sealed record ReplayInfo([property: JsonRequired] string Rollout, [property: JsonRequired] long From);

/// <summary>
/// A signed manifest for this host, as it was received; for a release its signed descriptor. The archive is fetched by
/// its digest, once all of this is verified.
/// </summary>
internal sealed record DispatchInfo(
    [property: JsonRequired] string Rollout,
    [property: JsonRequired] ReadOnlyMemory<byte> Manifest,
    [property: JsonRequired] ReadOnlyMemory<byte> Signatures,
    ReadOnlyMemory<byte>? Release = null,
    ReadOnlyMemory<byte>? ReleaseSignatures = null);

/// <summary>One verdict for each thing that was told, in order.</summary>
internal sealed record EventsAnswer([property: JsonRequired] IReadOnlyList<VerdictInfo> Verdicts);

/// <param name="Status">200 taken, 208 seen before, 409 refused, 416 something before it is missing.</param>
/// <param name="Replay">With 416: from where it must be told again.</param>
internal sealed record VerdictInfo(
    [property: JsonRequired] int Status, string? Code = null, string? Detail = null, ReplayInfo? Replay = null);

/// <summary>A signed document and its signatures.</summary>
internal sealed record SignedInfo(
    [property: JsonRequired] ReadOnlyMemory<byte> Document, [property: JsonRequired] ReadOnlyMemory<byte> Signatures);

/// <summary>A manifest to be published, with the descriptor of each release it names; their archives came before.</summary>
internal sealed record PublishRequest(
    [property: JsonRequired] SignedInfo Manifest, [property: JsonRequired] IReadOnlyList<SignedInfo> Releases);

/// <param name="LifeMs">How long the token may be used.</param>
internal sealed record TokenRequest([property: JsonRequired] string Host, long? LifeMs = null);

/// <summary>The token is shown once and kept nowhere.</summary>
internal sealed record TokenAnswer(string Host, string Token, string ExpiresAt);

/// <summary>What an operator sees of a fleet at one moment.</summary>
/// <param name="Seq">The newest durable record of the plane.</param>
/// <param name="HostCount">All hosts; a watch shows the first of them.</param>
internal sealed record FleetInfo(
    string Version, long Seq, IReadOnlyList<ChannelInfo> Channels, IReadOnlyList<FleetRolloutInfo> Rollouts,
    int HostCount, IReadOnlyList<FleetHostInfo> Hosts);

internal sealed record ChannelInfo(
    string Name, string Newest, bool Halted, IReadOnlyList<QuarantineInfo> Quarantine);

internal sealed record QuarantineInfo(string Release, string Rollout, string Host, string At);

/// <param name="State">active, converged, failed, reverted or superseded.</param>
/// <param name="Wave">The wave that is open, from 0; null when none is.</param>
internal sealed record FleetRolloutInfo(
    string Id, string Channel, long Version, string State, int? Wave, string Summary, string PublishedAt, bool Newest,
    IReadOnlyList<WaveInfo> Waves);

internal sealed record WaveInfo(int Hosts, int Done, int Failed, int Reverted);

/// <param name="State">online, silent, revoked or never-seen.</param>
internal sealed record FleetHostInfo(
    string Name, string State, string? LastSeen, string? Version, string? CertificateUntil,
    IReadOnlyList<RunningInfo> Running, IReadOnlyList<HostRolloutInfo> Rollouts);

/// <summary>Where a rollout stands on one host, or why it is not there yet.</summary>
/// <param name="Decided">Nothing changes there by itself any more.</param>
internal sealed record HostRolloutInfo(string Id, string State, bool Decided, string Summary, long Seq);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(EnrolRequest))]
[JsonSerializable(typeof(RenewRequest))]
[JsonSerializable(typeof(HeartbeatRequest))]
[JsonSerializable(typeof(PublishRequest))]
[JsonSerializable(typeof(TokenRequest))]
internal sealed partial class PlaneRequests : JsonSerializerContext;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(CertificateAnswer))]
[JsonSerializable(typeof(HeartbeatAnswer))]
[JsonSerializable(typeof(DispatchInfo))]
[JsonSerializable(typeof(EventsAnswer))]
[JsonSerializable(typeof(SignedInfo))]
[JsonSerializable(typeof(TokenAnswer))]
[JsonSerializable(typeof(FleetInfo))]
[JsonSerializable(typeof(FleetRolloutInfo))]
[JsonSerializable(typeof(FleetHostInfo))]
[JsonSerializable(typeof(HostRolloutInfo))]
internal sealed partial class PlaneAnswers : JsonSerializerContext;
