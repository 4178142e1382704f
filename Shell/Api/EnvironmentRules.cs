using System;
using System.Collections.Generic;
using System.Text;

namespace Agent.Shell.Api;

/// <summary>
/// What an environment that somebody asks for may hold. Variables that make a program load code of another's choosing
/// are refused, as are those that the agent itself sets.
/// </summary>
internal static class EnvironmentRules
{
    public const int MaxVariables = 256;

    // The kernel allows 128 KiB for name and value together; half leaves room for any name.
    public const int MaxValueBytes = 64 << 10;

    private const int MaxKeyLength = 256;

    private static readonly string[] RefusedPrefixes = ["LD_", "DYLD_", "AGENT_"];

    private static readonly string[] RefusedKeys =
    [
        "BASH_ENV", "ENV", "NODE_OPTIONS", "PYTHONPATH", "PYTHONHOME", "PERL5OPT", "RUBYOPT", "GCONV_PATH", "ZDOTDIR",
    ];

    /// <summary>The key at fault (empty: the whole) and why, or null.</summary>
    public static (string Key, string Reason)? Fault(IReadOnlyDictionary<string, string?> environment)
    {
        if (environment.Count > MaxVariables) return ("", $"may have at most {MaxVariables} variables");
        foreach (var (key, value) in environment)
        {
            if (FaultOfKey(key) is { } reason) return (key, reason);
            if (value is null) return (key, "must be a text");
            if (value.Contains('\0', StringComparison.Ordinal)) return (key, "holds a NUL character");
            if (Encoding.UTF8.GetByteCount(value) <= MaxValueBytes) continue;
            return (key, $"is longer than {MaxValueBytes} bytes");
        }

        return null;
    }

    private static string? FaultOfKey(string key) =>
        !IsName(key) ? "is no name of a variable: letters, digits and _, not beginning with a digit"
        : key == "PATH" ? "is the agent's own and cannot be set; name the program by its full path"
        : Array.Exists(RefusedPrefixes, prefix => key.StartsWith(prefix, StringComparison.Ordinal))
            || Array.IndexOf(RefusedKeys, key) >= 0
            ? "is refused: it can make the program load other code"
        : null;

    private static bool IsName(string key)
    {
        if (key.Length is 0 or > MaxKeyLength || char.IsAsciiDigit(key[0])) return false;
        foreach (var c in key)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '_') return false;
        }

        return true;
    }
}
