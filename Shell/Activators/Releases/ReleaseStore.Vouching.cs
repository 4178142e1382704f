using System;
using System.IO;
using Agent.Shell.Linux;

namespace Agent.Shell.Activators.Releases;

/// <summary>
/// Who vouches for each release: its signed descriptor and the signatures, as they were received, in
/// <c>store/SHA256.signed</c>. The store keeps the bytes; whether they are good is judged whenever they are used.
/// </summary>
internal sealed partial class ReleaseStore
{
    private const string SignedSuffix = ".signed";

    /// <summary>Some times what a descriptor and its signatures may have; more is none of ours.</summary>
    private const int SignedBytes = 1 << 20;

    // Canonical JSON has no line breaks, so the first one ends the descriptor.
    private const byte Between = (byte)'\n';

    /// <summary>Keeps them in the place of those before, durably and in one step.</summary>
    public void KeepSigned(string sha256, ReadOnlySpan<byte> descriptor, ReadOnlySpan<byte> signatures)
    {
        byte[] both = [.. descriptor, Between, .. signatures];
        lock (_gate)
        {
            if (_store.Look(Known(sha256))?.Kind != NodeKind.Directory) return;
            if (ReadSigned(sha256) is { } kept && kept.AsSpan().SequenceEqual(both)) return;
            var name = NewName();
            using (var file = _staging.Create(name))
            {
                _staging.Write(file, name, both, 0);
                _staging.SyncFile(file, name);
            }

            _staging.Rename(name, _store, sha256 + SignedSuffix, Replacing.Old);
            _store.Sync();
        }
    }

    /// <summary>What was kept, or null.</summary>
    public (ReadOnlyMemory<byte> Descriptor, ReadOnlyMemory<byte> Signatures)? Signed(string sha256)
    {
        if (ReadSigned(Known(sha256)) is not { } both) return null;
        var end = both.AsSpan().IndexOf(Between);
        return end < 0 ? null : (both.AsMemory(0, end), both.AsMemory(end + 1));
    }

    private byte[]? ReadSigned(string sha256)
    {
        if (_store.Look(sha256 + SignedSuffix) is not { Kind: NodeKind.File, Size: <= SignedBytes } file) return null;
        using var handle = _store.OpenFile(sha256 + SignedSuffix);
        var bytes = new byte[(int)file.Size];
        var length = 0;
        for (int got; (got = RandomAccess.Read(handle, bytes.AsSpan(length), length)) > 0;) length += got;
        return bytes[..length];
    }
}
