using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Agent.Shell.Config;
using Agent.Shell.Loop;
using Xunit;

namespace Agent.Tests.Config;

/// <summary>A folder of its own with agent.yaml and conf.d, and what reading it says.</summary>
internal sealed class ConfigFolder : IDisposable
{
    public ConfigFolder(string? yaml = null)
    {
        if (yaml is not null) Write("agent.yaml", yaml);
    }

    public string Path { get; } = Directory.CreateTempSubdirectory("agent-config.").FullName;

    public string File => System.IO.Path.Combine(Path, "agent.yaml");

    public void Write(string name, string yaml)
    {
        var file = System.IO.Path.Combine(Path, name);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(file)!);
        System.IO.File.WriteAllText(file, yaml);
    }

    public AgentConfig Read(bool mayBeMissing = false) =>
        ConfigReader.Read(new AgentPaths(File, "/var/lib/agent", "/run/agent", "/run/agent/agent.sock"), mayBeMissing);

    /// <summary>All that is wrong, with this folder's own path left out.</summary>
    public IReadOnlyList<string> Mistakes() =>
    [
        .. Assert.Throws<ConfigException>(() => Read()).Mistakes
            .Select(one => one.Replace(Path + "/", "", StringComparison.Ordinal)),
    ];

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
