using System;
using Agent.Core.Companion;
using Agent.Core.Container;
using Agent.Core.Process;
using Agent.Core.Rollout;
using Agent.Core.Runtime;

namespace Agent.Shell.Api;

/// <summary>
/// The wire's names of plain choices. A table lists them in the order of the choice's members; a test holds the two
/// against each other. The journal has names of its own, so that one may change without the other.
/// </summary>
internal static class WireNames
{
    private static readonly string[] Kinds = ["task", "service", "daemon", "activation"];
    private static readonly string[] Activators = ["nixos", "release"];
    private static readonly string[] Modes = ["enforce", "observe", "disabled"];
    private static readonly string[] Failures = ["rollback-and-halt", "halt"];
    private static readonly string[] Healths = ["ready", "not_ready", "error"];
    private static readonly string[] Reasons =
        ["exited", "stopped", "killed", "lifetime", "idle", "out-of-memory", "lost", "spawn-failed", "not-ready", "shutdown"];

    private static readonly string[] Overflows = ["dropOldest", "backpressure"];
    private static readonly string[] Policies = ["never", "onFailure", "always"];

    private static readonly (string Name, Signal Signal)[] Signals =
    [
        ("term", Core.Process.Signal.Term), ("hup", Core.Process.Signal.Hangup), ("usr1", Core.Process.Signal.Usr1),
        ("usr2", Core.Process.Signal.Usr2), ("int", Core.Process.Signal.Interrupt), ("quit", Core.Process.Signal.Quit),
        ("stop", Core.Process.Signal.Stop), ("cont", Core.Process.Signal.Cont), ("kill", Core.Process.Signal.Kill),
    ];

    public static string[] SignalWords => Array.ConvertAll(Signals, row => row.Name);

    public static string SignalNames { get; } = string.Join(", ", SignalWords);

    public static string Of(ProcessKind value) => Kinds[(int)value];

    public static string Of(ActivatorKind value) => Activators[(int)value];

    public static ActivatorKind? Activator(string name) =>
        Array.IndexOf(Activators, name) is >= 0 and var at ? (ActivatorKind)at : null;

    public static string Of(ProbeMode value) => Modes[(int)value];

    public static ProbeMode? Mode(string name) => Array.IndexOf(Modes, name) is >= 0 and var at ? (ProbeMode)at : null;

    public static string Of(OnFailure value) => Failures[(int)value];

    public static OnFailure? Failure(string name) =>
        Array.IndexOf(Failures, name) is >= 0 and var at ? (OnFailure)at : null;

    public static string Of(ServiceHealth value) => Healths[(int)value];

    public static string Of(ExitReason value) => Reasons[(int)value];

    public static string Of(Overflow value) => Overflows[(int)value];

    private static readonly string[] ContainerHealths = ["none", "starting", "healthy", "unhealthy"];
    private static readonly string[] Wishes = ["repaired", "installed", "stopped", "removed", "dropped"];
    private static readonly string[] Actions = ["install", "start", "restart", "replace", "recreate", "stop", "remove"];
    private static readonly string[] CompanionActions = ["write", "start", "restart", "stop", "remove"];
    private static readonly string[] Calls = ["pull", "create", "start", "stop", "remove"];
    private static readonly string[] Standings =
        ["running", "unhealthy", "succeeded", "failed", "stopped by its user", "not installed", "removed by its user"];

    public static string Of(ContainerHealth value) => ContainerHealths[(int)value];

    public static string Of(ContainerWish value) => Wishes[(int)value];

    public static string Of(ContainerAction value) => Actions[(int)value];

    public static string Of(ContainerCall value) => Calls[(int)value];

    public static string Of(ContainerStanding value) => Standings[(int)value];

    public static string Of(CompanionAction value) => CompanionActions[(int)value];

    public static string Of(RestartPolicy value) => Policies[(int)value];

    public static Overflow? Overflow(string name) =>
        Array.IndexOf(Overflows, name) is >= 0 and var place ? (Overflow)place : null;

    public static RestartPolicy? Policy(string name) =>
        Array.IndexOf(Policies, name) is >= 0 and var place ? (RestartPolicy)place : null;

    public static Signal? Signal(string name)
    {
        foreach (var row in Signals)
        {
            if (row.Name == name) return row.Signal;
        }

        return null;
    }

    public static OutputStream? Stream(string name) => name switch
    {
        "stdout" => OutputStream.Stdout,
        "stderr" => OutputStream.Stderr,
        _ => null,
    };
}
