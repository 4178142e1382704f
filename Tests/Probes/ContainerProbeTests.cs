using System;
using System.IO;
using System.Net.Sockets;
using System.Threading.Tasks;
using Agent.Core.Rollout;
using Agent.Core.Runtime;
using LanguageExt;
using Xunit;

namespace Agent.Tests.Probes;

/// <summary>Questions to an engine that the test plays.</summary>
public sealed class ContainerProbeTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("probe-").FullName;
    private readonly Probing _probing = new();

    private string Socket => Path.Combine(_directory, "s");

    /// RO-12, CT-2: only a container that runs, and is healthy where it says so, passes.
    [Theory]
    [InlineData("""{"Running":true}""", "Passed", "it runs")]
    [InlineData("""{"Running":true,"Health":null}""", "Passed", "it runs")]
    [InlineData("""{"Running":true,"Health":{"Status":"none"}}""", "Passed", "it runs")]
    [InlineData("""{"Running":true,"Health":{"Status":""}}""", "Passed", "it runs")]
    [InlineData("""{"Running":true,"Health":{"Status":"healthy"}}""", "Passed", "it runs and is healthy")]
    [InlineData("""{"Running":true,"Health":{"Status":"unhealthy"}}""", "Failed", "it is unhealthy")]
    [InlineData("""{"Running":true,"Health":{"Status":"starting"}}""", "Inconclusive", "its health check is starting")]
    [InlineData("""{"Running":false,"Health":{"Status":"healthy"}}""", "Failed", "it does not run")]
    [InlineData("""{"Running":true,"Paused":true}""", "Failed", "it is paused")]
    [InlineData("""{"Running":true,"Restarting":true}""", "Failed", "it restarts")]
    [InlineData("""{}""", "Failed", "it does not run")]
    [InlineData("""[]""", "Inconclusive", "the container runtime's answer is not understood")]
    public async Task Its_state_decides(string state, string outcome, string detail)
    {
        await BecomeReadyAsync();
        await using var engine = Engine("200 OK", $$"""{"Id":"x","State":{{state}}}""");
        var seen = await _probing.RunAsync(new ProbeCheck.Container("web.1_a-b"));
        Assert.Equal((outcome, detail), (seen.GetType().Name, seen.Detail));
        Assert.StartsWith("GET /containers/web.1_a-b/json HTTP/1.1\r\n", engine.Asked, StringComparison.Ordinal);
    }

    /// RO-7, RO-12: an engine that knows no such container has answered; one that cannot tell has not.
    [Theory]
    [InlineData("404 Not Found", """{"message":"No such container: web"}""", "Failed", "no container is called web")]
    [InlineData("500 No", "{}", "Inconclusive", "the container runtime answers with status 500")]
    [InlineData("200 OK", "not JSON", "Inconclusive", "the container runtime's answer is not understood")]
    [InlineData("200 OK", "[1]", "Inconclusive", "the container runtime's answer is not understood")]
    public async Task Its_answer_decides(string status, string body, string outcome, string detail)
    {
        await BecomeReadyAsync();
        await using var engine = Engine(status, body);
        var seen = await _probing.RunAsync(new ProbeCheck.Container("web"));
        Assert.Equal((outcome, detail), (seen.GetType().Name, seen.Detail));
    }

    /// RO-7: an engine that does not answer says nothing about its containers.
    [Fact]
    public async Task An_engine_that_does_not_answer_is_inconclusive()
    {
        var silent = new ProbeOutcome.Inconclusive("the container runtime does not answer");
        var check = new ProbeCheck.Container("web");
        Assert.Equal(
            new ProbeOutcome.Inconclusive("the container runtime is not ready"), await _probing.RunAsync(check));
        await BecomeReadyAsync();
        Assert.Equal(silent, await _probing.RunAsync(check));
        await using var engine = LittleServer.On(
            new UnixDomainSocketEndPoint(Socket), (_, stop) => LittleServer.HangAsync(stop));
        Assert.Equal(silent, await _probing.RunToTimeoutAsync(check));
    }

    /// RO-12: a name that could mean another call is never asked for.
    [Theory]
    [InlineData("")]
    [InlineData("../version")]
    [InlineData("web/json?x=")]
    [InlineData("-web")]
    [InlineData("wéb")]
    [InlineData("web\r\n")]
    public async Task A_malformed_name_is_inconclusive(string name)
    {
        await BecomeReadyAsync();
        Assert.Equal(
            new ProbeOutcome.Inconclusive("its name is no container's name"),
            await _probing.RunAsync(new ProbeCheck.Container(name)));
    }

    public void Dispose()
    {
        _probing.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task BecomeReadyAsync()
    {
        await _probing.Host.AskAsync(new RuntimeEvent.EnsureRequested());
        await _probing.Host.AskAsync(
            new RuntimeEvent.StartCompleted(1, "unix://" + Socket, "", Seq<ServiceStatus>.Empty));
    }

    private LittleServer Engine(string status, string body) => LittleServer.On(
        new UnixDomainSocketEndPoint(Socket),
        (to, stop) => LittleServer.SayAsync(
            to, $"HTTP/1.1 {status}\r\nContent-Length: {body.Length}\r\n\r\n{body}", stop));
}
