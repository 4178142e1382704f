using System;
using Agent.Core.Model;

namespace Agent.Shell.Containers;

/// <summary>
/// How one agent's containers are told from everybody else's. The labels decide; the name only reads well, and a
/// container that took it without the labels is somebody else's (CT-3).
/// </summary>
/// <param name="Instance">128 random bits in hexadecimal digits, the same while its state directory lives.</param>
internal sealed record ContainerLabels(string Instance)
{
    public const string InstanceKey = "agent.instance";
    public const string UidKey = "agent.uid";

    /// <summary>The digest of the definition that the container was made of.</summary>
    public const string SpecKey = "agent.spec";

    /// <summary>The id of the image that the container was made of.</summary>
    public const string ImageKey = "agent.image";

    private const int ShortLength = 8;

    /// <summary>`agent-` and eight digits: what this agent's names begin with.</summary>
    public string Prefix { get; } = $"agent-{Instance[..Math.Min(ShortLength, Instance.Length)]}";

    public string NameOf(ContainerUid uid) => $"{Prefix}-{uid}";
}
