using System.Collections.Generic;

namespace Agent.Shell.Api;

/// <summary>This host's plane: who this host is to it, when it last answered, what went wrong since, and what is owed.</summary>
internal sealed record PlaneInfo(
    string Url,
    string? Host,
    string? CertificateUntil,
    string? HeardAt,
    string? Failure,
    string? FailedAt,
    OutboxInfo Outbox);

/// <param name="State">off, idle, sending or waiting.</param>
/// <param name="Queued">Events to be told, <paramref name="Transitions"/> of them changes of state.</param>
/// <param name="Wholes">Rollouts of which the plane gets the whole state.</param>
/// <param name="Shed">Observations given up for want of room.</param>
/// <param name="Dead">What the plane refused; it waits for an operator and holds up nothing.</param>
/// <param name="DeadForgotten">Older ones that went for want of room.</param>
internal sealed record OutboxInfo(
    string State,
    int Queued,
    int Transitions,
    int Wholes,
    long Shed,
    int Attempts,
    string? Failure,
    string? RetryAt,
    IReadOnlyList<DeadLetterInfo> Dead,
    long DeadForgotten);

internal sealed record DeadLetterInfo(
    long Position, string Rollout, long Seq, string Event, string Code, string Detail, string At);
