namespace Agent.Shell.Journal;

/// <summary>The bounds of a journal.</summary>
/// <param name="SegmentBytes">A segment ends after this many bytes: the most that a start has to fold.</param>
/// <param name="ZeroAheadBytes">Written as zeros ahead of the records; overwriting syncs almost twice as fast as
/// growing.</param>
/// <param name="KeepSegments">History kept for explaining and replay; with the size above it bounds the disk.</param>
internal sealed record JournalOptions(int SegmentBytes = 8 << 20, int ZeroAheadBytes = 1 << 20, int KeepSegments = 16)
{
    public static JournalOptions Default { get; } = new();
}
