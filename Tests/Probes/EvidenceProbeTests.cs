using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Core.Time;
using Agent.Shell.Probes;
using Agent.Tests.Support;
using LanguageExt;
using Xunit;

namespace Agent.Tests.Probes;

/// <summary>How findings are judged, once somebody has vouched for them.</summary>
public sealed class EvidenceProbeTests
{
    private const string Framework = "nis2";

    private readonly Instant _begun = new(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());

    private static readonly Finding[] Findings =
    [
        new("disk-encryption", Passed: true, Framework, "21.2.h"),
        new("firewall", Passed: false, Framework, "21.2.e"),
        new("firewall", Passed: false, "iso27001", "8.20"),
        new("ssh-keys-only", Passed: true, null, null),
    ];

    /// RO-12: mode fallback, override, unlisted dropped, absent framework skipped, disabled dropped. A cell is the
    /// control, its mode, and whether it passed.
    [Theory]
    [InlineData(Framework, "", "Failed", "disk-encryption:Enforce:+ firewall:Enforce:-")]
    [InlineData(Framework, "firewall=Observe", "Passed", "disk-encryption:Enforce:+ firewall:Observe:-")]
    [InlineData(Framework, "firewall=Disabled", "Passed", "disk-encryption:Enforce:+")]
    [InlineData(Framework, "ssh-keys-only=Enforce", "Failed", "disk-encryption:Enforce:+ firewall:Enforce:-")]
    [InlineData("iso27001", "", "Failed", "firewall:Enforce:-")]
    [InlineData("hipaa", "", "Failed", "")]
    [InlineData("NIS2", "", "Failed", "")]
    [InlineData("", "ssh-keys-only=Enforce", "Passed", "ssh-keys-only:Enforce:+")]
    [InlineData("", "disk-encryption=Enforce firewall=Observe", "Passed",
        "disk-encryption:Enforce:+ firewall:Observe:- firewall:Observe:-")]
    [InlineData("", "ssh-keys-only=Observe absent=Enforce", "Failed", "ssh-keys-only:Observe:+ absent:Enforce:-")]
    [InlineData("", "ssh-keys-only=Observe absent=Disabled", "Passed", "ssh-keys-only:Observe:+")]
    [InlineData("", "ssh-keys-only=Disabled", "Failed", "")]
    [InlineData("", "absent=Enforce", "Failed", "")]
    public async Task Findings_count_in_their_mode(string framework, string controls, string outcome, string results)
    {
        var result = await RunAsync(Check(framework, controls), Findings);
        Assert.Equal(outcome, result.Outcome.GetType().Name);
        Assert.Equal(results, string.Join(' ', result.Controls.Select(
            control => $"{control.Control}:{control.Mode}:{(control.Passed ? '+' : '-')}")));
    }

    /// RO-12: an observing probe's findings are told and never fail it.
    [Fact]
    public async Task The_mode_of_the_probe_is_that_of_its_findings()
    {
        var result = await RunAsync(Check(Framework, ""), Findings, ProbeMode.Observe);
        Assert.Equal(new ProbeOutcome.Passed("1 of 2 pass"), result.Outcome);
        Assert.All(result.Controls, control => Assert.Equal(ProbeMode.Observe, control.Mode));
    }

    /// RO-12: one sub-result per article, and a control's article fails if any of its findings does.
    [Fact]
    public async Task There_is_one_result_for_each_article_of_a_control()
    {
        Finding[] findings =
        [
            new("backup", Passed: false, Framework, "21.2.c"),
            new("backup", Passed: true, Framework, "21.2.c"),
            new("backup", Passed: true, Framework, "21.2.d"),
            new("backup", Passed: true, Framework, "21.2.d"),
            new("restore", Passed: true, Framework, "21.2.c"),
        ];
        var result = await RunAsync(Check(Framework, ""), findings);
        Assert.Equal(
            ["backup 21.2.c False", "backup 21.2.d True", "restore 21.2.c True"],
            result.Controls.AsEnumerable().Select(
                control => $"{control.Control} {control.Article.IfNone("")} {control.Passed}"));
        Assert.Equal(new ProbeOutcome.Failed("failing: backup"), result.Outcome);
    }

    /// RO-12: reason on every sub-result.
    [Fact]
    public async Task Every_result_carries_its_reason()
    {
        var overridden = Check(Framework, "firewall=Observe") with
        {
            Controls = Probing.SeqOf(
                new EvidenceControl("firewall", ProbeMode.Observe, Option<string>.Some("until May"))),
        };
        var byFramework = await RunAsync(overridden, Findings);
        Assert.Equal(["the mode of the probe", "until May"], Reasons(byFramework));
        var listed = await RunAsync(Check("", "firewall=Observe absent=Enforce"), Findings[..2]);
        Assert.Equal(["the mode that the manifest gives it", "no finding of it"], Reasons(listed));
    }

    /// RO-12: a report fits a record of the journal, whatever the file holds.
    [Fact]
    public async Task More_findings_than_a_report_can_hold_are_inconclusive()
    {
        var findings = Enumerable.Range(0, EvidenceJudge.MaxResults + 1)
            .Select(i => new Finding($"c{i}", Passed: true, Framework, null)).ToArray();
        var fits = await RunAsync(Check(Framework, ""), findings[1..]);
        Assert.Equal(new ProbeOutcome.Passed("256 of 256 pass"), fits.Outcome);
        Assert.IsType<ProbeOutcome.Inconclusive>((await RunAsync(Check(Framework, ""), findings)).Outcome);
    }

    /// RO-7: evidence that is old, from the future, unsigned or asked for nothing shows nothing.
    [Theory]
    [InlineData(-60 * 60, "Passed")]
    [InlineData((-60 * 60) - 5, "Inconclusive")]
    [InlineData(55, "Passed")]
    [InlineData(90, "Inconclusive")]
    public async Task Its_age_decides_whether_it_counts(int signedSeconds, string outcome)
    {
        // The loop's clock goes on between here and the judgement; the bounds leave it seconds.
        var slack = signedSeconds == -60 * 60 ? 30 : 0;
        var result = await RunAsync(
            Check(Framework, "firewall=Disabled"), Findings, signed: TimeSpan.FromSeconds(signedSeconds + slack));
        Assert.Equal(outcome, result.Outcome.GetType().Name);
    }

    /// RO-7, TR-2: its age is by the machine's clock, which may have been set while the agent ran.
    [Theory]
    [InlineData(0, "Inconclusive")]
    [InlineData(3, "Passed")]
    public async Task Its_age_is_by_the_machines_clock(int signedHours, string outcome)
    {
        Probing? probing = null;
        using (probing = new Probing(evidence: new Scripted(_ => new EvidenceReading.Verified(
            probing!.Host.Now + TimeSpan.FromHours(signedHours), Findings)))
        {
            Wall = new SetClock { Ahead = TimeSpan.FromHours(3) },
        })
        {
            Assert.Equal(outcome, (await probing.RunAsync(Check(Framework, "firewall=Disabled"))).GetType().Name);
        }
    }

    /// RO-5, RO-12: a document is one pass, however often it is read: three passes are three documents. One that is
    /// older than one seen shows nothing, and after a turn without an answer the newest may be shown again.
    [Fact]
    public async Task A_document_counts_once()
    {
        var signed = -10;
        using var probing = new Probing(evidence: new Scripted(_ => signed == 0
            ? new EvidenceReading.Refused("it is not signed")
            : new EvidenceReading.Verified(_begun + TimeSpan.FromSeconds(signed), Findings)));
        Assert.Equal("Passed", await TurnAsync(-10));
        Assert.Equal("nothing", await TurnAsync(-10));
        Assert.Equal("nothing", await TurnAsync(-10));
        Assert.Equal("Passed", await TurnAsync(-9));
        Assert.Equal("Inconclusive", await TurnAsync(-10));
        Assert.Equal("Passed", await TurnAsync(-9));
        Assert.Equal("nothing", await TurnAsync(-9));
        Assert.Equal("Inconclusive", await TurnAsync(0));
        Assert.Equal("Passed", await TurnAsync(-9));

        async Task<string> TurnAsync(int seconds)
        {
            signed = seconds;
            var spec = Probing.Spec(Check(Framework, "firewall=Disabled"), Probing.Patience);
            return (await probing.TurnAsync(spec))?.Outcome.GetType().Name ?? "nothing";
        }
    }

    /// RO-5: what was signed before the activation says nothing of what it brought, be it by a second.
    [Theory]
    [InlineData(-1, "Inconclusive")]
    [InlineData(0, "Passed")]
    public async Task What_was_signed_before_the_activation_does_not_count(int seconds, string outcome)
    {
        Instant since = default;
        using var probing = new Probing(evidence: new Scripted(_ => new EvidenceReading.Verified(
            since + TimeSpan.FromSeconds(seconds) + TimeSpan.FromMilliseconds(seconds == 0 ? 20 : 0), Findings)));
        since = await probing.SoakAsync();
        Assert.Equal(outcome, (await probing.RunAsync(Check(Framework, "firewall=Disabled"))).GetType().Name);
    }

    /// RO-7: what nobody vouches for, and a check that names nothing, is inconclusive.
    [Fact]
    public async Task Evidence_without_a_signature_is_inconclusive()
    {
        using var refusing = new Probing(evidence: new Scripted(_ => new EvidenceReading.Refused("it is not signed")));
        Assert.Equal(new ProbeOutcome.Inconclusive("it is not signed"), await refusing.RunAsync(Check(Framework, "")));
        Assert.IsType<ProbeOutcome.Inconclusive>(await refusing.RunAsync(Check("", "")));
        using var none = new Probing();
        Assert.IsType<ProbeOutcome.Inconclusive>(await none.RunAsync(Check(Framework, "")));
    }

    /// RO-7: a reader that breaks does not break the watch.
    [Fact]
    public async Task A_reader_that_throws_is_inconclusive()
    {
        using var broken = new Probing(evidence: new Scripted(_ => throw new InvalidOperationException("gone")));
        Assert.Equal(
            new ProbeOutcome.Inconclusive("it could not be run: gone"), await broken.RunAsync(Check(Framework, "")));
    }

    private static string[] Reasons(ProbeResult result) =>
        [.. result.Controls.Select(control => control.Reason.IfNone("none"))];

    private static async Task<ProbeResult> RunAsync(
        ProbeCheck.Evidence check, Finding[] findings, ProbeMode mode = ProbeMode.Enforce, TimeSpan signed = default)
    {
        Probing? probing = null;
        using (probing = new Probing(
            evidence: new Scripted(_ => new EvidenceReading.Verified(probing!.Host.Now + signed, findings))))
        {
            return await probing.RunAsync(Probing.Spec(check, Probing.Patience, mode));
        }
    }

    private static ProbeCheck.Evidence Check(string framework, string controls) => new(
        "/evidence.json",
        framework.Length == 0 ? Option<string>.None : Option<string>.Some(framework),
        controls.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Control).ToArray().ToSeq(),
        MaxAge: TimeSpan.FromHours(1));

    private static EvidenceControl Control(string text)
    {
        var parts = text.Split('=');
        return new(parts[0], Enum.Parse<ProbeMode>(parts[1]), Option<string>.None);
    }

    private sealed class Scripted(Func<string, EvidenceReading> read) : IEvidenceReader
    {
        public Task<EvidenceReading> ReadAsync(string path, CancellationToken stop) => Task.FromResult(read(path));
    }
}
