using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Agent.Shell.Config;

namespace Agent.Shell.Import;

/// <summary>One [program:x] as services: one for each of its processes.</summary>
internal sealed class SupervisordProgram(IniSection section, string name)
{
    /// <summary>An order by priority among more than this says nothing about who needs whom.</summary>
    public const int MostAfter = 16;

    private const string OneForBoth = "both streams have files of their own and the same settings, those of stdout";

    private const int DefaultPriority = 999;
    private const int DefaultStopWait = 10;

    // supervisord's own, of each stream.
    private const long DefaultLogBytes = 50 << 20;
    private const int DefaultLogBackups = 10;

    private static readonly Dictionary<string, string> NoCounterpart = new(StringComparer.Ordinal)
    {
        ["startsecs"] = "whatever runs counts as started; what ends is started again at once, then after 1s to 60s",
        ["startretries"] = "a service is started again without end, ever more slowly; `agent ps` shows it as crash-looping",
        ["umask"] = "a service has the agent's; set it in the command: [/bin/sh, -c, \"umask 027; exec …\"]",
        ["redirect_stderr"] = "streams are kept apart; `agent logs` shows both, `agent logs --stderr` one",
        ["serverurl"] = "there is no supervisord to call; programs find the agent's API at /run/agent/agent.sock",
        ["stdout_capture_maxbytes"] = "nothing speaks supervisord's event protocol",
        ["stderr_capture_maxbytes"] = "nothing speaks supervisord's event protocol",
        ["stdout_events_enabled"] = "nothing speaks supervisord's event protocol; read `agent logs -f`",
        ["stderr_events_enabled"] = "nothing speaks supervisord's event protocol; read `agent logs -f`",
        ["stdout_syslog"] = "output is read with `agent logs`; pipe `agent logs -f` into logger for syslog",
        ["stderr_syslog"] = "output is read with `agent logs`; pipe `agent logs -f` into logger for syslog",
        ["stdout_logfile"] = "output is read with `agent logs`, no file is named",
        ["stderr_logfile"] = "output is read with `agent logs`, no file is named",
        ["stderr_logfile_maxbytes"] = OneForBoth,
        ["stderr_logfile_backups"] = OneForBoth,
    };

    // Of no consequence where they say what holds for every service of the agent.
    private static readonly string[] Understood =
    [
        "command", "process_name", "numprocs", "numprocs_start", "priority", "autostart", "autorestart", "exitcodes",
        "stopsignal", "stopwaitsecs", "stopasgroup", "killasgroup", "user", "directory", "environment",
        "stdout_logfile_maxbytes", "stdout_logfile_backups",
    ];

    public Place At => section.At;

    public int Priority { get; private set; } = DefaultPriority;

    public IReadOnlyList<ImportedService> Services(
        Import import, IReadOnlyDictionary<string, string> names, IReadOnlyList<KeyValuePair<string, string>> environment)
    {
        var mine = new Dictionary<string, string>(names, StringComparer.Ordinal) { ["program_name"] = name, ["group_name"] = name };
        var values = new Reading(import, section, mine);
        Priority = values.Number("priority", DefaultPriority, int.MinValue, int.MaxValue);
        var count = values.Number("numprocs", 1, 0, Import.MostServices);
        var first = values.Number("numprocs_start", 0, 0, int.MaxValue - Import.MostServices);
        mine["numprocs"] = count.ToString(CultureInfo.InvariantCulture);
        if (section.Find("command") is null) import.Mistakes.Add(section.At, $"[{section.Name}] needs a command");
        if (count > 1 && section.Find("process_name")?.Value.Contains("%(process_num)", StringComparison.Ordinal) is not true)
        {
            import.Mistakes.Add(
                section.At, $"[{section.Name}] has several processes, so its process_name must contain %(process_num)");
        }

        Tell(import);
        var services = new List<ImportedService>();
        for (var i = 0; i < count; i++)
        {
            mine["process_num"] = (first + i).ToString(CultureInfo.InvariantCulture);
            services.Add(One(import, values, environment));
        }

        return services;
    }

    private ImportedService One(Import import, Reading values, IReadOnlyList<KeyValuePair<string, string>> environment)
    {
        var process = values.Text("process_name") ?? name;
        var (command, fault) = ShellWords.Split(values.Text("command") ?? "");
        if (fault is not null) import.Mistakes.Add(values.At("command"), $"command: {fault}");
        var (pairs, wrong) = KeyValues.Parse(values.Text("environment") ?? "");
        if (wrong is not null) import.Mistakes.Add(values.At("environment"), $"environment: {wrong}");
        var directory = values.Text("directory");
        if (directory is not null && !directory.StartsWith('/'))
        {
            import.Note(
                values.At("directory"), "directory",
                $"{directory} is not absolute, and supervisord's own directory is not known; write it out as cwd");
            directory = null;
        }

        var own = pairs.Select(one => one.Key).ToHashSet(StringComparer.Ordinal);
        var called = process.StartsWith(name, StringComparison.Ordinal) ? process : $"{name}-{process}";
        return new(import.Name(section.At, called), command)
        {
            Env = [.. environment.Where(one => !own.Contains(one.Key)), .. pairs],
            EnvFrom = (values.At("environment"), "environment"),
            Cwd = directory,
            User = values.Text("user"),
            Restart = Restart(import, values),
            StopSignal = Signal(import, values),
            Grace = TimeSpan.FromSeconds(values.Number("stopwaitsecs", DefaultStopWait, 0, 1_000_000)),
            GraceFrom = (values.At("stopwaitsecs"), "stopwaitsecs"),
            Log = Log(import, values),
            Disabled = Disabled(import, values),
        };
    }

    /// <summary>Only where it was said; without a bound there it has the largest here.</summary>
    private static LogSettings? Log(Import import, Reading values)
    {
        var (size, backups) = (values.Text("stdout_logfile_maxbytes"), values.Text("stdout_logfile_backups"));
        if (size is null && backups is null) return null;
        var bytes = Bytes(import, values, size);
        var files = values.Number("stdout_logfile_backups", DefaultLogBackups, 0, int.MaxValue - 1) + 1;
        var log = new LogSettings(
            (int)Math.Clamp(bytes == 0 ? LogSettings.MostBytes : bytes, LogSettings.LeastBytes, LogSettings.MostBytes),
            Math.Clamp(files, LogSettings.LeastFiles, LogSettings.MostFiles));
        Tell("stdout_logfile_maxbytes", log.MaxBytes != bytes, $"a file of a log has {log.MaxBytes} bytes at most");
        Tell("stdout_logfile_backups", log.Files != files, $"{log.Files} files are kept");
        return log;

        void Tell(string key, bool differs, string what)
        {
            if (differs) import.Note(values.At(key), key, what);
        }
    }

    /// <summary>A number with nothing, KB, MB or GB behind it, each 1024 of the last.</summary>
    private static long Bytes(Import import, Reading values, string? text)
    {
        if (text is null) return DefaultLogBytes;
        var unit = text.ToUpperInvariant() is { Length: > 2 } upper ? upper[^2..] : "";
        var shift = unit switch { "KB" => 10, "MB" => 20, "GB" => 30, _ => 0 };
        if (long.TryParse(shift == 0 ? text : text[..^2], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number <= long.MaxValue >> shift)
        {
            return number << shift;
        }

        import.Mistakes.Add(values.At("stdout_logfile_maxbytes"), "stdout_logfile_maxbytes is a size such as 50MB");
        return DefaultLogBytes;
    }

    private static string Restart(Import import, Reading values)
    {
        var given = values.Text("autorestart")?.ToLowerInvariant();
        if (given is null or "unexpected") return "onFailure";
        if (Reading.Flag(given) is { } always) return always ? "always" : "never";
        import.Mistakes.Add(values.At("autorestart"), "autorestart is true, false or unexpected");
        return "never";
    }

    private static bool Disabled(Import import, Reading values)
    {
        if (values.Text("autostart") is not { } given) return false;
        if (Reading.Flag(given.ToLowerInvariant()) is { } starts)
        {
            if (starts) return false;
            import.Note(
                values.At("autostart"), "autostart",
                "every service of the agent starts with it; this one is written as a comment. Run it with `agent spawn`, or take the # away");
            return true;
        }

        import.Mistakes.Add(values.At("autostart"), "autostart is true or false");
        return false;
    }

    private static string? Signal(Import import, Reading values)
    {
        if (values.Text("stopsignal") is not { } given) return null;
        var signal = given.ToLowerInvariant();
        if (signal.StartsWith("sig", StringComparison.Ordinal)) signal = signal[3..];
        if (signal is "term" or "hup" or "int" or "quit" or "kill" or "usr1" or "usr2") return signal == "term" ? null : signal;
        import.Mistakes.Add(values.At("stopsignal"), "stopsignal is TERM, HUP, INT, QUIT, KILL, USR1 or USR2");
        return null;
    }

    /// <summary>Everything of this program that is not carried over.</summary>
    private void Tell(Import import)
    {
        foreach (var entry in section.Entries)
        {
            if (NoCounterpart.TryGetValue(entry.Key, out var why))
            {
                if (!IsIdle(entry)) import.Note(entry.At, entry.Key, why);
            }
            else if (!Understood.Contains(entry.Key, StringComparer.Ordinal))
            {
                import.Note(entry.At, entry.Key, "supervisord does not know it either");
            }
            else if (entry.Key == "exitcodes" && entry.Value != "0")
            {
                import.Note(entry.At, entry.Key, "0 alone is a success here; let the command turn others into it: [/bin/sh, -c, \"…; …\"]");
            }
            else if (entry.Key is "stopasgroup" or "killasgroup" && Reading.Flag(entry.Value.ToLowerInvariant()) is false)
            {
                import.Note(entry.At, entry.Key, "a stop is for the whole tree, always");
            }
        }
    }

    /// <summary>What asks for nothing, as `redirect_stderr=false`.</summary>
    private static bool IsIdle(IniEntry entry) => entry.Key is not ("startsecs" or "startretries" or "umask")
        && (Reading.Flag(entry.Value.ToLowerInvariant()) is false || entry.Value.ToUpperInvariant() is "NONE" or "AUTO" or "");

    /// <summary>The values of a section, expanded with the names that hold for the process at hand.</summary>
    private sealed class Reading(Import import, IniSection section, Dictionary<string, string> names)
    {
        public Place At(string key) => section.Find(key)?.At ?? section.At;

        public string? Text(string key)
        {
            if (section.Find(key) is not { } entry) return null;
            var (value, fault) = Expansion.Of(entry.Value, names);
            if (fault is not null) import.Mistakes.Add(entry.At, $"{key}: {fault}");
            if (entry.Value.Contains("%(ENV_", StringComparison.Ordinal))
            {
                import.Note(entry.At, key, "%(ENV_…)s was taken from the environment of this command, once and for all");
            }

            return value;
        }

        public int Number(string key, int otherwise, int least, int most)
        {
            if (Text(key) is not { } text) return otherwise;
            if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
                && number >= least && number <= most)
            {
                return number;
            }

            import.Mistakes.Add(At(key), $"{key} is a whole number from {least} to {most}");
            return otherwise;
        }

        public static bool? Flag(string text) => text switch
        {
            "true" or "yes" or "on" or "1" => true,
            "false" or "no" or "off" or "0" => false,
            _ => null,
        };
    }
}
