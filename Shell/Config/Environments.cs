using System;
using System.Collections;
using System.Collections.Generic;

namespace Agent.Shell.Config;

/// <summary>
/// What a supervised process inherits of the agent's own environment: where programs are, language and time zone.
/// </summary>
internal static class Environments
{
    private const string StandardPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// <summary>All of the agent's own, for files of the operator's that refer to it.</summary>
    public static Dictionary<string, string> Whole()
    {
        var whole = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            whole[(string)variable.Key] = (string?)variable.Value ?? "";
        }

        return whole;
    }

    public static Dictionary<string, string> Inherited()
    {
        var inherited = new Dictionary<string, string>(StringComparer.Ordinal) { ["PATH"] = StandardPath };
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            var name = (string)variable.Key;
            if (name is "PATH" or "LANG" or "TZ" || name.StartsWith("LC_", StringComparison.Ordinal))
            {
                inherited[name] = (string?)variable.Value ?? "";
            }
        }

        return inherited;
    }
}
