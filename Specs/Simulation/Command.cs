using Agent.Core.Container;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Core.Runtime;
using Agent.Specs.Tools;
using LanguageExt;
using static LanguageExt.Prelude;

namespace Agent.Specs.Simulation;

internal enum Deed
{
    Spawn,
    Stop,
    Start,
    Restart,
    Release,
    Declare,
    Ensure,
    StopRuntime,
    KillDaemon,
    Shutdown,
    DeclareContainers,
    UpContainers,
    DownContainers,
    StopContainer,
    StartContainer,
}

/// <summary>What an operator does, this many whole seconds after the command before.</summary>
internal sealed record Command(Deed Kind, int Which, int Gap)
{
    private static readonly string[] Names = ["t0", "t1", "s0", "s1", "s2"];

    public static Command Sample(Samples samples) =>
        new((Deed)samples.Below(15), samples.Below(1000), 1 + samples.Below(samples.Below(3) == 0 ? 200 : 8));

    public HostEvent Event(HostState state, Keep keep) => Kind switch
    {
        Deed.Spawn => new HostEvent.SpawnRequested(
            Ids.Of(Names[Which % 2]), Specimens.Task(Names[Which % 2]) with { Grace = Grace, IdleTimeout = None }),
        Deed.Stop => Ask(new ProcessEvent.StopRequested(None)),
        Deed.Start => Ask(new ProcessEvent.StartRequested()),
        Deed.Restart => Ask(new ProcessEvent.RestartRequested()),
        Deed.Shutdown => Ask(new ProcessEvent.ShutdownRequested()),
        Deed.Release => Ask(new ProcessEvent.ReleaseRequested()),
        Deed.Declare => new HostEvent.Configured(RuntimePolicy.Default with { Keep = keep }, Services),
        Deed.Ensure => new HostEvent.Runtime(new RuntimeEvent.EnsureRequested()),
        Deed.StopRuntime => new HostEvent.Runtime(new RuntimeEvent.StopRequested()),
        Deed.DeclareContainers => new HostEvent.ContainersReported(
            new ContainersEvent.Declared(Containers, Install: Which % 5 != 0, UsesRuntime: true)),
        Deed.UpContainers => Ask(new ContainersEvent.UpRequested(Seq<ContainerUid>(), RemoveOrphans: Which % 2 == 0)),
        Deed.DownContainers => Ask(new ContainersEvent.DownRequested(Seq<ContainerUid>())),
        Deed.StopContainer => Ask(new ContainersEvent.One(Container, new ContainerEvent.StopRequested())),
        Deed.StartContainer => Ask(new ContainersEvent.One(Container, new ContainerEvent.StartRequested())),
        _ => throw new InvalidOperationException($"{Kind} is no event"),
    };

    /// <summary>No whole number of seconds, so that a kill does not meet a command.</summary>
    private static TimeSpan Grace => TimeSpan.FromMilliseconds(2500);

    private ContainerUid Container => Ids.Container(Which % 2 == 0 ? "web" : "db");

    private Seq<ContainerSpec> Containers => Seq(Specimens.Container("db"), Specimens.Container("web", "db"))
        .Filter(spec => Which % 3 != 0 || spec.Uid.Value == "db")
        .Map(spec => spec with { Digest = Which % 7 == 0 ? "v2" : "v1" }).Strict();

    private static HostEvent Ask(ContainersEvent @event) => new HostEvent.ContainersRequested(Principal.Root, @event);

    private Seq<ServiceDeclaration> Services => Enumerable.Range(0, 3).Where(i => (Which >> i) % 2 == 1)
        .Select(i => new ServiceDeclaration(Ids.Of("s" + i), Spec(i))).ToArray().ToSeq();

    private ProcessSpec Spec(int i) => (i == 0 ? Specimens.Service("w0", "w1") : Specimens.Service("w" + i)) with
    {
        Grace = Grace,
        EnvironmentDigest = (Which >> 3) % 4 == 0 ? "other" : "digest",
        Restart = i == 2 ? RestartPolicy.OnFailure : RestartPolicy.Always,
        Ready = i == 1 ? Specimens.Ready(TimeSpan.FromMilliseconds(2700)) : Option<Readiness>.None,
    };

    private HostEvent Ask(ProcessEvent @event) =>
        new HostEvent.ProcessRequested(Ids.Of(Names[Which % Names.Length]), Principal.Root, @event);
}
