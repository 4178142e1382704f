using System;
using System.Linq;
using Xunit;

namespace Agent.Tests.Import;

/// CL-1: Procfiles and pm2's files, and what is refused.
public sealed class OtherImportTests
{
    /// CL-1: each line is a shell's, with a port of its own.
    [Fact]
    public void A_line_of_a_Procfile_runs_in_a_shell()
    {
        using var folder = new ImportFolder();
        folder.Write(".env", "A=1\nPORT=300\n");
        var services = folder.Import("Procfile", "web: serve \"$PORT\" && true\njob:  run\n").Services;
        Assert.Equal(["/bin/sh", "-c", "serve \"$PORT\" && true"], services[0].Spec.Command.ToArray());
        Assert.Equal(("1", "300", "web.1"), (services[0].Environment["A"], services[0].Environment["PORT"], services[0].Environment["PS"]));
        Assert.Equal("400", services[1].Environment["PORT"]);
        Assert.Equal(folder.Path, services[1].Spec.WorkingDirectory);
    }

    /// CL-1: what is no line of a Procfile is told with its place.
    [Fact]
    public void What_is_no_declaration_is_told_with_its_place()
    {
        using var folder = new ImportFolder();
        Assert.Equal(["Procfile:2:1: is no `name: command`"], folder.Mistakes("Procfile", "web: a\nno colon\n"));
    }

    /// CL-1: instances are services with numbers; a cluster is one.
    [Fact]
    public void Instances_are_services_with_numbers()
    {
        using var folder = new ImportFolder();
        var (services, notes) = folder.Import("ecosystem.config.json", """
            {"apps":[{"name":"a b","script":"x.js","instances":2,"cwd":"/srv"},
                     {"name":"c","script":"y.js","instances":4,"exec_mode":"cluster","interpreter":"none","cwd":"/srv"}]}
            """);
        Assert.Equal(["a-b-0", "a-b-1", "c"], services.Select(one => one.Spec.Label));
        Assert.Equal(["node", "/srv/x.js"], services[1].Spec.Command.ToArray());
        Assert.Equal("1", services[1].Environment["NODE_APP_INSTANCE"]);
        Assert.Equal(["/srv/y.js"], services[2].Spec.Command.ToArray());
        Assert.Contains(notes, note => note.StartsWith("ecosystem.config.json:2 exec_mode: instances of a cluster", StringComparison.Ordinal));
    }

    /// CL-1: a program is not run to be imported, and the way out is named.
    [Fact]
    public void A_program_is_refused_with_the_way_out()
    {
        using var folder = new ImportFolder();
        Assert.Contains("`pm2 save`", Assert.Single(folder.Mistakes("ecosystem.config.js", "module.exports = {}")), StringComparison.Ordinal);
    }

    /// CL-1: what is no JSON is told with its place.
    [Fact]
    public void What_is_malformed_is_told_with_its_place()
    {
        using var folder = new ImportFolder();
        Assert.StartsWith("a.json:2:", Assert.Single(folder.Mistakes("a.json", "{\"apps\": [\n}")), StringComparison.Ordinal);
        Assert.Equal(["a.json:1:11: an app needs a script"], folder.Mistakes("a.json", "{\"apps\": [{\"name\": \"a\"}]}"));
        Assert.Contains("which format", Assert.Single(folder.Mistakes("a.txt", "")), StringComparison.Ordinal);
    }
}
