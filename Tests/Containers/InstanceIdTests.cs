using System;
using System.IO;
using System.Linq;
using Agent.Shell.Containers;
using Xunit;

namespace Agent.Tests.Containers;

/// <summary>By what an agent knows its containers.</summary>
public sealed class InstanceIdTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("instance-");

    private string Place => Path.Combine(_directory.FullName, "instance");

    /// CT-3: made once, of 128 bits, and the same from then on.
    [Fact]
    public void It_is_made_once_and_kept()
    {
        var made = InstanceId.Read(Place);
        Assert.Equal(32, made.Length);
        Assert.True(made.All(char.IsAsciiHexDigitLower));
        Assert.Equal(made, InstanceId.Read(Place));
    }

    /// CT-3: two agents on one host do not touch each other's containers.
    [Fact]
    public void Two_state_directories_are_two_instances() =>
        Assert.NotEqual(InstanceId.Read(Place), InstanceId.Read(Place + "-of-another"));

    /// CT-3: with a new id in the place of a damaged one it would leave its own containers behind.
    [Fact]
    public void A_damaged_one_is_refused_with_its_path()
    {
        File.WriteAllText(Place, "not an id\n");
        Assert.Contains(Place, Assert.Throws<IOException>(() => InstanceId.Read(Place)).Message, StringComparison.Ordinal);
    }

    public void Dispose() => _directory.Delete(recursive: true);
}
