using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Agent.Shell.Config;
using Agent.Shell.Containers;
using Agent.Shell.Containers.Compose;
using Xunit;

namespace Agent.Tests.Containers;

/// <summary>A folder with a Compose file and what lies beside it, and what reading it says.</summary>
internal sealed class ComposeFolder : IDisposable
{
    public ComposeFolder(string? yaml = null)
    {
        if (yaml is not null) Write("compose.yaml", yaml);
    }

    public string Path { get; } = Directory.CreateTempSubdirectory("compose-").FullName;

    public string File => System.IO.Path.Combine(Path, "compose.yaml");

    public Dictionary<string, string> Environment { get; } = new(StringComparer.Ordinal);

    public void Write(string name, string text) => System.IO.File.WriteAllText(System.IO.Path.Combine(Path, name), text);

    public IReadOnlyList<ContainerDefinition> Read()
    {
        var mistakes = new Mistakes();
        var read = ComposeReader.Read(File, Environment, mistakes);
        Assert.Empty(mistakes.Told);
        return read;
    }

    public ContainerDefinition ReadOne() => Assert.Single(Read());

    /// <summary>All that is wrong, with this folder's own path left out.</summary>
    public IReadOnlyList<string> Mistakes()
    {
        var mistakes = new Mistakes();
        ComposeReader.Read(File, Environment, mistakes);
        return [.. mistakes.Told.Select(one => one.Replace(Path + "/", "", StringComparison.Ordinal))];
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
