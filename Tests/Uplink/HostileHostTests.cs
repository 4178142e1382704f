using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Http;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Core.Plane;
using Agent.Core.Rollout;
using Agent.Core.Time;
using Agent.Shell.Api;
using Agent.Shell.Pki;
using Agent.Shell.Uplink;
using LanguageExt;
using Xunit;

namespace Agent.Tests.Uplink;

/// <summary>A host that was let in and then turns on its plane: it costs itself, and nobody else.</summary>
public sealed class HostileHostTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// WI-2, SE-1, FL-2: an instant from beyond all dates made the plane's step throw, and the plane end.
    [Theory]
    [InlineData(9_000_000_000_000_000_000)]
    [InlineData(-1)]
    public async Task A_time_that_is_none_ends_no_plane(long time)
    {
        await using var plane = await RealPlane.OpenAsync();
        using var client = plane.ClientOf(await plane.EnrolAsync("web-1"));
        var order = EnrolledHost.Order(1);
        var profile = new RolloutProfile(order, new Instant(0), 1);
        var never = TimeSpan.FromDays(7);
        var failing = new ProbeRecord(order.Probes[0], 0, 1, new Instant(0), Option<ProbeOutcome>.None);
        var soaking = new RolloutState.Soaking(
            profile, Switch.None, new Instant(0), new Instant(0) + never, new Instant(0) + never, Soaked: false, Seen: true,
            Prelude.Seq1(failing));
        await RefusedAsync(new Telling.Stands(soaking), new Telling.Happened(order.Id, 2, new Instant(time), new RolloutEvent.DeadlineReached()));
        await RefusedAsync(new Telling.Stands(new RolloutState.Pending(profile with { ReceivedAt = new Instant(time) })));
        Assert.Equal(0, Known(plane).Mirrors.Count);

        async Task RefusedAsync(params Telling[] tellings)
        {
            using var answer = await PostAsync(client, Protocol.Events, Tellings.Write(tellings).ToArray());
            Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
            Assert.Contains("is no time", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
    }

    /// FL-2: what the plane keeps of a rollout that it has not published has a bound, and one that no host could follow is
    /// none; what came with it is taken.
    [Fact]
    public async Task A_rollout_of_the_hosts_own_invention_has_bounds()
    {
        await using var plane = await RealPlane.OpenAsync();
        using var client = plane.ClientOf(await plane.EnrolAsync("web-1"));
        var long_ = Enumerable.Range(0, 5).Select(i => Probe(i, new string('a', 60 << 10))).ToArray();
        var many = Enumerable.Range(0, RolloutOrder.MaxProbes + 1).Select(i => Probe(i, "true")).ToArray();
        var verdicts = await VerdictsAsync(
            client, Pending(1, long_), Pending(2, [Probe(0, "true")]), Pending(3, many), new Telling.Stands(Soaks(4)));
        Assert.Equal([409, 200, 409, 409], verdicts);
        Assert.Equal(1, Known(plane).Mirrors.Count);

        // One that is published may be as large as its manifest; what a host adds has a bound all the same.
        var (order, now) = (EnrolledHost.Order(6) with { Probes = long_.ToSeq() }, RealPlane.Now);
        await plane.AskAsync(new PlaneEvent.Published(new FleetOrder(
            order.Id, order.Version, order.Activator, order.Policy, order.Probes, Seq<Option<TimeSpan>>.Empty,
            Prelude.Map<OrdHostName, HostName, HostRow>((Web, new HostRow(order.Target, 0))))));
        Assert.Equal(200, Assert.Single(await VerdictsAsync(client, new Telling.Stands(RolloutMachine.Create(order, now)))));
        var failed = new RolloutState.Failed(
            new(order, now, 9), Switch.None, now, new FailureCause.SwitchFailed("x", new string('a', 2 << 20)),
            new Recovery.Held(HeldBecause.Policy));
        Assert.Equal(409, Assert.Single(await VerdictsAsync(client, new Telling.Stands(failed))));

        // It soaks with a probe that its order does not have.
        static RolloutState Soaks(int version)
        {
            var order = EnrolledHost.Order(version);
            return new RolloutState.Soaking(
                new(order, new Instant(0), 1), Switch.None, new Instant(0), new Instant(0), new Instant(0), Soaked: false, Seen: true,
                Prelude.Seq1(ProbeRecord.Unreported(Probe(7, "true"))));
        }
    }

    /// FL-2: 64 KiB hold thousands of marks, each of which was compared with each.
    [Fact]
    public async Task A_heartbeat_names_each_rollout_once_and_not_many()
    {
        await using var plane = await RealPlane.OpenAsync();
        using var client = plane.ClientOf(await plane.EnrolAsync("web-1"));
        Assert.Equal(HttpStatusCode.OK, await BeatAsync([.. Enumerable.Range(1, 64).Select(i => new MarkInfo($"app@{i:x16}", 1))]));
        Assert.Equal(HttpStatusCode.BadRequest, await BeatAsync([.. Enumerable.Range(1, 65).Select(i => new MarkInfo($"app@{i:x16}", 1))]));
        Assert.Equal(HttpStatusCode.BadRequest, await BeatAsync([new("app@0000000000000001", 1), new("app@0000000000000001", 2)]));

        async Task<HttpStatusCode> BeatAsync(IReadOnlyList<MarkInfo> marks)
        {
            var beat = JsonSerializer.SerializeToUtf8Bytes(new("boot", "1.0", [], marks), PlaneRequests.Default.HeartbeatRequest);
            using var answer = await PostAsync(client, Protocol.Heartbeat, beat);
            return answer.StatusCode;
        }
    }

    /// SE-1, WI-1: a renewal that is under way when its host is shut out, and is finished then, lets nobody in again.
    [Fact]
    public async Task A_renewal_under_way_does_not_outlive_a_revocation()
    {
        await using var plane = await RealPlane.OpenAsync();
        var host = await plane.EnrolAsync("web-1");
        var client = plane.ClientOf(host);
        var body = JsonSerializer.SerializeToUtf8Bytes(
            new(host.Identity.Request(host.Name)), PlaneRequests.Default.RenewRequest);
        var slow = new SlowBody(body);
        var renewal = PostAsync(client, Protocol.Renew, slow);
        await slow.HalfWay.WaitAsync(Patience);
        await plane.AskAsync(new PlaneEvent.HostRevoked(host.Name));

        // The second is over in which a certificate would count as one from before.
        await Task.Delay(TimeSpan.FromSeconds(1.1));
        slow.GoOn();
        using var answer = await renewal.WaitAsync(Patience);
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.True(Known(plane).IsRevoked);
        client.Dispose();
    }

    /// FL-2: what takes memory for as long as its caller likes he has few of at once.
    [Fact]
    public async Task Slow_bodies_take_few_places()
    {
        const int Places = 8;
        await using var plane = await RealPlane.OpenAsync();
        var (greedy, calm) = (await plane.EnrolAsync("greedy"), await plane.EnrolAsync("calm"));
        using var client = plane.ClientOf(greedy);

        // Each client has few connections of its own.
        var clients = Enumerable.Range(0, Places).Select(_ => plane.ClientOf(greedy)).ToList();
        var bodies = Enumerable.Range(0, Places).Select(_ => new SlowBody(Tellings.Write([]).ToArray())).ToList();
        var posts = bodies.Zip(clients, async (body, own) => await PostAsync(own, Protocol.Events, body)).ToList();
        foreach (var body in bodies) await body.HalfWay.WaitAsync(Patience);
        using var limit = new CancellationTokenSource(Patience);
        while (await TellAsync() != HttpStatusCode.TooManyRequests) await Task.Delay(50, limit.Token);

        await calm.Watch.HeartbeatAsync(CancellationToken.None);
        Assert.Equal("", calm.Failure);
        foreach (var body in bodies) body.GoOn();
        foreach (var post in posts)
        {
            using var answer = await post.WaitAsync(Patience);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        while (await TellAsync() != HttpStatusCode.OK) await Task.Delay(50, limit.Token);
        foreach (var own in clients) own.Dispose();

        async Task<HttpStatusCode> TellAsync()
        {
            using var answer = await PostAsync(client, Protocol.Events, Tellings.Write([]).ToArray());
            return answer.StatusCode;
        }
    }

    /// FL-2, WI-1: a token that is spent, over, or another's leaves no record however often somebody comes with it.
    [Fact]
    public async Task A_dead_token_leaves_no_records()
    {
        await using var plane = await RealPlane.OpenAsync();
        using var authority = PemPair.ReadCertificate(plane.Authority.Pem)!;
        using var stranger = new HttpClient(PlaneConnections.ForEnrolment(authority, () => RealPlane.Now)) { BaseAddress = plane.Direct };
        stranger.DefaultRequestHeaders.Add(Protocol.VersionHeader, Protocol.Version);
        var secret = EnrolToken.New(plane.Authority.Fingerprint.Span).Secret;
        var token = TokenOf(secret);
        await plane.AskAsync(new PlaneEvent.TokenIssued(token, Web, plane.Loop.Now + TimeSpan.FromHours(1)));
        Assert.Equal(HttpStatusCode.Created, await EnrolAsync("web-1"));
        var seq = plane.Loop.Current.Seq;
        foreach (var host in (string[])["web-1", "web-2", "web-1"]) Assert.InRange((int)await EnrolAsync(host), 400, 499);
        Assert.Equal(seq, plane.Loop.Current.Seq);

        async Task<HttpStatusCode> EnrolAsync(string host)
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = JsonSerializer.SerializeToUtf8Bytes(
                new(secret, host, SigningRequest.Make(key, host)), PlaneRequests.Default.EnrolRequest);
            using var answer = await PostAsync(stranger, Protocol.Enrol, request);
            return answer.StatusCode;
        }
    }

    private static HostName Web { get; } = HostName.Parse("web-1").IfNone(() => throw new InvalidOperationException("no name"));

    private static ProbeSpec Probe(int number, string command) => EnrolledHost.Order(1).Probes[0] with
    {
        Name = ProbeName.Parse($"p{number}").IfNone(() => throw new InvalidOperationException("no name")),
        Check = new ProbeCheck.Exec(Prelude.Seq1(command)),
    };

    private static Telling.Stands Pending(int version, ProbeSpec[] probes) => new(RolloutMachine.Create(
        EnrolledHost.Order(version) with { Probes = probes.ToSeq() }, RealPlane.Now));

    private static async Task<int[]> VerdictsAsync(HttpClient client, params Telling[] tellings)
    {
        using var answer = await PostAsync(client, Protocol.Events, Tellings.Write(tellings).ToArray());
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        return [.. JsonSerializer.Deserialize(text, PlaneAnswers.Default.EventsAnswer)!.Verdicts.Select(verdict => verdict!.Status)];
    }

    private static TokenId TokenOf(string secret) => TokenId.Parse(EnrolToken.HashOf(secret)).IfNoneUnsafe(() => null!)!;

    private static PlaneHost Known(RealPlane plane) => plane.Loop.Current.State.Hosts.Find(Web).IfNoneUnsafe(() => null!)!;

    private static Task<HttpResponseMessage> PostAsync(HttpClient client, string path, byte[] body) =>
        PostAsync(client, path, new ByteArrayContent(body));

    private static async Task<HttpResponseMessage> PostAsync(HttpClient client, string path, HttpContent body)
    {
        using (body) return await client.PostAsync(new Uri(path, UriKind.Relative), body);
    }

    /// <summary>A body of which the second half comes when the test says so.</summary>
    private sealed class SlowBody(byte[] bytes) : HttpContent
    {
        private readonly TaskCompletionSource _half = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _rest = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task HalfWay => _half.Task;

        public void GoOn() => _rest.TrySetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(bytes.AsMemory(0, bytes.Length / 2));
            await stream.FlushAsync();

            // What was sent is on its way; a moment later it is judged.
            await Task.Delay(200);
            _half.TrySetResult();
            await _rest.Task;
            await stream.WriteAsync(bytes.AsMemory(bytes.Length / 2));
        }

        protected override bool TryComputeLength(out long length)
        {
            length = bytes.Length;
            return true;
        }
    }
}
