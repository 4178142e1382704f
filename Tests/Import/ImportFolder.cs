using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.CompilerServices;
using Agent.Shell.Config;
using Agent.Shell.Import;
using Agent.Shell.Loop;
using Xunit;

namespace Agent.Tests.Import;

/// <summary>A folder of its own with files of other supervisors, and what becomes of them.</summary>
internal sealed class ImportFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("agent-imported.").FullName;

    /// <summary>The inputs beside these tests, and what they were found to become.</summary>
    public static string Golden { get; } = FindFolder();

    public string Write(string name, string text)
    {
        var file = System.IO.Path.Combine(Path, name);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
        return file;
    }

    public (IReadOnlyList<ServiceConfig> Services, IReadOnlyList<string> Notes) Import(string name, string text, string? format = null)
    {
        var (imported, yaml) = Importer.Read(Write(name, text), format);
        return (ReadBack(yaml), [.. imported.Notes.Select(one => one.ToString().Replace(Path + "/", "", StringComparison.Ordinal))]);
    }

    /// <summary>The services of a supervisord.conf.</summary>
    public IReadOnlyList<ServiceConfig> Programs(string text) => Import("supervisord.conf", text).Services;

    /// <summary>All that is wrong, with this folder's own path left out.</summary>
    public IReadOnlyList<string> Mistakes(string name, string text) =>
    [
        .. Assert.Throws<ConfigException>(() => Importer.Read(Write(name, text), null)).Mistakes
            .Select(one => one.Replace(Path + "/", "", StringComparison.Ordinal)),
    ];

    /// <summary>What the agent's own reader makes of it.</summary>
    public IReadOnlyList<ServiceConfig> ReadBack(string yaml)
    {
        var file = Write("back/agent.yaml", yaml);
        return ConfigReader.Read(new AgentPaths(file, Path, Path, Path + "/agent.sock"), mayBeMissing: false).Services;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);

    private static string FindFolder([CallerFilePath] string caller = "") =>
        System.IO.Path.Combine(System.IO.Path.GetDirectoryName(caller)!, "Golden");
}
