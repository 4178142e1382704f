using System;
using System.Collections.Generic;
using System.Text;

namespace Agent.Shell.Api;

/// <summary>
/// What an environment that somebody asks for may hold. Variables that make a program load code of another's choosing
/// are refused, as are those that the agent itself sets. The programs that make a process its user's own run with it as root:
/// to them a variable must not name files either.
/// </summary>
internal static class EnvironmentRules
{
    public const int MaxVariables = 256;

    // The kernel allows 128 KiB for name and value together; half leaves room for any name.
    public const int MaxValueBytes = 64 << 10;

    /// <summary>Half of what execve takes in all by default; the command has the other half.</summary>
    public const int MaxBytes = 1 << 20;

    private const int MaxKeyLength = 256;

    private static readonly string[] RefusedPrefixes = ["LD_", "DYLD_", "AGENT_"];

    private static readonly string[] RefusedKeys =
    [
        "BASH_ENV", "ENV", "NODE_OPTIONS", "PYTHONPATH", "PYTHONHOME", "PERL5OPT", "RUBYOPT", "GCONV_PATH", "ZDOTDIR",
        "GLIBC_TUNABLES", "LOCPATH", "NLSPATH", "GETCONF_DIR", "HOSTALIASES", "LOCALDOMAIN", "RES_OPTIONS", "RESOLV_HOST_CONF",
        "NIS_PATH", "SHELLOPTS", "BASHOPTS", "PS4",
    ];

    /// <summary>The key at fault (empty: the whole) and why, or null.</summary>
    public static (string Key, string Reason)? Fault(IReadOnlyDictionary<string, string?> environment)
    {
        if (environment.Count > MaxVariables) return ("", $"may have at most {MaxVariables} variables");
        var total = 0;
        foreach (var (key, value) in environment)
        {
            if (FaultOfKey(key) is { } reason) return (key, reason);
            if (value is null) return (key, "must be a text");
            if (value.Contains('\0', StringComparison.Ordinal)) return (key, "holds a NUL character");
            if (IsOfLocale(key) && value.Contains('/', StringComparison.Ordinal)) return (key, "names a language, not a file");
            var bytes = Encoding.UTF8.GetByteCount(value);
            if (bytes > MaxValueBytes) return (key, $"is longer than {MaxValueBytes} bytes");
            total += key.Length + bytes;
            if (total > MaxBytes) return ("", $"is longer than {MaxBytes} bytes in all");
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

    private static bool IsOfLocale(string key) =>
        key is "LANG" or "LANGUAGE" || key.StartsWith("LC_", StringComparison.Ordinal);

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
