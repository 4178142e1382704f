using System;
using Agent.Core.Companion;
using Agent.Core.Container;
using Agent.Core.Model;
using Agent.Core.Outbox;
using Agent.Core.Process;
using Agent.Core.Rollout;
using Agent.Core.Runtime;

namespace Agent.Shell.Journal.Codec;

/// <summary>
/// The written names of plain choices. One table per choice serves both directions; the place in the table is the
/// value, so adding a member means adding its name.
/// </summary>
internal static class Names
{
    private static readonly string[] Kinds = ["task", "service", "daemon", "activation"];
    private static readonly string[] Stdins = ["none", "prelude", "open"];
    private static readonly string[] Overflows = ["dropOldest", "backpressure"];
    private static readonly string[] Policies = ["never", "onFailure", "always"];
    private static readonly string[] Keeps = ["onDemand", "always"];
    private static readonly string[] Healths = ["ready", "notReady", "error"];
    private static readonly string[] Afters = ["stay", "startAgain", "remove", "obey"];
    private static readonly string[] Reaps = ["released", "retentionOver", "withdrawn"];
    private static readonly string[] Reasons =
        ["exited", "stopped", "killed", "lifetime", "idle", "outOfMemory", "lost", "spawnFailed", "unready", "shutdown"];

    private static readonly string[] Errors =
    [
        "notLegal", "stale", "noSuchProcess", "quota", "registryFull", "invalidInput", "stillRunning", "stopping", "busy",
        "notAllowed", "noSuchRollout", "seen", "known", "versionRollback", "versionReused",
        "outboxFull", "noSuchDeadLetter",
        "noSuchChannel", "hostRevoked", "noSuchToken", "tokenExpired", "tokenForeign", "tokenSpent", "noSuchContainer",
        "noSuchCompanion",
    ];

    private static readonly string[] Importances = ["transition", "observation"];
    private static readonly string[] Deliveries = ["unavailable", "unauthorized", "tooLarge", "refused"];
    private static readonly string[] Activators = ["nixos", "release"];
    private static readonly string[] Failures = ["rollbackAndHalt", "halt"];
    private static readonly string[] Modes = ["enforce", "observe", "disabled"];
    private static readonly string[] Helds = ["policy", "operator", "drift", "noWayBack", "nothingSwitched", "rollbackHalted"];

    private static readonly string[] Pulls = ["missing", "always", "never"];
    private static readonly string[] Conditions = ["started", "healthy", "completed"];
    private static readonly string[] ContainerHealths = ["none", "starting", "healthy", "unhealthy"];
    private static readonly string[] Wishes = ["repaired", "installed", "stopped", "removed", "dropped"];
    private static readonly string[] Actions = ["install", "start", "restart", "replace", "recreate", "stop", "remove"];
    private static readonly string[] CompanionActions = ["write", "start", "restart", "stop", "remove"];
    private static readonly string[] Calls = ["pull", "create", "start", "stop", "remove"];

    public static string Of(ProcessKind value) => Kinds[(int)value];

    public static string Of(StdinMode value) => Stdins[(int)value];

    public static string Of(Overflow value) => Overflows[(int)value];

    public static string Of(RestartPolicy value) => Policies[(int)value];

    public static string Of(Keep value) => Keeps[(int)value];

    public static string Of(ServiceHealth value) => Healths[(int)value];

    public static string Of(AfterStop value) => Afters[(int)value];

    public static string Of(ReapReason value) => Reaps[(int)value];

    public static string Of(ExitReason value) => Reasons[(int)value];

    public static string Of(ErrorCode value) => Errors[(int)value];

    public static string Of(ActivatorKind value) => Activators[(int)value];

    public static string Of(OnFailure value) => Failures[(int)value];

    public static string Of(ProbeMode value) => Modes[(int)value];

    public static string Of(HeldBecause value) => Helds[(int)value];

    public static string Of(Importance value) => Importances[(int)value];

    public static string Of(FailureKind value) => Deliveries[(int)value];

    public static string Of(PullPolicy value) => Pulls[(int)value];

    public static string Of(ContainerRestart value) => Policies[(int)value];

    public static string Of(DependencyCondition value) => Conditions[(int)value];

    public static string Of(ContainerHealth value) => ContainerHealths[(int)value];

    public static string Of(ContainerWish value) => Wishes[(int)value];

    public static string Of(ContainerAction value) => Actions[(int)value];

    public static string Of(ContainerCall value) => Calls[(int)value];

    public static string Of(CompanionAction value) => CompanionActions[(int)value];

    public static PullPolicy Pull(string name) => (PullPolicy)Place(Pulls, name);

    public static ContainerRestart Restart(string name) => (ContainerRestart)Place(Policies, name);

    public static DependencyCondition Condition(string name) => (DependencyCondition)Place(Conditions, name);

    public static ContainerHealth ContainerHealth(string name) => (ContainerHealth)Place(ContainerHealths, name);

    public static ContainerWish Wish(string name) => (ContainerWish)Place(Wishes, name);

    public static ContainerAction Action(string name) => (ContainerAction)Place(Actions, name);

    public static ContainerCall Call(string name) => (ContainerCall)Place(Calls, name);

    public static CompanionAction CompanionAction(string name) => (CompanionAction)Place(CompanionActions, name);

    public static ProcessKind Kind(string name) => (ProcessKind)Place(Kinds, name);

    public static StdinMode Stdin(string name) => (StdinMode)Place(Stdins, name);

    public static Overflow Overflow(string name) => (Overflow)Place(Overflows, name);

    public static RestartPolicy Policy(string name) => (RestartPolicy)Place(Policies, name);

    public static Keep Keep(string name) => (Keep)Place(Keeps, name);

    public static ServiceHealth Health(string name) => (ServiceHealth)Place(Healths, name);

    public static AfterStop After(string name) => (AfterStop)Place(Afters, name);

    public static ReapReason Reap(string name) => (ReapReason)Place(Reaps, name);

    public static ExitReason Reason(string name) => (ExitReason)Place(Reasons, name);

    public static ErrorCode Error(string name) => (ErrorCode)Place(Errors, name);

    public static ActivatorKind Activator(string name) => (ActivatorKind)Place(Activators, name);

    public static OnFailure Failure(string name) => (OnFailure)Place(Failures, name);

    public static ProbeMode Mode(string name) => (ProbeMode)Place(Modes, name);

    public static HeldBecause Held(string name) => (HeldBecause)Place(Helds, name);

    public static Importance Importance(string name) => (Importance)Place(Importances, name);

    public static FailureKind Delivery(string name) => (FailureKind)Place(Deliveries, name);

    private static int Place(string[] names, string name)
    {
        var place = Array.IndexOf(names, name);
        return place >= 0 ? place : throw new UnknownRecordException($"\"{name}\" is none of {string.Join(", ", names)}", 0);
    }
}
