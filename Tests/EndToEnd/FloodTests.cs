using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net.Http;
using System.Security.Cryptography;
using System.Threading;
using System.Threading.Tasks;
using Agent.Tests.Output;
using Agent.Tests.Support;
using Xunit;
using Xunit.Abstractions;

namespace Agent.Tests.EndToEnd;

/// <summary>
/// More output than memory: a real child, a real agent, a reader on its socket. AGENT_LONG=1 makes it 10 GiB and 1 GiB.
/// </summary>
[Collection(nameof(MeasuredCollection))]
public sealed class FloodTests(ITestOutputHelper told)
{
    private const long MiB = 1 << 20;

    // Both rings and the pipes' pages come and go in an agent's memory; what grows with the stream exceeds this soon.
    private const long SteadyKiB = 64 << 10;

    /// PR-6, PF-4, upstream drop_oldest_evicts_and_counts, cursor_below_front_reports_drop: what a follower read and
    /// what was dropped before it are together what was written, and each byte stands at its offset.
    [Fact]
    public async Task A_follower_of_a_flood_gets_or_is_told_of_every_byte()
    {
        var size = Extent.Of(brief: 256 * MiB, full: 10240 * MiB);
        using var agent = new AgentUnderTest();
        await agent.StartAsync();
        var id = await SayAsync(agent, size, "dropOldest");
        var (read, dropped, requests) = (0L, 0L, 0);
        await MeasureAsync(agent, size, async () =>
        {
            for (var eof = false; !eof; requests++)
            {
                using var answer = await agent.OpenAsync(
                    $"/v1/processes/{id}/logs/stdout?cursor={read + dropped}&follow=true&max=1048576");
                dropped += Number(answer, "Agent-Bytes-Dropped");
                read += await ReadAsync(answer, read + dropped, static _ => { });
                using var rest = await agent.OpenAsync($"/v1/processes/{id}/logs/stdout?cursor={read + dropped}&max=1");
                eof = rest.Headers.GetValues("Agent-Eof").Single() == "true" && rest.Content.Headers.ContentLength == 0;
            }
        });
        told.WriteLine($"{read / MiB} MiB read in {requests} requests, {dropped / MiB} MiB dropped before the reader");
        Assert.Equal(size, read + dropped);
        var info = await agent.GetAsync($"/v1/processes/{id}");
        Assert.InRange(dropped, 0, (long)info["bytesDropped"]!);
    }

    /// PR-6, trap (b), upstream read_since_is_non_draining_with_cursor: a reader that only reads `since` and acknowledges
    /// gets every byte of a child that has to wait for it, and the child is never wedged.
    [Fact]
    public async Task Under_backpressure_what_is_read_has_the_writers_digest()
    {
        var size = Extent.Of(brief: 64 * MiB, full: 1024 * MiB);
        using var agent = new AgentUnderTest();
        await agent.StartAsync();
        var id = await SayAsync(agent, size, "backpressure");
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var cursor = 0L;
        await MeasureAsync(agent, size, async () =>
        {
            for (var eof = false; !eof;)
            {
                using var answer = await agent.OpenAsync($"/v1/processes/{id}/logs/stdout?cursor={cursor}&max=1048576");
                Assert.Equal(0, Number(answer, "Agent-Bytes-Dropped"));
                var read = await ReadAsync(answer, cursor, bytes => digest.AppendData(bytes.Span));
                cursor += read;
                Assert.Equal(cursor, Number(answer, "Agent-Next-Cursor"));
                eof = answer.Headers.GetValues("Agent-Eof").Single() == "true";
                if (read > 0) Assert.Equal(204, (await agent.PostAsync($"/v1/processes/{id}/logs/stdout/ack?cursor={cursor}")).Status);
                else if (!eof) await Task.Delay(1);
            }
        });
        Assert.Equal(size, cursor);
        Assert.Equal(0, (int)(await agent.GetAsync($"/v1/processes/{id}"))["exit"]!["code"]!);
        Assert.Equal(await agent.TextAsync($"/v1/processes/{id}/logs/stderr"), Convert.ToHexString(digest.GetHashAndReset()));
    }

    private static async Task<string> SayAsync(AgentUnderTest agent, long size, string overflow)
    {
        var root = Environment.GetEnvironmentVariable("DOTNET_ROOT") ?? Path.GetDirectoryName(Environment.ProcessPath);
        return (string)(await agent.SpawnAsync($$"""
            {"command":["{{Victim.Program}}","records","{{size}}"],"env":{"DOTNET_ROOT":"{{root}}"},
             "overflow":"{{overflow}}","ringBytes":8388608}
            """))["id"]!;
    }

    private async Task MeasureAsync(AgentUnderTest agent, long size, Func<Task> work)
    {
        using var over = new CancellationTokenSource();
        var before = Footprint.Of(agent.Pid);
        var largest = Footprint.LargestPssAsync(agent.Pid, over.Token);
        var watch = Stopwatch.StartNew();
        await work();
        watch.Stop();
        await over.CancelAsync();
        var after = Footprint.Of(agent.Pid);
        told.WriteLine(
            $"{size / MiB} MiB in {watch.Elapsed.TotalSeconds:F1} s, {size / MiB / watch.Elapsed.TotalSeconds:F0} MiB/s, "
            + $"{after.CpuSeconds - before.CpuSeconds:F1} cpu s of the agent; before: {before}; after: {after}; "
            + $"at most {await largest / 1024} MiB");
        Assert.InRange(await largest, 0, before.PssKiB + SteadyKiB);
    }

    private static async Task<long> ReadAsync(HttpResponseMessage answer, long offset, Action<ReadOnlyMemory<byte>> take)
    {
        await using var body = await answer.Content.ReadAsStreamAsync();
        var (got, expected, total) = (new byte[256 << 10], new byte[256 << 10], 0L);
        while (await body.ReadAsync(got) is > 0 and var count)
        {
            Records.Fill(offset + total, expected.AsSpan(0, count));
            Assert.True(got.AsSpan(0, count).SequenceEqual(expected.AsSpan(0, count)), $"a wrong byte after {offset + total}");
            take(got.AsMemory(0, count));
            total += count;
        }

        return total;
    }

    private static long Number(HttpResponseMessage answer, string header) =>
        long.Parse(answer.Headers.GetValues(header).Single(), CultureInfo.InvariantCulture);
}
