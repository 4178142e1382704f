using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;

namespace Agent.Benchmarks.Supervision;

/// <summary>pm2: a daemon on Node.js, which its command line starts. It appends to one file and never rotates it by itself.</summary>
internal sealed class Pm2(string program, string child) : Supervisor(child)
{
    protected override IReadOnlyList<string> Command => [program, "start", At("ecosystem.config.json")];

    protected override int Manager => int.Parse(Read("pm2/pm2.pid"), CultureInfo.InvariantCulture);

    public override bool TellsEnd(int number) => Read("pm2/pm2.log").Split('\n').Any(line =>
        line.Contains($"App [{Label(number)}:", StringComparison.Ordinal) && line.Contains("SIGKILL", StringComparison.Ordinal));

    protected override void Configure(Work work)
    {
        var output = work == Work.Write ? At("out.log") : "/dev/null";
        File.WriteAllText(At("ecosystem.config.json"), "{\"apps\":[" + string.Join(",\n", All(work).Select(one => $$"""
            {"name":"{{one.Label}}","script":"{{Program}}","args":"{{one.Argument}}","interpreter":"none",
             "exec_mode":"fork","out_file":"{{output}}","error_file":"/dev/null"}
            """)) + "]}");
    }

    protected override IReadOnlyList<string> StopCommand(int number) => [program, "stop", Label(number)];
}
