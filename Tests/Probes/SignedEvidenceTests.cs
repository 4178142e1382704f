using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Rollout;
using Agent.Shell.Linux;
using Agent.Shell.Loop;
using Agent.Shell.Probes;
using Agent.Shell.Trust;
using Agent.Tests.Trust;
using LanguageExt;
using Xunit;
using Refusal = Agent.Shell.Trust.Refusal;

namespace Agent.Tests.Probes;

/// <summary>Evidence files, signed for real.</summary>
public sealed class SignedEvidenceTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("evidence-").FullName;
    private readonly TrustWorld _world = new();
    private readonly SigningKey _auditor;
    private readonly Probing _probing;

    public SignedEvidenceTests()
    {
        _auditor = _world.Key();
        var other = TrustWorld.Role(1, _world.Key());
        var trust = TrustWorld.Loaded(TrustWorld.Canonical(
            $$"""
            {"schemaVersion":1,"type":"agent/trust","version":1,"issuedAt":"2020-01-01T00:00:00Z","roles":
             {"root":{{other}},"release":{{other}},"manifest":{{other}},"evidence":{{TrustWorld.Role(1, _auditor)}} } }
            """));
        Probing? probing = null;
        _probing = probing = new Probing(evidence: new LateReader(() => new SignedEvidence(() => trust, () => "here", new WallClock(() => probing!.Host.Now))));
    }

    private string File => Path.Combine(_directory, "evidence.json");

    /// RO-12, TR-1: what the auditor signed counts as it says.
    [Theory]
    [InlineData("pass", "Passed", "1 of 1 pass")]
    [InlineData("fail", "Failed", "failing: disk")]
    public async Task What_is_signed_counts(string status, string outcome, string detail)
    {
        var document = Document($$"""[{"id":"disk","status":"{{status}}","framework":"nis2","article":"21"}]""");
        Write(document, TrustWorld.Sign(document, _auditor));
        var seen = await RunAsync();
        Assert.Equal((outcome, detail), (seen.GetType().Name, seen.Detail));
    }

    /// RO-7, TR-4: what nobody signed, or somebody else, or was changed, shows nothing.
    [Fact]
    public async Task What_is_not_signed_is_inconclusive()
    {
        var good = Document("""[{"id":"disk","status":"fail","framework":"nis2"}]""");
        var forged = Document("""[{"id":"disk","status":"pass","framework":"nis2"}]""");
        Write(good, null);
        await InconclusiveAsync("it cannot be read: ");
        Write(good, []);
        await InconclusiveAsync("no-signatures: ");
        Write(forged, TrustWorld.Sign(good, _auditor));
        await InconclusiveAsync("signature-invalid: ");
        var elsewhere = Document("""[{"id":"disk","status":"pass","framework":"nis2"}]""", host: "elsewhere");
        Write(elsewhere, TrustWorld.Sign(elsewhere, _auditor));
        await InconclusiveAsync("wrong-host: ");
        Write(good, TrustWorld.Sign(good, _world.Key()));
        await InconclusiveAsync("threshold-not-met: ");
    }

    /// RO-7: what is signed and cannot be understood shows nothing.
    [Theory]
    [InlineData("""[{"id":"disk","status":"maybe"}]""", "bad-field: findings[0].status")]
    [InlineData("""[{"status":"pass"}]""", "missing-field: findings[0].id")]
    [InlineData("""[{"id":"","status":"pass"}]""", "bad-field: findings[0].id")]
    [InlineData("""[{"id":"disk","status":"pass","severity":1}]""", "unknown-field: findings[0].severity")]
    [InlineData("""{}""", "bad-field: findings")]
    [InlineData("""[1]""", "bad-field: findings[0]")]
    public async Task What_is_not_understood_is_inconclusive(string findings, string why)
    {
        var document = Document(findings);
        Write(document, TrustWorld.Sign(document, _auditor));
        await InconclusiveAsync(why);
    }

    /// RO-7, reliability 70: no file, a directory, a pipe that nobody fills and a file without end cost nothing.
    [Fact]
    public async Task What_is_no_file_is_inconclusive()
    {
        await InconclusiveAsync("it cannot be read: ");
        Directory.CreateDirectory(File);
        await InconclusiveAsync("it cannot be read: ");
        Directory.Delete(File);
        Descriptors.MakeFifo(File, 0, 0);
        await System.IO.File.WriteAllTextAsync(File + ".sig", "{}");
        await InconclusiveAsync("not-json: ");
        System.IO.File.Delete(File);
        await System.IO.File.WriteAllBytesAsync(File, new byte[SignedEvidence.MaxBytes + 1]);
        await InconclusiveAsync("too-large: ");
        System.IO.File.Delete(File);
        System.IO.File.CreateSymbolicLink(File, "/dev/zero");
        await InconclusiveAsync("too-large: ");
    }

    /// RO-7, reliability 70: a file system that hangs costs one thread, however often its file is asked for.
    [Fact]
    public async Task A_file_is_read_once_at_a_time()
    {
        using var stuck = new ManualResetEventSlim();
        var reads = 0;
        var reader = new SignedEvidence(
            () =>
            {
                Interlocked.Increment(ref reads);
                stuck.Wait();
                return new Refusal(TrustFault.NoTrust, "nobody is trusted");
            },
            () => "here", new WallClock(() => _probing.Host.Now));
        using var given = new CancellationTokenSource();
        var first = reader.ReadAsync(File, given.Token);
        var second = reader.ReadAsync(File, CancellationToken.None);
        await given.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        var third = reader.ReadAsync(File, CancellationToken.None);
        stuck.Set();
        await Task.WhenAll(second, third);
        Assert.Equal(1, reads);
        await reader.ReadAsync(File, CancellationToken.None);
        Assert.Equal(2, reads);
    }

    /// RO-7: a path that means another place tomorrow is no path.
    [Fact]
    public async Task A_relative_path_is_inconclusive() => Assert.Equal(
        new ProbeOutcome.Inconclusive("its path is not absolute"), await _probing.RunAsync(Check("evidence.json")));

    public void Dispose()
    {
        _probing.Dispose();
        _auditor.Dispose();
        _world.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private Task<ProbeOutcome> RunAsync() => _probing.RunAsync(Check(File));

    private async Task InconclusiveAsync(string why) => Assert.StartsWith(
        why, Assert.IsType<ProbeOutcome.Inconclusive>(await RunAsync()).Detail, StringComparison.Ordinal);

    private static ProbeCheck.Evidence Check(string path) =>
        new(path, Option<string>.Some("nis2"), Seq<EvidenceControl>.Empty, MaxAge: TimeSpan.FromHours(1));

    private byte[] Document(string findings, string host = "here") => TrustWorld.Canonical(
        $$"""
        {"schemaVersion":1,"type":"agent/evidence","signedAt":"{{_probing.Host.Now}}","host":"{{host}}","findings":{{findings}} }
        """);

    private void Write(byte[] document, byte[]? signatures)
    {
        System.IO.File.WriteAllBytes(File, document);
        if (signatures is not null) System.IO.File.WriteAllBytes(File + ".sig", signatures);
    }

    /// <summary>The reader wants the host that is made with it.</summary>
    private sealed class LateReader(Func<IEvidenceReader> reader) : IEvidenceReader
    {
        public Task<EvidenceReading> ReadAsync(string path, System.Threading.CancellationToken stop) =>
            reader().ReadAsync(path, stop);
    }
}
