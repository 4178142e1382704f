using System;
using System.Linq;
using Agent.Shell.Linux;

namespace Agent.Shell.Activators.Releases;

/// <summary>Which release each channel uses.</summary>
internal sealed partial class ReleaseStore
{
    /// <summary>Fits into a path next to everything else.</summary>
    private const int ChannelLength = 64;

    /// <summary>The release that a channel's link leads to, be it there or not; null: there is no link.</summary>
    /// <exception cref="ReleaseRefused">The link leads elsewhere than into the store.</exception>
    public string? Current(string channel)
    {
        if (Link(channel) is not { } target) return null;
        return InStore(channel) ?? throw new ReleaseRefused(
            ReleaseCode.Channel, $"channel {channel}: {PathOfCurrent(channel)} is no link to a release: {target}");
    }

    /// <summary>The release that a channel's link leads to; null where it leads elsewhere or is not there.</summary>
    private string? InStore(string channel)
    {
        var target = Link(channel) ?? "";
        var sha256 = target.StartsWith(LinkPrefix, StringComparison.Ordinal) ? target[LinkPrefix.Length..] : "";
        return IsSha256(sha256) ? sha256 : null;
    }

    /// <summary>Where a channel's link leads; nowhere if it is something else, null if there is none.</summary>
    private string? Link(string channel)
    {
        var link = KnownChannel(channel) + "/" + CurrentLink;
        if (_channels.Look(link) is not { } node) return null;
        return node.Kind == NodeKind.Link ? _channels.ReadLink(link) : "";
    }

    /// <summary>
    /// Lets a channel's link lead to a release of the store, in one step, and returns when that is durable. Whether the
    /// release is whole is <see cref="Verify"/>'s to say, before.
    /// </summary>
    /// <exception cref="ReleaseRefused">The release is not in the store.</exception>
    public void Switch(string channel, string sha256)
    {
        lock (_gate)
        {
            if (_store.Look(Known(sha256))?.Kind != NodeKind.Directory)
            {
                throw new ReleaseRefused(ReleaseCode.Missing, $"release {sha256} is not in the store");
            }

            using var folder = _channels.EnterOrMake(KnownChannel(channel));
            folder.SetMode(Passable);
            folder.Remove(NewLink);
            folder.Link(NewLink, LinkPrefix + sha256);

            // A link's target may lie in a block of its own, which must be on the disk before the name leads to it.
            folder.Sync();
            folder.Rename(NewLink, folder, CurrentLink, Replacing.Old);
            folder.Sync();
        }
    }

    /// <summary>Takes a channel's link away, durably; none is fine.</summary>
    public void Clear(string channel)
    {
        lock (_gate)
        {
            if (_channels.Look(KnownChannel(channel)) is null) return;
            using var folder = _channels.Enter(channel);
            folder.Remove(CurrentLink);
            folder.Sync();
        }
    }

    private static string KnownChannel(string channel) => IsChannel(channel) ? channel : throw new ReleaseRefused(
        ReleaseCode.Channel, "a channel's name is of letters, digits and '-_.', and begins with a letter or digit");

    private static bool IsChannel(string name) => name.Length is > 0 and <= ChannelLength
        && char.IsAsciiLetterOrDigit(name[0])
        && name.All(one => char.IsAsciiLetterOrDigit(one) || one is '-' or '_' or '.');
}
