using System.IO;
using Xunit;

namespace Agent.Specs.Architecture;

/// <summary>Each thing in its room.</summary>
public sealed class LayoutSpecs
{
    /// SE-1: calls into the kernel are in one folder, where they can be read in one sitting.
    [Fact]
    public void Native_calls_are_in_Shell_Linux_only() => Assert.Empty(Sources.Breaches(
        Sources.In("Shell", ".cs").Where(file => !file.Path.StartsWith("Shell/Linux/", StringComparison.Ordinal)),
        line => line.Contains("[LibraryImport(", StringComparison.Ordinal) || line.Contains("[DllImport(", StringComparison.Ordinal)));

    /// CO-4: Rx ends at the inbox.
    [Fact]
    public void Reactive_streams_are_in_Shell_Sources_only() => Assert.Empty(Sources.Breaches(
        Sources.In("Shell", ".cs").Where(file => !file.Path.StartsWith("Shell/Sources/", StringComparison.Ordinal)),
        line => line.StartsWith("using System.Reactive", StringComparison.Ordinal)
            && !line.Contains("Concurrency", StringComparison.Ordinal)));

    /// PR-14: the runtime aborts a program in which somebody else reaps its children.
    [Fact]
    public void Nothing_is_started_by_the_class_library() => Assert.Empty(Sources.Breaches(
        Sources.In("Shell", ".cs"), line => line.Contains("Process.Start(", StringComparison.Ordinal)));

    /// JO-1: the class library's flush reports success when the disk has failed.
    [Fact]
    public void No_durable_path_uses_a_flush_that_lies() => Assert.Empty(Sources.Breaches(
        Sources.In("Shell", ".cs"),
        line => line.Contains("FlushToDisk", StringComparison.Ordinal) || line.Contains("Flush(true)", StringComparison.Ordinal)
            || line.Contains("flushToDisk:", StringComparison.Ordinal)));

    /// CO-7, CO-8: a machine has its four files, and its legality, laws and traces.
    [Theory]
    [InlineData("Runtime")]
    [InlineData("Process")]
    [InlineData("Container")]
    [InlineData("Companion")]
    [InlineData("Rollout")]
    [InlineData("Plane")]
    [InlineData("Outbox")]
    public void A_machine_has_its_files(string machine)
    {
        foreach (var part in (string[])["State", "Event", "Effect", "Machine"])
        {
            Assert.True(File.Exists(Path.Combine(Sources.Root, "Core", machine, machine + part + ".cs")), machine + part);
        }

        foreach (var part in (string[])["Legality", "Laws", "Traces"])
        {
            Assert.True(File.Exists(Path.Combine(Sources.Root, "Specs", machine, machine + part + ".cs")), machine + part);
        }
    }
}
