using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;

namespace Agent.Benchmarks.Supervision;

/// <summary>One column of the table, and how a fresh supervisor of it is made.</summary>
internal sealed record Contender(string Name, Func<Supervisor> Make);

/// <summary>The supervisors that are on this host.</summary>
internal static class Peers
{
    private static readonly (string Name, string Program, string Package, Func<string, string, Supervisor> Make)[] Known =
    [
        ("supervisord", "supervisord", "apt-get install supervisor", (program, child) => new Supervisord(program, child)),
        ("runit", "runsvdir", "apt-get install runit", (program, child) => new Runit(program, child)),
        ("s6", "s6-svscan", "apt-get install s6", (program, child) => new S6(program, child)),
        ("monit", "monit", "apt-get install monit", (program, child) => new Monit(program, child)),
        ("pm2", "pm2", "npm install -g pm2", (program, child) => new Pm2(program, child)),
    ];

    /// <summary>Those that are here; the others are told with what would bring them.</summary>
    public static IReadOnlyList<Contender> Here(string child)
    {
        var here = new List<Contender>();
        foreach (var (name, program, package, make) in Known)
        {
            if (Find(program) is { } path) here.Add(new(name, () => make(path, child)));
            else Report.Skipped($"supervision: {name}", $"is not here: {package}");
        }

        return here;
    }

    private static string? Find(string program) => $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/sbin".Split(':')
        .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
}
