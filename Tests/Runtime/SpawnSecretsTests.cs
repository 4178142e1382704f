using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Agent.Shell.Effects;
using Xunit;

namespace Agent.Tests.Runtime;

/// <summary>What a spawn needs and no journal may hold.</summary>
public sealed class SpawnSecretsTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("secrets-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    /// PR-4, SE-1: what is left of a caller who hung up goes with the next start; what a process needs stays, and the key
    /// by which digests are made.
    [Fact]
    public void Those_of_nobody_go_at_the_start()
    {
        var secrets = new SpawnSecrets(_directory);
        var (kept, left) = (Ids.New(), Ids.New());
        foreach (var id in new[] { kept, left }) secrets.Put(id, new Dictionary<string, string> { ["A"] = "1" }, new byte[] { 7 });
        var digest = secrets.Digest(new Dictionary<string, string>());

        var next = new SpawnSecrets(_directory);
        next.RemoveAllBut(id => id == kept);

        Assert.Equal("1", next.Get(kept).Environment["A"]);
        Assert.Empty(next.Get(left).Environment);
        Assert.Equal(digest, next.Digest(new Dictionary<string, string>()));
        Assert.Equal(2, Directory.GetFiles(_directory).Length);
        Assert.DoesNotContain(Directory.GetFiles(_directory).Select(Path.GetFileName), name => name == left.Value);
    }
}
