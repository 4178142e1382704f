namespace Agent.Core.Model;

/// <summary>Why something asked for was refused. The shell gives each its stable wire name.</summary>
public enum ErrorCode
{
    /// <summary>The event has no meaning in this state.</summary>
    NotLegal,

    /// <summary>The answer belongs to an attempt or generation that is over.</summary>
    Stale,
    NoSuchProcess,
    Quota,
    RegistryFull,
    InvalidInput,
    StillRunning,
    Stopping,
    Busy,
    NotAllowed,
    NoSuchRollout,

    /// <summary>An event of a rollout that is not newer than the last one taken.</summary>
    Seen,

    /// <summary>This rollout is known already, whatever became of it.</summary>
    Known,

    /// <summary>The manifest is older than one seen before.</summary>
    VersionRollback,

    /// <summary>Two manifests claim one version.</summary>
    VersionReused,

    /// <summary>There is no room for what a new rollout would have to tell the plane.</summary>
    OutboxFull,
    NoSuchDeadLetter,

    /// <summary>No manifest of this channel was ever published here.</summary>
    NoSuchChannel,

    /// <summary>The host was shut out; only a token issued since then lets it in again.</summary>
    HostRevoked,
    NoSuchToken,
    TokenExpired,

    /// <summary>The token was issued for another host.</summary>
    TokenForeign,

    /// <summary>Another key was certified with this token.</summary>
    TokenSpent,
    NoSuchContainer,
    NoSuchCompanion,
}
