using System;
using System.Buffers;
using System.IO;
using System.Text.Json.Nodes;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Shell.Config;
using Agent.Shell.Journal.Codec;
using Agent.Shell.Loop;
using Agent.Shell.Manifests;
using Agent.Shell.Trust;
using Agent.Tests.Support;
using Agent.Tests.Trust;
using Xunit;

namespace Agent.Tests.Manifests;

/// <summary>
/// A host that takes manifests in by the real door, and everything that its publisher could sign, as trees that a test
/// may change before they are signed. A manifest needs two of three signers, a release one.
/// </summary>
internal sealed class ManifestWorld : IDisposable
{
    public const string Name = "box";
    public const string Environment = "prod";
    public const string Channel = "app";

    private readonly TrustWorld _keys = new();
    // One for all documents, so that the same ones have the same bytes whenever they are made.
    private readonly string _begun;
    private RolloutIntake _intake;

    public ManifestWorld()
    {
        Signers = [Key(), Key(KeyAlgorithm.EcdsaP256), Key()];
        (Root, Releaser) = (Key(), Key());
        Host = new((_, _) => { });
        _begun = At(default);
        Settings = RolloutSettings.Default with { Host = Name, Environment = Environment, Trust = TrustPath };
        _intake = new(Host, Store.Store, () => Settings, new WallClock(() => Host.Now, Wall));
        Release = TestRelease.Make(Store.Archives, ("app", "one"));
        InstallTrust(Trust());
    }

    public CoreHost Host { get; private set; }

    /// <summary>The host's configuration, as far as it is about rollouts.</summary>
    public RolloutSettings Settings { get; set; }

    /// <summary>The machine's clock, by which signatures are judged.</summary>
    public SetClock Wall { get; } = new();

    public StoreWorld Store { get; } = new();

    public SigningKey[] Signers { get; }

    public SigningKey Root { get; }

    public SigningKey Releaser { get; }

    /// <summary>What manifests ask for unless told otherwise.</summary>
    public TestRelease Release { get; }

    public string TrustPath => Path.Combine(Store.Archives, "trust.json");

    public SigningKey Key(KeyAlgorithm algorithm = KeyAlgorithm.Ed25519) => _keys.Key(algorithm);

    public string At(TimeSpan fromNow) => ManifestDraft.Stamp(
        DateTimeOffset.FromUnixTimeMilliseconds(Host.Now.UnixMilliseconds) + fromNow);

    public static byte[] Bytes(JsonNode tree) => TrustWorld.Canonical(tree.ToJsonString());

    public void InstallTrust(JsonNode trust) => InstallTrust(Bytes(trust));

    public void InstallTrust(byte[] trust) => File.WriteAllBytes(TrustPath, trust);

    public JsonObject Trust(int version = 1) => new()
    {
        ["type"] = "agent/trust",
        ["schemaVersion"] = 1,
        ["version"] = version,
        ["issuedAt"] = _begun,
        ["roles"] = new JsonObject
        {
            ["root"] = Role(1, Root), ["release"] = Role(1, Releaser), ["manifest"] = Role(2, Signers),
        },
    };

    public static JsonObject Role(int threshold, params SigningKey[] keys) =>
        (JsonObject)JsonNode.Parse(TrustWorld.Role(threshold, keys))!;

    public JsonObject Manifest(long version, TestRelease? release = null) => new()
    {
        ["type"] = "agent/manifest",
        ["schemaVersion"] = 1,
        ["signedAt"] = _begun,
        ["channel"] = Channel,
        ["version"] = version,
        ["environment"] = Environment,
        ["activator"] = "release",
        ["hosts"] = new JsonArray(new JsonObject
        {
            ["host"] = Name, ["target"] = ReleaseId.ArchivePrefix + (release ?? Release).Sha256, ["wave"] = 0,
        }),
        ["waves"] = new JsonArray(new JsonObject { ["soakMs"] = 60_000 }),
        ["policy"] = new JsonObject
        {
            ["soakMs"] = 600_000, ["failureThresholdMs"] = 120_000, ["onFailure"] = "rollback-and-halt",
                ["onInconclusive"] = "halt",
            ["verdictWithinMs"] = 600_000, ["switchTimeoutMs"] = 300_000, ["unattended"] = false,
        },
        ["probes"] = new JsonArray(),
    };

    public JsonObject Descriptor(TestRelease? release = null) => new()
    {
        ["type"] = "agent/release",
        ["schemaVersion"] = 1,
        ["signedAt"] = _begun,
        ["name"] = "app",
        ["sha256"] = (release ?? Release).Sha256,
        ["length"] = (release ?? Release).Length,
    };

    /// <summary>A whole bundle with good signatures over whatever these are.</summary>
    public Bundle Bundle(JsonNode manifest, JsonNode? descriptor = null, TestRelease? archive = null) =>
        Bundle(Bytes(manifest), null, descriptor, archive);

    /// <param name="signatures">Those of two signers unless given.</param>
    public Bundle Bundle(byte[] manifest, byte[]? signatures = null, JsonNode? descriptor = null,
        TestRelease? archive = null)
    {
        var described = Bytes(descriptor ?? Descriptor());
        return new(
            manifest, signatures ?? TrustWorld.Sign(manifest, Signers[..2]), described, TrustWorld.Sign(described,
                Releaser),
            (archive ?? Release).Path);
    }

    public Bundle Good(long version) => Bundle(Manifest(version));

    /// <summary>The code of the refusal; what was taken or known says so.</summary>
    public async Task<string> OfferAsync(Bundle bundle) => await TakeAsync(bundle) switch
    {
        IntakeResult.Taken => "taken",
        IntakeResult.Known => "known",
        IntakeResult.Refused(var code, _) => code,
    };

    public Task<IntakeResult> TakeAsync(Bundle bundle) => _intake.TakeAsync(bundle, new(0), CancellationToken.None);

    /// <summary>The agent starts again from what it wrote down, where a test may have decided what that is.</summary>
    public void Restart(Func<HostState, HostState>? written = null)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new JsonOut(buffer))
        {
            HostCodec.Write(json, (written ?? (state => state))(Host.Current.State));
            json.Flush();
        }

        var from = new JsonIn(buffer.WrittenSpan);
        var state = HostCodec.ReadState(ref from);
        Host.Dispose();
        _intake.Dispose();
        Host = new((_, _) => { }, state);
        _intake = new(Host, Store.Store, () => Settings, new WallClock(() => Host.Now, Wall));
    }

    /// <summary>Runs what must change nothing: no record, no rollout, no release, nothing staged.</summary>
    public async Task<string> UnchangedAsync(Func<Task<string>> attack)
    {
        var (before, files) = (Host.Current, Store.Everything());
        var code = await attack();
        Assert.Same(before.State.Rollouts, Host.Current.State.Rollouts);
        Assert.Equal(before.Seq, Host.Current.Seq);
        Assert.Equal(files, Store.Everything());
        if (Directory.Exists(Store.Staging)) Assert.Empty(Directory.EnumerateFileSystemEntries(Store.Staging));
        return code;
    }

    public void Dispose()
    {
        _intake.Dispose();
        Host.Dispose();
        Store.Dispose();
        _keys.Dispose();
    }
}
