using System;

namespace Agent.Shell.Activators.Releases;

/// <summary>The bounds of a release and of the work on one.</summary>
/// <param name="ArchiveBytes">A whole system image compressed; it is on the disk next to its unpacked tree.</param>
/// <param name="ExpandedBytes">Twice as much: most of what is that large hardly compresses.</param>
/// <param name="Ratio">How many times its own size an archive may expand to; programs and texts reach 20.</param>
/// <param name="FreeOfRatioBytes">Below it no ratio is asked for: small archives of sparse files are harmless.</param>
/// <param name="Entries">Directories that are only implied count too. A large node_modules has half as many.</param>
/// <param name="Depth">Names in one path; deeper trees are attacks on those who walk them.</param>
/// <param name="ComponentBytes">What Linux takes for one name.</param>
/// <param name="PathBytes">What Linux takes for a path, without the NUL that ends it.</param>
/// <param name="NamesBytes">All paths and link targets together: bounds the memory of a check.</param>
/// <param name="HeaderBytes">An extended header: a path, a target and some attributes.</param>
/// <param name="ReserveBytes">Left free on the disk, for the journal and what the host itself needs.</param>
internal sealed record ReleaseLimits(
    long ArchiveBytes = 4L << 30,
    long ExpandedBytes = 8L << 30,
    int Ratio = 200,
    long FreeOfRatioBytes = 64 << 20,
    int Entries = 200_000,
    int Depth = 64,
    int ComponentBytes = 255,
    int PathBytes = 4095,
    long NamesBytes = 32 << 20,
    int HeaderBytes = 64 << 10,
    long ReserveBytes = 64 << 20)
{
    public static ReleaseLimits Default { get; } = new();

    /// <summary>The most that a compressed archive of this size may expand to.</summary>
    public long ExpandedBytesOf(long archiveBytes) =>
        Math.Min(ExpandedBytes, Math.Max(FreeOfRatioBytes, archiveBytes * Ratio));
}
