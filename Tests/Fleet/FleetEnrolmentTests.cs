using System;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Core.Outbox;
using Agent.Shell.Pki;
using Agent.Shell.Uplink;
using Agent.Tests.EndToEnd;
using Xunit;

namespace Agent.Tests.Fleet;

/// <summary>Who is let in, who is shut out, and what each of them is told.</summary>
[Collection(nameof(FleetCollection))]
public sealed class FleetEnrolmentTests
{
    private const int NotAllowed = 5;

    /// WI-1, FL-5: shut out, a host gets nothing and is not listened to; let in anew it catches up by itself. Upstream:
    /// credential revoke (auth).
    [Fact]
    public async Task A_host_that_is_shut_out_catches_up_once_it_is_let_in_again()
    {
        using var fleet = await FleetUnderTest.StartAsync(2);
        await fleet.UntilAsync(await fleet.PublishAsync(Fate.Good, [0, 0]), "converged");
        Assert.Equal(0, (await fleet.Plane.AskAsync("revoke", "h1")).Code);

        var missed = await fleet.PublishAsync(Fate.Good, [0, 0]);
        await fleet.UntilAsync("only h0 has it", seen =>
            seen.Rollouts.Single(one => one.Id == missed.Id) is { State: "active", Waves: [{ Done: 1 }] }
            && seen.Hosts.Single(one => one.Name == "h1").State == "revoked");
        using (var outcast = HostClient(fleet, 1))
        {
            await IsRefusedAsync(outcast.GetAsync(
                $"{Protocol.Dispatch}?wait=0", PlaneAnswers.Default.DispatchInfo, Protocol.MaxDispatchBytes,
                PlaneClient.Patience, CancellationToken.None));
            await IsRefusedAsync(outcast.PostAsync(
                Protocol.Events, Tellings.Write([]), PlaneAnswers.Default.EventsAnswer, CancellationToken.None));
            await IsRefusedAsync(outcast.PostAsync(
                Protocol.Heartbeat, new HeartbeatRequest("boot", "1", [], []), PlaneRequests.Default.HeartbeatRequest,
                PlaneAnswers.Default.HeartbeatAnswer, CancellationToken.None));
        }

        await fleet[1].UntilAsync("its own agent says why", async () =>
            (await fleet[1].TextAsync("/v1/plane")).Contains("certificate-revoked", StringComparison.Ordinal));
        Assert.Null(await fleet.OnHostAsync(1, missed));

        var (code, _, error) = await fleet.EnrolAsync(1, await fleet.Plane.TokenAsync("h1"));
        Assert.True(code == 0, error);
        await fleet.UntilAsync(missed, "converged");
        await FleetAccounts.BalanceAsync(fleet);
    }

    /// WI-1: a token is for one key, one host and some time; who is refused is told which, with exit code 5. Upstream:
    /// bootstrap expiry, unknown rejected, single-shot setup (auth).
    [Fact]
    public async Task A_token_that_does_not_serve_is_told_by_its_reason()
    {
        using var fleet = await FleetUnderTest.StartAsync(0);
        var token = await fleet.Plane.TokenAsync("web");
        var late = await fleet.Plane.TokenAsync("web", TimeSpan.FromSeconds(1));
        Assert.Equal((0, ""), await EnrolAsync(fleet, "web", "first", token));
        Assert.Equal((NotAllowed, "token-spent"), await EnrolAsync(fleet, "web", "second", token));
        var foreign = await fleet.Plane.TokenAsync("db");
        Assert.Equal((NotAllowed, "token-foreign"), await EnrolAsync(fleet, "web", "third", foreign));
        var unknown = $"{new string('A', 43)}.{token.Split('.')[1]}";
        Assert.Equal((NotAllowed, "no-such-token"), await EnrolAsync(fleet, "web", "fourth", unknown));
        await Task.Delay(TimeSpan.FromSeconds(1));
        Assert.Equal((NotAllowed, "token-expired"), await EnrolAsync(fleet, "web", "fifth", late));
    }

    /// WI-1: certificates are dated in whole seconds, which is no reason to refuse one that was asked for in between.
    [Fact]
    public async Task A_host_is_shut_out_and_let_in_again_within_one_second()
    {
        using var fleet = await FleetUnderTest.StartAsync(0);
        using var identity = ClientIdentity.Open(Path.Combine(fleet.Plane.Home, "web"));
        Assert.True(HostName.Parse("web").TryGet(out var web));
        for (var n = 0; n < 3; n++)
        {
            await fleet.Plane.Operator.PostAsync("/v1/fleet/hosts/web/revoke", CancellationToken.None);
            var token = EnrolToken.Parse(await fleet.Plane.TokenAsync("web"));
            using var authority = await PlaneConnections.FetchAuthorityAsync(
                fleet.Plane.Url, token, CancellationToken.None);
            using var newcomer = new PlaneClient(
                fleet.Plane.Url, PlaneConnections.ForEnrolment(authority, PlaneUnderTest.Clock));
            var answer = await newcomer.PostAsync(
                Protocol.Enrol, new EnrolRequest(token.Secret, "web", identity.Request(web)),
                PlaneRequests.Default.EnrolRequest, PlaneAnswers.Default.CertificateAnswer, CancellationToken.None);
            identity.Accept(answer.Certificate, web, PlaneUnderTest.Clock(), authority.ExportCertificatePem());
            using var host = new PlaneClient(fleet.Plane.Url, PlaneConnections.For(identity, PlaneUnderTest.Clock));
            await host.PostAsync(
                Protocol.Heartbeat, new HeartbeatRequest("boot", "1", [], []), PlaneRequests.Default.HeartbeatRequest,
                PlaneAnswers.Default.HeartbeatAnswer, CancellationToken.None);
        }
    }

    private static async Task IsRefusedAsync(Task asked)
    {
        var failure = await Assert.ThrowsAsync<PlaneFailure>(() => asked);
        Assert.Equal((FailureKind.Unauthorized, "certificate-revoked"), (failure.Kind, failure.Code));
    }

    /// <summary>Enrols in a state directory of its own; answers the exit code and the code of the refusal.</summary>
    private static async Task<(int Code, string Reason)> EnrolAsync(
        FleetUnderTest fleet, string host, string folder, string token)
    {
        var home = Path.Combine(fleet.Plane.Home, folder);
        var (code, _, error) = await AgentUnderTest.RunAsync(
            "enroll", "--plane", fleet.Plane.Url.ToString(), "--token", token, "--host", host, "--state-dir",
            Path.Combine(home, "s"), "--runtime-dir", Path.Combine(home, "r"));
        string[] reasons = ["token-spent", "token-foreign", "token-expired", "no-such-token"];
        return (code, reasons.SingleOrDefault(reason => error.Contains(reason, StringComparison.Ordinal)) ?? error);
    }

    /// <summary>Whoever has this host's certificate.</summary>
    private static PlaneClient HostClient(FleetUnderTest fleet, int host) => new(
        fleet.Plane.Url,
        PlaneConnections.For(ClientIdentity.Open(Path.Combine(fleet[host].State, "identity")), PlaneUnderTest.Clock));
}
