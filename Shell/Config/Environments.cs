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
