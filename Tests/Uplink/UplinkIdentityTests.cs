using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Outbox;
using Agent.Core.Plane;
using Agent.Shell.Pki;
using Agent.Shell.Uplink;
using Xunit;

namespace Agent.Tests.Uplink;

/// <summary>Certificates as the watches and the outbox meet them.</summary>
public sealed class UplinkIdentityTests
{
    private static readonly TokenId Token = TokenId.Parse(new string('a', 64)).IfNoneUnsafe(() => null!)!;

    private static CancellationToken None => CancellationToken.None;

    /// WI-1, SE-1: a plane that is not the one, or not at this time, is told by the fault's name, and nothing is lost.
    [Theory]
    [InlineData("expired", "server-expired")]
    [InlineData("named", "server-name")]
    [InlineData("stranger", "server-untrusted")]
    public async Task A_plane_that_is_not_the_one_is_told_by_name(string how, string fault)
    {
        await using var plane = how == "named" ? await RealPlane.OpenAsync(1, "elsewhere.example") : await RealPlane.OpenAsync();
        await using var other = await RealPlane.OpenAsync();
        var host = await (how == "stranger" ? other : plane).EnrolAsync(
            "web-1", clock: now => how == "expired" ? now + TimeSpan.FromDays(400) : now);
        host.Link.Attach(plane.Url, host.Identity);
        await host.AttachAsync();
        await host.SoakAsync(1);
        var waiting = (OutboxState.Waiting)(await host.WhenAsync<OutboxState.Waiting>()).State.Outbox;
        Assert.StartsWith(fault + ": ", waiting.Failure, StringComparison.Ordinal);
        await host.Watch.HeartbeatAsync(None);
        Assert.StartsWith($"the heartbeat: {fault}: ", host.Failure, StringComparison.Ordinal);
        Assert.Null(host.Link.Health.HeardAt);
        Assert.Empty(host.Outbox.Queue.Dead);
    }

    /// WI-1, WI-6: a host that was shut out is told so, keeps what it owes and goes on; let in again it tells it.
    [Fact]
    public async Task A_host_that_is_shut_out_keeps_what_it_owes()
    {
        await using var plane = await RealPlane.OpenAsync();
        var host = await plane.EnrolAsync("web-1");
        await host.AttachAsync();
        await host.DrainAsync();
        await plane.AskAsync(new PlaneEvent.HostRevoked(host.Name));
        var id = await host.SoakAsync(1);
        var waiting = (OutboxState.Waiting)(await host.WhenAsync<OutboxState.Waiting>()).State.Outbox;
        Assert.Contains(PkiFaults.NameOf(PkiFault.CertificateRevoked), waiting.Failure, StringComparison.Ordinal);
        await host.Watch.HeartbeatAsync(None);
        Assert.Contains(PkiFaults.NameOf(PkiFault.CertificateRevoked), host.Failure, StringComparison.Ordinal);
        Assert.Empty(host.Outbox.Queue.Dead);

        // Enrolled anew, with another token; the next connection shows it.
        await plane.AskAsync(new PlaneEvent.TokenIssued(Token, host.Name, plane.Loop.Now + TimeSpan.FromHours(1)));
        await plane.AskAsync(new PlaneEvent.EnrolRequested(Token, host.Name, "key"));
        var issued = plane.Authority.Issue(host.Identity.Request(host.Name), host.Name, host.Host.Now + TimeSpan.FromSeconds(1));
        host.Identity.Accept(issued.Pem, host.Name, issued.NotBefore);
        await plane.AskAsync(new PlaneEvent.Certified(host.Name, new(issued.Serial, issued.NotBefore, issued.NotAfter)));
        host.Link.Attach(plane.Url, host.Identity);
        await host.DrainAsync();
        plane.Mirrors(host, id);
    }

    /// WI-1: the certificate is exchanged while everything goes on, and nothing of it fails.
    [Fact]
    public async Task A_renewal_fails_no_request()
    {
        await using var plane = await RealPlane.OpenAsync();
        var host = await plane.EnrolAsync("web-1", age: TimeSpan.FromDays(16));
        await host.AttachAsync();
        var id = await host.SoakAsync(1);
        var before = host.Identity.Require().Serial;
        var failures = new List<string>();
        for (var round = 0; round < 50; round++)
        {
            // As many as a plane takes of one host at once, on machines of any speed.
            var beating = BeatAsync(round == 25 ? 40 : 1);
            if (round == 25) await host.Watch.RenewAsync(None);
            await host.TellAsync(EnrolledHost.Flap(id, round));
            await beating;
        }

        await host.DrainAsync();
        Assert.Empty(failures);
        var after = host.Identity.Require().Serial;
        Assert.NotEqual(before, after);
        Assert.Equal(after, CertifiedSerial(plane, host));
        await host.Watch.RenewAsync(None);
        Assert.Equal(after, host.Identity.Require().Serial);
        plane.Mirrors(host, id);

        async Task BeatAsync(int beats)
        {
            for (var beat = 0; beat < beats; beat++)
            {
                await host.Watch.HeartbeatAsync(None);
                if (host.Failure.Length > 0) failures.Add(host.Failure);
            }
        }
    }

    /// WI-1: the plane has certified the new key and the agent ends before it learns of it: it starts with the old
    /// identity, which is good, and gets a certificate for the key that waits.
    [Fact]
    public async Task A_crash_between_key_and_certificate_leaves_the_old_identity()
    {
        await using var plane = await RealPlane.OpenAsync();
        var host = await plane.EnrolAsync("web-1", age: TimeSpan.FromDays(16));
        var before = host.Identity.Require().Serial;
        await host.Watch.HeartbeatAsync(None);
        plane.Line.LoseAnswers(1);
        await host.Watch.RenewAsync(None);
        Assert.StartsWith("renewing the certificate: ", host.Failure, StringComparison.Ordinal);
        Assert.NotEqual(before, CertifiedSerial(plane, host));

        host.Link.Attach(plane.Url, ClientIdentity.Open(host.IdentityFolder));
        Assert.Equal(before, host.Link.Identity.Require().Serial);
        await host.Watch.HeartbeatAsync(None);
        Assert.Equal("", host.Failure);
        await host.Watch.RenewAsync(None);
        Assert.Equal("", host.Failure);
        Assert.Equal(host.Link.Identity.Require().Serial, CertifiedSerial(plane, host));
        Assert.NotEqual(before, host.Link.Identity.Require().Serial);
    }

    private static string CertifiedSerial(RealPlane plane, EnrolledHost host) =>
        plane.Loop.Current.State.Hosts.Find(host.Name).Bind(known => known.Certificate).Map(one => one.Serial).IfNone("none");
}
