using System;
using System.IO;
using System.Linq;
using Agent.Core.Model;
using Agent.Core.Time;
using Agent.Shell.Pki;
using Xunit;

namespace Agent.Tests.Pki;

public sealed class ClientIdentityTests : IDisposable
{
    private const UnixFileMode OwnerFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly Instant Now = PlaneWorld.Start;
    private static readonly HostName Web = PlaneWorld.Web;

    private readonly string _home = Directory.CreateTempSubdirectory("identity-").FullName;
    private readonly Authority _authority;

    public ClientIdentityTests() => _authority = Authority.Init(Path.Combine(_home, "plane"), ["localhost"], Now);

    private string Own => Path.Combine(_home, "host");

    private string At(string name) => Path.Combine(Own, name);

    /// WI-1, SE-1: after enrolment it is on disk for its owner alone, and there after a restart. Upstream: config disk
    /// (velosctl).
    [Fact]
    public void An_identity_is_kept()
    {
        using var identity = ClientIdentity.Open(Own);
        Assert.Null(identity.Current);
        Assert.Equal(PkiFault.IdentityMissing, Fault(() => identity.Require()));
        var enrolled = Enrol(identity);
        Assert.Equal(Now + TimeSpan.FromDays(15), enrolled.RenewAt);
        Assert.Equal(OwnerFile | UnixFileMode.UserExecute, File.GetUnixFileMode(Own));
        Assert.Equal([At("identity.pem")], Directory.GetFileSystemEntries(Own));
        Assert.Equal(OwnerFile, File.GetUnixFileMode(At("identity.pem")));
        using var again = ClientIdentity.Open(Own);
        Assert.Equal((Web, enrolled.Serial), (again.Require().Host, again.Require().Serial));
        Assert.Equal(_authority.Pem.Trim(), again.Require().Authority.ExportCertificatePem());
        Assert.DoesNotContain("PRIVATE", again.Require().ToString(), StringComparison.Ordinal);
    }

    /// WI-1: killed at any step of a renewal, the host has the old or the new identity whole, and can go on.
    [Fact]
    public void A_crash_between_new_key_and_new_certificate_leaves_a_working_pair()
    {
        Identity before;
        using (var identity = ClientIdentity.Open(Own)) before = Enrol(identity);
        var (steps, renewals) = (0, 0);
        while (Crash.Cuts(steps, Renew))
        {
            Works(before, out var found);
            renewals += found.Serial == before.Serial ? 0 : 1;
            Renew(null);
            Works(found, out before);
            Assert.NotEqual(found.Serial, before.Serial);
            Assert.Equal([At("identity.pem")], Directory.GetFileSystemEntries(Own));
            steps++;
        }

        Assert.True(steps > 12, $"{steps} steps");
        Assert.InRange(renewals, 1, steps - 1);
    }

    /// WI-1: asked again before the answer has come, also after a restart, it is for the same key.
    [Fact]
    public void A_request_is_repeated_for_the_same_key()
    {
        string first;
        using (var identity = ClientIdentity.Open(Own)) first = identity.Request(Web);
        var late = _authority.Issue(first, Web, Now).Pem;
        using var after = ClientIdentity.Open(Own);
        after.Request(Web);
        Assert.Equal(Web, after.Accept(late, Web, Now, _authority.Pem).Host);
    }

    /// WI-1: what a plane answers with is looked at before it takes the place of what works.
    [Fact]
    public void A_wrong_certificate_is_refused_and_changes_nothing()
    {
        using var other = Authority.Init(Path.Combine(_home, "other"), ["localhost"], Now);
        using var identity = ClientIdentity.Open(Own);
        var before = Enrol(identity);
        Assert.Equal(PkiFault.CertificateMismatch, Fault(() => identity.Accept(_authority.Pem, Web, Now)));
        var csr = identity.Request(Web);
        var good = _authority.Issue(csr, Web, Now);
        string[] wrong =
        [
            "",
            _authority.Pem,
            _authority.IssueOperator(csr, Web.Value, Now).Pem,
            _authority.MakeOperator("ada", Now).Pem,
            other.Issue(csr, Web, Now).Pem,
        ];
        Assert.All(wrong, pem => Assert.Equal(PkiFault.CertificateMismatch, Fault(() => identity.Accept(pem, Web, Now))));
        Assert.Equal(
            PkiFault.CertificateMismatch, Fault(() => identity.Accept(good.Pem, PlaneWorld.Database, Now)));
        Assert.Equal(
            PkiFault.CertificateMismatch, Fault(() => identity.Accept(good.Pem, Web, Now + TimeSpan.FromDays(31))));
        Assert.Same(before, identity.Current);
        Assert.Equal(good.Serial, identity.Accept(good.Pem, Web, Now).Serial);
    }

    /// SE-1: an identity that is damaged or was open to others is not used, and the message says what to do.
    [Fact]
    public void What_is_damaged_or_open_to_others_is_refused()
    {
        using (var identity = ClientIdentity.Open(Own)) Enrol(identity);
        var path = At("identity.pem");
        var good = File.ReadAllText(path);
        foreach (var bad in (string[])["", "garbage", good[..^100], good.Replace("PRIVATE KEY", "KEY", StringComparison.Ordinal)])
        {
            File.WriteAllText(path, bad);
            var refusal = Assert.Throws<PkiRefused>(() => ClientIdentity.Open(Own));
            Assert.Equal(PkiFault.IdentityBroken, refusal.Fault);
            Assert.Contains("agent enroll", refusal.Message, StringComparison.Ordinal);
        }

        File.WriteAllText(path, good);
        File.SetUnixFileMode(path, OwnerFile | UnixFileMode.OtherRead);
        Assert.Equal(PkiFault.UnsafeFile, Fault(() => ClientIdentity.Open(Own)));
        File.SetUnixFileMode(path, OwnerFile);
        File.Move(path, path + ".real");
        File.CreateSymbolicLink(path, path + ".real");
        Assert.NotNull(Record.Exception(() => ClientIdentity.Open(Own)));
    }

    /// JO-5: a key that waits and is damaged stands in nobody's way.
    [Fact]
    public void A_damaged_next_key_is_made_anew()
    {
        using (var identity = ClientIdentity.Open(Own))
        {
            Enrol(identity);
            identity.Request(Web);
        }

        File.WriteAllText(At("next.key"), "");
        Renew(null);
        Assert.Single(Directory.GetFileSystemEntries(Own));
    }

    public void Dispose()
    {
        _authority.Dispose();
        Directory.Delete(_home, recursive: true);
    }

    private static PkiFault? Fault(Action act) => (Record.Exception(act) as PkiRefused)?.Fault;

    private Identity Enrol(ClientIdentity identity) =>
        identity.Accept(_authority.Issue(identity.Request(Web), Web, Now).Pem, Web, Now, _authority.Pem);

    private void Renew(Action<string>? step)
    {
        using var identity = ClientIdentity.Open(Own, step);
        identity.Accept(_authority.Issue(identity.Request(Web), Web, Now).Pem, Web, Now);
    }

    /// <summary>After a restart the pair belongs together and the plane knows it.</summary>
    private void Works(Identity before, out Identity found)
    {
        using var identity = ClientIdentity.Open(Own);
        found = identity.Require();
        var door = new ServerDoor(_authority, _ => false, () => Now);
        Assert.Equal(before.Host, door.Judge(door.Recognise(found.Certificate)).RequireHost().Name);
        Assert.True(found.Certificate.HasPrivateKey);
        Assert.DoesNotContain(
            Directory.GetFileSystemEntries(Own).Select(Path.GetFileName),
            name => name is not ("identity.pem" or "identity.pem.new" or "next.key" or "next.key.new"));
    }
}
