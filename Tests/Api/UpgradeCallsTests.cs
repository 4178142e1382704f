using System;
using System.Threading.Tasks;
using Agent.Shell.Api;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.Api;

/// PR-14, AP-1: the agent's upgrade over its local API.
public sealed class UpgradeCallsTests
{
    private const string Path = "/v1/agent/upgrade";

    /// AP-1: answered with both programs before one takes the other's place.
    [Fact]
    public async Task It_answers_what_it_was_and_what_it_will_be()
    {
        await using var world = await ApiWorld.StartAsync();
        var (status, body) = await world.AskAsync(0, "POST", Path, """{"program":"/opt/next","timeoutMs":5000}""");
        Assert.Equal(202, status);
        Assert.Equal(
            new UpgradeAnswer(new("1.2.3", "/opt/agent"), new("1.2.4", "/opt/next")),
            ApiWorld.Read(body, WireJson.Default.UpgradeAnswer));
    }

    /// AP-1: whoever may choose the program is root.
    [Fact]
    public async Task Only_root_may()
    {
        await using var world = await ApiWorld.StartAsync();
        var (status, body) = await world.AskAsync(1000, "POST", Path, "{}");
        Assert.Equal(403, status);
        Assert.Contains("not-allowed", body, StringComparison.Ordinal);
    }

    /// AP-1: each refusal by its name.
    [Theory]
    [InlineData("""{"program":"/broken"}""", 422, "upgrade-refused")]
    [InlineData("""{"program":"/second"}""", 409, "busy")]
    [InlineData("""{"program":"next"}""", 400, "invalid-input")]
    [InlineData("""{"timeoutMs":0}""", 400, "invalid-input")]
    [InlineData("""{"timeoutMs":600001}""", 400, "invalid-input")]
    [InlineData("""{"keeper":true}""", 400, "invalid-input")]
    public async Task A_refusal_says_why(string request, int status, string code)
    {
        await using var world = await ApiWorld.StartAsync();
        var (answered, body) = await world.AskAsync(0, "POST", Path, request);
        Assert.Equal(status, answered);
        Assert.Contains(code, body, StringComparison.Ordinal);
    }
}
