using System;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Core.Plane;
using Agent.Core.Rollout;
using Agent.Shell.Api;
using Agent.Shell.Boot;
using Agent.Shell.Cli;
using Agent.Shell.Observability;
using Agent.Shell.Uplink;
using Agent.Tests.Support;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Agent.Tests.Uplink;

/// <summary>What the plane refuses for good.</summary>
public sealed class DeadLetterTests
{
    /// WI-3: a refused event is a dead letter, seen in GET /v1/plane and in `agent status`; what follows it flows, and
    /// an operator sends it again or lets it go.
    [Fact]
    public async Task A_refused_event_is_a_dead_letter_and_blocks_nothing()
    {
        await using var plane = await RealPlane.OpenAsync();
        await using var api = new ApiWorld();
        var host = await plane.EnrolAsync("web-1");
        var routes = ApiRoutes.Of(api.Parts with
        {
            Host = host.Host, Plane = new PlaneForApi(host.Link, () => Task.CompletedTask),
        });
        await host.AttachAsync();
        var id = await host.SoakAsync(1);
        await host.DrainAsync();
        var next = 0;
        await PoisonAsync();

        var told = await AskAsync("GET", "/v1/plane");
        var letter = Assert.Single(told.Outbox.Dead);
        Assert.Equal("busy", letter.Code);
        Assert.Equal(id.Value, letter.Rollout);
        Assert.Contains(OutboxVerbs.Head(told), line => line.Contains("1 dead letters", StringComparison.Ordinal));
        await host.TellAsync(EnrolledHost.Flap(id, next++));
        await host.DrainAsync();
        plane.Mirrors(host, id);

        // By now the plane has it as a part of the whole, and knows it when it comes again.
        await AskAsync("POST", $"/v1/outbox/dead/{letter.Position}/retry");
        await host.DrainAsync();
        Assert.Empty((await AskAsync("GET", "/v1/plane")).Outbox.Dead);

        await PoisonAsync();
        var other = Assert.Single((await AskAsync("GET", "/v1/plane")).Outbox.Dead);
        Assert.Empty((await AskAsync("DELETE", $"/v1/outbox/dead/{other.Position}")).Outbox.Dead);
        plane.Mirrors(host, id);
        plane.NothingTwice(host.Name);

        // The mirror is made to stand elsewhere, by one event of the host that never was.
        async Task PoisonAsync()
        {
            var state = host.Rollout(id);
            var elsewhere = new RolloutState.Superseded(state.Profile with { Seq = state.Profile.Seq + 1 }, host.Host.Now, id);
            await plane.AskAsync(new PlaneEvent.Told(
                host.Name, LanguageExt.Prelude.Seq1<Telling>(new Telling.Stands(elsewhere))));
            await host.TellAsync(EnrolledHost.Flap(id, next++));
            await host.TellAsync(EnrolledHost.Flap(id, next++));
            await host.DrainAsync();
        }

        async Task<PlaneInfo> AskAsync(string method, string path)
        {
            var http = new DefaultHttpContext();
            (http.Request.Method, http.Request.Path) = (method, path);
            using var answer = new MemoryStream();
            http.Response.Body = answer;
            await new Router(routes, new Counters()).HandleAsync(http, Principal.Root, CancellationToken.None);
            Assert.Equal(200, http.Response.StatusCode);
            return JsonSerializer.Deserialize(answer.ToArray(), WireJson.Default.PlaneInfo)!;
        }
    }
}
