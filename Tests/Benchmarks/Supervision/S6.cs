using System;
using System.Collections.Generic;

namespace Agent.Benchmarks.Supervision;

/// <summary>s6: s6-svscan and one s6-supervise for each service, with an s6-log where output is kept.</summary>
internal sealed class S6(string program, string child) : Supervisor(child)
{
    protected override IReadOnlyList<string> Command => [program, At("services")];

    public override bool TellsEnd(int number) =>
        Tell(["s6-svdt", At("services", Label(number))]).Contains("signal SIGKILL", StringComparison.Ordinal);

    protected override void Configure(Work work)
    {
        foreach (var (label, argument, _) in All(work))
        {
            Script($"services/{label}/run", $"#!{Program} {argument}\n");
            if (work == Work.Write)
            {
                Script($"services/{label}/log/run", $"#!/bin/sh\nexec s6-log n9 s10000000 {At("logs")}\n");
            }
        }
    }

    protected override IReadOnlyList<string> StopCommand(int number) => ["s6-svc", "-d", At("services", Label(number))];
}
