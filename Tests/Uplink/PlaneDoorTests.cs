using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using System.Net.Http;
using System.Text;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Core.Plane;
using Agent.Core.Rollout;
using Agent.Shell.Api;
using Agent.Shell.Plane;
using Agent.Shell.Uplink;
using Xunit;

namespace Agent.Tests.Uplink;

/// <summary>What a plane makes of hosts that are broken, too eager, or speak otherwise.</summary>
public sealed class PlaneDoorTests
{
    private static readonly Uri AtOnce = new($"{Protocol.Dispatch}?wait=0", UriKind.Relative);
    private static readonly Uri AMinute = new($"{Protocol.Dispatch}?wait=60", UriKind.Relative);
    private static readonly HostName Web = HostName.Parse("web-1").IfNoneUnsafe(() => null!)!;

    /// WI-2: a host that asks too often is told how long to wait, and costs nobody else anything.
    [Fact]
    public async Task A_host_that_asks_too_often_costs_itself()
    {
        await using var plane = await RealPlane.OpenAsync();
        var (busy, calm) = (await plane.EnrolAsync("busy"), await plane.EnrolAsync("calm"));
        using var client = plane.ClientOf(busy);
        HttpResponseMessage? refused = null;
        while (refused is null)
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => client.GetAsync(AtOnce)));
            refused = answers.FirstOrDefault(answer => answer.StatusCode == HttpStatusCode.TooManyRequests);
            Assert.All(answers, answer => Assert.True((int)answer.StatusCode is 204 or 429, $"{answer.StatusCode}"));
        }

        Assert.Equal("too-many-requests", await CodeAsync(refused));
        Assert.Equal(TimeSpan.FromSeconds(1), refused.Headers.RetryAfter?.Delta);
        await calm.Watch.HeartbeatAsync(CancellationToken.None);
        Assert.Equal("", calm.Failure);
    }

    /// WI-2: who speaks no version, or another one, is told which one is spoken here.
    [Theory]
    [InlineData(null)]
    [InlineData("2")]
    [InlineData("")]
    public async Task Another_version_is_told(string? version)
    {
        await using var plane = await RealPlane.OpenAsync();
        using var client = plane.ClientOf(await plane.EnrolAsync("web-1"), speaksVersion: false);
        if (version is not null) client.DefaultRequestHeaders.TryAddWithoutValidation(Protocol.VersionHeader, version);
        using var answer = await client.GetAsync(AtOnce);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("protocol-version", await CodeAsync(answer));
        Assert.Equal([Protocol.Version], answer.Headers.GetValues(Protocol.VersionHeader));
    }

    /// WI-2: of two questions of one host the older goes home with nothing, whoever is faster.
    [Fact]
    public async Task The_newer_question_of_a_host_sends_the_older_home()
    {
        await using var plane = await RealPlane.OpenAsync();
        using var client = plane.ClientOf(await plane.EnrolAsync("web-1"));
        var older = client.GetAsync(AMinute);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (plane.Bell.Waiting == 0) await Task.Delay(5, limit.Token);
        for (var round = 0; round < 40; round++)
        {
            var newer = client.GetAsync(AMinute);
            using (var answer = await older.WaitAsync(limit.Token)) Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
            Assert.False(newer.IsCompleted, $"the newer went home in round {round}");
            older = newer;
        }

        Assert.Equal(1, plane.Bell.Waiting);
        client.CancelPendingRequests();
    }

    /// WI-2: a place at the bell is lost to a newer question alone, even where the bell rings at the same time.
    [Fact]
    public async Task A_place_at_the_bell_is_kept_until_a_newer_comes()
    {
        var (bell, host) = (new DispatchBell(), Web);
        using var older = bell.Wait(host);
        bell.Ring(host);
        await older.RungAsync(CancellationToken.None);
        Assert.True(older.TryStay());
        using var newer = bell.Wait(host);
        await older.RungAsync(CancellationToken.None);
        Assert.False(older.TryStay());
        bell.Ring(host);
        await newer.RungAsync(CancellationToken.None);
        Assert.True(newer.TryStay());
        older.Dispose();
        Assert.Equal(1, bell.Waiting);
    }

    /// WI-2, SE-1: bodies that were cut, nested, doubled, blown up or broken are refused, and never an error of the plane.
    [Fact]
    public async Task Broken_bodies_are_refused_and_break_nothing()
    {
        await using var plane = await RealPlane.OpenAsync();
        var good = Tellings.Write(
        [
            new Telling.Happened(EnrolledHost.Order(1).Id, 1, RealPlane.Now, new RolloutEvent.HaltRequested()),
            new Telling.Refused(EnrolledHost.Order(1).Id, "stale", "too \"old\" ✓"),
            new Telling.Stands(RolloutMachine.Create(EnrolledHost.Order(1), RealPlane.Now)),
        ]).ToArray();
        Assert.NotNull(Tellings.Read(good).Tellings);
        foreach (var broken in Broken(good, 4000))
        {
            var (tellings, fault) = Tellings.Read(broken);
            Assert.True(tellings is not null || fault is { Length: > 0 }, Encoding.UTF8.GetString(broken));
        }

        using var client = plane.ClientOf(await plane.EnrolAsync("web-1"));
        foreach (var path in (string[])[Protocol.Events, Protocol.Heartbeat, Protocol.Renew])
        {
            foreach (var broken in Broken(good, 20).Concat(Beats))
            {
                using var answer = await PostAsync(client, path, broken);
                Assert.True((int)answer.StatusCode is 200 or 400 or 413, $"{path} {answer.StatusCode}: {Encoding.UTF8.GetString(broken)}");
            }

            using var large = await PostAsync(client, path, new byte[5 << 20]);
            Assert.Equal(HttpStatusCode.RequestEntityTooLarge, large.StatusCode);
        }
    }

    private static IEnumerable<byte[]> Beats { get; } = new[]
    {
        "null", "[]", "{\"bootId\":null,\"version\":\"1\",\"running\":[],\"rollouts\":[]}",
        "{\"bootId\":\"b\",\"version\":\"1\",\"running\":[null],\"rollouts\":[]}",
        "{\"bootId\":\"b\",\"version\":\"1\",\"running\":[],\"rollouts\":[null]}",
        "{\"bootId\":\"b\",\"version\":\"1\",\"running\":null,\"rollouts\":null}",
        "{\"bootId\":\"b\",\"version\":\"1\",\"running\":[{\"channel\":null,\"release\":\"r\"}],\"rollouts\":[]}",
        "{\"bootId\":\"b\",\"version\":\"1\",\"running\":[],\"rollouts\":[{\"id\":\"app@0000000000000001\",\"seq\":99999999999999999999}]}",
        "{\"csr\":null}", "{\"csr\":\"\\ud800\"}", "{\"csr\":\"-----BEGIN CERTIFICATE REQUEST-----\"}",
        "{\"tellings\":null}", "{\"tellings\":[null]}", "{\"tellings\":[{}]}", "{\"tellings\":[],\"tellings\":[]}",
    }.Select(Encoding.UTF8.GetBytes);

    private static IEnumerable<byte[]> Broken(byte[] good, int random)
    {
        var text = Encoding.UTF8.GetString(good);
        yield return [];
        yield return Encoding.UTF8.GetBytes(new string('[', 10_000));
        yield return Encoding.UTF8.GetBytes("{\"tellings\":" + new string('[', 10_000));
        yield return Encoding.UTF8.GetBytes("{\"tellings\":[" + string.Concat(Enumerable.Repeat("{\"a\":", 2_000)));
        yield return Encoding.UTF8.GetBytes(text.Replace("\"seq\":1", "\"seq\":1,\"seq\":2", StringComparison.Ordinal));
        yield return Encoding.UTF8.GetBytes(text.Replace("\"seq\":1", "\"seq\":1e999", StringComparison.Ordinal));
        yield return Encoding.UTF8.GetBytes(text.Replace("\"seq\":1", "\"seq\":-9223372036854775809", StringComparison.Ordinal));
        yield return Encoding.UTF8.GetBytes(text + text);
        var source = new Random(1);
        for (var n = 0; n < random; n++)
        {
            var broken = good.ToArray();
            for (var flips = source.Next(1, 4); flips > 0; flips--) broken[source.Next(broken.Length)] = (byte)source.Next(256);
            yield return n % 3 == 0 ? broken[..source.Next(broken.Length)] : broken;
        }
    }

    private static async Task<HttpResponseMessage> PostAsync(HttpClient client, string path, byte[] body)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new("application/json");
        return await client.PostAsync(new Uri(path, UriKind.Relative), content);
    }

    private static async Task<string?> CodeAsync(HttpResponseMessage answer)
    {
        Assert.Equal(Problem.MediaType, answer.Content.Headers.ContentType?.MediaType);
        return JsonSerializer.Deserialize(await answer.Content.ReadAsStringAsync(), WireJson.Default.Problem)?.Code;
    }
}
