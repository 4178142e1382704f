using System.Collections.Generic;
using Agent.Core.Model;

namespace Agent.Shell.Companions;

/// <summary>The units that the configuration declares, and the folder in which systemd finds them.</summary>
internal sealed record CompanionSettings(string Units, IReadOnlyList<CompanionDefinition> Definitions)
{
    /// <summary>
    /// Of this boot only. The agent is what starts its companions, so none should come up without it; nothing is left of
    /// them where the agent was taken away; and it can be written where /etc cannot, as on NixOS.
    /// </summary>
    public const string DefaultUnits = "/run/systemd/system";

    /// <summary>Those that an operator chooses from; what was written into one is found when he has chosen the other.</summary>
    public static IReadOnlyList<string> Folders { get; } = [DefaultUnits, "/etc/systemd/system"];

    public static CompanionSettings None { get; } = new(DefaultUnits, []);
}

/// <summary>One companion as it is declared. <paramref name="Text"/> is its unit file without the agent's mark.</summary>
internal sealed record CompanionDefinition(
    CompanionName Name, string Text, bool Start, bool Restart, IReadOnlyList<CompanionName> After)
{
    /// <summary>A unit is some dozen lines; more is somebody's mistake.</summary>
    public const int MaxBytes = 64 << 10;
}
