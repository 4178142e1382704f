using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Agent.Core.Model;
using Agent.Shell.Config;
using Agent.Shell.Import;
using Xunit;

namespace Agent.Tests.Import;

/// <summary>
/// Whole files as operators have them, and what they become. UPDATE_TRACES=1 writes the results anew; their diff is what
/// is reviewed.
/// </summary>
public sealed class GoldenTests
{
    /// CL-1: realistic files become exactly this.
    [Theory]
    [InlineData("web.supervisord.conf")]
    [InlineData("Procfile")]
    [InlineData("shop.ecosystem.json")]
    [InlineData("saved.dump.pm2")]
    public void A_file_becomes_what_it_was_found_to_become(string name)
    {
        var (_, yaml) = Importer.Read(Path.Combine(ImportFolder.Golden, name), null, Outside);
        var here = ImportFolder.Golden;
        var text = yaml.Replace(here, "/golden", StringComparison.Ordinal);
        var expected = Path.Combine(here, name + ".yaml");
        if (Environment.GetEnvironmentVariable("UPDATE_TRACES") == "1") File.WriteAllText(expected, text);
        Assert.Equal(File.ReadAllText(expected), text);
    }

    /// CL-1: every service of them reads back as it was imported. Upstream: config round trip, XML escape (veloslet):
    /// quotes and all.
    [Theory]
    [InlineData("web.supervisord.conf")]
    [InlineData("Procfile")]
    [InlineData("shop.ecosystem.json")]
    [InlineData("saved.dump.pm2")]
    public void Whatever_is_written_reads_back(string name)
    {
        using var folder = new ImportFolder();
        var (imported, yaml) = Importer.Read(Path.Combine(ImportFolder.Golden, name), null, Outside);
        var back = folder.ReadBack(yaml);
        var enabled = imported.Services.Where(one => !one.Disabled).ToList();
        Assert.Equal(
            enabled.Select(one => one.Name).Order(StringComparer.Ordinal),
            back.Select(one => one.Spec.Label).Order(StringComparer.Ordinal));
        foreach (var one in enabled) Same(one, back.Single(service => service.Spec.Label == one.Name));
    }

    private static Dictionary<string, string> Outside { get; } = new() { ["PATH"] = "/usr/bin" };

    private static void Same(ImportedService one, ServiceConfig back)
    {
        Assert.Equal(one.Command, back.Spec.Command);
        Assert.Equal(one.Cwd, back.Spec.WorkingDirectory.TryGet(out var cwd) ? cwd : null);
        Assert.Equal(one.User, back.Spec.User.TryGet(out var user) ? user : null);
        Assert.Equal(one.After, back.Spec.After);
        Assert.Equal(one.Log ?? LogSettings.Default, back.Log);
        Assert.Equal(one.Grace ?? back.Spec.Grace, back.Spec.Grace);
        Assert.All(one.Env, pair => Assert.Equal(pair.Value, back.Environment[pair.Key]));
    }
}
