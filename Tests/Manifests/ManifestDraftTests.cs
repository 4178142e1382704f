using System;
using System.IO;
using System.Linq;
using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Core.Time;
using Agent.Shell.Config;
using Agent.Shell.Manifests;
using Agent.Shell.Trust;
using Agent.Tests.Trust;
using LanguageExt;
using Xunit;

namespace Agent.Tests.Manifests;

/// <summary>What a draft says is what a host reads out of the manifest that was signed.</summary>
public sealed class ManifestDraftTests : IDisposable
{
    private const string Full =
        """
        channel: app
        version: 7
        environment: prod
        hosts: { box: 1, another: 0 }
        waves: [{ soak: 5m }, { soak: 1h }]
        expires: 2d
        policy:
          soak: 2m
          failureThreshold: 30s
          onFailure: halt
          onInconclusive: rollback-and-halt
          verdictWithin: 3m
          switchTimeout: 4m
          unattended: true
        probes:
          web:
            http: "http://127.0.0.1:80/health"
            status: 204
            contains: fine
            mode: observe
            interval: 5s
            timeout: 2s
            initialDelay: 1s
            successThreshold: 2
            failureThreshold: 3
          port: { tcp: "[::1]:443" }
          command: { exec: [/bin/true, a b] }
          service: { process: web, mode: disabled }
          engine: { runtime: ready }
          box: { container: web }
          audit:
            evidence: /var/lib/audit.json
            framework: cis
            maxAge: 1h
            controls:
              a-1: { mode: observe, reason: known }
              a-2: { mode: disabled }
        """;

    private static readonly DateTimeOffset SignedAt =
        DateTimeOffset.FromUnixTimeMilliseconds(TrustWorld.Now.UnixMilliseconds);

    private static readonly ReleaseId Target =
        ReleaseId.Parse(ReleaseId.ArchivePrefix + new string('a', 64)).IfNoneUnsafe(() => null!)!;

    private readonly TrustWorld _keys = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("drafts-").FullName;

    /// RO-12, TR-1: every field of a draft arrives; the soak is that of the host's wave.
    [Fact]
    public void A_full_draft_is_read_back()
    {
        var order = Read(Full, "box", "prod");
        var expected = new RolloutOrder(
            order.Id, 7, ActivatorKind.Release, Target,
            new(Minutes(60), Seconds(30), OnFailure.Halt, OnFailure.RollbackAndHalt, Minutes(3), Minutes(4), true),
            Prelude.Seq(
                new ProbeSpec(
                    Name("web"), ProbeMode.Observe, Seconds(5), Seconds(2), Seconds(1), 2, 3,
                    new ProbeCheck.Http("http://127.0.0.1:80/health", 204, "fine")),
                Usual("port", new ProbeCheck.Tcp("::1", 443)),
                Usual("command", new ProbeCheck.Exec(Prelude.Seq("/bin/true", "a b"))),
                Usual("service", new ProbeCheck.Process("web")) with { Mode = ProbeMode.Disabled },
                Usual("engine", new ProbeCheck.Runtime()),
                Usual("box", new ProbeCheck.Container("web")),
                Usual("audit", new ProbeCheck.Evidence(
                    "/var/lib/audit.json", "cis",
                    Prelude.Seq(
                        new EvidenceControl("a-1", ProbeMode.Observe, "known"),
                        new EvidenceControl("a-2", ProbeMode.Disabled, Option<string>.None)),
                    Minutes(60)))));
        Assert.Equal(expected, order);
        Assert.Equal(Minutes(5), Read(Full, "another", "prod").Policy.Soak);
        Assert.Equal("app", order.Channel.Value);
    }

    /// RO-5, RO-6, RO-7: what a draft leaves out is written into the manifest: what is signed says all it means.
    [Fact]
    public void Defaults_are_written_out()
    {
        var order = Read("channel: app\nversion: 1\nhosts: [box]\n", "box", null);
        var policy = new RolloutPolicy(
            Minutes(10), Minutes(2), OnFailure.RollbackAndHalt, OnFailure.Halt, Minutes(10), Minutes(5), false);
        Assert.Equal(new RolloutOrder(order.Id, 1, ActivatorKind.Release, Target, policy, Seq<ProbeSpec>.Empty), order);
    }

    /// TR-2: a draft with an end is good until then.
    [Fact]
    public void A_draft_with_an_end_expires()
    {
        Assert.Equal("passes", Fault(Full, TimeSpan.FromDays(2) - TimeSpan.FromMilliseconds(1)));
        Assert.Equal("expired", Fault(Full, TimeSpan.FromDays(2)));
    }

    /// TR-1: nothing is signed that every host would refuse; what is wrong is said where it is, or by its field.
    [Theory]
    [InlineData("probes: { p: { tcp: nowhere } }", "probes[0].endpoint must be host:port")]
    [InlineData("probes: { p: { http: nowhere } }", "probes[0].address must be an address")]
    [InlineData("probes: { p: { exec: [true] } }", "probes[0].command must be a list")]
    [InlineData("probes: { p: { runtime: ready, timeout: 1h } }", "probes[0].timeoutMs is longer")]
    [InlineData("probes: { p: { runtime: ready, maxAge: 1h } }", "probes[0].maxAgeMs is not known here")]
    [InlineData("probes: { p: { evidence: /e, controls: { a: { reason: r } } } }", "controls mode is missing")]
    [InlineData("policy: { soak: 0s }", "neither a soak nor an enforced probe")]
    [InlineData("probes: { p: { runtime: ready, http: \"http://a/\" } }", "needs exactly one of")]
    [InlineData("activator: nixos", "hosts[0].target is sha256:")]
    [InlineData("waves: [{ soak: 1h }, { soak: 0s }]\nhosts: { box: 0, other: 1 }", "wave 1 would refuse it")]
    [InlineData("surprise: 1", "surprise")]
    [InlineData("expires: 1s", "expires")]
    public void What_hosts_would_refuse_is_not_signed(string line, string mistake)
    {
        var file = Draft($"channel: app\nversion: 1\n{Hosts(line)}{line}\n");
        var refused = Assert.Throws<ConfigException>(() => ManifestDraft.Read(file, Target, SignedAt));
        Assert.Contains(refused.Mistakes, told => told.Contains(mistake, StringComparison.Ordinal));
    }

    /// TR-1: what is missing is said all at once.
    [Fact]
    public void All_mistakes_are_told_at_once()
    {
        var refused = Assert.Throws<ConfigException>(() =>
            ManifestDraft.Read(Draft("environment: prod\n"), null, SignedAt));
        foreach (var needed in (string[])["channel", "version", "hosts", "target"])
        {
            Assert.Contains(refused.Mistakes, told => told.Contains(needed, StringComparison.Ordinal));
        }
    }

    public void Dispose()
    {
        _keys.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static TimeSpan Minutes(int count) => TimeSpan.FromMinutes(count);

    private static TimeSpan Seconds(int count) => TimeSpan.FromSeconds(count);

    private static ProbeName Name(string name) => ProbeName.Parse(name).IfNoneUnsafe(() => null!)!;

    private static ProbeSpec Usual(string name, ProbeCheck check) => new(
        Name(name), ProbeMode.Enforce, ProbeSpec.DefaultInterval, ProbeSpec.DefaultTimeout, TimeSpan.Zero, 1, 1, check);

    /// <summary>One host, unless the line names others.</summary>
    private static string Hosts(string line) => line.Contains("hosts:", StringComparison.Ordinal) ? "" : "hosts: [box]\n";

    private string Draft(string yaml)
    {
        var file = Path.Combine(_folder, "draft.yaml");
        File.WriteAllText(file, yaml);
        return file;
    }

    private Checked<Verified> Signed(string yaml, Instant now)
    {
        var key = _keys.Key();
        var trust = TrustWorld.Loaded(TrustWorld.Trust(TrustWorld.Role(1, key)));
        var manifest = Jcs.Write(ManifestDraft.Read(Draft(yaml), Target, SignedAt));
        return Verified.Check(
            manifest, TrustWorld.Sign(manifest, key), trust,
            new Demand(RoleName.Manifest, ManifestReader.Type, ManifestReader.MaxBytes, now));
    }

    private RolloutOrder Read(string yaml, string host, string? environment)
    {
        var verified = Assert.IsType<Checked<Verified>.Passed>(Signed(yaml, TrustWorld.Now)).Value;
        return Assert.IsType<Checked<RolloutOrder>.Passed>(ManifestReader.Read(verified, host, environment)).Value;
    }

    private string Fault(string yaml, TimeSpan later) =>
        Signed(yaml, TrustWorld.Now + later).Failed(out _, out var why) ? TrustFaults.NameOf(why.Fault) : "passes";
}
