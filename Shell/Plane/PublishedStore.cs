using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Security.Cryptography;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Core.Plane;
using Agent.Core.Time;
using Agent.Shell.Linux;
using Agent.Shell.Manifests;
using Agent.Shell.Trust;

namespace Agent.Shell.Plane;

/// <summary>A manifest as it was signed, and where the descriptors of its releases lie.</summary>
internal sealed record PublishedManifest(string Folder, FleetOrder Order);

/// <summary>
/// What a plane serves: a directory of signed documents that anybody may fill, by `agent fleet publish` or by copying.
/// <code>
/// manifests/ANY/manifest.json(.sig)  SHA256.release(.sig)
/// archives/SHA256
/// trust/VERSION.json(.sig)
/// </code>
/// The plane believes nothing in it that is not signed, and can sign nothing itself.
/// </summary>
internal sealed class PublishedStore
{
    /// <summary>The largest release; that of the agents' own limit.</summary>
    public const long MaxArchiveBytes = 4L << 30;

    private const string ManifestFile = "manifest.json";
    private const string ReleaseSuffix = ".release";
    private const string Unfinished = ".new-";

    private readonly string _manifests;
    private readonly string _archives;
    private readonly string _trust;
    private readonly ConcurrentDictionary<RolloutId, PublishedManifest> _known = new();
    private readonly ConcurrentDictionary<string, DateTime> _judged = new(StringComparer.Ordinal);

    public PublishedStore(string root)
    {
        _manifests = Make(root, "manifests");
        _archives = Make(root, "archives");
        _trust = Make(root, "trust");
        foreach (var left in Directory.EnumerateDirectories(_manifests, Unfinished + "*")) Directory.Delete(left, true);
        foreach (var left in Directory.EnumerateFiles(_archives, Unfinished + "*")) File.Delete(left);
    }

    public PublishedManifest? Find(RolloutId id) => _known.GetValueOrDefault(id);

    /// <summary>
    /// The manifests that were not seen before, judged; and the folders that hold none that counts, with the reason.
    /// Freshness is for hosts to judge: a plane that was down for a week still knows its fleet.
    /// </summary>
    public (IReadOnlyList<FleetOrder> New, IReadOnlyList<(string Folder, Refusal Why)> Refused) Scan(TrustFile trust, Instant now)
    {
        var fresh = new List<FleetOrder>();
        var refused = new List<(string, Refusal)>();
        foreach (var folder in Directory.EnumerateDirectories(_manifests).Order(StringComparer.Ordinal))
        {
            if (Path.GetFileName(folder).StartsWith(Unfinished, StringComparison.Ordinal)) continue;
            var written = Written(folder);
            if (_judged.TryGetValue(folder, out var before) && before == written) continue;
            _judged[folder] = written;
            if (Judge(folder, trust, now).Failed(out var published, out var why)) refused.Add((folder, why));
            else if (_known.TryAdd(published.Order.Id, published)) fresh.Add(published.Order);
        }

        return (fresh, refused);
    }

    /// <summary>Takes a verified manifest in, whole or not at all.</summary>
    public void Put(FleetOrder order, SignedDocument manifest, IReadOnlyList<(string Sha256, SignedDocument Release)> releases)
    {
        var folder = Path.Combine(_manifests, order.Id.Value);
        if (Directory.Exists(folder)) return;
        var unfinished = Directory.CreateDirectory(Path.Combine(_manifests, Unfinished + order.Id.Value)).FullName;
        Write(Path.Combine(unfinished, ManifestFile), manifest);
        foreach (var (sha256, release) in releases) Write(Path.Combine(unfinished, sha256 + ReleaseSuffix), release);
        Files.SyncDirectory(unfinished);
        Files.Rename(unfinished, folder);
        Files.SyncDirectory(_manifests);
        _judged[folder] = Written(folder);
        _known.TryAdd(order.Id, new(folder, order));
    }

    public static SignedDocument Manifest(PublishedManifest published) =>
        Read(Path.Combine(published.Folder, ManifestFile), ManifestReader.MaxBytes);

    /// <summary>The signed descriptor of a release that the manifest names; null where none lies there.</summary>
    public static SignedDocument? Release(PublishedManifest published, ReleaseId target)
    {
        if (!target.Value.StartsWith(ReleaseId.ArchivePrefix, StringComparison.Ordinal)) return null;
        var path = Path.Combine(published.Folder, target.Value[ReleaseId.ArchivePrefix.Length..] + ReleaseSuffix);
        return File.Exists(path) ? Read(path, ReleaseDescriptor.MaxBytes) : null;
    }

    /// <summary>The trust file that follows a version, if it was put there.</summary>
    public SignedDocument? TrustAfter(long version)
    {
        var path = Path.Combine(_trust, string.Create(CultureInfo.InvariantCulture, $"{version + 1}.json"));
        return File.Exists(path) ? Read(path, TrustFile.MaxBytes) : null;
    }

    /// <summary>The path of an archive; null where there is none. The digest must have been judged to be one.</summary>
    public string? Archive(string sha256)
    {
        var path = Path.Combine(_archives, sha256);
        return File.Exists(path) ? path : null;
    }

    /// <summary>Takes an archive in if its bytes have this digest; answers what is wrong otherwise.</summary>
    public async Task<string?> PutArchiveAsync(string sha256, Stream body, CancellationToken stop)
    {
        if (Archive(sha256) is not null) return null;
        var path = Path.Combine(_archives, $"{Unfinished}{Guid.NewGuid():N}");
        try
        {
            if (await ReceiveAsync(path, sha256, body, stop) is { } fault) return fault;
            var fd = Files.Open(path, create: false, truncate: false);
            Files.SyncData(fd, path);
            Files.Close(fd);
            Files.Rename(path, Path.Combine(_archives, sha256));
            Files.SyncDirectory(_archives);
            return null;
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static async Task<string?> ReceiveAsync(string path, string sha256, Stream body, CancellationToken stop)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[128 << 10];
        await using var file = File.Create(path);
        while (await body.ReadAsync(buffer, stop) is > 0 and var read)
        {
            if (file.Length + read > MaxArchiveBytes) return $"it is larger than {MaxArchiveBytes >> 30} GiB";
            hash.AppendData(buffer, 0, read);
            await file.WriteAsync(buffer.AsMemory(0, read), stop);
        }

        var got = Convert.ToHexStringLower(hash.GetHashAndReset());
        return got == sha256 ? null : $"its SHA-256 is {got}";
    }

    private static Checked<PublishedManifest> Judge(string folder, TrustFile trust, Instant now)
    {
        try
        {
            var manifest = Read(Path.Combine(folder, ManifestFile), ManifestReader.MaxBytes);
            return Judge(manifest, trust, now, fresh: false).Failed(out var order, out var why)
                ? why
                : new PublishedManifest(folder, order);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return new Refusal(TrustFault.NotJson, failure.Message);
        }
    }

    /// <summary>What a signed manifest asks of its hosts.</summary>
    public static Checked<FleetOrder> Judge(SignedDocument manifest, TrustFile trust, Instant now, bool fresh)
    {
        var demand = new Demand(RoleName.Manifest, ManifestReader.Type, ManifestReader.MaxBytes, now) { Fresh = fresh };
        return Verified.Check(manifest.Document.Span, manifest.Signatures.Span, trust, demand).Failed(out var verified, out var why)
            ? why
            : ManifestReader.ReadFleet(verified);
    }

    private static DateTime Written(string folder)
    {
        var manifest = File.GetLastWriteTimeUtc(Path.Combine(folder, ManifestFile));
        var signatures = File.GetLastWriteTimeUtc(Path.Combine(folder, ManifestFile + SignedFile.Suffix));
        return manifest > signatures ? manifest : signatures;
    }

    private static SignedDocument Read(string path, int cap) =>
        new(SignedFile.Read(path, cap), SignedFile.Read(path + SignedFile.Suffix, SignatureFile.MaxBytes));

    private static void Write(string path, SignedDocument document) =>
        SignedFile.Install(path, document.Document.ToArray(), document.Signatures.ToArray());

    private static string Make(string root, string name) => Directory.CreateDirectory(
        Path.Combine(root, name), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute).FullName;
}

/// <summary>The bytes of a document and of its signatures.</summary>
internal sealed record SignedDocument(ReadOnlyMemory<byte> Document, ReadOnlyMemory<byte> Signatures);
