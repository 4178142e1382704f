using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Security.Cryptography;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Core.Time;
using Agent.Shell.Config;
using Agent.Shell.Linux;
using Agent.Shell.Manifests;
using Agent.Shell.Trust;

namespace Agent.Shell.Cli;

/// <summary>`agent sign …` and `agent verify`: for whoever publishes, without any agent and without a network.</summary>
internal static class SignVerbs
{
    public const string DescriptorSuffix = ".release";

    private static readonly Argument<string> Archive = new("ARCHIVE") { Description = "A tar archive, plain or gzip" };
    private static readonly Argument<string> Draft = new("FILE")
    {
        Description = "A draft in YAML; or a manifest (.json) that others signed already, to add a signature",
    };

    private static readonly Argument<string> Signed = new("MANIFEST") { Description = "A signed manifest, its signatures beside it" };
    private static readonly Option<string> Key = new("--key")
    {
        Description = "The private key, a PEM file that only its owner may read", HelpName = "FILE", Required = true,
    };

    private static readonly Option<string?> Release = new("--release") { Description = "The archive that it is about", HelpName = "ARCHIVE" };
    private static readonly Option<string?> Name = new("--name") { Description = "What people call the release [default: the file's name]", HelpName = "NAME" };
    private static readonly Option<string?> Out = new("--out") { Description = "Where the manifest is written [default: the draft's name with .json]", HelpName = "FILE" };
    private static readonly Option<string> TrustFile = new("--trust")
    {
        Description = "The trust file to judge by", HelpName = "FILE", DefaultValueFactory = _ => RolloutSettings.DefaultTrust,
    };

    private static readonly Option<string?> Host = new("--host") { Description = "Judge for this host [default: this machine]", HelpName = "NAME" };
    private static readonly Option<string?> Environment = new("--environment") { Description = "And for this environment", HelpName = "NAME" };

    public static IReadOnlyList<Command> All() =>
    [
        Invocation.Group(
            "sign", "Sign releases and manifests, offline", "agent sign manifest rollout.yaml --release app.tar.gz --key manifest.pem",
            Invocation.Local(
                "release", "Vouch for an archive: writes ARCHIVE.release and its signature; again with another key adds one",
                "agent sign release app.tar.gz --key release.pem", SignReleaseAsync, Archive, Key, Name),
            Invocation.Local(
                "manifest", "Write the manifest of a draft and sign it; again with another key adds a signature",
                "agent sign manifest rollout.yaml --release app.tar.gz --key manifest.pem", SignManifestAsync, Draft, Key, Release, Out)),
        Invocation.Local(
            "verify", "Judge a manifest, and its release, as a host would; nothing is changed",
            "agent verify rollout.json --release app.tar.gz --trust trust.json --host web-1", VerifyAsync, Signed, Release,
            TrustFile, Host, Environment),
    ];

    private static Task<int> SignReleaseAsync(ParseResult parsed, CancellationToken stop) => GuardedAsync(async () =>
    {
        using var key = LoadKey(parsed);
        var archive = parsed.GetValue(Archive)!;
        var path = archive + DescriptorSuffix;
        var (sha256, length) = await DigestAsync(archive, stop).ConfigureAwait(false);
        if (!Describes(path, sha256))
        {
            var descriptor = new ReleaseDescriptor(parsed.GetValue(Name) ?? Path.GetFileName(archive), sha256, length);
            SignedFile.Write(path, descriptor.Write(DateTimeOffset.UtcNow));
        }

        Sign(path, key, ReleaseDescriptor.MaxBytes);
        Told(parsed, path, $"sha256:{sha256}", key);
        return ExitCodes.Done;
    });

    private static Task<int> SignManifestAsync(ParseResult parsed, CancellationToken stop) => GuardedAsync(async () =>
    {
        using var key = LoadKey(parsed);
        var draft = parsed.GetValue(Draft)!;
        var path = draft;
        if (!draft.EndsWith(".json", StringComparison.Ordinal))
        {
            path = parsed.GetValue(Out) ?? Path.ChangeExtension(draft, ".json");
            var target = parsed.GetValue(Release) is { } archive ? await TargetAsync(archive, stop).ConfigureAwait(false) : null;
            SignedFile.Write(path, ManifestDraft.Read(draft, target, DateTimeOffset.UtcNow));
        }

        Sign(path, key, ManifestReader.MaxBytes);
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(SignedFile.Read(path, ManifestReader.MaxBytes)));
        Told(parsed, path, $"ref {ManifestReader.RefOf(sha256)}", key);
        return ExitCodes.Done;
    });

    private static Task<int> VerifyAsync(ParseResult parsed, CancellationToken stop) => GuardedAsync(async () =>
    {
        var manifest = parsed.GetValue(Signed)!;
        var archive = parsed.GetValue(Release);
        var bundle = new Bundle(
            SignedFile.Read(manifest, ManifestReader.MaxBytes), Signatures(manifest), null, null, archive);
        if (archive is not null)
        {
            bundle = bundle with
            {
                Release = SignedFile.Read(archive + DescriptorSuffix, ReleaseDescriptor.MaxBytes),
                ReleaseSignatures = Signatures(archive + DescriptorSuffix),
            };
        }

        var own = RolloutSettings.Default with
        {
            Host = parsed.GetValue(Host) ?? RolloutSettings.Default.Host,
            Environment = parsed.GetValue(Environment),
        };
        var now = Loop.WallClock.Read();
        if (VerifiedBundle.Trust(parsed.GetValue(TrustFile)!).Failed(out var trust, out var why)) return Refuse(parsed, why);
        if (VerifiedBundle.Check(bundle, trust, own, _ => null, now).Failed(out var verified, out why)) return Refuse(parsed, why);
        if (archive is not null && verified.Release is { } release)
        {
            var (sha256, length) = await DigestAsync(archive, stop).ConfigureAwait(false);
            if (length != release.Length) return Refuse(parsed, new(TrustFault.ReleaseLength, $"{archive} has {length} bytes, {release.Length} were signed"));
            if (sha256 != release.Sha256) return Refuse(parsed, new(TrustFault.ReleaseHash, $"{archive} is {sha256}, {release.Sha256} was signed"));
        }

        Invocation.Say(Invocation.WantsJson(parsed)
            ? $$"""{"verified":true,"id":"{{verified.Order.Id}}","version":{{verified.Order.Version}},"target":"{{verified.Order.Target}}"}"""
            : $"{Screen.Green("good")}: {verified.Order.Id} version {verified.Order.Version} switches {own.Host} to {verified.Order.Target}");
        return ExitCodes.Done;
    });

    private static int Refuse(ParseResult parsed, Refusal why)
    {
        if (Invocation.WantsJson(parsed)) Invocation.Say($$"""{"verified":false,"code":"{{TrustFaults.NameOf(why.Fault)}}"}""");
        Invocation.Complain(why.ToString());
        return ExitCodes.Failed;
    }

    private static byte[] Signatures(string path) =>
        File.Exists(path + SignedFile.Suffix) ? SignedFile.Read(path + SignedFile.Suffix, SignatureFile.MaxBytes) : [];

    /// <summary>Before anything is written, so that a key that is refused leaves what was signed before.</summary>
    private static SigningKey LoadKey(ParseResult parsed) => SigningKey.Load(parsed.GetValue(Key)!).Failed(out var key, out var why)
        ? throw new CommandFailure(ExitCodes.Usage, why.ToString())
        : key;

    private static void Sign(string path, SigningKey key, int cap)
    {
        if (SignedFile.Sign(path, key, cap) is { } refusal) throw new CommandFailure(ExitCodes.Usage, $"{path}: {refusal}");
    }

    private static void Told(ParseResult parsed, string path, string what, SigningKey key) => Invocation.Say(
        Invocation.WantsJson(parsed)
            ? $$"""{"file":"{{System.Text.Json.JsonEncodedText.Encode(path)}}","signedBy":"{{key.PublicKey.KeyId}}"}"""
            : $"{path}: {what}, signed by {key.PublicKey.KeyId[..12]}");

    /// <summary>A descriptor of these very bytes is kept, so that a second signer signs the same document.</summary>
    private static bool Describes(string path, string sha256)
    {
        if (!File.Exists(path)) return false;
        var bytes = SignedFile.Read(path, ReleaseDescriptor.MaxBytes);
        if (CanonicalJson.ReadCanonical(bytes, ReleaseDescriptor.MaxBytes).Failed(out var tree, out _)) return false;
        return tree is Json.Object && Fields.Of(tree).OptionalString("sha256") == sha256;
    }

    private static async Task<ReleaseId?> TargetAsync(string archive, CancellationToken stop)
    {
        var (sha256, _) = await DigestAsync(archive, stop).ConfigureAwait(false);
        return ReleaseId.Parse(ReleaseId.ArchivePrefix + sha256).TryGet(out var target) ? target : null;
    }

    /// <summary>The SHA-256 of an archive and its length in bytes.</summary>
    public static async Task<(string Sha256, long Length)> DigestAsync(string path, CancellationToken stop)
    {
        await using var file = File.OpenRead(path);
        return (Convert.ToHexStringLower(await SHA256.HashDataAsync(file, stop).ConfigureAwait(false)), file.Length);
    }

    internal static async Task<int> GuardedAsync(Func<Task<int>> run)
    {
        try
        {
            return await run().ConfigureAwait(false);
        }
        catch (ConfigException failure)
        {
            foreach (var mistake in failure.Mistakes) Invocation.Complain(mistake);
            return ExitCodes.Usage;
        }
        catch (Exception failure) when (failure is UnauthorizedAccessException or FileFailure
            or FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CommandFailure(ExitCodes.Usage, failure.Message);
        }
    }
}
