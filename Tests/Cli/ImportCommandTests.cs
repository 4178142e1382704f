using System;
using System.IO;
using System.Text.Json.Nodes;
using System.Threading.Tasks;
using Agent.Tests.EndToEnd;
using Xunit;

namespace Agent.Tests.Cli;

/// CL-1: `agent import` as an operator calls it.
public sealed class ImportCommandTests
{
    private const string Good = "[program:a]\ncommand=/bin/sleep 1000\nautorestart=true\nstartsecs=9\n";

    /// CL-1: what is printed is a configuration, and what is not carried over is told.
    [Fact]
    public async Task What_it_writes_is_a_valid_configuration()
    {
        using var folder = new Import.ImportFolder();
        var source = folder.Write("supervisord.conf", Good);
        var target = Path.Combine(folder.Path, "agent.yaml");
        var (code, output, error) = await AgentUnderTest.RunAsync("import", source, "--out", target);
        Assert.Equal((0, ""), (code, output));
        Assert.StartsWith($"agent: {source}:4 startsecs: ", error, StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(target));
        var (valid, said, _) = await AgentUnderTest.RunAsync("config", "validate", target);
        Assert.True(valid == 0 && said.Contains("1 services", StringComparison.Ordinal), said);

        var (again, _, why) = await AgentUnderTest.RunAsync("import", source, "--out", target);
        Assert.True(again == 2 && why.Contains("exists", StringComparison.Ordinal), why);
        var (_, printed, _) = await AgentUnderTest.RunAsync("import", source);
        Assert.Equal(await File.ReadAllTextAsync(target), printed);
        var (_, json, _) = await AgentUnderTest.RunAsync("import", source, "-o", "json");
        Assert.Equal(printed, (string)JsonNode.Parse(json)!["yaml"]!);
    }

    /// CL-1: a malformed file is told with its place, and exit code 2.
    [Fact]
    public async Task A_malformed_file_is_told_with_its_place()
    {
        using var folder = new Import.ImportFolder();
        var source = folder.Write("supervisord.conf", "[program:a]\ncommand='\n");
        var (code, output, error) = await AgentUnderTest.RunAsync("import", source);
        Assert.Equal((2, ""), (code, output));
        Assert.Contains($"{source}:2:1: command: the quote ' is not closed", error, StringComparison.Ordinal);
    }
}
