using System;

namespace Agent.Shell.Uplink;

/// <summary>What agents, operators and planes agree on: the paths, the version header, and what a message may weigh.</summary>
internal static class Protocol
{
    /// <summary>Every request and answer carries it; who speaks another version is told so and changes nothing.</summary>
    public const string VersionHeader = "Agent-Protocol";

    public const string Version = "1";

    public const string Enrol = "/v1/enroll";
    public const string Dispatch = "/v1/agent/dispatch";
    public const string Events = "/v1/agent/events";
    public const string Heartbeat = "/v1/agent/heartbeat";
    public const string Renew = "/v1/agent/renew";
    public const string Trust = "/v1/agent/trust";
    public const string Releases = "/v1/agent/releases/";
    public const string Fleet = "/v1/fleet";

    /// <summary>A batch of a hundred events and some rollouts as a whole; ten times what one usually weighs.</summary>
    public const int MaxEventsBytes = 4 << 20;

    /// <summary>What runs on a host and where its rollouts stand: 32 channels, 64 rollouts.</summary>
    public const int MaxHeartbeatBytes = 64 << 10;

    /// <summary>A manifest of a megabyte with its signatures and a descriptor, in base 64.</summary>
    public const int MaxDispatchBytes = 2 << 20;

    /// <summary>An answer that holds no document.</summary>
    public const int MaxAnswerBytes = 256 << 10;

    /// <summary>How long a plane holds a question for work, at most; below what proxies cut off.</summary>
    public static TimeSpan LongestWait => TimeSpan.FromSeconds(60);
}
