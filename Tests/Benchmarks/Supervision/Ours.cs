using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;

namespace Agent.Benchmarks.Supervision;

/// <summary>The agent and its keeper, in one of its builds.</summary>
internal sealed class Ours(Build build, string child) : Supervisor(child)
{
    private string Socket => At("r", "agent.sock");

    protected override IReadOnlyList<string> Command =>
    [
        build.Path, "run", "--config", At("agent.yaml"), "--state-dir", At("s"), "--runtime-dir", At("r"), "--socket", Socket,
    ];

    /// <summary>A service is logged to disk only where the peers do so too.</summary>
    protected override void Configure(Work work)
    {
        var log = work == Work.Write ? "{ maxSize: 10MB, files: 10 }" : "off";
        File.WriteAllText(At("agent.yaml"), "runtime: { keep: onDemand }\nservices:\n" + string.Concat(All(work).Select(one => $"""
              {one.Label}:
                command: [{Program}, {one.Argument}]
                log: {log}

            """)));
    }

    public override bool TellsEnd(int number) =>
        Tell([build.Path, "explain", "process", Label(number), "--socket", Socket])
            .Contains("ended with signal 9", StringComparison.Ordinal);

    protected override IReadOnlyList<string> StopCommand(int number) =>
        [build.Path, "stop", Label(number), "--socket", Socket];
}
