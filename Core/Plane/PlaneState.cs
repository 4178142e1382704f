using Agent.Core.Model;
using Agent.Core.Time;

namespace Agent.Core.Plane;

/// <summary>
/// Everything the plane knows of its fleet. <paramref name="Due"/>: nothing has to be looked at before then, so that no
/// event costs a search through all hosts.
/// </summary>
public sealed record PlaneState(
    Map<OrdHostName, HostName, PlaneHost> Hosts,
    Map<OrdRolloutId, RolloutId, FleetRollout> Rollouts,
    Map<OrdChannelName, ChannelName, PlaneChannel> Channels,
    Map<OrdTokenId, TokenId, EnrolmentToken> Tokens,
    Option<Instant> Due)
{
    /// <summary>What one plane on one machine is measured for.</summary>
    public const int MaxHosts = 100_000;

    /// <summary>Each poll of a host looks at every channel.</summary>
    public const int MaxChannels = 256;

    /// <summary>Enough to see what came before; the journal knows of all.</summary>
    public const int RolloutsKept = 16;

    /// <summary>A fleet's worth of new hosts on one day.</summary>
    public const int MaxTokens = 10_000;

    public static PlaneState Initial { get; } = new(
        Map<OrdHostName, HostName, PlaneHost>(),
        Map<OrdRolloutId, RolloutId, FleetRollout>(),
        Map<OrdChannelName, ChannelName, PlaneChannel>(),
        Map<OrdTokenId, TokenId, EnrolmentToken>(),
        None);
}

/// <summary>
/// A one-time permit to enrol as this host. <paramref name="SpentBy"/> is the fingerprint of the key that was certified
/// with it: the same key may come again, in case the answer was lost.
/// </summary>
public sealed record EnrolmentToken(HostName Host, Instant Expires, Option<string> SpentBy);
