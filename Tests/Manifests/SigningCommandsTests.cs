using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json.Nodes;
using System.Threading.Tasks;
using Agent.Shell.Manifests;
using Agent.Shell.Trust;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.Manifests;

/// <summary>`agent sign` and `agent verify`, as whoever publishes runs them.</summary>
public sealed class SigningCommandsTests : IDisposable
{
    private readonly SigningWorld _world = new();

    /// TR-1: from keys to a manifest that a host would take.
    [Fact]
    public async Task What_is_signed_verifies()
    {
        await _world.PublishAsync();
        var told = JsonNode.Parse((await _world.VerifyAsync(0)).Out)!;
        Assert.True((bool)told["verified"]!);
        Assert.StartsWith("app@", (string)told["id"]!, StringComparison.Ordinal);
        Assert.Equal(1, (int)told["version"]!);
        Assert.Equal($"sha256:{TestRelease.At(_world.Archive).Sha256}", (string)told["target"]!);
        var (human, _) = await _world.RunAsync(
            0, "verify", _world.Manifest, "--release", _world.Archive, "--trust", _world.Trust, "--host", "box");
        Assert.StartsWith("good: app@", human, StringComparison.Ordinal);
    }

    /// TR-1: a manifest is judged without its release too, by a host that has it or for one of another kind.
    [Fact]
    public async Task What_is_signed_verifies_without_its_archive()
    {
        await _world.PublishAsync();
        var (output, _) = await _world.RunAsync(
            0, "verify", _world.Manifest, "--trust", _world.Trust, "--host", "box", "-o", "json");
        Assert.True((bool)JsonNode.Parse(output)!["verified"]!);
    }

    /// TR-1: what is not given to `agent rollout apply` is not sent, and what is given is sent as it is.
    [Fact]
    public async Task An_archive_that_is_not_given_is_not_sent()
    {
        await _world.PublishAsync();
        await using var api = await ApiWorld.StartAsync();
        var offered = new List<Bundle>();
        api.Intake = bundle =>
        {
            offered.Add(bundle);
            return new IntakeResult.Refused("stale", "seen");
        };
        await _world.RunAsync(1, "rollout", "apply", _world.Manifest, "--socket", api.SocketPath);
        await _world.RunAsync(
            1, "rollout", "apply", _world.Manifest, "--release", _world.Archive, "--socket", api.SocketPath);
        Assert.Equal(2, offered.Count);
        Assert.Equal((null, null, null), (offered[0].Release, offered[0].ReleaseSignatures, offered[0].Archive));
        Assert.Equal(await File.ReadAllBytesAsync(_world.Archive + ".release"), offered[1].Release!.Value.ToArray());
        Assert.Equal(
            await File.ReadAllBytesAsync(_world.Archive + ".release.sig"), offered[1].ReleaseSignatures!.Value.ToArray());
        Assert.Equal(_world.Archive, offered[1].Archive);
    }

    /// TR-1: signing again with another key adds a signature to the same bytes, with the same key replaces its own.
    [Fact]
    public async Task A_second_signer_signs_the_same_bytes()
    {
        await _world.PublishAsync();
        var before = await File.ReadAllBytesAsync(_world.Manifest);
        foreach (var role in (string[])["evidence", "manifest"])
        {
            var (output, _) = await _world.RunAsync(0, "sign", "manifest", _world.Manifest, "--key", _world.Key(role),
                "-o", "json");
            Assert.Equal(_world.Manifest, (string)JsonNode.Parse(output)!["file"]!);
        }

        await _world.RunAsync(0, "sign", "release", _world.Archive, "--key", _world.Key("evidence"));
        Assert.Equal(before, await File.ReadAllBytesAsync(_world.Manifest));
        Assert.Equal(2, Signatures(_world.Manifest));
        Assert.Equal(2, Signatures(_world.Archive + ".release"));
        await _world.VerifyAsync(0);
    }

    /// TR-2: what a host would refuse is refused here with the same code, on both streams, and exit code 1.
    [Fact]
    public async Task A_refusal_has_its_code()
    {
        await _world.PublishAsync();
        Assert.Equal("wrong-host", await _world.RefusalAsync(host: "other"));
        Assert.Equal("no-trust", await _world.RefusalAsync(trust: _world.At("nothing.json")));

        var archive = await File.ReadAllBytesAsync(_world.Archive);
        await File.WriteAllBytesAsync(_world.Archive, [.. archive, 0]);
        Assert.Equal("release-length", await _world.RefusalAsync());
        await File.WriteAllBytesAsync(_world.Archive, [.. archive[..^1], (byte)(archive[^1] ^ 1)]);
        Assert.Equal("release-hash", await _world.RefusalAsync());

        var manifest = await File.ReadAllTextAsync(_world.Manifest);
        await File.WriteAllTextAsync(_world.Manifest, manifest.Replace("\"version\":1", "\"version\":2",
            StringComparison.Ordinal));
        Assert.Equal("signature-invalid", await _world.RefusalAsync());
        File.Delete(_world.Manifest + ".sig");
        Assert.Equal("no-signatures", await _world.RefusalAsync());
    }

    /// TR-1: what other keys signed is not trusted, though they are of the same trust file.
    [Fact]
    public async Task Another_roles_key_does_not_count()
    {
        await _world.PublishAsync();
        File.Delete(_world.Manifest + ".sig");
        await _world.RunAsync(0, "sign", "manifest", _world.Manifest, "--key", _world.Key("release"));
        Assert.Equal("threshold-not-met", await _world.RefusalAsync());
    }

    /// TR-1: a key that others may read is no key, and nothing is touched: what was signed before stays signed.
    [Fact]
    public async Task A_bad_key_leaves_everything_as_it_was()
    {
        await _world.PublishAsync();
        var before = Contents();
        File.SetUnixFileMode(_world.Key("manifest"), (UnixFileMode)0x1A4);
        var (_, error) = await _world.RunAsync(
            2, "sign", "manifest", _world.At("app.yaml"), "--release", _world.Archive, "--key", _world.Key("manifest"));
        Assert.Contains("bad-key: ", error, StringComparison.Ordinal);
        Assert.Contains("chmod 600", error, StringComparison.Ordinal);
        await _world.RunAsync(2, "sign", "release", _world.Archive, "--key", _world.At("app.yaml"), "--name", "other");
        Assert.Equal(before, Contents());
    }

    /// TR-2: a draft that is wrong is told by line and leaves no manifest; what is not canonical is not signed.
    [Fact]
    public async Task What_is_wrong_is_not_signed()
    {
        await _world.InitAsync();
        await File.WriteAllTextAsync(_world.At("app.yaml"), "channel: App\nhosts: [box]\ntarget: latest\n");
        var (_, error) = await _world.RunAsync(2, "sign", "manifest", _world.At("app.yaml"), "--key",
            _world.Key("manifest"));
        Assert.Equal(3, error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.False(File.Exists(_world.Manifest));

        await File.WriteAllTextAsync(_world.Manifest, "{ }");
        (_, error) = await _world.RunAsync(2, "sign", "manifest", _world.Manifest, "--key", _world.Key("manifest"));
        Assert.Contains("not-canonical", error, StringComparison.Ordinal);
        Assert.False(File.Exists(_world.Manifest + ".sig"));
    }

    public void Dispose() => _world.Dispose();

    private static int Signatures(string document) => Assert.IsType<Checked<SignatureFile>.Passed>(
        SignatureFile.Read(File.ReadAllBytes(document + ".sig"))).Value.Signatures.Count;

    private string[] Contents() =>
    [
        .. Directory.GetFiles(_world.Folder).Order(StringComparer.Ordinal)
            .Select(path => $"{path} {Convert.ToHexString(File.ReadAllBytes(path))}"),
    ];
}
