using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Outbox;
using Agent.Shell.Api;
using Agent.Shell.Pki;
using Agent.Shell.Uplink;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Agent.Tests.Uplink;

/// <summary>Answers that are none of a plane's: proxies, portals, broken planes and enemies.</summary>
public sealed class StrangeAnswersTests : IDisposable
{
    // What the buffers of both ends and of the system swallow before a closed connection is noticed.
    private const long Buffers = 32 << 20;

    private readonly string _home = Directory.CreateTempSubdirectory("false-").FullName;
    private readonly Authority _authority;

    public StrangeAnswersTests() =>
        _authority = Authority.Init(_home, ["localhost"], RealPlane.Now);

    /// WI-4, SE-1: whatever comes instead of an answer is bounded in time and size, told in words, and harmless: the
    /// host goes on, owes what it owed, and has told it once a plane is there.
    [Fact]
    public async Task Whatever_comes_is_bounded_and_told_and_the_host_goes_on() =>
        await Task.WhenAll(Cases.Select(PlayAsync));

    /// WI-4: what a proxy calls too long a wait is cut to five minutes.
    [Fact]
    public async Task An_absurd_wait_is_capped()
    {
        await using var plane = await Saying(429, "99999999").StartAsync();
        await using var host = new EnrolledHost(_authority, plane.Url, "web-1");
        await host.AttachAsync();
        await host.SoakAsync(1);
        var waiting = Assert.IsType<OutboxState.Waiting>((await host.WhenAsync<OutboxState.Waiting>()).State.Outbox);
        Assert.InRange(waiting.RetryAt - host.Host.Now, TimeSpan.FromMinutes(4), OutboxMachine.LongestRetry);
        Assert.Equal("too-many-requests: wait", waiting.Failure);
    }

    /// SE-1, WI-1: an answer that points elsewhere is followed by nobody.
    [Fact]
    public async Task Nobody_goes_where_an_answer_points()
    {
        using var elsewhere = new TcpListener(IPAddress.Loopback, 0);
        elsewhere.Start();
        var to = $"https://localhost:{((IPEndPoint)elsewhere.LocalEndpoint).Port}/";
        await using var plane = await new FalsePlane(_authority, FalsePlane.Saying(302, "text/html", "", ("Location", to))).StartAsync();
        await using var host = new EnrolledHost(_authority, plane.Url, "web-1");
        await host.Watch.HeartbeatAsync(CancellationToken.None);
        Assert.Equal("the heartbeat: HTTP 302 without a reason; is something in between?", host.Failure);
        Assert.False(elsewhere.Pending(), "somebody went there");
    }

    /// WI-5: a plane that does not hold the question for work, and one that offers what is refused again and again, are
    /// asked with pauses.
    [Theory]
    [InlineData(204, "")]
    [InlineData(200, """{"rollout":"app@0000000000000001","manifest":"AA==","signatures":"AA=="}""")]
    public async Task A_plane_cannot_keep_a_host_busy_with_nothing(int status, string offer)
    {
        var asked = 0;
        await using var plane = await new FalsePlane(_authority, async http =>
        {
            if (http.Request.Path != Protocol.Dispatch) await HonestAsync(http);
            else await FalsePlane.Saying(status, "application/json", Counted())(http);
        }).StartAsync();
        await using var host = new EnrolledHost(_authority, plane.Url, "web-1");
        await host.AttachAsync();
        using var over = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            while (true) await host.Watch.DispatchAsync(over.Token);
        });
        Assert.InRange(asked, 1, 4);

        string Counted()
        {
            Interlocked.Increment(ref asked);
            return offer;
        }
    }

    public void Dispose()
    {
        _authority.Dispose();
        Directory.Delete(_home, recursive: true);
    }

    private static IEnumerable<Strange> Cases { get; } =
    [
        new("a portal's page", "it is text/html where a plane says application/json", _ => FalsePlane.Saying(200, "text/html", "<html>")),
        new("a proxy's page", "HTTP 404 without a reason; is something in between?", _ => FalsePlane.Saying(404, "text/html", "<html>")),
        new("a proxy's refusal", "HTTP 401 without a reason", _ => FalsePlane.Saying(401, "text/html", "")),
        new("too large", "HTTP 413 without a reason", _ => FalsePlane.Saying(413, "text/html", "")),
        new("an error", "HTTP 502 without a reason", _ => FalsePlane.Saying(502, "text/plain", "bad gateway")),
        new("a problem that is none", "HTTP 503", _ => FalsePlane.Saying(503, Problem.MediaType, "{\"cod")),
        new("a problem that is null", "HTTP 400", _ => FalsePlane.Saying(400, Problem.MediaType, "null")),
        new("nothing", "that is no answer of a plane", _ => FalsePlane.Json("")),
        new("null", "that is no answer of a plane: it is null", _ => FalsePlane.Json("null")),
        new("half of an answer", "that is no answer of a plane", _ => FalsePlane.Json("{\"verdicts\":[{\"status\":2")),
        new("another shape", "that is no answer of a plane", _ => FalsePlane.Json("[1]")),
        new("an empty shape", "that is no answer of a plane", _ => FalsePlane.Json("{}")),
        new("nulls", "that is no answer of a plane", _ => FalsePlane.Json("{\"replay\":null,\"verdicts\":null}")),
        new("a null verdict", "a verdict is null", _ => Each("null", replay: "[null]")),
        new("no verdicts", "0 verdicts on", _ => FalsePlane.Json("{\"replay\":[],\"verdicts\":[]}")),
        new("an unknown verdict", "that is no answer of a plane: 299 is no verdict",
            _ => Each("{\"status\":299}")),
        new("a replay of nothing", "that is no answer of a plane: 416 is no verdict",
            _ => Each("{\"status\":416}")),
        new("a long answer", "longer than 262144 bytes", plane => plane.Flood("application/json", 1 << 16, TimeSpan.Zero, 1 << 30)),
        new("an endless answer", "longer than 262144 bytes", plane => plane.Flood("application/json", 1 << 16, TimeSpan.Zero)),
        new("a drip", "did not answer in time", plane => plane.Flood("application/json", 1, TimeSpan.FromMilliseconds(100))),
        new("silence", "did not answer in time", _ => http => Task.Delay(Timeout.Infinite, http.RequestAborted)),
    ];

    private async Task PlayAsync(Strange strange)
    {
        await using var plane = await new FalsePlane(_authority, HonestAsync).StartAsync();
        plane.Answer = strange.Answer(plane);
        await using var line = new FaultyProxy(plane.Url.Port, seed: 1);
        await using var host = new EnrolledHost(_authority, new Uri($"https://localhost:{line.Port}"), "web-1");
        await host.AttachAsync();
        var id = await host.SoakAsync(1);
        await host.Watch.HeartbeatAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30));
        var waiting = (OutboxState.Waiting)(await host.WhenAsync<OutboxState.Waiting>()).State.Outbox;
        Assert.True(waiting.Failure.Contains(strange.Words, StringComparison.Ordinal), $"{strange}: {waiting.Failure}");
        Assert.NotEqual("", host.Failure);
        Assert.InRange(line.Carried, 0, Buffers);

        plane.Answer = HonestAsync;
        await host.DrainAsync();
        await host.Watch.HeartbeatAsync(CancellationToken.None);
        Assert.True(host.Failure.Length == 0, $"{strange}: {host.Failure}");
        Assert.NotNull(host.Rollout(id));
    }

    /// <summary>As a plane that knows everything already.</summary>
    private static async Task HonestAsync(HttpContext http)
    {
        if (http.Request.Path != Protocol.Events)
        {
            await FalsePlane.Json("{\"replay\":[]}")(http);
            return;
        }

        await FalsePlane.Json($"{{\"verdicts\":{await OnEachAsync(http, "{\"status\":208}")}}}")(http);
    }

    /// <summary>The same verdict on whatever is told.</summary>
    private static Func<HttpContext, Task> Each(string verdict, string replay = "[]") => async http =>
    {
        var verdicts = http.Request.Path == Protocol.Events ? await OnEachAsync(http, verdict) : $"[{verdict}]";
        await FalsePlane.Json($"{{\"replay\":{replay},\"verdicts\":{verdicts}}}")(http);
    };

    private static async Task<string> OnEachAsync(HttpContext http, string verdict)
    {
        var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body, http.RequestAborted);
        return $"[{string.Join(',', Enumerable.Repeat(verdict, Tellings.Read(body.ToArray()).Tellings!.Count))}]";
    }

    private FalsePlane Saying(int status, string retryAfter) => new(_authority, FalsePlane.Saying(
        status, Problem.MediaType,
        JsonSerializer.Serialize(new Problem("too-many-requests", "Too many requests", status, "wait", null), WireJson.Default.Problem),
        ("Retry-After", retryAfter)));

    private sealed record Strange(string What, string Words, Func<FalsePlane, Func<HttpContext, Task>> Answer)
    {
        public override string ToString() => What;
    }
}
