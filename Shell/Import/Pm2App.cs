using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using Agent.Shell.Config;

namespace Agent.Shell.Import;

/// <summary>One app of pm2 as services: one for each of its instances, but one for a cluster.</summary>
internal sealed class Pm2App(YamlNode.Map map, Import import, Values values, string folder)
{
    /// <summary>The variable that tells an instance its number.</summary>
    private const string Number = "NODE_APP_INSTANCE";

    // As long as pm2 waits by itself; its signal is INT.
    private const int DefaultKillTimeout = 1600;

    private const string NoPidFiles = "there are no pid files; `agent ps -o json` tells the pid";
    private const string OutputRead = "output is read with `agent logs`, no file is named";

    // By the ending of the script, as pm2 chooses.
    private static readonly Dictionary<string, string> Interpreters = new(StringComparer.Ordinal)
    {
        [".js"] = "node", [".cjs"] = "node", [".mjs"] = "node", [".ts"] = "ts-node", [".py"] = "python", [".rb"] = "ruby",
        [".sh"] = "bash", [".php"] = "php", [".pl"] = "perl", [".coffee"] = "coffee",
    };

    private static readonly Dictionary<string, string> NoCounterpart = new(StringComparer.Ordinal)
    {
        ["max_memory_restart"] = "nothing is restarted for its memory; `agent top` shows what it takes",
        ["watch"] = "files are not watched; `agent restart NAME` after a change",
        ["ignore_watch"] = "files are not watched",
        ["cron_restart"] = "nothing is restarted by the clock; call `agent restart NAME` from a timer",
        ["max_restarts"] = "a service is started again without end, ever more slowly; `agent ps` shows it as crash-looping",
        ["min_uptime"] = "a minute of running ends the back-off",
        ["restart_delay"] = "the first restart is at once, the next after 1s to 60s",
        ["exp_backoff_restart_delay"] = "the first restart is at once, the next after 1s to 60s",
        ["stop_exit_codes"] = "restart: onFailure takes 0 alone for an end that was meant",
        ["wait_ready"] = "whatever runs counts as started; order services by `after`",
        ["listen_timeout"] = "whatever runs counts as started; order services by `after`",
        ["shutdown_with_message"] = "a stop is a signal",
        ["treekill"] = "a stop is for the whole tree, always",
        ["gid"] = "a service has its user's groups",
        ["group"] = "a service has its user's groups",
        ["out_file"] = OutputRead, ["output"] = OutputRead, ["error_file"] = OutputRead, ["error"] = OutputRead,
        ["log_file"] = OutputRead, ["log"] = OutputRead, ["pm_out_log_path"] = OutputRead, ["pm_err_log_path"] = OutputRead,
        ["merge_logs"] = OutputRead, ["combine_logs"] = OutputRead, ["log_date_format"] = OutputRead, ["log_type"] = OutputRead,
        ["pid_file"] = NoPidFiles, ["pid"] = NoPidFiles, ["pm_pid_path"] = NoPidFiles,
        ["namespace"] = "names stand for themselves", ["append_env_to_name"] = "names stand for themselves",
        ["source_map_support"] = "give node --enable-source-maps in the command",
        ["filter_env"] = "a service has PATH, LANG and TZ of the agent and what env says, nothing else",
        ["instance_var"] = "the number of an instance is in NODE_APP_INSTANCE",
    };

    // What pm2 itself notes in a dump about a process that ran.
    private static readonly string[] OfTheMoment =
    [
        "status", "pm_id", "pm_uptime", "created_at", "restart_time", "unstable_restarts", "version", "versioning", "node_version",
        "axm_actions", "axm_monitor", "axm_options", "axm_dynamic", "unique_id", "prev_restart_delay", "exit_code", "vizion",
        "vizion_running", "automation", "pmx", "km_link", "autostart", "windowsHide", "treekill", "username", "disable_trace",
        "prev_pm2_env", "started_inside", "command", "instance_var", "filter_env", "namespace", "disable_logs", "time", "shell",
    ];

    private static readonly string[] Understood =
    [
        "name", "script", "pm_exec_path", "args", "cwd", "pm_cwd", "env", "interpreter", "exec_interpreter", "interpreter_args",
        "node_args", "instances", "exec_mode", "autorestart", "autostart", "kill_timeout", "uid", "user",
    ];

    private bool IsDump => Find("pm_exec_path") is not null;

    public IEnumerable<ImportedService> Services()
    {
        if (Text("pm_exec_path") is not { } script && (script = Text("script")!) is null)
        {
            import.Mistakes.Add(map.At, "an app needs a script");
            yield break;
        }

        Tell();
        var one = One(script);
        var instances = Instances();
        for (var i = 0; i < instances; i++)
        {
            var number = i.ToString(CultureInfo.InvariantCulture);
            yield return one with
            {
                Name = import.Name(map.At, instances > 1 ? $"{one.Name}-{number}" : one.Name),
                Env = instances == 1
                    ? one.Env
                    : [.. one.Env.Where(pair => pair.Key != Number), new(Number, number)],
            };
        }
    }

    private ImportedService One(string script)
    {
        var cwd = Path.GetFullPath(Text("pm_cwd") ?? Text("cwd") ?? ".", folder);
        IReadOnlyList<string> command = [.. Interpreter(script), Script(script, cwd), .. Words("args")];
        return new(Text("name") ?? Path.GetFileNameWithoutExtension(script), command)
        {
            Cwd = cwd,
            Env = Environment(),
            EnvFrom = (Find("env")?.At ?? map.At, "env"),
            User = Text("user") ?? Text("uid"),
            Restart = Flag("autorestart") == false ? "never" : "always",
            StopSignal = "int",
            Grace = TimeSpan.FromMilliseconds(Whole("kill_timeout", DefaultKillTimeout)),
            GraceFrom = (Find("kill_timeout")?.At ?? map.At, "kill_timeout"),
            Disabled = Flag("autostart") == false && !IsDump,
        };
    }

    /// <summary>A path is taken from the app's directory; a bare name that is not there is looked for in PATH, as pm2 does.</summary>
    private static string Script(string script, string cwd)
    {
        var path = Path.GetFullPath(script, cwd);
        return script.Contains('/', StringComparison.Ordinal) || Path.HasExtension(script) || File.Exists(path) ? path : script;
    }

    private IEnumerable<string> Interpreter(string script)
    {
        var given = Text("exec_interpreter") ?? Text("interpreter")
            ?? Interpreters.GetValueOrDefault(Path.GetExtension(script));
        if (given is null or "none" or "") return [];
        return [given, .. Words("interpreter_args"), .. Words("node_args")];
    }

    private List<KeyValuePair<string, string>> Environment()
    {
        var environment = new List<KeyValuePair<string, string>>();
        if (Find("env") is not { } env) return environment;
        if (IsDump) import.Note(env.At, "env", "holds the whole environment of the shell that called pm2; keep what the app needs");
        foreach (var (key, at, value) in values.Map(env.Value, "env"))
        {
            if (value is YamlNode.Text text) environment.Add(new(key, text.Value));
            else if (value is not YamlNode.Nothing) import.Note(at, $"env {key}", "is no text; pm2 hands it over as JSON, write that out");
        }

        return environment;
    }

    private int Instances()
    {
        var (given, mode) = (Text("instances"), Text("exec_mode"));
        if (mode is not (null or "fork" or "fork_mode" or "cluster" or "cluster_mode"))
        {
            import.Mistakes.Add(Find("exec_mode")!.At, "exec_mode is fork or cluster");
        }

        if (IsDump) given = null;
        if (mode is "cluster" or "cluster_mode")
        {
            import.Note(
                Find("exec_mode")!.At, "exec_mode",
                "instances of a cluster share one socket through pm2; here it is one process. "
                + "Let it fork by itself (node:cluster), or listen with reusePort and declare it several times");
            return 1;
        }

        if (given is null) return 1;
        var isNumber = int.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out var count);
        if (isNumber && count is > 0 and <= Import.MostServices) return count;
        import.Note(Find("instances")!.At, "instances", $"\"{given}\" depends on a host's processors; one is declared, copy it for more");
        return 1;
    }

    private void Tell()
    {
        foreach (var (key, at, value) in map.Entries)
        {
            var isIdle = value is YamlNode.Nothing or YamlNode.Text { Value: "false" or "" } or YamlNode.List { Items.Count: 0 };
            if (Understood.Contains(key, StringComparer.Ordinal))
            {
                if (key != "autostart" || IsDump || Flag(key) != false) continue;
                import.Note(at, key, "every service of the agent starts with it; this one is written as a comment");
            }
            else if (isIdle || (IsDump && OfTheMoment.Contains(key, StringComparer.Ordinal)))
            {
                continue;
            }
            else if (NoCounterpart.TryGetValue(key, out var why))
            {
                import.Note(at, key, why);
            }
            else if (key.StartsWith("env_", StringComparison.Ordinal))
            {
                import.Note(at, key, "env is taken; declare the other environment in the configuration of the hosts that have it");
            }
            else if (!IsDump)
            {
                import.Note(at, key, "has no counterpart");
            }
        }
    }

    private YamlEntry? Find(string key) => map.Entries.FirstOrDefault(one => one.Key == key);

    private string? Text(string key) =>
        Find(key) is { Value: not YamlNode.Nothing } entry ? values.Text(entry.Value, key) : null;

    /// <summary>A list as it stands, a text split into words.</summary>
    private IReadOnlyList<string> Words(string key)
    {
        if (Find(key) is not { Value: not YamlNode.Nothing } entry) return [];
        if (entry.Value is YamlNode.List) return values.Texts(entry.Value, key);
        var (words, fault) = ShellWords.Split(values.Text(entry.Value, key) ?? "");
        if (fault is not null) import.Mistakes.Add(entry.At, $"{key}: {fault}");
        return words;
    }

    private bool? Flag(string key) =>
        Find(key) is { } entry && values.Choice(entry.Value, key, "true", "false") is { } word ? word == "true" : null;

    private int Whole(string key, int otherwise) => Find(key) is { Value: not YamlNode.Nothing } entry
        ? values.Number(entry.Value, key, 0, 1_000_000_000) ?? otherwise
        : otherwise;
}
