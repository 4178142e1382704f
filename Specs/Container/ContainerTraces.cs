using System;
using Agent.Core;
using Agent.Core.Container;
using Agent.Core.Model;
using Agent.Specs.Tools;
using LanguageExt;
using Xunit;
using static LanguageExt.Prelude;
using Effect = Agent.Core.Container.ContainerEffect;
using Event = Agent.Core.Container.ContainersEvent;
using One = Agent.Core.Container.ContainerEvent;

namespace Agent.Specs.Container;

/// <summary>The life of a set of containers, told.</summary>
public sealed class ContainerTraces
{
    private static readonly Event Deadline = new Event.DeadlineReached();
    private static readonly Event Changed = new Event.EngineChanged();
    private static readonly Event Recovered = new Event.Recovered();
    private static readonly ContainerStatus Runs = new ContainerStatus.Running(PidAlive: true);
    private static readonly ContainerStatus Made = new ContainerStatus.Created();
    private static readonly ContainerStatus Gone = new ContainerStatus.Running(PidAlive: false);
    private static readonly ContainerSpec Db = Specimens.Container("db");
    private static readonly ContainerSpec Fresh = Db with { Pull = PullPolicy.Always };
    private static readonly ContainerSpec Web = Specimens.Container("web", "db");
    private static readonly ContainerSpec Picky = Web with
    {
        DependsOn = Seq1(new ContainerDependency(Ids.Container("db"), DependencyCondition.Healthy)),
    };

    private static readonly ContainerSpec Slow = Web with { StopGrace = TimeSpan.FromMinutes(5) };

    /// CT-2, CT-4, CT-5. Seed 003 `initial_pass_fires_immediately`; upstream: install by pull, installs missing
    /// (prod_orchestrator).
    [Fact]
    public void A_declared_pair_is_installed() => Tell("A database and what depends on it: both are made, one after the other started.")
        .At(0, Declared(Db, Web))
        .After(0.1, Listed(1))
        .After(2, Answer("web", new One.PullCompleted(1)))
        .After(0.1, Answer("web", new One.CreateCompleted(2, "e1")))
        .After(9, Answer("db", new One.PullCompleted(1)))
        .After(0.1, Answer("db", new One.CreateCompleted(2, "e2")))
        .After(0.1, Answer("db", new One.StartCompleted(3)))
        .After(0.1, Answer("web", new One.StartCompleted(3)))
        .AtDeadline(state => state.Deadline, Deadline)
        .After(0.1, Listed(2, Row(Db, Runs), Row(Web, Runs)))
        .IsAsWritten("installed");

    /// CT-5: `condition: service_healthy` where nothing declares a check: the image may bring one, so the first list after
    /// the start has the word, and it is asked for at once. The list that was under way before says nothing of it.
    [Fact]
    public void A_check_of_the_images_own_is_waited_for() =>
        Tell("What depends on a healthy database waits for the check that the database's image brings.")
            .At(0, Declared(Db, Picky)).After(0.1, Listed(1, Row(Db, Made), Row(Picky, Made)))
            .After(0.1, Changed)
            .After(0.1, Answer("db", new One.StartCompleted(1)))
            .After(0.1, Listed(2, Row(Db, Runs), Row(Picky, Made)))
            .After(0.1, Listed(3, Row(Db, Runs) with { Health = ContainerHealth.Starting }, Row(Picky, Made)))
            .After(5, Changed)
            .After(0.1, Listed(4, Row(Db, Runs) with { Health = ContainerHealth.Healthy }, Row(Picky, Made)))
            .IsAsWritten("image-check");

    /// CT-5: what has no check at all is as healthy as it will be once a list says so, which it does at once.
    [Fact]
    public void Where_there_is_no_check_the_next_list_says_so() =>
        Tell("What depends on a healthy database that has no check is started after the look that follows its start.")
            .At(0, Declared(Db, Picky)).After(0.1, Listed(1, Row(Db, Made), Row(Picky, Made)))
            .After(0.1, Answer("db", new One.StartCompleted(1)))
            .After(0.1, new Event.ListConfirmed(2))
            .IsAsWritten("no-check");

    /// CT-8, PR-12: at once, then after a second, then after two.
    [Fact]
    public void A_crash_loop_backs_off()
    {
        var story = Tell("A container ends with an error as often as it is started.")
            .At(0, Declared(Db)).After(0.1, Listed(1, Row(Db, Runs)));
        for (var exit = 1; exit <= 3; exit++)
        {
            story.After(1, Changed).After(0.1, Listed(exit + 1, Row(Db, new ContainerStatus.Exited(1, false))));
            if (exit > 1) story.AtDeadline(state => state.Deadline, Deadline);
            story.After(0.1, Answer("db", new One.StartCompleted(exit)));
        }

        story.IsAsWritten("crash-loop");
    }

    /// CT-7: neither a pass nor a restart of the agent nor a new definition brings it back.
    [Fact]
    public void A_users_stop_stands() => Tell("Its user stops a container; only his start brings it back, as it is declared then.")
        .At(0, Declared(Db)).After(0.1, Listed(1, Row(Db, Runs)))
        .At(5, Ask("db", new One.StopRequested()))
        .After(3, Answer("db", new One.StopCompleted(1)))
        .At(20, Declared(Db with { Digest = "v2" })).After(0.1, Listed(2, Row(Db, new ContainerStatus.Exited(143, false))))
        .Meanwhile("the agent is killed and started again")
        .At(30, Recovered).After(0.1, Listed(3, Row(Db, new ContainerStatus.Exited(143, false))))
        .At(60, Ask("db", new One.StartRequested()))
        .After(1, Answer("db", new One.PullCompleted(2)))
        .After(0.1, Answer("db", new One.RemoveCompleted(3)))
        .After(0.1, Answer("db", new One.CreateCompleted(4, "e2")))
        .After(0.1, Answer("db", new One.StartCompleted(5)))
        .IsAsWritten("user-stop");

    /// CT-2. Upstream: upgrade order (prod_orchestrator).
    [Fact]
    public void A_changed_definition_replaces_what_runs() => Tell("The definition changes: the image comes first, the old one serves until then.")
        .At(0, Declared(Db)).After(0.1, Listed(1, Row(Db, Runs)))
        .At(10, Declared(Db with { Digest = "v2" })).After(0.1, Listed(2, Row(Db, Runs)))
        .After(4, Answer("db", new One.PullFailed(1, "no route to the registry")))
        .After(0.1, Listed(3, Row(Db, Runs)))
        .AtDeadline(state => state.Deadline, Deadline)
        .After(4, Answer("db", new One.PullCompleted(2)))
        .After(1, Answer("db", new One.StopCompleted(3)))
        .After(0.1, Answer("db", new One.RemoveCompleted(4)))
        .After(0.1, Answer("db", new One.CreateCompleted(5, "e2")))
        .After(0.1, Answer("db", new One.StartCompleted(6)))
        .IsAsWritten("replaced");

    /// CT-8. Upstream: dead pid (prod_orchestrator).
    [Fact]
    public void What_only_seems_to_run_is_made_anew_five_times()
    {
        var story = Tell("The engine says that it runs, its process is gone. After five times the circuit is open; a start closes it.")
            .At(0, Declared(Db)).After(0.1, Listed(1, Row(Db, Gone)));
        var call = 0;
        for (var time = 1; time <= 5; time++)
        {
            story.After(0.1, Answer("db", new One.RemoveCompleted(++call)));
            if (time == 1) story.After(1, Answer("db", new One.PullCompleted(++call)));
            story.After(0.1, Answer("db", new One.CreateCompleted(++call, "e" + time)))
                .After(0.1, Answer("db", new One.StartCompleted(++call)))
                .After(60, Changed)
                .After(0.1, Listed(story.State.Pass, Row(Db, Gone, "e" + time)));
        }

        story.After(60, Ask("db", new One.StartRequested())).IsAsWritten("circuit");
    }

    /// CT-2, CT-8: `pull_policy: always`. A repair is made of what is there; what its user asks for is asked of the registry.
    [Fact]
    public void A_repair_asks_no_registry() => Tell("An image that is always pulled: not for what was removed behind the agent's back, but for its user.")
        .At(0, Declared(Fresh)).After(0.1, Listed(1))
        .After(2, Answer("db", new One.PullCompleted(1)))
        .After(0.1, Answer("db", new One.CreateCompleted(2, "e1")))
        .After(0.1, Answer("db", new One.StartCompleted(3)))
        .After(60, Changed).After(0.1, Listed(2))
        .After(0.1, Answer("db", new One.CreateCompleted(4, "e2")))
        .After(0.1, Answer("db", new One.StartCompleted(5)))
        .At(100, new Event.DownRequested(Seq<ContainerUid>())).After(0.1, Listed(3, Row(Fresh, Runs, "e2")))
        .After(1, Answer("db", new One.StopCompleted(6)))
        .After(0.1, Answer("db", new One.RemoveCompleted(7)))
        .At(200, new Event.UpRequested(Seq<ContainerUid>(), RemoveOrphans: false))
        .IsAsWritten("pull-always");

    /// CT-8: an adopted container was made by a pull that this agent does not remember; the image is there all the same.
    [Fact]
    public void A_repair_of_what_was_adopted_asks_no_registry_either() => Tell("An image that is always pulled, of a container that was there before the agent: its process is gone.")
        .At(0, Declared(Fresh)).After(0.1, Listed(1, Row(Fresh, Gone)))
        .After(0.1, Answer("db", new One.RemoveCompleted(1)))
        .IsAsWritten("pull-adopted");

    /// CT-4: the gate, and its cap. Seed 003 `failure_in_one_pass_does_not_stop_loop`: after one that failed the next comes
    /// when it is due.
    [Fact]
    public void The_first_pass_waits_for_the_engine() => Tell("The runtime is not ready. When it is, the pass comes at once; after half an hour all the same.", ready: false)
        .At(0, new Event.Declared(Seq1(Db), Install: true, UsesRuntime: true))
        .At(40, new Event.EngineReady()).After(0.1, Listed(1, Row(Db, Runs)))
        .Meanwhile("the host is started anew")
        .At(100, Recovered)
        .AtDeadline(state => state.Deadline, Deadline)
        .After(1, new Event.ListFailed(2, "nobody listens"))
        .AtDeadline(state => state.Deadline, Deadline)
        .IsAsWritten("gate");

    /// CT-2, CT-6: adopted, not made anew; a stray is left, told, and removed when somebody asks. Upstream: adopt by name
    /// (prod_orchestrator), orphan reaped (reconcile).
    [Fact]
    public void What_nothing_declares_is_left_until_asked() => Tell("One container is declared no more; it stays until its user wants everything down.")
        .At(0, Declared(Db, Web)).After(0.1, Listed(1, Row(Db, Runs), Row(Web, Runs)))
        .At(10, Declared(Db)).After(0.1, Listed(2, Row(Db, Runs), Row(Web, Runs)))
        .At(20, Declared()).After(0.1, Listed(3, Row(Db, Runs), Row(Web, Runs)))
        .At(30, new Event.DownRequested(Seq<ContainerUid>())).After(0.1, Listed(4, Row(Db, Runs), Row(Web, Runs)))
        .After(1, Answer("db", new One.StopCompleted(1)), Answer("web", new One.StopCompleted(1)))
        .After(0.1, Answer("db", new One.RemoveCompleted(2)), Answer("web", new One.RemoveCompleted(2)))
        .AtDeadline(state => state.Deadline, Deadline)
        .After(0.1, Listed(5))
        .IsAsWritten("strays");

    /// CT-2, RO-11: what a release drops goes with its word, in its order and with its own grace, and what comes back at
    /// once finds what was about to go. Upstream: finalizer two-step (server).
    [Fact]
    public void What_is_dropped_goes_and_comes_back() => Tell("A release drops a container, and the way back declares it again while it is stopped; at last both go.")
        .At(0, Declared(Db, Slow)).After(0.1, Listed(1, Row(Db, Runs), Row(Web, Runs)))
        .At(10, new Event.Declared(Seq1(Db), Install: true, UsesRuntime: false, RemoveDropped: true))
        .After(0.1, Listed(2, Row(Db, Runs), Row(Web, Runs)))
        .At(11, new Event.Declared(Seq(Db, Slow), Install: true, UsesRuntime: false, RemoveDropped: true))
        .After(1, Answer("web", new One.StopCompleted(1)))
        .After(0.1, Listed(3, Row(Db, Runs), Row(Web, new ContainerStatus.Exited(0, OutOfMemory: false))))
        .After(0.1, Answer("web", new One.StartCompleted(2)))
        .At(20, new Event.Declared(Seq<ContainerSpec>(), Install: true, UsesRuntime: false, RemoveDropped: true))
        .After(0.1, Listed(4, Row(Db, Runs), Row(Web, Runs)))
        .After(90, Answer("web", new One.StopCompleted(3)))
        .After(0.1, Answer("web", new One.RemoveCompleted(4)), Answer("db", new One.StopCompleted(1)))
        .After(0.1, Answer("db", new One.RemoveCompleted(2)))
        .IsAsWritten("dropped-and-back");

    /// CT-2: paused and unknown are told and left; a call under way when the agent died is judged by the list.
    [Fact]
    public void What_is_not_understood_is_left() => Tell("Somebody pauses a container; the engine has a word for another that nobody knows; a create was under way.")
        .At(0, Declared(Db, Web)).After(0.1, Listed(1, Row(Db, new ContainerStatus.Paused())))
        .After(1, Answer("web", new One.PullCompleted(1)))
        .Meanwhile("the agent is killed while it has web created, and started again")
        .At(10, Recovered)
        .After(0.1, Answer("web", new One.CreateCompleted(2, "e1")))
        .After(0.1, Listed(2, Row(Db, new ContainerStatus.Unknown("hibernating")), Row(Web, new ContainerStatus.Created())))
        .IsAsWritten("not-understood");

    private static Story<Containers, Event, Effect> Tell(string prose, bool ready = true) => new(
        prose,
        Containers.Empty,
        (state, input) =>
        {
            var step = state.Step(input, ready);
            return new Transition<Containers, Effect>(step.Containers, step.Effects);
        },
        Changes);

    private static IEnumerable<string> Changes(Containers before, Containers after)
    {
        foreach (var state in after.All.Values)
        {
            if (!before.Find(state.Profile.Uid).Exists(old => ReferenceEquals(old, state))) yield return TracePrinter.Print(state);
        }

        foreach (var state in before.All.Values)
        {
            if (after.Find(state.Profile.Uid).IsNone) yield return $"{state.Profile.Uid} is forgotten";
        }

        if (!ReferenceEquals(before.Passing, after.Passing)) yield return TracePrinter.Print(after.Passing);
    }

    private static Event Declared(params ContainerSpec[] specs) =>
        new Event.Declared(specs.ToSeq(), Install: true, UsesRuntime: false);

    private static Event Listed(int pass, params ObservedContainer[] rows) => new Event.Listed(pass, rows.ToSeq());

    private static ObservedContainer Row(ContainerSpec spec, ContainerStatus status, string id = "e0") =>
        new(spec.Uid, id, spec.Digest, status, ContainerHealth.None);

    private static Event Ask(string uid, One @event) => new Event.One(Ids.Container(uid), @event);

    private static Event Answer(string uid, One @event) => new Event.One(Ids.Container(uid), @event);
}
