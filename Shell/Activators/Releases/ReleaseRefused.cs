using System;
using System.Linq;
using Agent.Shell.Observability;

namespace Agent.Shell.Activators.Releases;

/// <summary>
/// A release is not taken, switched to or looked at. <see cref="Code"/> is stable and for programs, the message says
/// what was found where.
/// </summary>
internal sealed class ReleaseRefused : Exception
{
    public ReleaseRefused()
    {
    }

    public ReleaseRefused(string message)
        : base(message)
    {
    }

    public ReleaseRefused(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    public ReleaseRefused(string code, string message)
        : base(BoundedText.Harmless(message)) => Code = code;

    public ReleaseRefused(string code, string message, Exception innerException)
        : base(BoundedText.Harmless(message), innerException) => Code = code;

    /// <summary>One of <see cref="ReleaseCode"/>.</summary>
    public string Code { get; } = ReleaseCode.Garbage;
}

/// <summary>Why a release is refused. The words are part of the API and do not change.</summary>
internal static class ReleaseCode
{
    /// <summary>The bytes are not those that the hash names, or the hash is not one.</summary>
    public const string Hash = "release-hash";

    /// <summary>There are more or fewer bytes than was said.</summary>
    public const string Length = "release-length";

    public const string TooLarge = "release-too-large";

    /// <summary>The store does not have it.</summary>
    public const string Missing = "release-missing";

    /// <summary>The store has it, but not the signed descriptor by which it could be judged today.</summary>
    public const string Unsigned = "release-unsigned";

    /// <summary>Neither a tar archive nor a compressed one, or one with parts that are not understood.</summary>
    public const string Garbage = "archive-garbage";

    public const string Truncated = "archive-truncated";

    /// <summary>A header's sum is not that of its bytes.</summary>
    public const string Checksum = "archive-checksum";

    public const string AbsolutePath = "archive-absolute-path";
    public const string ParentPath = "archive-parent-path";
    public const string SymlinkEscape = "archive-symlink-escape";
    public const string Hardlink = "archive-hardlink";
    public const string Device = "archive-device";
    public const string Fifo = "archive-fifo";

    /// <summary>Setuid, setgid or sticky.</summary>
    public const string Setuid = "archive-setuid";

    public const string WorldWritable = "archive-world-writable";

    /// <summary>One name twice, or a name that is both a file and a directory.</summary>
    public const string Duplicate = "archive-duplicate";

    /// <summary>An entry whose parent is a symbolic link of the same archive.</summary>
    public const string ThroughSymlink = "archive-through-symlink";

    /// <summary>Control characters, not UTF-8, or empty and dotted parts.</summary>
    public const string BadName = "archive-bad-name";

    public const string TooDeep = "archive-too-deep";
    public const string NameTooLong = "archive-name-too-long";
    public const string TooManyEntries = "archive-too-many-entries";

    /// <summary>An entry claims more bytes than there can be.</summary>
    public const string SizeLie = "archive-size-lie";

    /// <summary>It expands to more than its size allows.</summary>
    public const string Bomb = "archive-bomb";

    public const string NoSpace = "no-space";

    /// <summary>Somebody else changed what was being unpacked.</summary>
    public const string StagingChanged = "staging-changed";

    /// <summary>A channel's name is not one, or its link leads elsewhere than into the store.</summary>
    public const string Channel = "release-channel";
}
