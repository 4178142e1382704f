using System.Collections.Generic;
using System.IO;
using Agent.Shell.Loop;

namespace Agent.Shell.Docker;

/// <summary>
/// The operator's choices for the engine. <paramref name="SearchPath"/> comes before PATH;
/// <paramref name="ContainerdSocket"/> names a containerd to share, null gives the engine its own.
/// </summary>
internal sealed record RuntimeSettings(
    IReadOnlyList<string> SearchPath, string DataRoot, string Socket, string? ContainerdSocket)
{
    public static RuntimeSettings Default(AgentPaths paths) => new(
        [], Path.Combine(paths.StateDir, "docker"), Path.Combine(paths.RuntimeDir, "docker.sock"), null);
}
