using System.Collections.Generic;
using System.IO;
using System.Linq;

namespace Agent.Benchmarks.Supervision;

/// <summary>
/// monit, which looks once a second, the most often it can. It is nobody's parent: services go into the background and
/// write their pid files, so their output and their exit codes are not its business.
/// </summary>
internal sealed class Monit(string program, string child) : Supervisor(child)
{
    public override bool Captures => false;

    protected override IReadOnlyList<string> Command => [program, "-I", "-c", At("monitrc")];

    public override bool TellsEnd(int number) => false;

    protected override void Configure(Work work)
    {
        Script("monitrc", $"""
            set daemon 1
            set logfile {At("monit.log")}
            set pidfile {At("monit.pid")}
            set idfile {At("monit.id")}
            set statefile {At("monit.state")}
            set httpd unixsocket {At("sock")} allow bench:bench

            """ + string.Concat(All(work).Select(one => $"""
            check process {one.Label} with pidfile {At($"{one.Number}.pid")}
              start program = "{Program} d{one.Argument}"
              stop program = "/bin/sh -c 'kill $(cat {At($"{one.Number}.pid")})'"

            """)));
    }

    protected override IReadOnlyList<string> StopCommand(int number) =>
        [program, "-c", At("monitrc"), "stop", Label(number)];
}
