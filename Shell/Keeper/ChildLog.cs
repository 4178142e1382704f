using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text;
using System.Text.Json;
using Agent.Shell.Journal;
using Agent.Shell.Linux;

namespace Agent.Shell.Keeper;

/// <summary>
/// One line of the keeper's own log: that a spawn is about to happen, the spawn with its identity, its exit, or that it was
/// forgotten.
/// </summary>
internal sealed record ChildFact(string Fact, KeptRow Row)
{
    public bool Tree { get; init; }

    public bool Notify { get; init; }

    public const string Begun = "begun";
    public const string Spawned = "spawned";
    public const string Exited = "exited";
    public const string Forgotten = "forgotten";
}

/// <summary>
/// What the keeper must know after its own death: its children and their exits. Lines as in the journal (CRC-32C, a
/// space, JSON). A disk that fails does not stop the keeper: the facts stay in memory and say that they are not
/// durable.
/// </summary>
internal sealed class ChildLog : IDisposable
{
    // A few hundred children write a few hundred bytes each; beyond this the log is mostly history.
    private const long CompactAbove = 1 << 20;

    private readonly string _path;
    private readonly List<byte> _pending = [];
    private int _fd;
    private long _end;

    public ChildLog(string path)
    {
        _path = path;
        _fd = Files.Open(path, create: true);
    }

    /// <summary>Why the last write failed; null while the disk is well.</summary>
    public string? Trouble { get; private set; }

    public bool IsLarge => _end > CompactAbove;

    /// <summary>Every whole line from the beginning; whatever follows the last one was never acted upon.</summary>
    public List<ChildFact> Read()
    {
        var facts = new List<ChildFact>();
        var bytes = File.ReadAllBytes(_path).AsSpan();
        var at = 0;
        while (bytes[at..].IndexOf((byte)'\n') is var length and > 9)
        {
            var line = bytes.Slice(at, length);
            if (!uint.TryParse(line[..8], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var crc)) break;
            if (Crc32C.Of(line[9..]) != crc) break;
            facts.Add(JsonSerializer.Deserialize(line[9..], KeeperJson.Default.ChildFact)!);
            at += length + 1;
        }

        _end = at;
        return facts;
    }

    /// <summary>Notes a fact; <see cref="Sync"/> makes it durable.</summary>
    public void Note(ChildFact fact)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(fact, KeeperJson.Default.ChildFact);
        _pending.AddRange(Encoding.ASCII.GetBytes(Crc32C.Of(json).ToString("x8", CultureInfo.InvariantCulture)));
        _pending.Add((byte)' ');
        _pending.AddRange(json);
        _pending.Add((byte)'\n');
    }

    /// <summary>
    /// Hands all facts noted to the kernel without waiting for the disk: they outlive this process, and whoever dies with
    /// the host needs them no more.
    /// </summary>
    public void Write()
    {
        try
        {
            var bytes = _pending.ToArray();
            Files.Write(_fd, _path, bytes, _end);
            _end += bytes.Length;
        }
        catch (FileFailure failure)
        {
            Trouble = failure.Message;
        }

        _pending.Clear();
    }

    /// <summary>
    /// One sync for all facts noted since the last. False: they are not durable, and <see cref="Trouble"/> says why.
    /// </summary>
    public bool Sync()
    {
        if (_pending.Count == 0) return Trouble is null;
        try
        {
            var bytes = _pending.ToArray();
            Files.Write(_fd, _path, bytes, _end);
            Files.SyncData(_fd, _path);
            _end += bytes.Length;
            Trouble = null;
        }
        catch (FileFailure failure)
        {
            Trouble = failure.Message;
        }

        _pending.Clear();
        return Trouble is null;
    }

    /// <summary>Replaces the log by one that says only what stands.</summary>
    public void Compact(IEnumerable<ChildFact> standing)
    {
        var next = _path + ".new";
        var old = _fd;
        var oldEnd = _end;
        try
        {
            _fd = Files.Open(next, create: true, truncate: true);
            _end = 0;
            foreach (var fact in standing) Note(fact);
            if (!Sync()) throw new FileFailure(Trouble ?? "");
            Files.Rename(next, _path);
            Files.SyncDirectory(Path.GetDirectoryName(_path)!);
            Files.Close(old);
        }
        catch (FileFailure failure)
        {
            Trouble = failure.Message;
            if (_fd != old) Files.Close(_fd);
            _fd = old;
            _end = oldEnd;
        }
    }

    public void Dispose() => Files.Close(_fd);
}
