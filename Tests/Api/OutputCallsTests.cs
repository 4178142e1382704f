using System;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Http;
using System.Text;
using System.Threading.Tasks;
using Agent.Shell.Api;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.Api;

/// PR-6, PR-7: output and stdin over the local API.
public sealed class OutputCallsTests
{
    /// PR-6: byte-exact, by absolute cursors, and nothing is taken.
    [Fact]
    public async Task Output_is_read_from_a_cursor_and_stays()
    {
        await using var world = await ApiWorld.StartAsync();
        var info = await world.SpawnAsync();
        byte[] bytes = [.. Enumerable.Range(0, 256).Select(value => (byte)value)];
        world.Output.Append(info.Id, OutputStream.Stdout, bytes);
        for (var i = 0; i < 2; i++)
        {
            var read = await ReadAsync(world, info.Id, "stdout");
            Assert.Equal(bytes, read.Bytes);
            Assert.Equal((256L, 0L, "false"), (read.Next, read.Dropped, read.Eof));
        }

        var part = await ReadAsync(world, info.Id, "stdout?cursor=250&max=4");
        Assert.Equal(bytes[250..254], part.Bytes);
        Assert.Equal(254, part.Next);
        Assert.Empty((await ReadAsync(world, info.Id, "stderr")).Bytes);
    }

    /// PR-6: a gap is told as bytes dropped; the end is told when it is one.
    [Fact]
    public async Task A_gap_and_the_end_are_told()
    {
        await using var world = await ApiWorld.StartAsync();
        var info = await world.SpawnAsync();
        world.Output.Append(info.Id, OutputStream.Stderr, "0123456789");
        world.Output.Drop(info.Id, OutputStream.Stderr, 4);
        world.Output.End(info.Id, OutputStream.Stderr);
        var read = await ReadAsync(world, info.Id, "stderr?cursor=1");
        Assert.Equal("456789"u8, read.Bytes);
        Assert.Equal((10L, 3L, "true"), (read.Next, read.Dropped, read.Eof));
        var (_, metrics) = await world.GetAsync("/metrics");
        Assert.Contains("agent_ring_bytes_dropped_total 4\n", metrics, StringComparison.Ordinal);
    }

    /// PR-6: the last lines; taking; freeing under backpressure.
    [Fact]
    public async Task Output_is_tailed_drained_and_acknowledged()
    {
        await using var world = await ApiWorld.StartAsync();
        var info = await world.SpawnAsync();
        world.Output.Append(info.Id, OutputStream.Stdout, "one\ntwo\nthree\n");
        var tail = await ReadAsync(world, info.Id, "stdout?tail=2");
        var taken = await ReadAsync(world, info.Id, "stdout?drain=true&max=4");
        Assert.Equal("two\nthree\n"u8, tail.Bytes);
        Assert.Equal("one\n"u8, taken.Bytes);
        Assert.Equal(4, world.Output.FreedOf(info.Id, OutputStream.Stdout));
        var acknowledge = $"/v1/processes/{info.Id}/logs/stdout/ack?cursor=";
        Assert.Equal(HttpStatusCode.NoContent, (await world.PostAsync(acknowledge + "8", "")).Status);
        Assert.Equal(8, world.Output.FreedOf(info.Id, OutputStream.Stdout));
        Assert.Equal("cursor", ApiWorld.ProblemOf((await world.PostAsync(acknowledge + "99", "")).Body).Field);
    }

    /// PR-6: following sends what comes, as it comes, until the end.
    [Fact]
    public async Task Following_sends_on_until_the_end()
    {
        await using var world = await ApiWorld.StartAsync();
        var info = await world.SpawnAsync();
        world.Output.Append(info.Id, OutputStream.Stdout, "before\n");
        using var response = await FollowAsync(world, info.Id, "stdout?follow=true&tail=1");
        await using var body = await response.Content.ReadAsStreamAsync();
        using var lines = new StreamReader(body);
        Assert.Equal("before", await lines.ReadLineAsync());
        world.Output.Append(info.Id, OutputStream.Stdout, "after\n");
        Assert.Equal("after", await lines.ReadLineAsync());
        world.Output.End(info.Id, OutputStream.Stdout);
        Assert.Null(await lines.ReadLineAsync());
        Assert.Equal("0", Header(response, "Agent-Next-Cursor"));
        Assert.Equal(0, world.Output.FreedOf(info.Id, OutputStream.Stdout));
    }

    /// PR-6: a gap is never skipped in silence: the stream ends there, and the next read tells how much is lost.
    [Fact]
    public async Task Following_ends_at_a_gap()
    {
        await using var world = await ApiWorld.StartAsync();
        var info = await world.SpawnAsync();
        world.Output.Append(info.Id, OutputStream.Stdout, "one\n");
        using var response = await FollowAsync(world, info.Id, "stdout?follow=true&max=4");
        await using var body = await response.Content.ReadAsStreamAsync();
        using var lines = new StreamReader(body);
        Assert.Equal("one", await lines.ReadLineAsync());
        world.Output.AppendAndDrop(info.Id, OutputStream.Stdout, "two\nthree\n", dropped: 8);
        Assert.Null(await lines.ReadLineAsync());
        var next = await ReadAsync(world, info.Id, "stdout?cursor=4");
        Assert.Equal(("three\n", 4L), (Encoding.UTF8.GetString(next.Bytes), next.Dropped));
    }

    /// PR-6: a follower that takes frees what was sent, so it cannot wedge its child.
    [Fact]
    public async Task A_follower_that_takes_frees_what_it_sent()
    {
        await using var world = await ApiWorld.StartAsync();
        var info = await world.SpawnAsync();
        world.Output.Append(info.Id, OutputStream.Stdout, "taken");
        world.Output.End(info.Id, OutputStream.Stdout);
        using var response = await FollowAsync(world, info.Id, "stdout?follow=true&drain=true");
        Assert.Equal("taken", await response.Content.ReadAsStringAsync());
        Assert.Equal(5, world.Output.FreedOf(info.Id, OutputStream.Stdout));
    }

    /// PR-6: from a time on, and with the time of each line before it; a line that goes on has none.
    [Fact]
    public async Task Output_is_read_from_a_time_on_and_with_times()
    {
        await using var world = await ApiWorld.StartAsync();
        var info = await world.SpawnAsync();
        world.Output.Append(info.Id, OutputStream.Stdout, "one\ntwo\nthree");
        world.Output.Marks = [(0, 1_000), (4, 2_000), (8, 3_500)];
        var since = await ReadAsync(world, info.Id, "stdout?since=1970-01-01T00:00:02Z");
        Assert.Equal(("two\nthree", 13L), (Encoding.UTF8.GetString(since.Bytes), since.Next));
        var offset = await ReadAsync(world, info.Id, "stdout?since=1970-01-01T01:00:03%2B01:00&tail=3");
        Assert.Equal("three", Encoding.UTF8.GetString(offset.Bytes));
        var timed = await ReadAsync(world, info.Id, "stdout?timestamps=true&cursor=1");
        Assert.Equal(
            "ne\n1970-01-01T00:00:02.000Z two\n1970-01-01T00:00:03.500Z three", Encoding.UTF8.GetString(timed.Bytes));
        Assert.Equal(13, timed.Next);
        using var followed = await FollowAsync(world, info.Id, "stdout?timestamps=true&follow=true&tail=1");
        await using var body = await followed.Content.ReadAsStreamAsync();
        var first = new byte[30];
        await body.ReadExactlyAsync(first);
        Assert.Equal("1970-01-01T00:00:03.500Z three", Encoding.UTF8.GetString(first));
        Assert.Equal(("true", "8"), (Header(followed, "Agent-Line-Start"), Header(followed, "Agent-Next-Cursor")));
        world.Output.Append(info.Id, OutputStream.Stdout, "more\n");
        world.Output.End(info.Id, OutputStream.Stdout);
        using var lines = new StreamReader(body);
        Assert.Equal("more\n", await lines.ReadToEndAsync());
    }

    /// PR-6: of output without a log nobody knows when it came.
    [Theory]
    [InlineData("stdout?since=2026-01-01T00:00:00Z")]
    [InlineData("stdout?timestamps=true")]
    public async Task Without_a_log_there_are_no_times(string call)
    {
        await using var world = await ApiWorld.StartAsync();
        var info = await world.SpawnAsync();
        var (status, body) = await world.GetAsync($"/v1/processes/{info.Id}/logs/{call}");
        Assert.Equal((HttpStatusCode.BadRequest, "since"), (status, ApiWorld.ProblemOf(body).Field));
    }

    [Theory]
    [InlineData("stdout?since=yesterday", "since")]
    [InlineData("stdout?since=2026-01-01T00:00:00", "since")]
    [InlineData("stdout?since=2026-01-01T00:00:00Z&cursor=0", "since")]
    [InlineData("stdout?since=2026-01-01T00:00:00Z&drain=true", "drain")]
    [InlineData("stdout?timestamps=1", "timestamps")]
    [InlineData("stdout?timestamps=true&drain=true", "drain")]
    [InlineData("stdout?cursor=-1", "cursor")]
    [InlineData("stdout?cursor=x", "cursor")]
    [InlineData("stdout?cursor=7", "cursor")]
    [InlineData("stdout?max=0", "max")]
    [InlineData("stdout?max=4194305", "max")]
    [InlineData("stdout?tail=-1", "tail")]
    [InlineData("stdout?tail=1&cursor=0", "tail")]
    [InlineData("stdout?drain=true&cursor=0", "drain")]
    [InlineData("stdout?drain=true&tail=1", "drain")]
    [InlineData("stdout?follow=1", "follow")]
    public async Task A_parameter_that_makes_no_sense_is_named(string call, string field)
    {
        await using var world = await ApiWorld.StartAsync();
        var info = await world.SpawnAsync();
        var (status, body) = await world.GetAsync($"/v1/processes/{info.Id}/logs/{call}");
        Assert.Equal((HttpStatusCode.BadRequest, field), (status, ApiWorld.ProblemOf(body).Field));
    }

    [Fact]
    public async Task A_third_stream_is_not_found()
    {
        await using var world = await ApiWorld.StartAsync();
        var info = await world.SpawnAsync();
        var (status, body) = await world.GetAsync($"/v1/processes/{info.Id}/logs/stdlog");
        Assert.Equal((HttpStatusCode.NotFound, "not-found"), (status, ApiWorld.ProblemOf(body).Code));
    }

    /// PR-7: bytes go in; closing twice is closing; what comes later is told that it is closed.
    [Fact]
    public async Task Stdin_takes_bytes_until_it_is_closed()
    {
        await using var world = await ApiWorld.StartAsync();
        var info = await world.SpawnAsync("/run", ""","stdin":"open" """);
        var stdin = $"/v1/processes/{info.Id}/stdin";
        Assert.Equal((HttpStatusCode.OK, """{"written":5}"""), await world.PostAsync(stdin, "hello"));
        Assert.Equal("hello", world.Output.StdinOf(info.Id));
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(HttpStatusCode.NoContent, (await world.SendAsync(HttpMethod.Delete, stdin)).Status);
        }

        var (status, body) = await world.PostAsync(stdin, "more");
        Assert.Equal((HttpStatusCode.Conflict, "closed"), (status, ApiWorld.ProblemOf(body).Code));
    }

    /// PR-7: a process without an open stdin has a closed one.
    [Fact]
    public async Task A_process_without_an_open_stdin_has_a_closed_one()
    {
        await using var world = await ApiWorld.StartAsync();
        var info = await world.SpawnAsync();
        var (status, body) = await world.PostAsync($"/v1/processes/{info.Id}/stdin", "x");
        Assert.Equal((HttpStatusCode.Conflict, "closed"), (status, ApiWorld.ProblemOf(body).Code));
    }

    /// PR-7, upstream write_stdin_delivers_survives_reset_and_close_eofs: a MiB a call, and not one byte more.
    [Theory]
    [InlineData(1 << 20, HttpStatusCode.OK)]
    [InlineData((1 << 20) + 1, HttpStatusCode.RequestEntityTooLarge)]
    public async Task A_call_takes_one_MiB(int length, HttpStatusCode expected)
    {
        await using var world = await ApiWorld.StartAsync();
        var info = await world.SpawnAsync("/run", ""","stdin":"open" """);
        var (status, _) = await world.PostAsync($"/v1/processes/{info.Id}/stdin", new string('x', length));
        Assert.Equal(expected, status);
    }

    /// PR-7: a child that does not read costs the caller his deadline, and he learns how far it came.
    [Fact]
    public async Task A_child_that_does_not_read_costs_the_deadline()
    {
        await using var world = await ApiWorld.StartAsync();
        var info = await world.SpawnAsync("/run", ""","stdin":"open" """);
        world.Output.StdinRoom = 3;
        Assert.Equal(
            (HttpStatusCode.OK, """{"written":3}"""),
            await world.PostAsync($"/v1/processes/{info.Id}/stdin?timeoutMs=50", "hello"));
    }

    private static async Task<(byte[] Bytes, long Next, long Dropped, string Eof)> ReadAsync(
        ApiWorld world, string id, string call)
    {
        using var response = await world.Client.GetAsync(new Uri($"/v1/processes/{id}/logs/{call}", UriKind.Relative));
        response.EnsureSuccessStatusCode();
        return (
            await response.Content.ReadAsByteArrayAsync(),
            long.Parse(Header(response, "Agent-Next-Cursor")),
            long.Parse(Header(response, "Agent-Bytes-Dropped")),
            Header(response, "Agent-Eof"));
    }

    private static string Header(HttpResponseMessage response, string name) =>
        response.Headers.GetValues(name).Single();

    private static Task<HttpResponseMessage> FollowAsync(ApiWorld world, string id, string call) =>
        world.Client.GetAsync(
            new Uri($"/v1/processes/{id}/logs/{call}", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
}
