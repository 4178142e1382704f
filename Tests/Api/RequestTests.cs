using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Net;
using System.Net.Http;
using System.Net.Sockets;
using System.Text;
using System.Threading.Tasks;
using Agent.Shell.Api;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.Api;

/// AP-1, SE-1: what the API makes of requests that are wrong, whatever they ask for.
public sealed class RequestTests
{
    /// AP-1, upstream unknown_process_version_is_not_served: an unknown path is 404 not-found. Upstream: unknown kind
    /// 404 (server).
    [Theory]
    [InlineData("/")]
    [InlineData("/v1")]
    [InlineData("/v2/status")]
    [InlineData("/v1/status/")]
    [InlineData("/v1/processes/abc/logs")]
    [InlineData("/v1/explain/planet/x")]
    public async Task An_unknown_path_is_not_found(string path)
    {
        await using var world = await ApiWorld.StartAsync();
        using var response = await world.Client.GetAsync(new Uri(path, UriKind.Relative));
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        Assert.Equal("not-found", ApiWorld.ProblemOf(await response.Content.ReadAsStringAsync()).Code);
    }

    [Fact]
    public async Task A_wrong_method_is_told_the_right_ones()
    {
        await using var world = await ApiWorld.StartAsync();
        using var response = await world.Client.PutAsync(new Uri("/v1/processes", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
        Assert.Equal(["POST", "GET"], response.Content.Headers.Allow);
        Assert.Equal("wrong-method", ApiWorld.ProblemOf(await response.Content.ReadAsStringAsync()).Code);
    }

    /// AP-1: a bad body is 400 invalid-input and names the field.
    [Theory]
    [InlineData("""{"command":["/run"],"comand":1}""", "comand")]
    [InlineData("""{"command":["/run"],"limits":{"memory":1}}""", "limits.memory")]
    [InlineData("""{"command":["/run"],"label":"a","label":"b"}""", "label")]
    [InlineData("""{"command":["/run"],"env":{"A":"1","A":"2"}}""", "env.A")]
    [InlineData("""{"command":"/run"}""", "command")]
    [InlineData("""{"command":["/run",7]}""", "command[1]")]
    [InlineData("""{"command":["/run"],"graceMs":"5"}""", "graceMs")]
    [InlineData("""{"command":["/run"],"ringBytes":1.5}""", "ringBytes")]
    [InlineData("""{"command":["/run"],"env":{"A":1}}""", "env.A")]
    [InlineData("""{"command":["/run"],"env":[]}""", "env")]
    public async Task A_bad_field_is_named(string body, string field)
    {
        await using var world = await ApiWorld.StartAsync();
        var (status, answer) = await world.PostAsync("/v1/processes", body);
        var problem = ApiWorld.ProblemOf(answer);
        Assert.Equal((HttpStatusCode.BadRequest, "invalid-input", field), (status, problem.Code, problem.Field));
        Assert.Equal(0, world.Host.Current.Seq);
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{\"command\":[\"/run\"]} {}")]
    [InlineData("{\"command\":[\"/run\"],}")]
    [InlineData("{\"command\":[\"\\ud800\"]}")]
    public async Task A_body_that_is_no_request_is_invalid(string body)
    {
        await using var world = await ApiWorld.StartAsync();
        var (status, answer) = await world.PostAsync("/v1/processes", body);
        Assert.Equal((HttpStatusCode.BadRequest, "invalid-input"), (status, ApiWorld.ProblemOf(answer).Code));
    }

    [Theory]
    [InlineData("/v1/processes?lable=x", "lable")]
    [InlineData("/v1/processes?label=x&label=y", "label")]
    [InlineData("/v1/processes?label=", "label")]
    [InlineData("/v1/events?since=-1", "since")]
    [InlineData("/v1/events?follow=yes", "follow")]
    public async Task A_bad_query_parameter_is_named(string path, string field)
    {
        await using var world = await ApiWorld.StartAsync();
        var (status, answer) = await world.GetAsync(path);
        Assert.Equal((HttpStatusCode.BadRequest, field), (status, ApiWorld.ProblemOf(answer).Field));
    }

    /// SE-1: bodies are bounded, whether their length is told beforehand or not.
    [Theory]
    [InlineData("/v1/processes", 6 << 20, false)]
    [InlineData("/v1/processes", 6 << 20, true)]
    [InlineData("/v1/runtime/ensure", 64 << 10, false)]
    [InlineData("/v1/runtime/ensure", 64 << 10, true)]
    public async Task A_body_over_the_limit_is_too_large(string path, int limit, bool chunked)
    {
        await using var world = await ApiWorld.StartAsync();
        foreach (var (length, expected) in new[]
        {
            (limit, HttpStatusCode.BadRequest), (limit + 1, HttpStatusCode.RequestEntityTooLarge),
            (2 * limit, HttpStatusCode.RequestEntityTooLarge),
        })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path);
            request.Content = new ByteArrayContent(Encoding.ASCII.GetBytes(new string('x', length)));
            request.Headers.TransferEncodingChunked = chunked;
            using var response = await world.Client.SendAsync(request);
            Assert.Equal(expected, response.StatusCode);
            var code = ApiWorld.ProblemOf(await response.Content.ReadAsStringAsync()).Code;
            Assert.Equal(expected == HttpStatusCode.BadRequest ? "invalid-input" : "too-large", code);
        }
    }

    /// SE-1: headers are bounded.
    [Fact]
    public async Task Headers_over_16_KiB_are_refused()
    {
        await using var world = await ApiWorld.StartAsync();
        Assert.StartsWith("HTTP/1.1 200", await RawAsync(world, new string('x', 8_000)), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 431", await RawAsync(world, new string('x', 17_000)), StringComparison.Ordinal);
    }

    /// SE-1: who begins a request and does not end its headers is sent away after 10 s.
    [Fact]
    public async Task Headers_that_never_end_are_cut_off()
    {
        await using var world = await ApiWorld.StartAsync();
        using var socket = await OpenAsync(world);
        var clock = Stopwatch.StartNew();
        await socket.SendAsync("GET /healthz HTTP/1.1\r\nHost: agent\r\n"u8.ToArray());
        var answer = new byte[4096];
        var length = await socket.ReceiveAsync(answer);
        Assert.StartsWith("HTTP/1.1 408", Encoding.ASCII.GetString(answer, 0, length), StringComparison.Ordinal);
        Assert.InRange(clock.Elapsed, TimeSpan.FromSeconds(9), TimeSpan.FromSeconds(30));
    }

    /// SE-1: a thousand connections are served; the next one is closed, and there is room again when one goes.
    [Fact]
    public async Task The_connection_after_a_thousand_is_closed()
    {
        await using var world = await ApiWorld.StartAsync();
        var held = new List<Socket>();
        try
        {
            for (var i = 0; i < 1000; i++)
            {
                var socket = await OpenAsync(world);
                held.Add(socket);
            }

            Assert.StartsWith("HTTP/1.1 200", await AskAsync(held[^1]), StringComparison.Ordinal);
            Assert.Equal("", await RawAsync(world, "x"));
        }
        finally
        {
            foreach (var socket in held) socket.Dispose();
        }

        var answer = "";
        while (answer.Length == 0)
        {
            answer = await RawAsync(world, "x");
        }

        Assert.StartsWith("HTTP/1.1 200", answer, StringComparison.Ordinal);
    }

    private static async Task<string> RawAsync(ApiWorld world, string header)
    {
        using var socket = await OpenAsync(world);
        return await AskAsync(socket, header);
    }

    private static async Task<Socket> OpenAsync(ApiWorld world)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(world.SocketPath));
        return socket;
    }

    private static async Task<string> AskAsync(Socket socket, string header = "x")
    {
        try
        {
            await socket.SendAsync(Encoding.ASCII.GetBytes(
                $"GET /healthz HTTP/1.1\r\nHost: agent\r\nX-Long: {header}\r\n\r\n"));
            var answer = new byte[4096];
            return Encoding.ASCII.GetString(answer, 0, await socket.ReceiveAsync(answer));
        }
        catch (SocketException)
        {
            return "";
        }
    }
}
