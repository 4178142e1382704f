using System;
using System.IO;

namespace Agent.Tests.Containers;

/// <summary>A file that everybody may read, gone at the end.</summary>
internal sealed class TemporaryFile : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("file-").FullName;

    public TemporaryFile(string content)
    {
        Path = System.IO.Path.Combine(_directory, "f");
        File.WriteAllText(Path, content);
    }

    public string Path { get; }

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}
