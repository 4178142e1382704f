using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.IO.Enumeration;
using System.Linq;
using Agent.Shell.Config;

namespace Agent.Shell.Import;

/// <summary>Reads a supervisord.conf with the files that it includes.</summary>
internal sealed class SupervisordReader
{
    // A directory of more is a mistake in a pattern.
    private const int MostFiles = 256;

    private readonly Import _import;
    private readonly IReadOnlyDictionary<string, string> _outside;
    private readonly List<SupervisordProgram> _programs = [];
    private IReadOnlyList<KeyValuePair<string, string>> _environment = [];

    private SupervisordReader(Import import, IReadOnlyDictionary<string, string> outside) =>
        (_import, _outside) = (import, outside);

    /// <param name="outside">The environment that `%(ENV_NAME)s` is taken from.</param>
    public static Imported Read(string file, IReadOnlyDictionary<string, string> outside, Mistakes mistakes)
    {
        var reader = new SupervisordReader(new(mistakes), outside);
        reader.ReadFiles(file);
        reader.AddAll();
        return reader._import.Done();
    }

    private void ReadFiles(string file)
    {
        var sections = IniFile.Read(file, _import.Mistakes);
        foreach (var section in sections.Where(one => one.Name == "supervisord")) ReadDaemon(section);
        foreach (var section in sections) Take(section);
        foreach (var section in sections.Where(one => one.Name == "include"))
        {
            foreach (var included in Included(file, section)) ReadIncluded(included);
        }

        if (_programs.Count == 0 && _import.Mistakes.Told.Count == 0)
        {
            _import.Mistakes.Add($"{file}: no [program:…] in it or in what it includes");
        }
    }

    private void ReadIncluded(string file)
    {
        foreach (var section in IniFile.Read(file, _import.Mistakes))
        {
            if (section.Name != "include") Take(section);
            else _import.Note(section.At, "[include]", "an included file's own includes are not read, by supervisord neither");
        }
    }

    private void ReadDaemon(IniSection section)
    {
        foreach (var entry in section.Entries)
        {
            if (entry.Key == "environment")
            {
                var (pairs, fault) = KeyValues.Parse(Expanded(entry, Names(entry.At.File)));
                if (fault is not null) _import.Mistakes.Add(entry.At, $"environment: {fault}");
                _environment = pairs;
            }
            else if (entry.Key is "umask" or "user" or "directory")
            {
                _import.Note(
                    entry.At, entry.Key, "holds for everything that supervisord starts; say it of each service, or of the agent's unit");
            }
        }
    }

    private void Take(IniSection section)
    {
        var colon = section.Name.IndexOf(':', StringComparison.Ordinal);
        var kind = colon < 0 ? section.Name : section.Name[..colon];
        if (kind == "program" && colon >= 0)
        {
            _programs.Add(new(section, section.Name[(colon + 1)..].Trim()));
            return;
        }

        var why = kind switch
        {
            "supervisord" or "supervisorctl" or "unix_http_server" or "inet_http_server" or "include" => null,
            "rpcinterface" when section.Name == "rpcinterface:supervisor" => null,
            "rpcinterface" => "extensions of supervisord have no counterpart; see the agent's API",
            "group" => "groups have no counterpart; name the services one by one, or give them names that begin alike",
            "eventlistener" => "nothing speaks supervisord's event protocol; follow `agent events -f` instead",
            "fcgi-program" => "the agent opens no sockets for others; let the program listen itself",
            _ => "a section that supervisord does not know either",
        };
        if (why is not null) _import.Note(section.At, $"[{section.Name}]", why);
    }

    private IEnumerable<string> Included(string file, IniSection section)
    {
        if (section.Find("files") is not { } entry)
        {
            _import.Mistakes.Add(section.At, "[include] needs files");
            return [];
        }

        var files = new List<string>();
        foreach (var pattern in Expanded(entry, Names(file)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
        {
            var at = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file))!, pattern);
            if (!pattern.Contains('[', StringComparison.Ordinal))
            {
                files.AddRange(Matching(at).Take(MostFiles + 1).Order(StringComparer.Ordinal));
            }
            else
            {
                _import.Mistakes.Add(entry.At, $"files: {pattern} has brackets; only * and ? are understood here");
            }
        }

        if (files.Count > MostFiles) _import.Mistakes.Add(entry.At, $"files: more than {MostFiles} files");
        return files.Take(MostFiles);
    }

    /// <summary>The files that a path with wildcards in any of its parts names.</summary>
    private static IEnumerable<string> Matching(string path)
    {
        IEnumerable<string> found = ["/"];
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        foreach (var part in parts)
        {
            found = part.AsSpan().IndexOfAny('*', '?') < 0
                ? found.Select(directory => Path.Combine(directory, part))
                : found.Where(Directory.Exists).SelectMany(directory => Directory.EnumerateFileSystemEntries(directory)
                    .Where(one => FileSystemName.MatchesSimpleExpression(part, Path.GetFileName(one), ignoreCase: false)));
        }

        return found.Where(File.Exists);
    }

    private Dictionary<string, string> Names(string file)
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["here"] = Path.GetDirectoryName(Path.GetFullPath(file))!, ["host_node_name"] = Environment.MachineName,
        };
        foreach (var (key, value) in _outside) names[$"ENV_{key}"] = value;
        return names;
    }

    private string Expanded(IniEntry entry, IReadOnlyDictionary<string, string> names)
    {
        var (value, fault) = Expansion.Of(entry.Value, names);
        if (fault is not null) _import.Mistakes.Add(entry.At, $"{entry.Key}: {fault}");
        return value;
    }

    private void AddAll()
    {
        var priorities = new List<(int Priority, SupervisordProgram Program, IReadOnlyList<ImportedService> Services)>();
        foreach (var program in _programs)
        {
            var services = program.Services(_import, Names(program.At.File), _environment);
            priorities.Add((program.Priority, program, services));
        }

        // supervisord starts by priority, and those of one priority by name.
        var earlier = (Priority: int.MinValue, Names: Array.Empty<string>());
        foreach (var level in priorities.GroupBy(one => one.Priority).OrderBy(one => one.Key))
        {
            var after = earlier.Names;
            foreach (var (_, program, services) in level)
            {
                if (after.Length > SupervisordProgram.MostAfter)
                {
                    _import.Note(
                        program.At, "priority", $"comes after {after.Length} others; name in `after` the few that it needs");
                }

                foreach (var one in services)
                {
                    _import.Add(program.At, one with { After = after.Length > SupervisordProgram.MostAfter ? [] : after });
                }
            }

            var names = level.SelectMany(one => one.Services).Where(one => !one.Disabled).Select(one => one.Name).ToArray();
            if (names.Length > 0) earlier = (level.Key, names);
        }
    }
}
