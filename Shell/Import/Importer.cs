using System;
using System.Collections;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Agent.Shell.Config;
using Agent.Shell.Loop;

namespace Agent.Shell.Import;

/// <summary>A file of another supervisor as the `services:` of agent.yaml, valid as a whole or refused with places.</summary>
internal static class Importer
{
    public const string Supervisord = "supervisord";
    public const string Procfile = "procfile";
    public const string Pm2 = "pm2";

    /// <param name="format">One of the three; null: by the file's name.</param>
    /// <param name="outside">The environment that a file may refer to; null: this process's own.</param>
    /// <exception cref="ConfigException">All that is wrong with the file, by line.</exception>
    public static (Imported Imported, string Yaml) Read(
        string file, string? format, IReadOnlyDictionary<string, string>? outside = null)
    {
        var mistakes = new Mistakes();
        var imported = (format ?? FormatOf(file)) switch
        {
            Supervisord => SupervisordReader.Read(file, outside ?? Outside(), mistakes),
            Procfile => ProcfileReader.Read(file, mistakes),
            _ => Pm2Reader.Read(file, mistakes),
        };
        if (mistakes.Told.Count > 0) throw new ConfigException(mistakes.Told);
        var yaml = ServicesYaml.Write(Path.GetFileName(file), imported);
        Check(yaml);
        return (imported, yaml);
    }

    /// <summary>Of a program that configures pm2 nobody can tell what it says without running it.</summary>
    public static string FormatOf(string file)
    {
        var name = Path.GetFileName(file);
        return Path.GetExtension(name).ToUpperInvariant() switch
        {
            _ when name.StartsWith("Procfile", StringComparison.Ordinal) => Procfile,
            ".JS" or ".CJS" or ".MJS" or ".TS" => throw new ConfigException(
            [
                $"{file}: is a program, and nothing is run to import it; run `pm2 save` and import ~/.pm2/dump.pm2, or write "
                + $"its apps as JSON: node -p 'JSON.stringify(require(\"./{name}\"))' > ecosystem.json",
            ]),
            ".CONF" or ".INI" => Supervisord,
            ".JSON" or ".YAML" or ".YML" or ".PM2" => Pm2,
            _ => throw new ConfigException([$"{file}: which format is it? Give --format {Supervisord}, {Procfile} or {Pm2}"]),
        };
    }

    /// <summary>What is handed out was read back by the agent's own reader.</summary>
    private static void Check(string yaml)
    {
        var folder = Directory.CreateTempSubdirectory("agent-import-").FullName;
        try
        {
            var file = Path.Combine(folder, "agent.yaml");
            File.WriteAllText(file, yaml);
            ConfigReader.Read(new AgentPaths(file, folder, folder, AgentPaths.DefaultSocket(folder)), mayBeMissing: false);
        }
        catch (ConfigException failure)
        {
            throw new ConfigException([.. failure.Mistakes.Select(one => one.Replace(folder + "/", "as ", StringComparison.Ordinal))]);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static Dictionary<string, string> Outside()
    {
        var outside = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (DictionaryEntry one in Environment.GetEnvironmentVariables())
        {
            outside[(string)one.Key] = (string?)one.Value ?? "";
        }

        return outside;
    }
}
