using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Shell.Docker;
using Agent.Shell.Loop;
using LanguageExt;

namespace Agent.Shell.Effects;

/// <summary>The engine's daemons as supervised processes: found, described, spawned and awaited.</summary>
internal static class Daemons
{
    /// <summary>
    /// For each stream of a daemon: enough to show what it says of late. Its log files keep the rest.
    /// </summary>
    private const int RingBytes = 64 << 10;

    /// <summary>The engine stops its own parts first; it gets as long as any process may.</summary>
    private static TimeSpan Grace => ProcessSpec.MaxGrace;

    /// <summary>What dockerd needs to pull images where the network is reached through a proxy.</summary>
    private static readonly string[] Inherited =
        ["TMPDIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"];

    /// <summary>The daemon of that name that this agent started and that has not ended, or null.</summary>
    public static ProcessState? Living(HostState state, string name)
    {
        foreach (var process in state.Processes.All.Values)
        {
            var spec = process.Profile.Spec;
            if (spec.Kind != ProcessKind.Daemon || spec.Label != name) continue;
            if (process is ProcessState.Starting or ProcessState.Running or ProcessState.Stopping) return process;
        }

        return null;
    }

    public static int? PidOf(ProcessState? process) => process switch
    {
        ProcessState.Running running => running.Identity.Pid,
        ProcessState.Stopping stopping => stopping.Identity.Pid,
        ProcessState.Waiting or ProcessState.Starting or ProcessState.Backoff or ProcessState.Exited
            or ProcessState.Reaped or null => null,
    };

    /// <summary>Never restarted by the process machine: the runtime machine decides about that.</summary>
    public static ProcessSpec Spec(string name, IReadOnlyList<string> command) => new(
        ProcessKind.Daemon,
        Principal.Root,
        name,
        command.ToSeq(),
        Option<string>.Some("/"),
        Option<string>.None,
        EnvironmentDigest: "",
        StdinMode.None,
        Overflow.DropOldest,
        RingBytes,
        MaxLifetime: Option<TimeSpan>.None,
        IdleTimeout: Option<TimeSpan>.None,
        ProcessSpec.DefaultRetention,
        Signal.Term,
        Grace,
        RestartPolicy.Never,
        After: LanguageExt.Seq<string>.Empty);

    public static IReadOnlyDictionary<string, string> Environment(EngineBinaries binaries)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["PATH"] = binaries.PathVariable,
            ["LANG"] = "C.UTF-8",
            ["HOME"] = "/root",
        };
        foreach (var name in Inherited)
        {
            if (System.Environment.GetEnvironmentVariable(name) is { Length: > 0 } value) environment[name] = value;
        }

        return environment;
    }

    /// <summary>Ends when no daemon of that name lives.</summary>
    public static Task<Published<HostState>> WhenGoneAsync(IHost host, string name, CancellationToken stop) =>
        host.WhenAsync(published => Living(published.State, name) is null, stop);
}
