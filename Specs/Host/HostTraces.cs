using Agent.Core.Container;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Core.Runtime;
using Agent.Specs.Tools;
using LanguageExt;
using Xunit;
using static LanguageExt.Prelude;

namespace Agent.Specs.Host;

/// <summary>The life of a host, told.</summary>
public sealed class HostTraces
{
    private static readonly RuntimePolicy Always = RuntimePolicy.Default with { Keep = Keep.Always };
    private static readonly HostEvent Deadline = new HostEvent.DeadlineReached();

    /// CO-5, CO-7, PR-13, RT-8: the one that comes after waits until the other runs.
    [Fact]
    public void A_host_boots() => Tell(
            "A host boots with two services, one after the other, and a runtime kept always.")
        .At(0, Booted())
        .At(0.1, new HostEvent.Configured(Always, Seq(
            new ServiceDeclaration(Ids.Of("s1"), Specimens.Service("web", "db")),
            new ServiceDeclaration(Ids.Of("s2"), Specimens.Service("db")))))
        .At(0.3, Spawned("s2", 1, 20))
        .At(0.4, Spawned("s1", 1, 30))
        .At(1.1, new HostEvent.SpawnRequested(Ids.Of("d1"), Specimens.Daemon("containerd")))
        .At(1.2, Spawned("d1", 1, 40))
        .At(1.4, new HostEvent.SpawnRequested(Ids.Of("d2"), Specimens.Daemon("dockerd")))
        .At(1.5, Spawned("d2", 1, 50))
        .At(4, Completed(1))
        .IsAsWritten("boot");

    /// PR-13: one waits until the other is ready, one only until it runs.
    [Fact]
    public void Services_wait_for_readiness() => Tell(
            "A database takes its time; its dashboard needs it to run, its web server needs it to be ready.")
        .At(0, Booted())
        .At(0.1, new HostEvent.Configured(RuntimePolicy.Default with { Keep = Keep.OnDemand }, Seq(
            new ServiceDeclaration(Ids.Of("s1"), Specimens.Service("web", "db")),
            new ServiceDeclaration(Ids.Of("s2"), Specimens.Service("db") with { Ready = Specimens.Ready(TimeSpan.FromSeconds(30)) }),
            new ServiceDeclaration(Ids.Of("s3"), Specimens.Service("dash") with { AfterStarted = Seq1("db") }))))
        .At(0.3, Spawned("s2", 1, 20))
        .At(0.4, Spawned("s3", 1, 30))
        .At(9, new HostEvent.ProcessReported(Ids.Of("s2"), new ProcessEvent.BecameReady(1)))
        .At(9.1, Spawned("s1", 1, 40))
        .IsAsWritten("readiness");

    /// CO-7, RT-5, RT-8: the one thing that crosses from machine to machine.
    [Fact]
    public void The_death_of_a_daemon_reaches_the_runtime() => Tell(
            "dockerd dies, and the runtime hears of it in the same step.")
        .At(0, Booted(), new HostEvent.Configured(Always, Seq<ServiceDeclaration>()))
        .At(1, new HostEvent.SpawnRequested(Ids.Of("d2"), Specimens.Daemon("dockerd")), Spawned("d2", 1, 50))
        .At(4, Completed(1))
        .At(100, new HostEvent.ProcessReported(Ids.Of("d2"), new ProcessEvent.ExitObserved(
            1, new ExitStatus.Signaled(9), TimeSpan.FromSeconds(2), 4096, Seq1("panic: out of luck"))))
        .AtDeadline(HostMachine.Deadline, Deadline)
        .IsAsWritten("daemon-dies");

    /// CO-7, RT-10: a daemon that was told to stop is no news.
    [Fact]
    public void A_stopped_daemon_is_no_news() => Tell("The user stops the runtime; the daemons' ends concern nobody.")
        .At(0, Booted())
        .At(1, new HostEvent.Runtime(new RuntimeEvent.EnsureRequested()))
        .At(1, new HostEvent.SpawnRequested(Ids.Of("d2"), Specimens.Daemon("dockerd")), Spawned("d2", 1, 50))
        .At(4, Completed(1))
        .At(60, new HostEvent.Runtime(new RuntimeEvent.StopRequested()))
        .At(60, new HostEvent.ProcessRequested(Ids.Of("d2"), Principal.Root, new ProcessEvent.StopRequested(None)))
        .At(61, new HostEvent.ProcessReported(Ids.Of("d2"), Specimens.Exit(1)))
        .IsAsWritten("daemon-stopped");

    /// CO-5, PR-14, RT-6: everything that lives is taken up again; what is nobody's is ended.
    [Fact]
    public void The_agent_dies_and_comes_back() => Tell(
            "The agent is killed on a busy host; its successor finds everything.")
        .At(0, Booted(), new HostEvent.Configured(Always, Seq1(
            new ServiceDeclaration(Ids.Of("s1"), Specimens.Service("web")))))
        .At(0.3, Spawned("s1", 1, 20))
        .At(1, new HostEvent.SpawnRequested(Ids.Of("d2"), Specimens.Daemon("dockerd")), Spawned("d2", 1, 50))
        .At(4, Completed(1))
        .Meanwhile("the agent is killed; dockerd dies; a spawn that no journal tells of is left over")
        .At(60, new HostEvent.Started(Specimens.Boot, Seq(
            new ObservedProcess(Ids.Of("s1"), 1, new Observation.Alive(Specimens.Identity(20))),
            new ObservedProcess(Ids.Of("d2"), 1, new Observation.Ended(
                new ExitStatus.Signaled(9), TimeSpan.FromSeconds(2), 4096, Seq1("panic: out of luck"))),
            new ObservedProcess(Ids.Of("x1"), 1, new Observation.Alive(Specimens.Identity(70))))))
        .AtDeadline(HostMachine.Deadline, Deadline)
        .IsAsWritten("agent-restarts");

    /// PR-13: the wait is for the first start alone; a later fall of the other takes nobody down.
    [Fact]
    public void A_service_waits_for_another() => Tell(
            "web comes after db, whose first spawn fails; later db falls and web stays.")
        .At(0, Booted(), new HostEvent.Configured(RuntimePolicy.Default, Seq(
            new ServiceDeclaration(Ids.Of("s1"), Specimens.Service("web", "db")),
            new ServiceDeclaration(Ids.Of("s2"), Specimens.Service("db")))))
        .At(0.1, new HostEvent.ProcessReported(Ids.Of("s2"), new ProcessEvent.SpawnFailed(1, "not-found", "/bin/db")))
        .At(0.2, Spawned("s2", 2, 20))
        .At(0.3, Spawned("s1", 1, 30))
        .At(90, new HostEvent.ProcessReported(Ids.Of("s2"), Specimens.Exit(2, 1)))
        .At(90.1, Spawned("s2", 3, 40))
        .IsAsWritten("dependencies");

    /// CO-7, CT-4, CT-6: containers want their engine, and the first look at them waits until it is ready.
    [Fact]
    public void Containers_bring_the_runtime_up() => Tell(
            "A container is declared on a host whose runtime starts on demand: that is a demand.")
        .At(0, Booted())
        .At(1, new HostEvent.ContainersReported(new ContainersEvent.Declared(
            Seq1(Specimens.Container("web")), Install: true, UsesRuntime: true)))
        .At(4, Completed(1))
        .At(4.1, new HostEvent.ContainersReported(new ContainersEvent.Listed(1, Seq1(new ObservedContainer(
            Ids.Container("web"), "e1", "v1", new ContainerStatus.Running(PidAlive: true), ContainerHealth.None)))))
        .At(10, new HostEvent.ContainersRequested(
            Principal.Root, new ContainersEvent.One(Ids.Container("web"), new ContainerEvent.StopRequested())))
        .IsAsWritten("containers");

    /// PR-2, PR-3: what is not yours does not exist.
    [Fact]
    public void A_foreign_user_asks() => Tell("A user asks for another user's task, and for one that never was.")
        .At(0, new HostEvent.SpawnRequested(Ids.Of("t1"), Specimens.Task("job", owner: 1000)), Spawned("t1", 1, 20))
        .At(1, By(1001, "t1", new ProcessEvent.StopRequested(None)))
        .At(2, By(1001, "t2", new ProcessEvent.StopRequested(None)))
        .At(3, By(1000, "t1", new ProcessEvent.StopRequested(None)))
        .IsAsWritten("foreign-user");

    private static Story<HostState, HostEvent, HostEffect> Tell(string prose) =>
        new(prose, HostState.Initial, HostMachine.Step, Changes);

    private static IEnumerable<string> Changes(HostState before, HostState after)
    {
        foreach (var (id, state) in after.Processes.All.Select(pair => (pair.Key, pair.Value)))
        {
            if (before.Processes.Find(id).Exists(old => ReferenceEquals(old, state))) continue;
            yield return $"{id.Value} {TracePrinter.Print(state)}";
        }

        foreach (var id in before.Processes.All.Keys.Where(id => after.Processes.Find(id).IsNone))
        {
            yield return $"{id.Value} is gone";
        }

        if (!ReferenceEquals(before.Containers, after.Containers)) yield return $"containers {TracePrinter.Print(after.Containers)}";
        if (!ReferenceEquals(before.Companions, after.Companions)) yield return $"companions {TracePrinter.Print(after.Companions)}";
        if (ReferenceEquals(before.Runtime, after.Runtime)) yield break;
        yield return $"runtime {TracePrinter.Print(after.Runtime)}";
    }

    private static HostEvent Booted() => new HostEvent.Started(Specimens.Boot, Seq<ObservedProcess>());

    private static HostEvent Spawned(string id, int generation, int pid) => new HostEvent.ProcessReported(
        Ids.Of(id), new ProcessEvent.SpawnCompleted(generation, Specimens.Identity(pid)));

    private static HostEvent By(uint uid, string id, ProcessEvent @event) =>
        new HostEvent.ProcessRequested(Ids.Of(id), new Principal(uid), @event);

    private static HostEvent Completed(int attempt) => new HostEvent.Runtime(new RuntimeEvent.StartCompleted(
        attempt, "unix:///run/docker.sock", "answers", Seq<ServiceStatus>()));
}
