using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using Agent.Shell.Config;

namespace Agent.Shell.Import;

/// <summary>
/// Reads a Procfile as foreman runs it: each line through a shell, in the file's directory, with the variables of `.env`
/// beside it, and a PORT of its own a hundred above the last one's.
/// </summary>
internal static partial class ProcfileReader
{
    private const int FirstPort = 5000;
    private const int PortStep = 100;

    public static Imported Read(string file, Mistakes mistakes)
    {
        var import = new Import(mistakes);
        var folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        var environment = Environment(Path.Combine(folder, ".env"), import);
        var port = Port(environment, import, file);
        var lines = ImportFile.Lines(file, mistakes) ?? [];
        for (var (i, found) = (0, 0); i < lines.Count; i++)
        {
            var line = lines[i].Trim();
            if (line.Length == 0 || line[0] == '#') continue;
            var at = new Place(file, i + 1, 1);
            if (Declaration().Match(line) is not { Success: true } match)
            {
                mistakes.Add(at, "is no `name: command`");
                continue;
            }

            var name = match.Groups["name"].Value;
            import.Add(at, new(import.Name(at, name), ["/bin/sh", "-c", match.Groups["command"].Value])
            {
                Cwd = folder,
                Env = With(environment, name, port + (found++ * PortStep)),
                Restart = "always",
            });
        }

        var imported = import.Done();
        if (imported.Services.Count == 0 && mistakes.Told.Count == 0) mistakes.Add($"{file}: no `name: command` in it");
        if (imported.Services.Count == 0) return imported;
        var whole = new ImportNote(
            file, 1, "foreman", "ends them all when one ends; here each is started again by itself (restart: always)");
        return imported with { Notes = [whole, .. imported.Notes] };
    }

    private static List<KeyValuePair<string, string>> With(
        IReadOnlyList<KeyValuePair<string, string>> environment, string name, int port) =>
    [
        .. environment.Where(one => one.Key is not ("PORT" or "PS")),
        new("PORT", port.ToString(CultureInfo.InvariantCulture)),
        new("PS", $"{name}.1"),
    ];

    private static int Port(IReadOnlyList<KeyValuePair<string, string>> environment, Import import, string file)
    {
        const int HighestPort = 65_535;
        if (environment.LastOrDefault(one => one.Key == "PORT") is not { Key: not null } given) return FirstPort;
        if (int.TryParse(given.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port <= HighestPort) return port;
        import.Note(new(file, 1, 1), "PORT", $"\"{given.Value}\" in .env is no port; {FirstPort} is taken");
        return FirstPort;
    }

    /// <summary>
    /// `NAME=value` a line: in single quotes as it stands, in double quotes with \n and \x, otherwise all behind the =.
    /// </summary>
    private static List<KeyValuePair<string, string>> Environment(string file, Import import)
    {
        var environment = new List<KeyValuePair<string, string>>();
        if (!File.Exists(file)) return environment;
        var lines = ImportFile.Lines(file, import.Mistakes) ?? [];
        for (var i = 0; i < lines.Count; i++)
        {
            var line = lines[i].Trim();
            if (line.Length == 0 || line[0] == '#') continue;
            var (at, equals) = (new Place(file, i + 1, 1), line.IndexOf('=', StringComparison.Ordinal));
            if (equals < 1)
            {
                import.Mistakes.Add(at, "is no NAME=value");
                continue;
            }

            var variable = new KeyValuePair<string, string>(line[..equals], Value(line[(equals + 1)..]));
            environment.RemoveAll(one => one.Key == variable.Key);
            if (import.Allows(at, ".env", variable)) environment.Add(variable);
        }

        return environment;
    }

    private static string Value(string text) => text switch
    {
        ['\'', .. var plain, '\''] => plain,
        ['"', .. var quoted, '"'] => Escape().Replace(quoted, one => one.Groups[1].Value is "n" ? "\n" : one.Groups[1].Value),
        _ => text,
    };

    [GeneratedRegex("^(?<name>[A-Za-z0-9_-]+):\\s*(?<command>.+)$", RegexOptions.CultureInvariant)]
    private static partial Regex Declaration();

    [GeneratedRegex(@"\\(.)", RegexOptions.CultureInvariant)]
    private static partial Regex Escape();
}
