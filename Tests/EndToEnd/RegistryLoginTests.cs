using System;
using System.Collections.Concurrent;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Containers;
using Agent.Tests.Containers;
using Agent.Tests.Probes;
using Xunit;

namespace Agent.Tests.EndToEnd;

/// <summary>A registry that wants a login, behind an engine that is a socket and some answers.</summary>
[Collection(nameof(EndToEndCollection))]
public sealed class RegistryLoginTests
{
    private const string Secret = "c0rrect-horse";
    private const string Header = "X-Registry-Auth: ";

    /// CT-1, SE-1: the login of an image's registry goes to the engine with the pull and with nothing else: not into the
    /// journal, not into what the agent says, not into a command line. `agent containers pull` goes the same way.
    [Fact]
    public async Task A_login_goes_to_the_engine_with_the_pull_and_nowhere_else()
    {
        var heads = new ConcurrentQueue<string>();
        using var folder = new ComposeFolder("services: { web: { image: 'registry.example:5000/web:1' } }");
        var logins = Path.Combine(folder.Path, "logins.json");
        await File.WriteAllTextAsync(logins, $$"""{"auths":{"registry.example:5000":{"auth":"{{Base64($"me:{Secret}")}}"} } }""");
        File.SetUnixFileMode(logins, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var socket = Path.Combine(folder.Path, "engine.sock");
        LittleEngine? engine = null;
        engine = new LittleEngine(socket, (to, asked, stop) => AnswerAsync(heads, engine!, to, asked, stop));
        await using var closed = engine;

        using var agent = new AgentUnderTest($"containers: {{ compose: {folder.File}, socket: {socket}, registryAuth: {logins} }}");
        await agent.StartAsync();
        await agent.UntilAsync("the pull was refused", async () =>
            (await agent.TextAsync("/v1/containers")).Contains("denied: not today", StringComparison.Ordinal));
        var (code, output, error) = await AgentUnderTest.RunAsync(
            "containers", "pull", "registry.example:5000/other:2", "--socket", agent.Socket);
        Assert.Equal(1, code);
        Assert.Contains("denied: not today", error, StringComparison.Ordinal);

        var with = heads.Where(head => head.Contains(Header, StringComparison.Ordinal)).ToList();
        Assert.All(with, head => Assert.StartsWith("POST /v1.41/images/create?fromImage=registry.example%3A5000%2F", head, StringComparison.Ordinal));
        Assert.Contains(with, head => head.Contains("other&tag=2", StringComparison.Ordinal));
        var login = with[0].Split(Header)[1].Split('\r')[0];
        Assert.Equal(
            $$"""{"username":"me","password":"{{Secret}}","serveraddress":"registry.example:5000"}""",
            Encoding.UTF8.GetString(Convert.FromBase64String(login.Replace('-', '+').Replace('_', '/'))));

        string[] secrets = [Secret, login, Base64($"me:{Secret}")];
        var journal = string.Concat(Directory.GetFiles(agent.Journal).Select(File.ReadAllText));
        var said = agent.Errors.ToString();
        var seen = string.Concat(ProcessTable.All().Select(row => row.CommandLine));
        var told = await agent.TextAsync("/v1/containers") + await agent.TextAsync("/v1/explain/container/web");
        foreach (var text in (string[])[journal, said, seen, told, output, error])
        {
            Assert.All(secrets, secret => Assert.DoesNotContain(secret, text, StringComparison.Ordinal));
        }

        await ReplayTests.ReplaysToItsDigestAsync(agent);
    }

    private static Task AnswerAsync(
        ConcurrentQueue<string> heads, LittleEngine engine, Stream to, string asked, CancellationToken stop)
    {
        heads.Enqueue(engine.Head);
        return asked switch
        {
            _ when asked.Contains("/version", StringComparison.Ordinal) =>
                SayAsync(to, 200, """{"Version":"1","ApiVersion":"1.41","MinAPIVersion":"1.12"}""", stop),
            _ when asked.Contains("/containers/json", StringComparison.Ordinal) => SayAsync(to, 200, "[]", stop),
            _ when asked.Contains("/images/create", StringComparison.Ordinal) =>
                SayAsync(to, 500, """{"message":"denied: not today"}""", stop),
            _ when asked.Contains("/events", StringComparison.Ordinal) => LittleServer.HangAsync(stop),
            _ => SayAsync(to, 404, """{"message":"there is none"}""", stop),
        };
    }

    private static Task SayAsync(Stream to, int status, string body, CancellationToken stop) => LittleServer.SayAsync(
        to, FormattableString.Invariant($"HTTP/1.1 {status} So\r\nConnection: close\r\nContent-Length: {body.Length}\r\n\r\n{body}"), stop);

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
