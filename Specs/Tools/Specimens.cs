using Agent.Core.Companion;
using Agent.Core.Container;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Core.Rollout;
using LanguageExt;
using static LanguageExt.Prelude;

namespace Agent.Specs.Tools;

/// <summary>Specs of processes as the shell would make them, and other plain values.</summary>
public static class Specimens
{
    public static BootId Boot { get; } = new("boot");

    public static ProcessSpec Task(string label, uint owner = 0) => new(
        ProcessKind.Task,
        new Principal(owner),
        label,
        Seq1("/bin/" + label),
        None,
        None,
        "digest",
        StdinMode.None,
        Overflow.DropOldest,
        ProcessSpec.DefaultRingBytes,
        ProcessSpec.DefaultTaskLifetime,
        ProcessSpec.DefaultTaskIdle,
        ProcessSpec.DefaultRetention,
        Signal.Term,
        ProcessSpec.DefaultGrace,
        RestartPolicy.Never,
        Seq<string>());

    public static ProcessSpec Service(string label, params string[] after) => Task(label) with
    {
        Kind = ProcessKind.Service,
        MaxLifetime = None,
        IdleTimeout = None,
        Restart = RestartPolicy.Always,
        After = after.ToSeq(),
    };

    /// <summary>By a connection to its port, within that.</summary>
    public static Readiness Ready(TimeSpan within) =>
        new(new ReadyCheck.Tcp("127.0.0.1", 80), Readiness.DefaultEvery, within);

    public static ProcessSpec Daemon(string label) => Task(label) with
    {
        Kind = ProcessKind.Daemon,
        MaxLifetime = None,
        IdleTimeout = None,
        Grace = ProcessSpec.MaxGrace,
    };

    /// <summary>Release n as version n: a minute of soak, one enforced probe, back by itself.</summary>
    public static RolloutOrder Order(int number, string channel = "stable") => new(
        Ids.Rollout(number, channel),
        number,
        ActivatorKind.Release,
        Ids.Release(number),
        new RolloutPolicy(
            TimeSpan.FromMinutes(1), RolloutPolicy.DefaultFailureThreshold, OnFailure.RollbackAndHalt, OnFailure.Halt,
            RolloutPolicy.DefaultVerdictWithin, RolloutPolicy.DefaultSwitchTimeout, Unattended: false),
        Seq1(Probe("http", ProbeMode.Enforce)));

    public static ProbeSpec Probe(string name, ProbeMode mode) => new(
        Ids.Probe(name), mode, ProbeSpec.DefaultInterval, ProbeSpec.DefaultTimeout, TimeSpan.Zero, SuccessThreshold: 1,
        FailureThreshold: 1, new ProbeCheck.Tcp("127.0.0.1", 80));

    /// <summary>A container that is always restarted, started after those it names.</summary>
    public static ContainerSpec Container(string uid, params string[] after) => new(
        Ids.Container(uid), "registry/" + uid, PullPolicy.Missing, ContainerRestart.Always,
        after.Select(on => new ContainerDependency(Ids.Container(on), DependencyCondition.Started)).ToArray().ToSeq(),
        HasHealthcheck: false, ContainerSpec.DefaultStopGrace, "v1");

    /// <summary>A companion that is to be active, after those it names.</summary>
    public static CompanionSpec Companion(string name, params string[] after) => new(
        Ids.Companion(name), "v1", Start: true, Restart: true, after.Select(Ids.Companion).ToArray().ToSeq());

    public static ProcessIdentity Identity(int pid) => new(pid, pid * 100L, Boot);

    public static ProcessEvent Exit(int generation, int code = 0) =>
        Ended(generation, new ExitStatus.Exited(code));

    public static ProcessEvent Ended(int generation, ExitStatus status) =>
        new ProcessEvent.ExitObserved(generation, status, TimeSpan.FromMilliseconds(20), 4096, Seq<string>());
}
