using Agent.Core.Model;
using Agent.Core.Rollout;

namespace Agent.Specs.Tools;

/// <summary>Readable ids.</summary>
public static class Ids
{
    public static ProcessId Of(string text) =>
        ProcessId.Parse(text).IfNone(() => throw new InvalidOperationException($"'{text}' is no id"));

    /// <summary>Rollouts of one channel, or of the one named.</summary>
    public static RolloutId Rollout(int number, string channel = "stable") =>
        RolloutId.Parse($"{channel}@{number:x8}").IfNone(() => throw new InvalidOperationException("no rollout's id"));

    public static HostName Host(string text) =>
        HostName.Parse(text).IfNone(() => throw new InvalidOperationException($"'{text}' is no host"));

    public static ChannelName Channel(string text) =>
        ChannelName.Parse(text).IfNone(() => throw new InvalidOperationException($"'{text}' is no channel"));

    public static TokenId Token(string text) =>
        TokenId.Parse(text).IfNone(() => throw new InvalidOperationException($"'{text}' is no token"));

    public static ContainerUid Container(string text) =>
        ContainerUid.Parse(text).IfNone(() => throw new InvalidOperationException($"'{text}' is no container's uid"));

    public static CompanionName Companion(string text) =>
        CompanionName.Parse(text).IfNone(() => throw new InvalidOperationException($"'{text}' is no companion's name"));

    public static ReleaseId Release(int number) =>
        ReleaseId.Parse($"sha256:{number:x64}").IfNone(() => throw new InvalidOperationException("no release's id"));

    public static ProbeName Probe(string text) =>
        ProbeName.Parse(text).IfNone(() => throw new InvalidOperationException($"'{text}' is no probe's name"));
}
