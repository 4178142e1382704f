using System;
using System.IO;
using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Core.Time;
using Agent.Shell.Config;
using Agent.Shell.Trust;

namespace Agent.Shell.Manifests;

/// <summary>
/// What a bundle asks of a host, with every signature, time, version and name found good; and the descriptor of its
/// release, where it brought one. The same check is made on hosts and, offline, by whoever publishes.
/// </summary>
internal sealed record VerifiedBundle(RolloutOrder Order, ReleaseDescriptor? Release)
{
    /// <param name="floor">The highest version seen of a channel, or null.</param>
    public static Checked<VerifiedBundle> Check(
        Bundle bundle, TrustFile trust, RolloutSettings own, Func<ChannelName, long?> floor, Instant now)
    {
        var demand = new Demand(RoleName.Manifest, ManifestReader.Type, ManifestReader.MaxBytes, now) { Fresh = true };
        if (Verified.Check(bundle.Manifest.Span, bundle.Signatures.Span, trust, demand).Failed(out var manifest, out var why))
        {
            return why;
        }

        if (VersionFault(manifest, floor) is { } old) return old;
        if (ManifestReader.Read(manifest, own.Host, own.Environment).Failed(out var order, out why)) return why;
        if (order.Fault.TryGet(out var fault)) return new Refusal(TrustFault.BadField, fault);
        if (order.Activator != ActivatorKind.Release || bundle.Release is not { } release) return new VerifiedBundle(order, null);
        if (CheckRelease(release.Span, (bundle.ReleaseSignatures ?? default).Span, trust, now).Failed(out var descriptor, out why))
        {
            return why;
        }

        return ReleaseId.ArchivePrefix + descriptor.Sha256 == order.Target.Value
            ? new VerifiedBundle(order, descriptor)
            : new Refusal(TrustFault.ReleaseHash, $"the manifest asks for {order.Target}, this release is {descriptor.Sha256}");
    }

    public static Checked<ReleaseDescriptor> CheckRelease(
        ReadOnlySpan<byte> document, ReadOnlySpan<byte> signatures, TrustFile trust, Instant now)
    {
        var demand = new Demand(RoleName.Release, ReleaseDescriptor.Type, ReleaseDescriptor.MaxBytes, now);
        return Verified.Check(document, signatures, trust, demand).Failed(out var signed, out var why)
            ? why
            : ReleaseDescriptor.Read(signed);
    }

    /// <summary>The trust file at a path, judged anew each time it is needed.</summary>
    public static Checked<TrustFile> Trust(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            var bytes = new byte[TrustFile.MaxBytes + 1];
            return TrustFile.Load(bytes.AsSpan(0, file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return new Refusal(TrustFault.NoTrust, $"{failure.Message}; a host trusts nobody until it has a trust file, see `agent trust --help`");
        }
    }

    /// <summary>Judged before the host is looked for, so that an old manifest is told as one whoever it was for.</summary>
    private static Refusal? VersionFault(Verified manifest, Func<ChannelName, long?> floor)
    {
        var fields = manifest.Read();
        var version = fields.Integer("version", 1, long.MaxValue);
        if (!ChannelName.Parse(fields.String("channel")).TryGet(out var channel) || fields.Refusal is not null) return null;
        if (floor(channel) is not { } seen || version > seen) return null;
        return version < seen
            ? new(TrustFault.VersionRollback, $"version {version} of {channel} is older than {seen}, which was seen")
            : new(TrustFault.VersionReused, $"another manifest of {channel} had version {seen} already");
    }
}
