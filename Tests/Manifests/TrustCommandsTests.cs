using System;
using System.IO;
using System.Linq;
using System.Text.Json.Nodes;
using System.Threading.Tasks;
using Agent.Shell.Trust;
using Agent.Tests.Trust;
using Xunit;

namespace Agent.Tests.Manifests;

/// <summary>`agent trust`: keys made, shown, exchanged, and a trust file put in the place of another.</summary>
public sealed class TrustCommandsTests : IDisposable
{
    private static readonly string[] Roles = ["root", "release", "manifest", "evidence"];

    private readonly SigningWorld _world = new();

    /// TR-1: keys are for their owner alone; what is there already is not written over. Upstream: signing identity reuse
    /// (veloslet).
    [Theory]
    [InlineData("ed25519")]
    [InlineData("ecdsa-p256")]
    public async Task Keys_are_made_once_and_for_their_owner(string algorithm)
    {
        var (output, _) = await _world.RunAsync(
            0, "trust", "init", _world.At("trust"), "--algorithm", algorithm, "-o", "json");
        Assert.Equal(_world.Trust, (string)JsonNode.Parse(output)!["trust"]!);
        Assert.Equal("700", SigningWorld.Mode(_world.At("trust")));
        Assert.All(Roles, role => Assert.Equal("600", SigningWorld.Mode(_world.Key(role))));
        var file = TrustWorld.Loaded(await File.ReadAllBytesAsync(_world.Trust));
        Assert.Equal(1, file.Version);
        Assert.Equal(4, Roles.Select(role => Id(_world.Key(role))).Distinct().Count());
        Assert.Equal(Id(_world.Key("root")), file.Root.Slots.Single().Current.KeyId);

        var root = await File.ReadAllBytesAsync(_world.Key("root"));
        var (_, error) = await _world.RunAsync(2, "trust", "init", _world.At("trust"));
        Assert.Contains("is there already", error, StringComparison.Ordinal);
        File.Delete(_world.Trust);
        await _world.RunAsync(2, "trust", "init", _world.At("trust"));
        Assert.Equal(root, await File.ReadAllBytesAsync(_world.Key("root")));
    }

    /// TR-3: which key counts for what, for people; for programs the file as it is.
    [Fact]
    public async Task What_is_trusted_is_shown()
    {
        await _world.InitAsync();
        var (output, _) = await _world.RunAsync(0, "trust", "show", _world.Trust);
        foreach (var role in Roles)
        {
            Assert.Contains($"{role} (1 of 1)", output, StringComparison.Ordinal);
            Assert.Contains(Id(_world.Key(role))[..16], output, StringComparison.Ordinal);
        }

        (output, _) = await _world.RunAsync(0, "trust", "show", _world.Trust, "-o", "json");
        Assert.Equal(await File.ReadAllTextAsync(_world.Trust), output.TrimEnd());
        var (_, error) = await _world.RunAsync(2, "trust", "show", _world.At("nothing"));
        Assert.Contains("no-trust: ", error, StringComparison.Ordinal);
    }

    /// TR-3: a key is exchanged in two steps; a host follows each, and takes what either key signed in between.
    [Theory]
    [InlineData("manifest")]
    [InlineData("root")]
    public async Task A_key_is_rotated_in_two_steps(string role)
    {
        await _world.PublishAsync();
        var installed = Install();
        var young = NewKey("young.pem");
        await RotateAsync(role, _world.Key("root"), "--successor", young);
        Assert.Equal(2, await UpdateAsync(installed));
        await _world.VerifyAsync(0, trust: installed);
        await RotateAsync(role, role == "root" ? young : _world.Key("root"), "--promote");
        Assert.Equal(3, await UpdateAsync(installed));
        await _world.VerifyAsync(0, trust: installed);

        var slot = TrustWorld.Loaded(await File.ReadAllBytesAsync(installed)).Role(Enum.Parse<RoleName>(role,
            ignoreCase: true))!.Slots.Single();
        Assert.Equal(Id(young), slot.Current.KeyId);
        Assert.Equal(Id(_world.Key(role)), slot.Previous!.KeyId);
        Assert.Null(slot.Successor);
    }

    /// TR-3, TR-4: a link left out, one that goes back, and one by somebody else are refused with their code and exit
    /// code 1; the trust file of the host stays, byte for byte.
    [Fact]
    public async Task What_does_not_follow_is_not_installed()
    {
        await _world.InitAsync();
        var installed = Install();
        var before = await File.ReadAllBytesAsync(installed);
        await RotateAsync("release", _world.Key("root"), "--successor", NewKey("a.pem"));
        var second = Install("second.json");
        await RotateAsync("release", _world.Key("root"), "--promote");
        Assert.Contains("trust-chain: ", await RefusedAsync(_world.Trust, installed), StringComparison.Ordinal);
        Assert.Contains("version-rollback: ", await RefusedAsync(second, _world.Trust), StringComparison.Ordinal);
        Assert.Contains("version-reused: ", await RefusedAsync(second, second), StringComparison.Ordinal);

        using (var stranger = SigningKey.Generate(KeyAlgorithm.Ed25519))
        {
            await File.WriteAllBytesAsync(second + ".sig", TrustWorld.Sign(await File.ReadAllBytesAsync(second),
                stranger));
        }

        Assert.Contains("threshold-not-met: ", await RefusedAsync(second, installed), StringComparison.Ordinal);
        Assert.Equal(before, await File.ReadAllBytesAsync(installed));
    }

    /// TR-3: a rotation that cannot be signed leaves the trust file and its signatures as they were.
    [Fact]
    public async Task A_rotation_that_cannot_be_signed_changes_nothing()
    {
        await _world.InitAsync();
        var before = await File.ReadAllBytesAsync(_world.Trust);
        var young = NewKey("young.pem");
        (string Key, string Role, string[] Step, string Mistake)[] mistakes =
        [
            (_world.Key("release"), "manifest", ["--successor", young], "it is no root key"),
            (_world.At("nothing.pem"), "manifest", ["--successor", young], "bad-key: "),
            (_world.Key("root"), "manifest", ["--promote"], "has no successor"),
            (_world.Key("root"), "manifest", ["--successor", young, "--slot", "1"], "--slot 1"),
            (_world.Key("root"), "manifest", ["--successor", young, "--grace", "soon"], "--grace"),
            (_world.Key("root"), "manifest", [], "--successor PEM"),
            (_world.Key("root"), "owner", ["--successor", young], "no such role"),
        ];
        foreach (var (key, role, step, mistake) in mistakes)
        {
            var (_, error) = await _world.RunAsync(2, ["trust", "rotate", _world.Trust, "--role", role, "--key", key,
                .. step]);
            Assert.Contains(mistake, error, StringComparison.Ordinal);
            Assert.Equal(before, await File.ReadAllBytesAsync(_world.Trust));
            Assert.True(File.Exists(_world.Trust + ".sig"));
        }
    }

    public void Dispose() => _world.Dispose();

    private static string Id(string pem)
    {
        using var key = Assert.IsType<Checked<SigningKey>.Passed>(SigningKey.Load(pem)).Value;
        return key.PublicKey.KeyId;
    }

    private string NewKey(string name)
    {
        using var key = SigningKey.Generate(KeyAlgorithm.EcdsaP256);
        key.Save(_world.At(name));
        return _world.At(name);
    }

    /// <summary>The trust file as it is now, as a host has it.</summary>
    private string Install(string name = "installed.json")
    {
        File.Copy(_world.Trust, _world.At(name));
        File.Copy(_world.Trust + ".sig", _world.At(name + ".sig"));
        return _world.At(name);
    }

    private Task RotateAsync(string role, string key, params string[] step) =>
        _world.RunAsync(0, ["trust", "rotate", _world.Trust, "--role", role, "--key", key, .. step]);

    private async Task<int> UpdateAsync(string installed)
    {
        var (output, _) = await _world.RunAsync(0, "trust", "update", _world.Trust, "--trust", installed, "-o", "json");
        return (int)JsonNode.Parse(output)!["version"]!;
    }

    private async Task<string> RefusedAsync(string next, string installed) =>
        (await _world.RunAsync(1, "trust", "update", next, "--trust", installed)).Error;
}
