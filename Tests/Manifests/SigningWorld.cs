using System;
using System.IO;
using System.Linq;
using System.Text.Json.Nodes;
using System.Threading.Tasks;
using Agent.Tests.EndToEnd;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.Manifests;

/// <summary>
/// A publisher's folder, worked on with the agent's own command line. No secret may ever be in what it says.
/// </summary>
internal sealed class SigningWorld : IDisposable
{
    public string Folder { get; } = Directory.CreateTempSubdirectory("signing-").FullName;

    public string Trust => At("trust/trust.json");

    public string Archive { get; private set; } = "";

    public string Manifest => At("app.json");

    public string At(string name) => Path.Combine(Folder, name);

    public string Key(string role) => At($"trust/{role}.pem");

    /// <summary>What a command said, and on standard error; its exit code is this one.</summary>
    public async Task<(string Out, string Error)> RunAsync(int code, params string[] arguments)
    {
        var (ended, output, error) = await AgentUnderTest.RunAsync(arguments);
        Assert.True(ended == code, $"agent {string.Join(' ', arguments)} ended with {ended}\n{output}{error}");
        foreach (var pem in Directory.GetFiles(Folder, "*.pem", SearchOption.AllDirectories))
        {
            // The last 20 characters of the body are of the secret in any key of ours.
            var secret = (await File.ReadAllLinesAsync(pem)).Last(line => line.Length > 0 && line[0] != '-')[^20..];
            Assert.DoesNotContain(secret, output + error, StringComparison.Ordinal);
        }

        return (output, error);
    }

    public Task<(string Out, string Error)> InitAsync() => RunAsync(0, "trust", "init", At("trust"));

    /// <summary>Keys, a release and a manifest for it, all signed.</summary>
    public async Task PublishAsync()
    {
        await InitAsync();
        Archive = TestRelease.Make(Folder, ("app", "one")).Path;
        await File.WriteAllTextAsync(At("app.yaml"), "channel: app\nversion: 1\nhosts: [box]\n");
        await RunAsync(0, "sign", "release", Archive, "--key", Key("release"));
        await RunAsync(0, "sign", "manifest", At("app.yaml"), "--release", Archive, "--key", Key("manifest"));
    }

    public Task<(string Out, string Error)> VerifyAsync(int code, string host = "box", string? trust = null) =>
        RunAsync(code, "verify", Manifest, "--release", Archive, "--trust", trust ?? Trust, "--host", host, "-o",
            "json");

    /// <summary>The code that a verification is refused with, which is on standard error too.</summary>
    public async Task<string> RefusalAsync(string host = "box", string? trust = null)
    {
        var (output, error) = await VerifyAsync(1, host, trust);
        var told = JsonNode.Parse(output)!;
        Assert.False((bool)told["verified"]!);
        var code = (string)told["code"]!;
        Assert.StartsWith($"agent: {code}: ", error, StringComparison.Ordinal);
        return code;
    }

    public static string Mode(string path) => Convert.ToString((int)File.GetUnixFileMode(path), 8);

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
