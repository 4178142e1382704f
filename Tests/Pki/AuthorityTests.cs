using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Agent.Core.Model;
using Agent.Core.Time;
using Agent.Shell.Pki;
using Xunit;

namespace Agent.Tests.Pki;

public sealed class AuthorityTests : IDisposable
{
    private const UnixFileMode OwnerFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly Instant Now = PlaneWorld.Start;
    private static readonly IReadOnlyList<string> Names = ["plane.example", "192.0.2.7", "2001:db8::7"];

    private readonly string _home = Directory.CreateTempSubdirectory("authority-").FullName;

    private string Pki => Path.Combine(_home, "pki");

    /// WI-1, SE-1, upstream write_private_sets_0600_on_unix, write_private_refuses_existing_path: made once, for its
    /// owner alone, and loaded as it was. Upstream: single-shot setup (auth).
    [Fact]
    public void An_authority_is_made_and_loaded()
    {
        using var made = Authority.Init(_home, Names, Now);
        Assert.Equal(OwnerFile | UnixFileMode.UserExecute, File.GetUnixFileMode(Pki));
        Assert.Equal(3, Directory.GetFiles(Pki).Length);
        Assert.All(Directory.GetFiles(Pki), file => Assert.Equal(OwnerFile, File.GetUnixFileMode(file)));
        using var loaded = Authority.Load(_home, Now);
        Assert.Equal(made.Pem, loaded.Pem);
        Assert.Equal(Names, loaded.ServerNames);
        Assert.DoesNotContain("PRIVATE", loaded.Pem, StringComparison.Ordinal);
        Assert.Equal(PkiFault.AuthorityExists, Fault(() => Authority.Init(_home, Names, Now)));
    }

    /// JO-5: killed at any step of its making, it is whole or absent, and can be made.
    [Fact]
    public void A_crash_while_it_is_made_leaves_all_or_nothing()
    {
        var steps = 0;
        while (Crash.Cuts(steps, step => Authority.Init(Path.Combine(_home, $"{steps}"), Names, Now, step).Dispose()))
        {
            var home = Path.Combine(_home, $"{steps}");
            if (Fault(() => Authority.Load(home, Now).Dispose()) is { } fault)
            {
                Assert.Equal(PkiFault.AuthorityMissing, fault);
                Authority.Init(home, Names, Now).Dispose();
                Authority.Load(home, Now).Dispose();
            }

            Assert.Equal([Path.Combine(home, "pki")], Directory.GetFileSystemEntries(home));
            steps++;
        }

        Assert.True(steps > 15, $"{steps} steps");
    }

    /// SE-1: what is half there is neither used nor made over, and the message names the file.
    [Theory]
    [InlineData("ca.key")]
    [InlineData("ca.pem")]
    [InlineData("server.pem")]
    public void A_half_made_directory_is_refused(string missing)
    {
        Authority.Init(_home, Names, Now).Dispose();
        File.Delete(Path.Combine(Pki, missing));
        foreach (var act in (Action[])[() => Authority.Load(_home, Now), () => Authority.Init(_home, Names, Now)])
        {
            var refusal = Assert.Throws<PkiRefused>(act);
            Assert.Equal(PkiFault.AuthorityIncomplete, refusal.Fault);
            Assert.Contains(Path.Combine(Pki, missing), refusal.Message, StringComparison.Ordinal);
        }
    }

    /// SE-1: damaged, exchanged or readable by others, it is not used.
    [Fact]
    public void What_is_damaged_or_open_to_others_is_refused()
    {
        Authority.Init(_home, Names, Now).Dispose();
        Authority.Init(Path.Combine(_home, "other"), Names, Now).Dispose();
        foreach (var file in (string[])["ca.key", "ca.pem", "server.pem"])
        {
            var path = Path.Combine(Pki, file);
            var good = File.ReadAllText(path);
            foreach (var bad in (string[])["", "garbage", File.ReadAllText(Path.Combine(_home, "other", "pki", file))])
            {
                File.WriteAllText(path, bad);
                Assert.Equal(PkiFault.AuthorityBroken, Fault(() => Authority.Load(_home, Now)));
            }

            File.WriteAllText(path, good);
            File.SetUnixFileMode(path, OwnerFile | UnixFileMode.GroupRead);
            Assert.Equal(PkiFault.UnsafeFile, Fault(() => Authority.Load(_home, Now)));
            File.SetUnixFileMode(path, OwnerFile);
        }

        File.SetUnixFileMode(Pki, OwnerFile | UnixFileMode.UserExecute | UnixFileMode.OtherExecute);
        Assert.Equal(PkiFault.UnsafeFile, Fault(() => Authority.Load(_home, Now)));
    }

    /// WI-1: the server's certificate is renewed at half-life, at a start or in the running, or when names change.
    [Fact]
    public void The_server_certificate_renews_itself()
    {
        using var authority = Authority.Init(_home, Names, Now);
        var due = authority.ServerRenewAt;
        Assert.InRange((due - Now).TotalDays, 182, 183);
        var first = authority.ServerAt(due - TimeSpan.FromSeconds(1));
        Assert.Same(first, authority.ServerAt(Now));
        Assert.NotSame(first, authority.ServerAt(due));
        Assert.True(authority.ServerRenewAt > due + TimeSpan.FromDays(180));
        using (var later = Authority.Load(_home, due)) Assert.Equal(authority.ServerRenewAt, later.ServerRenewAt);
        using (var renewed = Authority.Load(_home, authority.ServerRenewAt))
        {
            Assert.True(renewed.ServerRenewAt > authority.ServerRenewAt);
            Assert.Equal(Names, renewed.ServerNames);
        }

        using var moved = Authority.Load(_home, due, ["new.example"]);
        Assert.Equal(["new.example"], moved.ServerNames);
        Assert.Equal(PkiFault.BadServerName, Fault(() => Authority.Load(_home, due, ["https://x:1"])));
    }

    /// WI-1: nothing outlives the authority, and nothing is renewed again and again towards its end.
    [Fact]
    public void The_end_of_the_authority_is_the_end_of_all()
    {
        Authority.Init(_home, Names, Now).Dispose();
        using var authority = Authority.Load(_home, Now + TimeSpan.FromDays(3640));
        Assert.Equal(authority.NotAfter, authority.ServerRenewAt);
        var near = authority.NotAfter - TimeSpan.FromMinutes(1);
        Assert.Same(authority.ServerAt(near), authority.ServerAt(authority.NotAfter + TimeSpan.FromDays(1)));
        using var identity = ClientIdentity.Open(Path.Combine(_home, "host"));
        var csr = identity.Request(PlaneWorld.Web);
        var last = identity.Accept(authority.Issue(csr, PlaneWorld.Web, near).Pem, PlaneWorld.Web, near, authority.Pem);
        Assert.Equal((authority.NotAfter, authority.NotAfter), (last.NotAfter, last.RenewAt));
        Assert.Equal(PkiFault.AuthorityExpired, Fault(() => Authority.Load(_home, authority.NotAfter)));
    }

    /// WI-1: a crash while the server's certificate is replaced leaves the old or the new one.
    [Fact]
    public void A_crash_while_the_server_certificate_is_renewed_leaves_one()
    {
        Authority.Init(_home, Names, Now).Dispose();
        var (steps, due) = (0, Now + TimeSpan.FromDays(200));
        while (Crash.Cuts(steps, step => Authority.Load(_home, due, null, step).Dispose()))
        {
            using var after = Authority.Load(_home, Now);
            due = after.ServerRenewAt;
            steps++;
        }

        Assert.Equal(7, steps);
    }

    /// WI-1: a host's certificate is for clients, for its name, for thirty days, and from exactly this authority.
    [Fact]
    public void A_host_certificate_says_what_it_must_and_no_more()
    {
        using var authority = Authority.Init(_home, Names, Now);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var wish = new CertificateRequest("CN=web-1", key, HashAlgorithmName.SHA256);
        wish.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, critical: true));
        wish.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(Issuer.ServerUse)], critical: false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("plane.example");
        wish.CertificateExtensions.Add(names.Build());
        var serials = new HashSet<string>();
        for (var n = 0; n < 20; n++)
        {
            var issued = authority.Issue(wish.CreateSigningRequestPem(), PlaneWorld.Web, Now);
            using var certificate = PemPair.ReadCertificate(issued.Pem)!;
            Assert.Equal(new Subject(Subject.Host, "web-1"), Subject.Read(certificate.SubjectName));
            Assert.True(CertificateCheck.IsIssuedBy(certificate, authority.Certificate));
            Assert.True(CertificateCheck.IsFor(certificate, CertificateUse.Client));
            Assert.False(certificate.Extensions.OfType<X509BasicConstraintsExtension>().Single().CertificateAuthority);
            Assert.Empty(certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>());
            Assert.Equal((Now, Now + TimeSpan.FromDays(30)), (issued.NotBefore, issued.NotAfter));
            Assert.Equal(32, issued.Serial.Length);
            Assert.True(serials.Add(issued.Serial));
        }
    }

    /// WI-1, SE-1: what is no good request is refused, each with its own code.
    [Fact]
    public void Bad_requests_are_refused_each_by_its_name()
    {
        using var authority = Authority.Init(_home, Names, Now);
        using var p256 = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var p384 = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using var rsa = RSA.Create(2048);
        var good = new CertificateRequest("CN=web-1", p256, HashAlgorithmName.SHA256).CreateSigningRequest();
        var forged = (byte[])good.Clone();
        forged[^1] ^= 1;
        (PkiFault Fault, string Pem)[] cases =
        [
            (PkiFault.CsrTooLarge, Pem(good) + new string('\n', SigningRequest.MaxLength)),
            (PkiFault.CsrMalformed, ""),
            (PkiFault.CsrMalformed, "garbage"),
            (PkiFault.CsrMalformed, Pem(good[..^1])),
            (PkiFault.CsrMalformed, Pem([.. good, 0])),
            (PkiFault.CsrMalformed, authority.Pem),
            (PkiFault.CsrKey, Pem(new CertificateRequest(
                "CN=web-1", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSigningRequest())),
            (PkiFault.CsrKey, Pem(new CertificateRequest("CN=web-1", p384, HashAlgorithmName.SHA256).CreateSigningRequest())),
            (PkiFault.CsrSignature, Pem(forged)),
            (PkiFault.CsrName, SigningRequest.Make(p256, "db.eu_2")),
            (PkiFault.CsrName, SigningRequest.Make(p256, "WEB-1")),
            (PkiFault.CsrName, Request(p256, "OU=operator, CN=web-1")),
            (PkiFault.CsrName, Request(p256, "CN=web-1, CN=db")),
            (PkiFault.CsrName, Request(p256, "")),
        ];
        Assert.All(cases, one => Assert.Equal(one.Fault, Fault(() => authority.Issue(one.Pem, PlaneWorld.Web, Now))));
        Assert.Equal(PkiFault.AuthorityExpired, Fault(() => authority.Issue(Pem(good), PlaneWorld.Web, authority.NotAfter)));
    }

    /// WI-1: the kind of a caller is in what the authority wrote, not in any name.
    [Fact]
    public void No_host_name_reads_as_an_operator()
    {
        using var authority = Authority.Init(_home, Names, Now);
        var door = new ServerDoor(authority, _ => false, () => Now);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        foreach (var name in (string[])["operator", "OU-operator", "admin", new string('x', HostName.MaxLength)])
        {
            Assert.True(HostName.Parse(name).TryGet(out var host));
            var issued = authority.Issue(SigningRequest.Make(key, name), host, Now);
            using var certificate = PemPair.ReadCertificate(issued.Pem);
            var caller = door.Judge(door.Recognise(certificate));
            Assert.Equal(host, caller.RequireHost().Name);
            Assert.Equal(PkiFault.NotAnOperator, Fault(() => caller.RequireOperator()));
        }

        using var made = PemPair.Read(authority.MakeOperator("ada@example", Now).Pem);
        Assert.Equal("ada@example", door.Recognise(made).RequireOperator().Name);
        Assert.Equal(PkiFault.NotAHost, Fault(() => door.Recognise(made).RequireHost()));
        using var asked = PemPair.ReadCertificate(
            authority.IssueOperator(SigningRequest.Make(key, "bob"), "bob", Now).Pem);
        Assert.Equal("bob", door.Recognise(asked).RequireOperator().Name);
        Assert.Equal(PkiFault.BadOperatorName, Fault(() => authority.MakeOperator("a,OU=host", Now)));
    }

    public void Dispose() => Directory.Delete(_home, recursive: true);

    private static PkiFault? Fault(Action act) => (Record.Exception(act) as PkiRefused)?.Fault;

    private static string Pem(byte[] csr) => PemEncoding.WriteString("CERTIFICATE REQUEST", csr);

    private static string Request(ECDsa key, string subject) =>
        new CertificateRequest(subject, key, HashAlgorithmName.SHA256).CreateSigningRequestPem();
}
