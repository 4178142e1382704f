using System.Collections.Generic;
using System.IO;

namespace Agent.Benchmarks.Supervision;

/// <summary>runit: runsvdir and one runsv for each service, with an svlogd where output is kept.</summary>
internal sealed class Runit(string program, string child) : Supervisor(child)
{
    protected override IReadOnlyList<string> Command => [program, "-P", At("services")];

    /// <summary>runsv tells an end to a service's <c>finish</c> and to nobody else.</summary>
    public override void RecordEnds()
    {
        for (var number = 0; number < Services; number++)
        {
            Script($"services/{Label(number)}/finish", $"#!/bin/sh\necho \"$1 $2\" >> {At(Label(number))}.ends\n");
        }
    }

    // -1 and the number of the signal; the second is the whole status.
    public override bool TellsEnd(int number) => Read(Label(number) + ".ends").StartsWith("-1 9", System.StringComparison.Ordinal);

    protected override void Configure(Work work)
    {
        foreach (var (label, argument, _) in All(work))
        {
            Script($"services/{label}/run", $"#!{Program} {argument}\n");
            if (work != Work.Write) continue;
            Directory.CreateDirectory(At("logs"));
            File.WriteAllText(At("logs", "config"), "s10000000\nn9\n");
            Script($"services/{label}/log/run", $"#!/bin/sh\nexec svlogd {At("logs")}\n");
        }
    }

    protected override IReadOnlyList<string> StopCommand(int number) => ["sv", "down", At("services", Label(number))];
}
