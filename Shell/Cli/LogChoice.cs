using System;
using System.CommandLine;
using Agent.Shell.Observability;

namespace Agent.Shell.Cli;

/// <summary>What `--log` and AGENT_LOG say: a format, `debug`, or both with a comma.</summary>
internal static class LogChoice
{
    public static Option<string?> Flag() =>
        SpawnVerb.Text("--log", "FORMAT", "human, json, journald or auto, and ,debug to hear more (AGENT_LOG, else auto)");

    /// <summary>From here on this program's log is as it was asked for.</summary>
    public static void Use(string? flag)
    {
        var (format, level) = Parse(
            flag is { Length: > 0 } ? ("--log", flag)
            : Environment.GetEnvironmentVariable("AGENT_LOG") is { Length: > 0 } variable ? ("AGENT_LOG", variable)
            : ("--log", "auto"));
        Log.Use(format, level);
    }

    private static (LogFormat Format, LogLevel Level) Parse((string Source, string Text) given)
    {
        var (format, level) = (Fitting(), LogLevel.Info);
        foreach (var word in given.Text.Split(','))
        {
            switch (word)
            {
                case "debug": level = LogLevel.Debug; break;
                case "human": format = LogFormat.Human; break;
                case "json": format = LogFormat.Json; break;
                case "journald": format = LogFormat.Journald; break;
                case "auto": format = Fitting(); break;
                default:
                    throw new CommandFailure(
                        ExitCodes.Usage, $"{given.Source} {given.Text}: human, json, journald or auto, and ,debug to hear more");
            }
        }

        return (format, level);
    }

    /// <summary>Under systemd what its journal reads, on a terminal what people read, else what programs read.</summary>
    private static LogFormat Fitting() =>
        Environment.GetEnvironmentVariable("JOURNAL_STREAM") is not null ? LogFormat.Journald
        : Console.IsErrorRedirected ? LogFormat.Json
        : LogFormat.Human;
}
