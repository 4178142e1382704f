using Agent.Core.Container;
using Agent.Core.Model;
using Agent.Core.Time;
using Agent.Specs.Tools;
using LanguageExt;
using Xunit;
using static LanguageExt.Prelude;

namespace Agent.Specs.Container;

/// <summary>Desired and observed lead to an action: the whole table.</summary>
public sealed class ContainerTable
{
    private static readonly Instant Now = new(1_000_000);

    private static readonly (string Name, ContainerStatus Status)[] Statuses =
    [
        ("created", new ContainerStatus.Created()),
        ("running", new ContainerStatus.Running(PidAlive: true)),
        ("running, pid gone", new ContainerStatus.Running(PidAlive: false)),
        ("paused", new ContainerStatus.Paused()),
        ("restarting", new ContainerStatus.Restarting()),
        ("exited 0", new ContainerStatus.Exited(0, OutOfMemory: false)),
        ("exited 1", new ContainerStatus.Exited(1, OutOfMemory: false)),
        ("out of memory", new ContainerStatus.Exited(0, OutOfMemory: true)),
        ("dead", new ContainerStatus.Dead()),
        ("removing", new ContainerStatus.Removing()),
        ("unknown", new ContainerStatus.Unknown("hibernating")),
    ];

    private static readonly string[] Situations =
        ["never", "onFailure", "always", "repaired", "started", "changed", "stopped", "removed", "dropped", "undeclared"];

    /// CT-1, CT-2, CT-7, CT-8. The counterparts of upstream's reconcile tests are cells of it: start pending (absent, never),
    /// report stale running and no action when reported (running), clean exit Succeeded (exited 0, never), OnFailure restarts
    /// non-zero (exited 1, onFailure), Always restarts zero (exited 0, always), terminal without instance untouched (gone
    /// after 0 and after 1, never), delete with instance cleans and clears (running and exited, removed), delete without
    /// instance clears (absent, removed), orphan (undeclared; left, not reaped: an act of its own asks for that); of
    /// prod_orchestrator's: reconcile no-op (running), starts exited (exited 1, always), installs missing (absent, always).
    [Fact]
    public void Desired_and_observed_lead_to_an_action() => Legality.Check(
        """
                          | never           onFailure       always          repaired        started         changed      stopped   removed     dropped     undeclared
        created           | Start           Start           Start           Start           Start           Replace:Pull (Stopped) Remove      Remove      left
        running           | (Running)       (Running)       (Running)       (Running)       (Running)       Replace:Pull Stop      Remove:Stop Remove:Stop left
        running, pid gone | Recreate:Remove Recreate:Remove Recreate:Remove Recreate:Remove Recreate:Remove Replace:Pull Stop      Remove      Remove      left
        paused            | left            left            left            left            left            left         Stop      Remove:Stop Remove:Stop left
        restarting        | waits           waits           waits           waits           waits           Replace:Pull Stop      Remove:Stop Remove:Stop left
        exited 0          | (Succeeded)     (Succeeded)     Restart:Start   Restart:Start   Start           Replace:Pull (Stopped) Remove      Remove      left
        exited 1          | (Failed)        Restart:Start   Restart:Start   Restart:Start   Start           Replace:Pull (Stopped) Remove      Remove      left
        out of memory     | (Failed)        Restart:Start   Restart:Start   Restart:Start   Start           Replace:Pull (Stopped) Remove      Remove      left
        dead              | Recreate:Remove Recreate:Remove Recreate:Remove Recreate:Remove Recreate:Remove Replace:Pull (Stopped) Remove      Remove      left
        removing          | waits           waits           waits           waits           waits           waits        (Stopped) waits       waits       left
        unknown           | left            left            left            left            left            left         left      left        left        left
        absent            | Install:Create  Install:Create  Install:Create  (NotInstalled)  Install:Create  Install:Pull (Stopped) (Removed)   (Removed)   (Removed)
        gone after 0      | (Succeeded)     (Succeeded)     Install:Create  (NotInstalled)  Install:Create  Install:Pull (Stopped) (Removed)   (Removed)   (Removed)
        gone after 1      | (Failed)        Install:Create  Install:Create  (NotInstalled)  Install:Create  Install:Pull (Stopped) (Removed)   (Removed)   (Removed)
        unseen            | waits           waits           waits           waits           waits           waits        waits     waits       waits       waits
        """,
        Situations,
        [.. Statuses.Select(row => row.Name), "absent", "gone after 0", "gone after 1", "unseen"],
        Cell);

    /// CT-2: whatever the engine may say has its row.
    [Fact]
    public void Each_status_has_its_row() => Assert.Equal(
        Samples.Cases(typeof(ContainerStatus)).ToHashSet(), [.. Statuses.Select(row => row.Status.GetType())]);

    /// CT-2, CT-5: an order is kept among what there is, and brings in nobody: neither who is declared by nothing nor who is
    /// not installed is made for those that wait for it, and who is not there is not waited for. Upstream: present-only
    /// ordering (prod_orchestrator).
    [Fact]
    public void An_order_counts_what_is_there()
    {
        var (db, web) = (Specimens.Container("db"), Specimens.Container("web", "db"));
        Assert.Equal("web waits for db, which nothing declares", Told(Seen([web], Row(web, "created"))));
        Assert.Equal("web waits for db to be started", Told(Seen([db, web], Row(web, "exited 1"))));
        Assert.Equal("web Stop", Told(Down([db, web], Row(db, "running"), Row(web, "running"))));
        Assert.Equal("db Stop", Told(Down([db, web], Row(db, "running"))));

        static ContainersStep Seen(ContainerSpec[] declared, params ObservedContainer[] rows)
        {
            var repairing = new ContainersEvent.Declared(declared.ToSeq(), Install: false, UsesRuntime: false);
            var set = Containers.Empty.Step(new(Now, repairing), runtimeReady: true).Containers;
            return set.Step(new(Now, new ContainersEvent.Listed(set.Pass, rows.ToSeq())), runtimeReady: true);
        }

        static ContainersStep Down(ContainerSpec[] declared, params ObservedContainer[] rows) => Seen(declared, rows)
            .Containers.Step(new(Now, new ContainersEvent.DownRequested(Seq<ContainerUid>())), runtimeReady: true);

        static ObservedContainer Row(ContainerSpec spec, string status) => new(
            spec.Uid, "e-" + spec.Uid.Value, spec.Digest, Statuses.Single(row => row.Name == status).Status, ContainerHealth.None);

        // The calls that the step begins, or what is waited for where there are none.
        static string Told(ContainersStep step)
        {
            var calls = step.Effects.ToArray().Where(effect => ContainerLaws.UidOf(effect) is not null)
                .Select(effect => $"{ContainerLaws.UidOf(effect)} {effect.GetType().Name}").ToList();
            var waits = step.Containers.All.Values.ToArray().Select(state => step.Containers.Judge(state, Now) switch
            {
                ContainerDecision.Waits(var what, _) => $"{state.Profile.Uid} waits for {what}",
                ContainerDecision.Acts or ContainerDecision.Settled or ContainerDecision.Left => "",
            });
            return string.Join("; ", calls.Count > 0 ? calls : waits.Where(text => text.Length > 0));
        }
    }

    private static string Cell(string situation, string observed)
    {
        var spec = Specimens.Container("web") with
        {
            Restart = situation switch
            {
                "never" or "started" => ContainerRestart.Never,
                "onFailure" => ContainerRestart.OnFailure,
                _ => ContainerRestart.Always,
            },
        };
        var profile = ContainerProfile.New(spec.Uid) with
        {
            Spec = situation == "undeclared" ? Option<ContainerSpec>.None : Some(spec),
            Owed = situation == "started",
            Pulled = situation == "changed" ? Option<string>.None : Some(spec.Digest),
            Wish = situation switch
            {
                "stopped" => ContainerWish.Stopped,
                "removed" => ContainerWish.Removed,
                "dropped" => ContainerWish.Dropped,
                "repaired" or "undeclared" => ContainerWish.Repaired,
                _ => ContainerWish.Installed,
            },
            Seen = Seen(observed, situation == "changed" ? "v0" : spec.Digest),
            End = observed.StartsWith("gone", StringComparison.Ordinal)
                ? Some(new ContainerEnd(spec.Digest, observed[^1] - '0', OutOfMemory: false))
                : Option<ContainerEnd>.None,
        };
        return ContainerPlan.Decide(profile, Now) switch
        {
            ContainerDecision.Acts(var action, var call) when $"{action}" == $"{call}" => $"{action}",
            ContainerDecision.Acts(var action, var call) => $"{action}:{call}",
            ContainerDecision.Settled(var standing, _) => $"({standing})",
            ContainerDecision.Left => "left",
            ContainerDecision.Waits => "waits",
        };
    }

    private static Sighting Seen(string observed, string digest)
    {
        if (observed == "unseen") return new Sighting.Unseen();
        var status = Statuses.FirstOrDefault(row => row.Name == observed).Status;
        return status is null
            ? new Sighting.Absent()
            : new Sighting.Present(new(Ids.Container("web"), "e1", digest, status, ContainerHealth.None));
    }
}
