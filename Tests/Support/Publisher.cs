using System;
using System.Collections.Generic;
using System.IO;
using System.Security.Cryptography;
using System.Text.Json;
using Agent.Core.Model;
using Agent.Shell.Api;
using Agent.Shell.Manifests;
using Agent.Shell.Trust;
using Xunit;

namespace Agent.Tests.Support;

/// <summary>
/// Whoever publishes releases, for one host or for a fleet: keys, a trust file, and each release signed together with
/// the manifest that asks for it. All in this process, because some tests publish hundreds.
/// </summary>
internal sealed class Publisher : IDisposable
{
    public const string Channel = "app";
    public const string Host = "box";

    private static readonly RoleName[] Roles = [RoleName.Root, RoleName.Release, RoleName.Manifest, RoleName.Evidence];

    private readonly Dictionary<RoleName, SigningKey> _keys = [];
    private readonly string _folder;

    public Publisher(string folder)
    {
        _folder = folder;
        var trusted = new Dictionary<RoleName, PublicKey>();
        foreach (var role in Roles)
        {
            _keys.Add(role, SigningKey.Generate(KeyAlgorithm.Ed25519));
            trusted.Add(role, _keys[role].PublicKey);
        }

        SignedFile.Write(Trust, TrustDraft.First(DateTimeOffset.UtcNow, trusted));
        Assert.Null(SignedFile.Sign(Trust, _keys[RoleName.Root], TrustFile.MaxBytes));
    }

    public string Trust => Path.Combine(_folder, "trust.json");

    /// <summary>What a host that follows this publisher has in its configuration.</summary>
    public string Yaml => YamlFor(Host);

    public string YamlFor(string host) => $"host: {{ name: {host} }}\nrollout: {{ trust: {Trust} }}\n";

    /// <param name="judged">The policy and the probes of the manifest, as its draft writes them.</param>
    public Publication Publish(int version, string judged, params (string Name, string Text)[] files)
    {
        var signed = Sign(Channel, version, $"[{Host}]", judged, files);
        var request = new ApplyRequest(
            signed.Manifest, signed.ManifestSignatures, signed.Descriptor, signed.DescriptorSignatures, signed.Release.Path);
        return new(signed.Id, signed.Release, JsonSerializer.Serialize(request, WireJson.Default.ApplyRequest));
    }

    /// <param name="hosts">As the draft writes them: a list of names, or names with their waves.</param>
    public SignedRollout Sign(
        string channel, int version, string hosts, string judged, params (string Name, string Text)[] files)
    {
        var now = DateTimeOffset.UtcNow;
        var release = TestRelease.Make(_folder, files);
        var descriptor = Jcs.Write(new ReleaseDescriptor($"{channel}-{version}", release.Sha256, release.Length).Write(now));
        var draft = $"channel: {channel}\nversion: {version}\nhosts: {hosts}\n{judged}";
        var manifest = Jcs.Write(ManifestDraft.Read(Written(draft), TargetOf(release), now));
        return new(
            $"{channel}@{ManifestReader.RefOf(Convert.ToHexStringLower(SHA256.HashData(manifest)))}", release,
            manifest, Signed(RoleName.Manifest, manifest), descriptor, Signed(RoleName.Release, descriptor));
    }

    public void Dispose()
    {
        foreach (var key in _keys.Values) key.Dispose();
    }

    private string Written(string draft)
    {
        var path = Path.Combine(_folder, "draft.yaml");
        File.WriteAllText(path, draft);
        return path;
    }

    private byte[] Signed(RoleName role, byte[] document) =>
        SignatureFile.Write([SignatureFile.Sign(_keys[role], document)]);

    private static ReleaseId TargetOf(TestRelease release) =>
        ReleaseId.Parse(ReleaseId.ArchivePrefix + release.Sha256).IfNoneUnsafe(() => null!)!;
}

/// <summary>A rollout ready to be applied: its id, its release, and the body of the request that asks for it.</summary>
internal sealed record Publication(string Id, TestRelease Release, string Body);

/// <summary>A manifest and the release that it names, each with its signatures, as anybody may carry them about.</summary>
internal sealed record SignedRollout(
    string Id, TestRelease Release, byte[] Manifest, byte[] ManifestSignatures, byte[] Descriptor,
    byte[] DescriptorSignatures);
