using Agent.Core;
using Agent.Core.Companion;
using Agent.Specs.Tools;
using LanguageExt;
using Xunit;
using static LanguageExt.Prelude;
using Effect = Agent.Core.Companion.CompanionEffect;
using Event = Agent.Core.Companion.CompanionsEvent;
using One = Agent.Core.Companion.CompanionEvent;

namespace Agent.Specs.Companion;

/// <summary>The life of a set of companions, told.</summary>
public sealed class CompanionTraces
{
    private static readonly Event Deadline = new Event.DeadlineReached();
    private static readonly CompanionSpec Db = Specimens.Companion("db.service");
    private static readonly CompanionSpec Web = Specimens.Companion("web.service", "db.service");
    private static readonly UnitActivity Active = new UnitActivity.Active();
    private static readonly UnitActivity Starting = new UnitActivity.Activating(Again: false);
    private static readonly UnitActivity Missing = new UnitActivity.Missing();
    private static readonly UnitActivity Inactive = new UnitActivity.Inactive();
    private static readonly UnitActivity Failed = new UnitActivity.Failed("Result=exit-code, status 1");

    /// CT-10: written, one reload for both, and the start of the second waits until the first is active.
    [Fact]
    public void A_declared_pair_is_installed() => Tell("A database that says when it is ready, and what comes after it.")
        .At(0, Declared(Db, Web))
        .After(0.1, Looked(1, Row(Db, None, Missing), Row(Web, None, Missing)))
        .After(0.1, Done(Db, 1)).After(0.1, Done(Web, 1))
        .After(0.2, new Event.ReloadCompleted(1))
        .After(0.1, Done(Db, 2))
        .AtDeadline(state => state.Deadline, Deadline).After(0.1, Looked(2, Row(Db, "v1", Starting), Row(Web, "v1", Inactive)))
        .AtDeadline(state => state.Deadline, Deadline).After(0.1, Looked(3, Row(Db, "v1", Active), Row(Web, "v1", Inactive)))
        .After(0.1, Done(Web, 2))
        .AtDeadline(state => state.Deadline, Deadline).After(0.1, Looked(4, Row(Db, "v1", Active), Row(Web, "v1", Active)))
        .AtDeadline(state => state.Deadline, Deadline).After(0.1, new Event.LookConfirmed(5))
        .IsAsWritten("installed");

    /// CT-10: repaired when missing, which restarts nothing, and when inactive. Upstream: both tests of companion.
    [Fact]
    public void What_is_lost_is_repaired() => Running("Its file is deleted while it runs; later somebody stops it.")
        .AtDeadline(state => state.Deadline, Deadline).After(0.1, Looked(3, Row(Db, None, Active)))
        .After(0.1, Done(Db, 3)).After(0.1, new Event.ReloadCompleted(2))
        .AtDeadline(state => state.Deadline, Deadline).After(0.1, Looked(4, Row(Db, "v1", Inactive)))
        .AtDeadline(state => state.Deadline, Deadline)
        .After(0.1, Done(Db, 4))
        .AtDeadline(state => state.Deadline, Deadline).After(0.1, Looked(5, Row(Db, "v1", Active)))
        .IsAsWritten("repaired");

    /// CT-10: changed bytes are written, read and only then given an effect; the agent is killed before the restart.
    [Fact]
    public void Changed_bytes_are_written_read_and_restarted() => Running("The operator changes its declaration.")
        .After(1, Declared(Db with { Digest = "v2" }))
        .After(0.1, Looked(3, Row(Db, "v1", Active)))
        .After(0.1, Done(Db, 3))
        .Meanwhile("the agent is killed while systemd reads, and started again")
        .After(5, new Event.Recovered())
        .After(0.1, Looked(4, Row(Db, "v2", Active)))
        .After(0.1, new Event.ReloadCompleted(3))
        .After(0.1, Done(Db, 4))
        .AtDeadline(state => state.Deadline, Deadline).After(0.1, Looked(5, Row(Db, "v2", Active)))
        .IsAsWritten("changed");

    /// CT-10, PR-12: what does not start is tried ever later, in systemd's words; its sibling is not concerned.
    [Fact]
    public void A_broken_unit_is_told_and_tried_again() => Tell("One of two fails whenever it is started.")
        .At(0, Declared(Db, Web with { After = Seq<Agent.Core.Model.CompanionName>() }))
        .After(0.1, Looked(1, Row(Db, "v1", Active), Row(Web, "v1", Inactive)))
        .After(0.1, Done(Web, 1))
        .AtDeadline(state => state.Deadline, Deadline).After(0.1, Looked(2, Row(Db, "v1", Active), Row(Web, "v1", Failed)))
        .After(0.1, Done(Web, 2))
        .AtDeadline(state => state.Deadline, Deadline).After(0.1, Looked(3, Row(Db, "v1", Active), Row(Web, "v1", Failed)))
        .AtDeadline(state => state.Deadline, Deadline)
        .After(0.1, new Event.One(Web.Name, new One.CallFailed(3, "Unit web.service has a bad unit file setting.")))
        .After(0.1, Looked(4, Row(Db, "v1", Active), Row(Web, "v1", Failed)))
        .IsAsWritten("broken");

    /// CT-10: stopped, disabled and deleted in that order, and forgotten once systemd has forgotten it. Upstream:
    /// finalizer two-step (server).
    [Fact]
    public void What_nothing_declares_goes() => Running("The operator takes it out of the configuration.")
        .After(1, Declared())
        .After(0.1, Looked(3, Row(Db, "v1", Active)))
        .After(0.1, Done(Db, 3))
        .AtDeadline(state => state.Deadline, Deadline).After(0.1, Looked(4, Row(Db, "v1", Inactive)))
        .After(0.1, Done(Db, 4))
        .After(0.1, new Event.ReloadCompleted(2))
        .AtDeadline(state => state.Deadline, Deadline)
        .IsAsWritten("withdrawn");

    /// CT-10: a file without our mark is told and left, whatever is declared.
    [Fact]
    public void A_file_that_is_not_ours_is_left() => Tell("The host has a unit of that name.")
        .At(0, Declared(Db))
        .After(0.1, new Event.Looked(1, Seq1(new ObservedCompanion(
            Db.Name, new UnitFile.Foreign("systemd takes it from /usr/lib/systemd/system/db.service"), Active))))
        .After(1, Declared())
        .After(0.1, new Event.LookConfirmed(2))
        .IsAsWritten("foreign");

    private static Story<Companions, Event, Effect> Running(string prose) => Tell(prose)
        .At(0, Declared(Db))
        .After(0.1, Looked(1, Row(Db, None, Missing)))
        .After(0.1, Done(Db, 1)).After(0.1, new Event.ReloadCompleted(1)).After(0.1, Done(Db, 2))
        .AtDeadline(state => state.Deadline, Deadline).After(0.1, Looked(2, Row(Db, "v1", Active)));

    private static Story<Companions, Event, Effect> Tell(string prose) => new(
        prose,
        Companions.Empty,
        (state, input) =>
        {
            var step = state.Step(input);
            return new Transition<Companions, Effect>(step.Companions, step.Effects);
        },
        Changes);

    private static IEnumerable<string> Changes(Companions before, Companions after)
    {
        foreach (var state in after.All.Values)
        {
            if (!before.Find(state.Profile.Name).Exists(old => ReferenceEquals(old, state))) yield return TracePrinter.Print(state);
        }

        foreach (var state in before.All.Values)
        {
            if (after.Find(state.Profile.Name).IsNone) yield return $"{state.Profile.Name} is forgotten";
        }

        if (!ReferenceEquals(before.Passing, after.Passing)) yield return TracePrinter.Print(after.Passing);
    }

    private static Event Declared(params CompanionSpec[] specs) => new Event.Declared(specs.ToSeq());

    private static Event Looked(int pass, params ObservedCompanion[] rows) => new Event.Looked(pass, rows.ToSeq());

    private static Event Done(CompanionSpec spec, int call) => new Event.One(spec.Name, new One.CallCompleted(call));

    private static ObservedCompanion Row(CompanionSpec spec, Option<string> digest, UnitActivity activity) => new(
        spec.Name, digest.Match<UnitFile>(bytes => new UnitFile.Ours(bytes), () => new UnitFile.Absent()), activity);
}
