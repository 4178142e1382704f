using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Core.Time;
using Agent.Specs.Tools;
using LanguageExt;
using Xunit;
using static LanguageExt.Prelude;
using Effect = Agent.Core.Process.ProcessEffect;
using Event = Agent.Core.Process.ProcessEvent;
using State = Agent.Core.Process.ProcessState;

namespace Agent.Specs.Process;

/// <summary>The life of a process, told.</summary>
public sealed class ProcessTraces
{
    private static readonly Event Deadline = new Event.DeadlineReached();
    private static readonly Event Stop = new Event.StopRequested(None);

    /// PR-1, PR-5, PR-9, PR-10: its exit stays readable for the retention, then it is reaped with the reason.
    [Fact]
    public void A_task_runs_once() => Tell("A task runs, ends, is read, and is forgotten.", Specimens.Task("job"))
        .At(0.1, Spawned(1))
        .At(30, new Event.Touched())
        .At(60, Specimens.Exit(1))
        .At(61, new Event.StartRequested())
        .AtDeadline(ProcessMachine.Deadline, Deadline)
        .IsAsWritten("task-life");

    /// PR-10: what its owner releases goes at once.
    [Fact]
    public void A_released_task_goes_at_once() => Tell("A task's owner has read all he wanted.", Specimens.Task("job"))
        .At(0.1, Spawned(1))
        .At(1, new Event.ReleaseRequested())
        .At(2, Specimens.Exit(1, 3))
        .At(3, new Event.ReleaseRequested())
        .IsAsWritten("task-released");

    /// PR-12: 0, 1, 2, 4 s of back-off, the fifth exit shows a crash loop, a stable minute ends it.
    [Fact]
    public void A_service_loops_and_recovers()
    {
        var story = Tell(
            "A service dies as soon as it runs, then holds for more than a minute.", Specimens.Service("web"));
        story.At(0.1, Spawned(1)).After(0.2, Specimens.Exit(1, 1));
        for (var generation = 2; generation <= 5; generation++)
        {
            story.After(0.1, Spawned(generation)).After(0.2, Specimens.Exit(generation, 1))
                .AtDeadline(ProcessMachine.Deadline, Deadline);
        }

        story.After(0.1, Spawned(6)).After(90, Specimens.Exit(6, 1)).After(0.1, Spawned(7))
            .IsAsWritten("service-crash-loop");
    }

    /// PR-13, PR-12: it is stopped and started again as after a failure of its own, and the second one is ready in time.
    [Fact]
    public void A_service_is_not_ready_in_time() => Tell(
            "A service does not become ready, and its next incarnation does.",
            Specimens.Service("web") with { Ready = Specimens.Ready(TimeSpan.FromSeconds(30)) })
        .At(0.1, Spawned(1))
        .AtDeadline(ProcessMachine.Deadline, Deadline)
        .After(0.2, Specimens.Ended(1, new ExitStatus.Signaled(15)))
        .After(0.1, new Event.BecameReady(1))
        .After(0.1, Spawned(2))
        .After(3, new Event.BecameReady(2))
        .IsAsWritten("service-not-ready");

    /// PR-13: what the agent's own end stopped comes back in its turn; what its user stopped meanwhile does not.
    [Fact]
    public void An_agent_ends_with_all_it_keeps() => Tell(
            "The agent ends with everything it supervises, and comes back.", Specimens.Service("web"))
        .At(0.1, Spawned(1))
        .At(10, new Event.ShutdownRequested())
        .At(10.2, Specimens.Ended(1, new ExitStatus.Signaled(15)))
        .At(60, new Event.Recovered(new Observation.Absent()))
        .At(60.1, new Event.Redeclared(Specimens.Service("web")))
        .At(60.2, new Event.DependenciesMet())
        .At(60.3, Spawned(2))
        .At(70, new Event.ShutdownRequested())
        .At(71, Stop)
        .At(71.2, Specimens.Ended(2, new ExitStatus.Signaled(15)))
        .At(80, new Event.Redeclared(Specimens.Service("web")))
        .IsAsWritten("agent-shutdown");

    /// PR-9: the stop signal, the grace, the kill of the whole tree, the confirmation; the second stop joins in.
    [Fact]
    public void A_process_ignores_term() => Tell(
            "A task ignores TERM; a second, more impatient stop brings the kill forward.", Specimens.Task("deaf"))
        .At(0.1, Spawned(1))
        .At(10, Stop)
        .At(11, new Event.StopRequested(TimeSpan.FromSeconds(2)))
        .At(12, Deadline)
        .AtDeadline(ProcessMachine.Deadline, Deadline)
        .After(0.1, Specimens.Ended(1, new ExitStatus.Signaled(9)))
        .IsAsWritten("stop-ignored");

    /// PR-5, PR-9: nothing runs yet, so the stop waits for the spawn's answer and then acts.
    [Fact]
    public void A_stop_comes_while_it_starts() => Tell(
            "The user changes his mind before the spawn is answered.", Specimens.Service("web"))
        .At(0.05, Stop)
        .At(0.1, Spawned(1))
        .At(0.3, Specimens.Ended(1, new ExitStatus.Signaled(15)))
        .At(60, new Event.Redeclared(Specimens.Service("web")))
        .At(90, new Event.StartRequested())
        .At(90.1, Spawned(2))
        .IsAsWritten("stop-while-starting");

    /// CO-5, PR-14: it is neither restarted nor duplicated.
    [Fact]
    public void It_is_adopted_after_the_agents_death() => Tell(
            "The agent dies and comes back: the service runs on, and its output is taken up again.",
            Specimens.Service("web"))
        .At(0.1, Spawned(1))
        .Meanwhile("the agent is killed")
        .At(60, new Event.Recovered(new Observation.Alive(Specimens.Identity(10))))
        .At(61, Specimens.Exit(1, 1))
        .At(61.1, Spawned(2))
        .Meanwhile("the agent is killed again, and the service ends meanwhile")
        .At(70, new Event.Recovered(new Observation.Ended(
            new ExitStatus.Exited(0), TimeSpan.FromSeconds(1), 4096, Seq<string>())))
        .IsAsWritten("adopted");

    /// PR-14: an exit that nobody could see is lost, never success.
    [Fact]
    public void An_exit_that_nobody_saw_is_lost() => Tell(
            "The host reboots under a running task: nobody can say how it ended.", Specimens.Task("job"))
        .At(0.1, Spawned(1))
        .Meanwhile("the host loses power")
        .At(300, new Event.Recovered(new Observation.Absent()))
        .IsAsWritten("lost");

    /// PR-1, PR-10: the idle clock stops a task that nobody uses, with grace.
    [Fact]
    public void An_idle_task_is_stopped() => Tell(
            "Nobody has touched the task for half an hour.", Specimens.Task("repl"))
        .At(0.1, Spawned(1))
        .At(600, new Event.Touched())
        .At(1800.1, Deadline)
        .AtDeadline(ProcessMachine.Deadline, Deadline)
        .After(0.2, Specimens.Ended(1, new ExitStatus.Signaled(15)))
        .IsAsWritten("idle");

    /// PR-1, PR-10: use does not prolong a life beyond its limit.
    [Fact]
    public void A_task_outlives_its_lifetime() => Tell(
            "A task in constant use reaches its lifetime.",
            Specimens.Task("long") with { MaxLifetime = TimeSpan.FromMinutes(10) })
        .At(0.1, Spawned(1))
        .At(599, new Event.Touched())
        .AtDeadline(ProcessMachine.Deadline, Deadline)
        .After(0.2, Specimens.Ended(1, new ExitStatus.Signaled(15)))
        .IsAsWritten("lifetime");

    /// PR-1, PR-5, upstream audit_process_reports_spawn_variants: a spawn that is refused is no exit of the program,
    /// and is tried again for a service.
    [Fact]
    public void A_spawn_fails() => Tell("The program of a service is missing at first.", Specimens.Service("web"))
        .At(0.1, new Event.SpawnFailed(1, "not-found", "/bin/web: no such file"))
        .At(0.2, new Event.SpawnFailed(2, "not-found", "/bin/web: no such file"))
        .AtDeadline(ProcessMachine.Deadline, Deadline)
        .After(0.1, Spawned(3))
        .IsAsWritten("spawn-fails");

    /// PR-5: another spec replaces the process; what is no more declared goes.
    [Fact]
    public void A_service_is_redeclared_and_withdrawn() => Tell(
            "The configuration gives the service another command, then drops it.", Specimens.Service("web"))
        .At(0.1, Spawned(1))
        .At(10, new Event.Redeclared(Specimens.Service("web")))
        .At(20, new Event.Redeclared(Specimens.Service("web") with { Command = Seq("/bin/web", "--quiet") }))
        .At(20.1, Specimens.Ended(1, new ExitStatus.Signaled(15)))
        .At(20.2, Spawned(2))
        .At(30, new Event.Withdrawn())
        .At(30.1, Specimens.Ended(2, new ExitStatus.Signaled(15)))
        .IsAsWritten("redeclared-and-withdrawn");

    /// PR-12, PR-9: a stop ends the waiting for the next restart.
    [Fact]
    public void A_stop_comes_during_the_back_off() => Tell(
            "The user stops a service that waits to be restarted.", Specimens.Service("web"))
        .At(0.1, Spawned(1))
        .At(0.2, Specimens.Exit(1, 1))
        .At(0.3, Spawned(2))
        .At(0.4, Specimens.Exit(2, 1))
        .At(0.9, Stop)
        .At(60, Deadline)
        .IsAsWritten("stop-during-back-off");

    /// The first line is the spawn itself, told as a step that no event caused.
    private static Story<State, Event, Effect> Tell(string prose, ProcessSpec spec)
    {
        var created = ProcessMachine.Create(Ids.Of("a1"), spec, new Instant(0), wait: false);
        return new(prose, created.State, ProcessMachine.Step);
    }

    private static Event Spawned(int generation) =>
        new Event.SpawnCompleted(generation, Specimens.Identity(generation * 10));
}
