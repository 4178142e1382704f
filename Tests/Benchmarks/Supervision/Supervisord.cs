using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;

namespace Agent.Benchmarks.Supervision;

/// <summary>supervisord: one Python process, which restarts a service after a second.</summary>
internal sealed class Supervisord(string program, string child) : Supervisor(child)
{
    protected override IReadOnlyList<string> Command => [program, "-n", "-c", At("supervisord.conf")];

    public override bool TellsEnd(int number) =>
        Read("supervisord.log").Contains($"exited: {Label(number)} (terminated by SIGKILL", StringComparison.Ordinal);

    protected override void Configure(Work work)
    {
        var output = work == Work.Write
            ? $"stdout_logfile={At("out.log")}\nstdout_logfile_maxbytes=10MB\nstdout_logfile_backups=9"
            : "stdout_logfile=NONE";
        File.WriteAllText(At("supervisord.conf"), $"""
            [unix_http_server]
            file={At("sock")}
            [supervisord]
            logfile={At("supervisord.log")}
            pidfile={At("supervisord.pid")}
            childlogdir={Home}
            [rpcinterface:supervisor]
            supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
            [supervisorctl]
            serverurl=unix://{At("sock")}

            """ + string.Concat(All(work).Select(one => $"""
            [program:{one.Label}]
            command={Program} {one.Argument}
            autorestart=true
            stderr_logfile=NONE
            {output}

            """)));
    }

    protected override IReadOnlyList<string> StopCommand(int number) =>
        [Path.Combine(Path.GetDirectoryName(program)!, "supervisorctl"), "-c", At("supervisord.conf"), "stop", Label(number)];
}
