using System.Collections.Generic;

namespace Agent.Shell.Containers;

/// <summary>
/// The operator's choices for containers. <paramref name="Socket"/> names their engine; null is the one that this agent
/// supervises. <paramref name="Install"/>: what is declared is wanted, without anybody asking for it.
/// </summary>
internal sealed record ContainerSettings(
    string? Compose, string? Socket, bool Install, IReadOnlyList<ContainerDefinition> Definitions)
{
    public static ContainerSettings None { get; } = new(null, null, Install: true, []);
}
