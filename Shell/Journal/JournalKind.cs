using System;
using System.Globalization;
using System.IO;

namespace Agent.Shell.Journal;

/// <summary>
/// Tells a plane's journal from a host's by its beginning: the first record of all is its owner's start, and a snapshot
/// begins with a field that the other's has not.
/// </summary>
internal static class JournalKind
{
    private static ReadOnlySpan<byte> PlaneState => "\"state\":{\"hosts\":"u8;

    private static ReadOnlySpan<byte> PlaneStarted => "\"event\":{\"type\":\"planeStarted\""u8;

    /// <summary>Whether the journal at this path, a directory or one segment, is a plane's.</summary>
    /// <exception cref="FileNotFoundException">There is no journal.</exception>
    public static bool IsOfPlane(string path)
    {
        var file = JournalReplay.FilesOf(path)[0];
        var first = long.Parse(Path.GetFileNameWithoutExtension(file), CultureInfo.InvariantCulture);
        return first == 1 ? FirstRecordIsOfPlane(file) : SnapshotIsOfPlane(file, first);
    }

    private static bool FirstRecordIsOfPlane(string file)
    {
        var ofPlane = false;
        JournalReader.Read([file], 1, (record, _, _) =>
        {
            ofPlane = record.Body.StartsWith(PlaneStarted);
            return false;
        });
        return ofPlane;
    }

    // A snapshot that is missing or damaged is the replay's to tell, which needs it.
    private static bool SnapshotIsOfPlane(string file, long first)
    {
        var path = JournalFiles.PathOf(Path.GetDirectoryName(Path.GetFullPath(file))!, first, JournalFiles.Snapshot);
        if (!File.Exists(path)) return false;
        var bytes = File.ReadAllBytes(path);
        var length = bytes.AsSpan().IndexOf((byte)'\n');
        return length >= 0 && RecordLine.TryRead(bytes.AsSpan(0, length), out var line) && line.Body.StartsWith(PlaneState);
    }
}
