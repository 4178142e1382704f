using Agent.Core.Model;
using Agent.Core.Runtime;
using Agent.Specs.Tools;
using LanguageExt;
using Xunit;
using static LanguageExt.Prelude;
using Effect = Agent.Core.Runtime.RuntimeEffect;
using Event = Agent.Core.Runtime.RuntimeEvent;
using State = Agent.Core.Runtime.RuntimeState;

namespace Agent.Specs.Runtime;

/// <summary>The life of the runtime, told.</summary>
public sealed class RuntimeTraces
{
    private static readonly Event Ensure = new Event.EnsureRequested();
    private static readonly Event Stop = new Event.StopRequested();
    private static readonly Event Deadline = new Event.DeadlineReached();

    /// RT-2, RT-3, RT-4: whoever asks while it starts joins the one attempt.
    [Fact]
    public void The_first_ensure_leads_to_ready() => Tell(
            "Somebody needs the runtime for the first time; a second caller joins the start under way.", Keep.OnDemand)
        .At(0, new Event.Started())
        .At(5, Ensure)
        .At(5.2, Ensure)
        .At(6, new Event.StartProgressed(1, Rows(ServiceHealth.NotReady)))
        .At(8, Completed(1))
        .At(9, Ensure)
        .IsAsWritten("first-ensure");

    /// RT-5, RT-9: the attempt ends at once, and the next one does not hide why.
    [Fact]
    public void Containerd_dies_early_and_a_second_attempt_succeeds() => Tell(
            "containerd dies half a second into the start; the next caller begins a second attempt.", Keep.OnDemand)
        .At(0, Ensure)
        .At(0.5, Exited("containerd", new ExitStatus.Exited(1), "failed to load plugin overlayfs"))
        .At(0.6, new Event.StartFailed(1, "containerd ended", Seq<ServiceStatus>()))
        .At(20, Ensure)
        .At(23, Completed(2))
        .IsAsWritten("containerd-dies-early");

    /// RT-3, RT-4: Starting always ends, at its deadline at the latest.
    [Fact]
    public void A_hung_dockerd_fails_at_the_deadline() => Tell(
            "dockerd opens its socket and never answers; the deadline of the attempt ends the wait.", Keep.OnDemand)
        .At(0, Ensure)
        .At(3, new Event.StartProgressed(1, Rows(ServiceHealth.NotReady, "the ping is not answered")))
        .At(30, Deadline)
        .AtDeadline(RuntimeMachine.Deadline, Deadline)
        .After(0.3, Completed(1))
        .IsAsWritten("dockerd-hangs");

    /// RT-8: a kept runtime comes back by itself.
    [Fact]
    public void A_killed_dockerd_is_restarted() => Tell(
            "dockerd is killed from outside; the runtime is kept always, so it is back a second later.", Keep.Always)
        .At(0, new Event.Started())
        .At(2, Completed(1))
        .At(60, Exited("dockerd", new ExitStatus.Signaled(9)))
        .AtDeadline(RuntimeMachine.Deadline, Deadline)
        .After(1.5, Completed(2))
        .IsAsWritten("dockerd-killed");

    /// RT-8: three misses in a row are an outage, two and an answer are none.
    [Fact]
    public void A_silent_engine_is_degraded_and_replaced() => Tell(
            "The engine stops answering its probes; what hangs is stopped before its successor starts.", Keep.Always)
        .At(0, Ensure)
        .At(2, Completed(1))
        .At(12, Missed)
        .At(22, Missed)
        .At(32, new Event.ProbePassed())
        .At(42, Missed)
        .At(52, Missed)
        .At(62, Missed)
        .AtDeadline(RuntimeMachine.Deadline, Deadline)
        .After(2, Completed(2))
        .IsAsWritten("engine-silent");

    /// RT-8: five restarts within ten minutes open the circuit, which says so; asking closes it.
    [Fact]
    public void The_circuit_opens_after_five_restarts()
    {
        var story = Tell(
            "dockerd dies as soon as it is up, again and again; the circuit opens, and a caller closes it.",
            Keep.Always)
            .At(0, new Event.Started());
        for (var attempt = 1; attempt <= 5; attempt++)
        {
            story.After(2, Completed(attempt))
                .After(1, Exited("dockerd", new ExitStatus.Exited(2)))
                .AtDeadline(RuntimeMachine.Deadline, Deadline);
        }

        story.After(2, Completed(6)).After(1, Exited("dockerd", new ExitStatus.Exited(2)))
            .After(60, Deadline)
            .After(10, Ensure)
            .After(2, Completed(7))
            .IsAsWritten("circuit-opens");
    }

    /// RT-8: a circuit that closes a second after the failure does not cut the back-off short.
    [Fact]
    public void An_open_circuit_keeps_the_back_off()
    {
        var story = Tell(
            "No start comes up, and the sixth comes late: the first restart is almost forgotten when it fails.",
            Keep.Always)
            .At(0, new Event.Started());
        for (var attempt = 1; attempt <= 4; attempt++)
        {
            story.AtDeadline(RuntimeMachine.Deadline, Deadline).AtDeadline(RuntimeMachine.Deadline, Deadline);
        }

        story.AtDeadline(RuntimeMachine.Deadline, Deadline)
            .At(600, Deadline)
            .AtDeadline(RuntimeMachine.Deadline, Deadline)
            .AtDeadline(RuntimeMachine.Deadline, Deadline)
            .IsAsWritten("circuit-keeps-the-back-off");
    }

    /// RT-10: what its user stopped stays down until its user asks, even when it is kept always.
    [Fact]
    public void A_user_stops_and_starts_it() => Tell(
            "The user stops a runtime that is kept always: nothing but his own ensure brings it back.", Keep.Always)
        .At(0, new Event.Started())
        .At(3, Completed(1))
        .At(100, Stop)
        .At(100.4, Exited("dockerd", new ExitStatus.Exited(0)))
        .At(200, new Event.PolicyChanged())
        .At(300, new Event.Started())
        .At(400, Ensure)
        .At(402, Completed(2))
        .IsAsWritten("user-stops-and-starts");

    /// CO-5, RT-6: the attempt goes on under its own number and its own deadline.
    [Fact]
    public void The_agent_dies_in_mid_start() => Tell(
            "The agent is killed while the runtime starts; its successor takes the same attempt up again.",
            Keep.OnDemand)
        .At(0, Ensure)
        .At(2, new Event.StartProgressed(1, Rows(ServiceHealth.NotReady, "not started")))
        .Meanwhile("the agent is killed; the daemons live on")
        .At(10, new Event.Started())
        .At(12, Completed(1))
        .IsAsWritten("agent-dies-in-mid-start");

    private static readonly Event Missed = new Event.ProbeFailed("no answer within 2 s");

    private static Story<State, Event, Effect> Tell(string prose, Keep keep)
    {
        var policy = RuntimePolicy.Default with { Keep = keep };
        return new(prose, RuntimeMachine.Initial, (state, input) => RuntimeMachine.Step(policy, state, input));
    }

    private static Event Completed(int attempt) => new Event.StartCompleted(
        attempt, "unix:///run/docker.sock", "answers", Rows(ServiceHealth.Ready));

    private static Event Exited(string daemon, ExitStatus status, params string[] log) =>
        new Event.DaemonExited(new(daemon, status, log.ToSeq()));

    private static Seq<ServiceStatus> Rows(ServiceHealth dockerd, string detail = "") => Seq(
        new ServiceStatus("containerd", ServiceHealth.Ready, "", None, Owned: true),
        new ServiceStatus("dockerd", dockerd, detail, None, Owned: true));
}
