using System;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Http;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Api;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.Api;

/// AP-1, SE-1: the server on its socket.
public sealed class ApiServerTests
{
    /// AP-1: 0660, and gone when the server is.
    [Fact]
    public async Task The_socket_is_for_owner_and_group_and_goes_with_the_server()
    {
        await using var world = await ApiWorld.StartAsync();
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite,
            File.GetUnixFileMode(world.SocketPath));
        await world.Server.StopAsync(CancellationToken.None);
        Assert.False(File.Exists(world.SocketPath));
    }

    /// JO-2's sense for the socket: one agent answers on it.
    [Fact]
    public async Task A_second_agent_does_not_take_the_socket()
    {
        await using var world = await ApiWorld.StartAsync();
        await using (var second = new ApiServer(world.SocketPath, world.Parts))
        {
            var refused = await Assert.ThrowsAsync<IOException>(() => second.StartAsync(CancellationToken.None));
            Assert.Contains("another agent answers on this socket", refused.Message, StringComparison.Ordinal);
            await second.StopAsync(CancellationToken.None);
        }

        Assert.Equal(HttpStatusCode.OK, (await world.GetAsync("/healthz")).Status);
    }

    /// JO-5's sense for the socket: the file of an agent that was killed is no obstacle.
    [Fact]
    public async Task A_socket_on_which_nobody_answers_is_replaced()
    {
        await using var world = new ApiWorld();
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(world.SocketPath + ".dead"));
            dead.Listen();
            File.Move(world.SocketPath + ".dead", world.SocketPath);
        }

        Assert.True(File.Exists(world.SocketPath));
        await world.Server.StartAsync(CancellationToken.None);
        Assert.Equal(HttpStatusCode.OK, (await world.GetAsync("/healthz")).Status);
    }

    [Fact]
    public async Task What_is_no_socket_is_left_alone()
    {
        await using var world = new ApiWorld();
        await File.WriteAllTextAsync(world.SocketPath, "notes");
        var refused = await Assert.ThrowsAsync<IOException>(() => world.Server.StartAsync(CancellationToken.None));
        Assert.Contains("is not a socket", refused.Message, StringComparison.Ordinal);
        Assert.Equal("notes", await File.ReadAllTextAsync(world.SocketPath));
    }

    /// AP-1: the kernel says who asks.
    [SkippableFact]
    public async Task The_principal_is_the_user_that_connected()
    {
        Skip.IfNot(
            Environment.IsPrivilegedProcess && File.Exists("/usr/bin/setpriv") && File.Exists("/usr/bin/curl"),
            "needs root, setpriv and curl");
        await using var world = await ApiWorld.StartAsync();
        File.SetUnixFileMode(
            Path.GetDirectoryName(world.SocketPath)!,
            File.GetUnixFileMode(Path.GetDirectoryName(world.SocketPath)!) | UnixFileMode.GroupExecute);
        var mine = await world.SpawnAsync();
        var his = ApiWorld.Read(
            await CurlAsync(world, "/v1/processes", "-d", """{"command":["/run"]}"""), WireJson.Default.ProcessInfo);
        Assert.Equal(1000u, his.Uid);
        var list = ApiWorld.Read(await CurlAsync(world, "/v1/processes"), WireJson.Default.IReadOnlyListProcessInfo);
        Assert.Equal([his.Id], list.Select(info => info.Id));
        Assert.Equal("no-such-process", ApiWorld.ProblemOf(await CurlAsync(world, $"/v1/processes/{mine.Id}")).Code);
        Assert.Equal("not-allowed", ApiWorld.ProblemOf(await CurlAsync(world, "/v1/events")).Code);
    }

    /// AP-1: the end of the agent ends long calls with an answer, and does not wait for them.
    [Fact]
    public async Task Stopping_ends_the_calls_that_wait()
    {
        await using var world = await ApiWorld.StartAsync();
        var info = await world.SpawnAsync();
        var wait = world.PostAsync($"/v1/processes/{info.Id}/wait");
        await Task.WhenAny(wait, UntilServedAsync(world, requests: 2));
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        await world.Server.StopAsync(limit.Token);
        Assert.False(limit.IsCancellationRequested);
        var (status, body) = await wait;
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "stopping"), (status, ApiWorld.ProblemOf(body).Code));
    }

    /// AP-1: a loop that has ended answers as an agent that stops.
    [Fact]
    public async Task When_the_loop_has_ended_callers_are_told()
    {
        await using var world = await ApiWorld.StartAsync();
        world.Host.Dispose();
        var (status, body) = await world.PostAsync("/v1/runtime/ensure", """{"startIfNeeded":true}""");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "stopping"), (status, ApiWorld.ProblemOf(body).Code));
    }

    private static async Task UntilServedAsync(ApiWorld world, int requests)
    {
        while (world.Counters.Requests < requests) await Task.Yield();
    }

    private static async Task<string> CurlAsync(ApiWorld world, string path, params string[] more)
    {
        string[] arguments =
        [
            "--reuid=1000", "--regid=0", "--clear-groups", "/usr/bin/curl", "-s", "--unix-socket", world.SocketPath,
            $"http://agent{path}", .. more,
        ];
        using var curl = Process.Start(
            new ProcessStartInfo("/usr/bin/setpriv", arguments) { RedirectStandardOutput = true })!;
        var output = await curl.StandardOutput.ReadToEndAsync();
        await curl.WaitForExitAsync();
        return output;
    }
}
