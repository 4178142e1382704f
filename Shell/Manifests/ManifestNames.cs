using System.Linq;

namespace Agent.Shell.Manifests;

/// <summary>The names that manifests and configurations give to hosts and environments.</summary>
internal static class ManifestNames
{
    /// <summary>That of DNS.</summary>
    public const int MaxLength = 253;

    public static bool IsHost(string name) => name.Length is > 0 and <= MaxLength
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
}
