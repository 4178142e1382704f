using Agent.Core.Companion;
using Agent.Core.Time;
using Agent.Specs.Tools;
using LanguageExt;
using Xunit;
using static LanguageExt.Prelude;

namespace Agent.Specs.Companion;

/// <summary>Desired and observed lead to an action: the whole table.</summary>
public sealed class CompanionTable
{
    private static readonly Instant Now = new(1_000_000);

    private static readonly (string Name, UnitActivity Activity)[] Activities =
    [
        ("active", new UnitActivity.Active()),
        ("activating", new UnitActivity.Activating(Again: false)),
        ("failing again", new UnitActivity.Activating(Again: true)),
        ("deactivating", new UnitActivity.Deactivating()),
        ("inactive", new UnitActivity.Inactive()),
        ("failed", new UnitActivity.Failed("Result=exit-code")),
        ("missing", new UnitActivity.Missing()),
        ("unknown", new UnitActivity.Unknown("maintenance")),
    ];

    private static readonly string[] Situations =
        ["as declared", "owes a restart", "owes a reload", "not started", "other bytes", "no file", "foreign", "undeclared", "undeclared, no file"];

    /// CT-10: written only where bytes differ, repaired when missing or inactive, stopped before its file goes.
    [Fact]
    public void Desired_and_observed_lead_to_an_action() => Legality.Check(
        """
                      | as declared owes a restart owes a reload not started other bytes no file foreign undeclared undeclared, no file
        active        | (settled)   Restart        waits         (settled)   Write       Write   left    Stop       Stop
        activating    | waits       waits          waits         (settled)   Write       Write   left    Stop       Stop
        failing again | waits       waits          waits         (settled)   Write       Write   left    Stop       Stop
        deactivating  | waits       waits          waits         (settled)   Write       Write   left    waits      waits
        inactive      | Start       Start          waits         (settled)   Write       Write   left    Remove     (settled)
        failed        | Start       Start          waits         (settled)   Write       Write   left    Remove     (settled)
        missing       | Start       Start          waits         (settled)   Write       Write   left    Remove     (settled)
        unknown       | left        left           waits         (settled)   Write       Write   left    left       left
        unseen        | waits       waits          waits         waits       waits       waits   waits   waits      waits
        """,
        Situations,
        [.. Activities.Select(row => row.Name), "unseen"],
        Cell);

    /// CT-10: whatever systemd may say has its row.
    [Fact]
    public void Each_activity_has_its_row() => Assert.Equal(
        Samples.Cases(typeof(UnitActivity)).ToHashSet(), [.. Activities.Select(row => row.Activity.GetType())]);

    /// CT-10: a start has ten minutes, as a health check may take its time; then it is told, by whoever waits for it too.
    [Fact]
    public void A_start_that_takes_too_long_is_told()
    {
        var (db, web) = (Specimens.Companion("db.service"), Specimens.Companion("web.service", "db.service"));
        var set = Companions.Empty.Step(new(Now, new CompanionsEvent.Declared(Seq(db, web)))).Companions;
        set = set.Step(new(Now, new CompanionsEvent.Looked(1, Seq(
            new ObservedCompanion(db.Name, new UnitFile.Ours("v1"), new UnitActivity.Activating(Again: false)),
            new ObservedCompanion(web.Name, new UnitFile.Ours("v1"), new UnitActivity.Inactive()))))).Companions;
        Assert.Equal("waits its start; waits db.service to be active", Told(TimeSpan.FromSeconds(599)));
        Assert.Equal(
            "left it has been starting for 600 s; waits db.service, which has been starting for 600 s",
            Told(TimeSpan.FromSeconds(600)));

        string Told(TimeSpan later) => string.Join("; ", set.All.Values.Select(state => set.Judge(state, Now + later) switch
        {
            CompanionDecision.Acts(var action) => $"{action}",
            CompanionDecision.Settled(var detail) => $"settled {detail}",
            CompanionDecision.Left(var reason) => $"left {reason}",
            CompanionDecision.Waits(var what, _) => $"waits {what}",
        }));
    }

    private static string Cell(string situation, string observed)
    {
        var spec = Specimens.Companion("cache.service") with { Start = situation != "not started" };
        UnitFile file = situation switch
        {
            "other bytes" => new UnitFile.Ours("v0"),
            "no file" or "undeclared, no file" => new UnitFile.Absent(),
            "foreign" => new UnitFile.Foreign("it is not this agent's"),
            _ => new UnitFile.Ours("v1"),
        };
        var activity = Activities.FirstOrDefault(row => row.Name == observed).Activity;
        var profile = CompanionProfile.New(spec.Name) with
        {
            Spec = situation.StartsWith("undeclared", StringComparison.Ordinal) ? Option<CompanionSpec>.None : Some(spec),
            Seen = activity is null ? Option<ObservedCompanion>.None : Some(new ObservedCompanion(spec.Name, file, activity)),
            Wrote = "v1",
            OwesReload = situation == "owes a reload",
            OwesRestart = situation == "owes a restart",
        };
        return CompanionPlan.Decide(profile, Now) switch
        {
            CompanionDecision.Acts(var action) => $"{action}",
            CompanionDecision.Settled => "(settled)",
            CompanionDecision.Left => "left",
            CompanionDecision.Waits => "waits",
        };
    }
}
